"""One connection, which threads take in turns; the call after the one that lost it makes another."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipeline.errors import CommandError, DeniedError, EngineBusyError
from pipeline.worker.queue.postgres.connecting import PATIENCE_S, told
from pipeline.worker.queue.postgres.schema import bring_up, is_there

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection


class Session:
    """With the newest schema, from the first transaction on.

    Args:
        connecting: makes a connection.
        address: what sentences call the database.
        make: the tables where there are none.
    """

    def __init__(
        self, connecting: Callable[[], Connection[dict[str, Any]]], address: str, *, make: bool = True
    ) -> None:
        self._connecting = connecting
        self._address = address
        self._make = make
        self._turn = threading.Lock()
        self._connection: Connection[dict[str, Any]] | None = None
        self._brought_up = False

    @contextmanager
    def transaction(self) -> Iterator[Connection[dict[str, Any]]]:
        """All or nothing.

        Raises:
            EngineBusyError: the connection is in use for too long, was lost, or cannot be made now.
            DeniedError: the database never let us in.
            CommandError: there is no queue, and none is to be made.
        """
        if not self._turn.acquire(timeout=PATIENCE_S):
            raise EngineBusyError("the connection to the queue's database is in use: again later.")
        try:
            with told(self._address):
                connection = self._ready()
                with connection.transaction():
                    yield connection
        finally:
            if self._connection is not None and self._connection.closed:
                self._drop()
            self._turn.release()

    def close(self) -> None:
        """Until the next transaction."""
        with self._turn:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ready(self) -> Connection[dict[str, Any]]:
        if self._connection is None:
            self._connection = self._connected()
        if not self._brought_up:
            if not self._make and not is_there(self._connection):
                raise CommandError(
                    f"there is no queue in the database at {self._address}: name the one that jobs were "
                    "submitted to."
                )
            bring_up(self._connection)
            self._brought_up = True
        return self._connection

    def _connected(self) -> Connection[dict[str, Any]]:
        try:
            return self._connecting()
        except (DeniedError, CommandError) as error:
            if not self._brought_up:
                raise
            # It let us in before: passwords change, and their files.
            raise EngineBusyError(str(error)) from error
