"""The inbox: events, what is to be looked at, what became of it. Each call is one transaction."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pipeline.vendors.tasks import Task
from pipeline.worker.queue.sqlite.opening import (
    Connections,
    in_sentences,
    patiently,
    prepare_place,
    transaction,
)
from pipeline.worker.serve.inbox import rows
from pipeline.worker.serve.inbox.schema import INBOX, STEPS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pipeline.vendors.events import Event

PATIENCE_S = 3.0
"""How long a call waits for a lock: a vendor waits for 5 s (TRTC, Volcengine) or 10 s (Agora)."""
RETENTION_MS = 30 * 86_400_000
MOST_AT_ONCE = 100


class Kept(StrEnum):
    """What became of an event that came in."""

    NEW = "new"
    DUPLICATE = "duplicate"
    OLD = "old"  # older than anything that is kept: a replay would be no duplicate any more


@dataclass(frozen=True, slots=True)
class Made:
    """A job that a rule has made of a task: its number in the queue, and its key there."""

    job: int
    key: str


@dataclass(frozen=True, slots=True)
class Due:
    """A task that is to be looked at.

    Attributes:
        id: of the row.
        news: the last event that was kept of it when it was read.
        task: what its events say.
        heard_ms: UTC when the last of them came in.
        made: jobs that were made of it, by the names of rules.
    """

    id: int
    news: int
    task: Task
    heard_ms: int
    made: Mapping[str, Made]


@dataclass(frozen=True, slots=True)
class Seen:
    """A task as a person is told of it; ``due_ms`` is None where nothing more is to be done."""

    vendor: str
    app: str
    task: str
    became: str
    due_ms: int | None
    changed_ms: int


class Inbox:
    """A file of events. Threads may share one; each process has one of its own.

    Args:
        path: of the database; it is made, in a folder that is there, for its owner alone.
        clock: UTC ms.
        patience_s: how long a call waits for a lock before it raises EngineBusyError.

    Raises:
        CommandError: the file is no inbox, or of a newer version.
        OutputError: it cannot be kept there.
        EngineBusyError: it was locked for too long; each call may raise it.
        NoSpaceError: its disk is full; each call may raise it.
    """

    def __init__(self, path: Path, *, clock: Callable[[], int], patience_s: float = PATIENCE_S) -> None:
        self._path = path
        self._clock = clock
        self._patience_s = patience_s
        prepare_place(path, INBOX)
        self._connections = Connections(path, patience_s, STEPS, INBOX)
        with in_sentences(path, INBOX):
            self._connections.mine()

    def keep(self, *events: Event) -> tuple[Kept, ...]:
        """Take events in, all or none; they are on the disk when this returns."""
        now_ms = self._clock()
        with self._alone() as db:
            return tuple(_kept(db, event, now_ms) for event in events)

    def due(self) -> Sequence[Due]:
        """Tasks that are to be looked at now, `MOST_AT_ONCE` of them at most."""
        return [
            self._due(row) for row in self._read(rows.DUE, {"now_ms": self._clock(), "most": MOST_AT_ONCE})
        ]

    def _due(self, row: sqlite3.Row) -> Due:
        events = self._read(rows.EVENTS, {name: row[name] for name in ("vendor", "app", "recording")})
        made = {
            each["rule"]: Made(each["job"], each["key"])
            for each in self._read(rows.JOBS, {"task": row["id"]})
        }
        return Due(
            row["id"],
            # an event may have come in between the two statements, and is in the task then
            max([row["news"], *(each["id"] for each in events)]),
            Task(row["vendor"], row["app"], row["recording"])
            if not events
            else Task.of(rows.event_of(each["event"]) for each in events),
            max((each["kept_ms"] for each in events), default=0),
            made,
        )

    def mark(
        self, due: Due, became: str, *, due_ms: int | None, made: Mapping[str, Made], lacks: bool = False
    ) -> None:
        """Write what became of a task.

        Args:
            due: what was looked at; what came in since is looked at again.
            became: a sentence for people.
            due_ms: UTC when it is to be looked at again; None for when there is news.
            made: jobs that its rules have made.
            lacks: anything that is told of it may be what a rule needs.
        """
        values = {"task": due.id, "news": due.news, "became": became, "due_ms": due_ms, "lacks": lacks}
        with self._alone() as db:
            for rule, job in made.items():
                db.execute(rows.MADE, {"task": due.id, "rule": rule, "job": job.job, "key": job.key})
            db.execute(rows.MARK, values | {"now_ms": self._clock()})

    def latest(self, most: int = 100) -> Sequence[Seen]:
        """Tasks, those first of which something was heard or made last."""
        return [Seen(**dict(row)) for row in self._read(rows.LATEST, {"most": most})]

    def counts(self) -> tuple[int, int]:
        """How many events are kept, and how many tasks wait to be looked at."""
        (row,) = self._read(rows.COUNT, {})
        return row[0], row[1]

    def tidy(self) -> int:
        """Forget events older than `RETENTION_MS`, and tasks of which none is left; how many events."""
        values = {"before_ms": self._clock() - RETENTION_MS}
        with self._alone() as db:
            gone = db.execute(rows.OLD_EVENTS, values).rowcount
            db.execute(rows.OLD_TASKS, values)
            db.execute(rows.OLD_JOBS)
        return gone

    def close(self) -> None:
        """Let go of the file; no thread may be inside a call."""
        self._connections.close()

    @contextmanager
    def _alone(self) -> Iterator[sqlite3.Connection]:
        with in_sentences(self._path, INBOX):
            db = self._connections.mine()
            with transaction(db, self._patience_s):
                yield db

    def _read(self, statement: str, values: dict[str, Any]) -> list[sqlite3.Row]:
        with in_sentences(self._path, INBOX):
            db = self._connections.mine()
            return patiently(lambda: db.execute(statement, values).fetchall(), self._patience_s)


def _kept(db: sqlite3.Connection, event: Event, now_ms: int) -> Kept:
    if event.at_ms and event.at_ms < now_ms - RETENTION_MS:
        return Kept.OLD
    values: dict[str, Any] = {"vendor": event.vendor, "app": event.app, "key": event.key}
    values |= {"recording": event.recording, "kept_ms": now_ms, "event": rows.text_of(event)}
    made = db.execute(rows.KEEP, values)
    if not made.rowcount:
        return Kept.DUPLICATE
    if event.recording:
        db.execute(rows.NEWS, values | rows.weight_of(event) | {"news": made.lastrowid})
    return Kept.NEW
