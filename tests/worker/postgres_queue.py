"""A queue in a database of its own on a real PostgreSQL, whose clock is in a test's hands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from pipeline.worker.queue.postgres.connecting import settle
from pipeline.worker.queue.postgres.engine import PostgresEngine
from pipeline.worker.queue.postgres.session import Session

if TYPE_CHECKING:
    from contextlib import ExitStack

    from tests.servers.postgres import Postgres

PATH = "recpipe, hands, pg_catalog"
"""A schema of the test is looked into before PostgreSQL's own: its `now()` is Procrastinate's too."""
MADE = """
CREATE SCHEMA hands;
CREATE TABLE hands.clock AS SELECT 1790000000000::bigint AS ms;
CREATE FUNCTION hands.now() RETURNS timestamp with time zone LANGUAGE sql STABLE
    AS 'SELECT pg_catalog.to_timestamp(0) + ms * interval ''1 ms'' FROM hands.clock';
"""


def opened(dsn: str, password: str) -> psycopg.Connection[dict[str, Any]]:
    """As the engine connects, but for the clock."""
    connection = psycopg.Connection.connect(dsn, password=password, autocommit=True, row_factory=dict_row)
    settle(connection, PATH)
    return connection


class Kept:
    """As the contract wants a queue."""

    def __init__(self, server: Postgres, closing: ExitStack) -> None:
        self.server = server
        self.dsn = server.dsn(server.emptied())
        self._closing = closing
        with self.hands() as hands:
            hands.execute(MADE)
        self.engine = self.beside()

    def hands(self) -> psycopg.Connection[dict[str, Any]]:
        """A connection of the test's own; to be used as a context, which closes it."""
        return psycopg.Connection.connect(
            self.dsn, password=self.server.password, autocommit=True, row_factory=dict_row
        )

    def told(self, statement: Any, *given: object) -> Any:
        """The one value that a query gives."""
        with self.hands() as hands:
            row = hands.execute(statement, given).fetchone()
        assert row
        (value,) = row.values()
        return value

    @property
    def utc_ms(self) -> int:
        return int(self.told("SELECT ms FROM hands.clock"))

    def pass_ms(self, ms: int) -> None:
        self.told("UPDATE hands.clock SET ms = ms + %s RETURNING ms", ms)

    def beside(self) -> PostgresEngine:
        engine = PostgresEngine(Session(lambda: opened(self.dsn, self.server.password), "the test's"))
        self._closing.callback(engine.close)
        return engine
