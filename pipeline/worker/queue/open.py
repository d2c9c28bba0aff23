"""The queue of an address: ``sqlite:PATH`` or ``postgres:DSN``. Each engine is loaded when it is named."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import CommandError

if TYPE_CHECKING:
    from pipeline.worker.queue.engine import Engine

FORMS = "sqlite:PATH or postgres:DSN"
POSTGRES = "pipeline.worker.queue.postgres.engine"


def open_engine(address: str, *, make: bool = True) -> Engine:
    """The queue at an address.

    Args:
        address: ``sqlite:`` and a path, or ``postgres:`` and a connection string (libpq, section 34.1.1) that
            holds no password.
        make: it where there is none.

    Raises:
        CommandError: it is no address, or what is there is no queue of ours, or nothing is there.
        OutputError: it cannot be kept there.
        EngineBusyError: it cannot be reached.
    """
    kind, _, rest = address.partition(":")
    if not rest or kind not in {"sqlite", "postgres"}:
        raise CommandError(f"{kind!r} is no queue: give it as {FORMS}.")  # the rest may hold a password
    if kind == "sqlite":
        from pipeline.worker.queue.sqlite.engine import SqliteEngine

        path = Path(rest)
        if not make and _is_absent(path):
            raise CommandError(f"there is no queue {path}: name the one that jobs were submitted to.")
        return SqliteEngine(path)
    try:
        opened: Engine = import_module(POSTGRES).open_engine(rest, os.environ, make=make)
    except ModuleNotFoundError as error:
        raise CommandError(
            f"a queue in PostgreSQL needs {error.name}: install it with pip install 'recpipe[postgres]'."
        ) from error
    return opened


def _is_absent(path: Path) -> bool:
    """Of what cannot be looked at the engine tells why."""
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        pass
    return False
