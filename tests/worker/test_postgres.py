"""The engine on PostgreSQL keeps the contract; what only it promises: passwords, schema, lost connections."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from pipeline.worker.postgres.connecting import settle
from pipeline.worker.postgres.engine import PostgresEngine
from tests.worker.contract import Contract, Handling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.postgres import Postgres

PATH = "hands, recpipe, pg_catalog"
"""A schema is looked into before PostgreSQL's own: its `now()` is the test's, for Procrastinate too."""
MADE = """
CREATE SCHEMA hands;
CREATE TABLE hands.clock AS SELECT 1790000000000::bigint AS ms;
CREATE FUNCTION hands.now() RETURNS timestamp with time zone LANGUAGE sql STABLE
    AS 'SELECT pg_catalog.to_timestamp(0) + ms * interval ''1 ms'' FROM hands.clock';
"""


class Kept:
    """A queue in a database of its own, as the contract wants it."""

    def __init__(self, server: Postgres, closing: ExitStack) -> None:
        self._server = server
        self._closing = closing
        self.name = server.database()
        self.hands = closing.enter_context(server.connect(self.name))
        self.hands.execute(MADE)
        self.engine = self.beside()

    @property
    def utc_ms(self) -> int:
        row = self.hands.execute("SELECT ms FROM hands.clock").fetchone()
        assert row
        return int(row[0])

    def beside(self) -> PostgresEngine:
        engine = PostgresEngine(self._connection, "the test's")
        self._closing.callback(engine.close)
        return engine

    def _connection(self) -> psycopg.Connection[dict[str, Any]]:
        connection = psycopg.Connection.connect(
            self._server.dsn(self.name), password=self._server.password, autocommit=True, row_factory=dict_row
        )
        settle(connection, PATH)
        return connection

    def pass_ms(self, ms: int) -> None:
        self.hands.execute("UPDATE hands.clock SET ms = ms + %s", (ms,))


@pytest.fixture
def queue(postgres_server: Postgres) -> Iterator[Kept]:
    with ExitStack() as closing:
        yield Kept(postgres_server, closing)


class TestPostgres(Contract):
    pass


class TestPostgresHandling(Handling):
    pass
