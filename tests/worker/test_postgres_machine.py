"""Any acts in any order on the engine on PostgreSQL."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis.stateful import initialize, run_state_machine_as_test

from pipeline.worker.queue.postgres.engine import PostgresEngine
from pipeline.worker.queue.postgres.session import Session
from tests.worker.machine import BUSY, Machine
from tests.worker.postgres_queue import Kept, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from pipeline.worker.queue.engine import Engine
    from tests.servers.postgres import Postgres
    from tests.worker.clocks import Hands


class _Told(Session):
    """Its server is told the time of a test's clock before anything else."""

    def __init__(self, queue: Kept, hands: Hands) -> None:
        super().__init__(lambda: opened(queue.dsn, queue.server.password), "the test's")
        self._hands = hands

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        with super().transaction() as connection:
            connection.execute("UPDATE hands.clock SET ms = %s", (self._hands.utc_ms,))
            yield connection


def test_any_acts_in_any_order(postgres_server: Postgres) -> None:
    with ExitStack() as closing:
        queue = Kept(postgres_server, closing)
        queue.engine.jobs()  # makes the tables

        class OnPostgres(Machine):
            @initialize()
            def begin(self) -> None:
                """Emptied, because to make its tables takes longer than all that follows."""
                with queue.hands() as hands:
                    hands.execute("TRUNCATE recpipe.procrastinate_jobs RESTART IDENTITY CASCADE")
                super().begin()

            def opened(self, hands: Hands) -> Engine:
                return PostgresEngine(_Told(queue, hands))

        run_state_machine_as_test(OnPostgres, settings=settings(BUSY, max_examples=20))
