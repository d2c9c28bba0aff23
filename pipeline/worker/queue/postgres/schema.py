"""The queue's tables: Procrastinate's as it makes them, and ours beside; both are brought up when old.

All of them lie in the PostgreSQL schema ``recpipe``, so that a Procrastinate of somebody else in the same
database is left alone. Procrastinate keeps no version of its tables: the name of the last of its migrations
that was applied stands in our ``recpipe_schema``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, LiteralString

from procrastinate.schema import SchemaManager

from pipeline.errors import CommandError

if TYPE_CHECKING:
    from psycopg import Connection

SCHEMA: Final = "recpipe"
FIRST: Final = 1
"""The version of `_OURS`, which is never edited."""
VERSION: Final = 3
_LOCK: Final = 0x72656370697065  # "recpipe": of PostgreSQL's advisory locks, which a database has one set of

_OURS: Final[LiteralString] = """
CREATE FUNCTION recpipe_ms(timestamp with time zone) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT
    AS 'SELECT floor(extract(epoch FROM $1) * 1000)::bigint';

CREATE TABLE recpipe_jobs (
    job_id bigint PRIMARY KEY REFERENCES procrastinate_jobs(id) ON DELETE CASCADE,
    key text NOT NULL,
    priority integer NOT NULL,
    deadline_ms bigint NOT NULL,
    cores integer NOT NULL,
    memory bigint NOT NULL,
    disk bigint NOT NULL,
    submitted_ms bigint NOT NULL,
    started_ms bigint NOT NULL DEFAULT 0,
    ended_ms bigint NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    token bigint NOT NULL DEFAULT 0,
    worker text NOT NULL DEFAULT '',
    progress integer NOT NULL DEFAULT -1,
    code integer,
    summary text NOT NULL DEFAULT '',
    sentence text NOT NULL DEFAULT ''
);
CREATE INDEX recpipe_jobs_key ON recpipe_jobs USING hash (key);
CREATE INDEX recpipe_jobs_next ON recpipe_jobs (priority DESC, (deadline_ms = 0), deadline_ms, job_id)
    WHERE ended_ms = 0;
CREATE TABLE recpipe_schema (version integer NOT NULL, procrastinate text NOT NULL);
"""
_NOTES: Final[LiteralString] = """
ALTER TABLE recpipe_jobs ADD COLUMN vendor text NOT NULL DEFAULT '';
CREATE TABLE recpipe_notes (
    id bigserial PRIMARY KEY,
    job_id bigint NOT NULL REFERENCES procrastinate_jobs(id) ON DELETE CASCADE,
    at_ms bigint NOT NULL,
    sentence text NOT NULL
);
CREATE INDEX recpipe_notes_of ON recpipe_notes (job_id, id);
CREATE INDEX recpipe_jobs_ended ON recpipe_jobs (ended_ms) WHERE ended_ms > 0;
"""
_PARTS: Final[LiteralString] = """
ALTER TABLE recpipe_jobs ADD COLUMN parent bigint NOT NULL DEFAULT 0,
    ADD COLUMN parts integer NOT NULL DEFAULT 0;
CREATE INDEX recpipe_jobs_parent ON recpipe_jobs (parent) WHERE parent > 0;
"""
MIGRATIONS: Final[tuple[LiteralString, ...]] = (_NOTES, _PARTS)
"""Of our tables: the first one makes version 2 of version 1. A new queue goes the same way."""


def bring_up(connection: Connection[dict[str, Any]]) -> None:
    """Make the tables, or what they lack; each step is a transaction, and one of all hosts takes it.

    Raises:
        CommandError: the tables are of a newer recpipe or Procrastinate than this one.
        psycopg.Error: the database does not do it.
    """
    while _step(connection):
        pass


def _step(connection: Connection[dict[str, Any]]) -> bool:
    """One step; whether another may follow."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        at = _version(connection)
        if at is None:
            _make(connection)
            return True
        version, applied = at
        lacking = [file for file in migrations() if file.stem > applied]
        _refuse_newer(version, applied)
        if lacking:
            connection.execute(lacking[0].read_bytes())
            connection.execute("UPDATE recpipe_schema SET procrastinate = %s", (lacking[0].stem,))
        elif version < VERSION:
            connection.execute(MIGRATIONS[version - 1])
            connection.execute("UPDATE recpipe_schema SET version = %s", (version + 1,))
        else:
            return False
        return True


def is_there(connection: Connection[dict[str, Any]]) -> bool:
    """Whether a queue was made."""
    return _version(connection) is not None


def _version(connection: Connection[dict[str, Any]]) -> tuple[int, str] | None:
    """Of our tables, and the last migration of Procrastinate's; None where there are no tables yet."""
    row = connection.execute("SELECT to_regclass('recpipe_schema') AS there").fetchone()
    if row is None or row["there"] is None:
        return None
    row = connection.execute("SELECT version, procrastinate FROM recpipe_schema").fetchone()
    if row is None:
        raise CommandError(
            f"the table {SCHEMA}.recpipe_schema is empty: expected the version of the queue. "
            "Restore the database, or drop that schema with all its jobs."
        )
    return row["version"], row["procrastinate"]


def _refuse_newer(version: int, applied: str) -> None:
    if version > VERSION:
        raise CommandError(
            f"the queue's tables are of version {version}, and this recpipe knows {VERSION}: upgrade recpipe."
        )
    if applied > migrations()[-1].stem:
        raise CommandError(
            f"the queue's tables are those of Procrastinate's migration {applied}, and this one ends with "
            f"{migrations()[-1].stem}: upgrade procrastinate."
        )


def _make(connection: Connection[dict[str, Any]]) -> None:
    there = connection.execute("SELECT to_regnamespace(%s) AS there", (SCHEMA,)).fetchone()
    if there is None or there["there"] is None:  # IF NOT EXISTS asks for the right to make one even so
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
    connection.execute(SchemaManager.get_schema())
    connection.execute(_OURS)
    connection.execute(
        "INSERT INTO recpipe_schema (version, procrastinate) VALUES (%s, %s)",
        (FIRST, migrations()[-1].stem),
    )


def migrations() -> list[Path]:
    """Procrastinate's, in their order."""
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
