"""The tables of the queue, version by version. Each step runs once, all of them in one transaction or none.

A step that was released is never edited: a database that has it would never see the change. Another one
follows. ``PRAGMA user_version`` counts the steps a file has seen, ``PRAGMA application_id`` says that it is a
queue of ours (sqlite.org/pragma.html). Nothing here needs more than SQLite 3.24, as old systems have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pipeline.errors import CommandError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

Step: TypeAlias = tuple[str, ...]
"""SQL statements, one a text."""

APPLICATION = 0x72637071
"""``rcpq``, our mark in the head of the file."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file of ours is.

    Attributes:
        noun: what it is called in sentences.
        application: its mark.
        table: one that each version of it has.
    """

    noun: str
    application: int
    table: str


QUEUE = Kind("queue", APPLICATION, "jobs")

_JOBS = """
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL,
  document TEXT NOT NULL,
  priority INTEGER NOT NULL,
  not_before_ms INTEGER NOT NULL,
  deadline_ms INTEGER NOT NULL,
  cores INTEGER NOT NULL,
  memory INTEGER NOT NULL,
  disk INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'dead', 'cancelled')),
  attempts INTEGER NOT NULL DEFAULT 0,
  token INTEGER NOT NULL DEFAULT 0,
  submitted_ms INTEGER NOT NULL,
  started_ms INTEGER NOT NULL DEFAULT 0,
  ended_ms INTEGER NOT NULL DEFAULT 0,
  worker TEXT NOT NULL DEFAULT '',
  progress INTEGER NOT NULL DEFAULT -1,
  unwanted INTEGER NOT NULL DEFAULT 0,
  lease_boot TEXT NOT NULL DEFAULT '',
  lease_until_ms INTEGER NOT NULL DEFAULT 0,
  code INTEGER NOT NULL DEFAULT 0,
  sentence TEXT NOT NULL DEFAULT '',
  summary TEXT NOT NULL DEFAULT ''
)"""

_NEXT = """
CREATE INDEX jobs_next ON jobs (priority DESC, deadline_ms = 0, deadline_ms, id,
  state, not_before_ms, unwanted, lease_boot, lease_until_ms, cores, memory, disk)
WHERE state IN ('waiting', 'running')"""
"""In the order of claims, with all that they ask for: documents are not read to find that none may begin."""

_NOTES = """
CREATE TABLE notes (
  id INTEGER PRIMARY KEY,
  job INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  sentence TEXT NOT NULL
)"""

_NEXT_WITH_PARTS = """
CREATE INDEX jobs_next ON jobs (priority DESC, deadline_ms = 0, deadline_ms, id,
  state, not_before_ms, unwanted, lease_boot, lease_until_ms, cores, memory, disk, parts)
WHERE state IN ('waiting', 'running')"""

STEPS: tuple[Step, ...] = (
    (
        _JOBS,
        "CREATE UNIQUE INDEX jobs_once ON jobs (key) WHERE state IN ('waiting', 'running')",
        _NEXT,
        "CREATE INDEX jobs_unwanted ON jobs (id) WHERE unwanted",
        "CREATE INDEX jobs_key ON jobs (key, id)",
        "CREATE INDEX jobs_ended ON jobs (ended_ms) WHERE ended_ms > 0",
    ),
    (
        "ALTER TABLE jobs ADD COLUMN vendor TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX jobs_standing ON jobs (vendor, state)",  # the other way about claims would take it
        _NOTES,
        "CREATE INDEX notes_of ON notes (job, id)",
        "CREATE TRIGGER notes_forgotten AFTER DELETE ON jobs BEGIN DELETE FROM notes WHERE job = OLD.id; END",
    ),
    (
        "ALTER TABLE jobs ADD COLUMN parent INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE jobs ADD COLUMN parts INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX jobs_parent ON jobs (parent, state, id) WHERE parent > 0",
        "DROP INDEX jobs_next",
        _NEXT_WITH_PARTS,
    ),
)


def recognise(db: sqlite3.Connection, path: Path, newest: int = len(STEPS), kind: Kind = QUEUE) -> int:
    """How many steps a database has seen; 0 for an empty file.

    Raises:
        CommandError: it is something else's, or of a newer recpipe.
    """
    application = _number(db, "PRAGMA application_id")
    version = _number(db, "PRAGMA user_version")
    things = _number(db, "SELECT count(*) FROM sqlite_master")
    if application != kind.application and (application or version or things):
        raise CommandError(
            f"{path} is a SQLite database of something else, no {kind.noun}: name another file."
        )
    if version > newest:
        raise CommandError(
            f"the {kind.noun} {path} was written by a newer recpipe (version {version}, this one knows"
            f" {newest}): update recpipe, or name another file."
        )
    return version


def migrate(db: sqlite3.Connection, path: Path, steps: Sequence[Step] = STEPS, kind: Kind = QUEUE) -> None:
    """Bring a database to the newest version, inside the transaction that is open. Raises as `recognise`."""
    version = recognise(db, path, len(steps), kind)
    if version == len(steps):
        return
    for step in steps[version:]:
        for statement in step:
            db.execute(statement)
    db.execute(f"PRAGMA application_id = {kind.application}")
    db.execute(f"PRAGMA user_version = {len(steps)}")


def _number(db: sqlite3.Connection, statement: str) -> int:
    return int(db.execute(statement).fetchone()[0])
