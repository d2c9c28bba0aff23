"""The queue in SQLite: what `pipeline.worker.queue.engine.Engine` promises, each call one transaction."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.errors import CommandError, LostError
from pipeline.worker.queue.columns import needs_values
from pipeline.worker.queue.engine import LEASE_MS, refuse_part
from pipeline.worker.queue.jobs import (
    ENDED,
    MOST_KEPT,
    UNWANTED,
    Again,
    Claim,
    Ended,
    Note,
    Standing,
    State,
    Submitted,
    by_state,
)
from pipeline.worker.queue.sqlite import rows
from pipeline.worker.queue.sqlite.boot import this_machine
from pipeline.worker.queue.sqlite.opening import (
    Connections,
    in_sentences,
    patiently,
    prepare_place,
    transaction,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from pipeline.worker.queue.jobs import Job, Needs, Order, Parted
    from pipeline.worker.queue.sqlite.boot import Clock

PATIENCE_S = 10.0
"""How long a call waits for the others' transactions, of which each takes some milliseconds."""
_MOST = 2**63 - 1
"""SQLite's largest number: no job has a larger one."""


class SqliteEngine:
    """Any number of processes and threads of one host may have one each on the same file, or share one.

    Args:
        path: of the database; it is made, in a folder that is there, for its owner alone.
        clock: None for this machine's.
        lease_ms: how long a claim is kept without a beat.
        patience_s: how long a call waits for a lock before it raises EngineBusyError.

    Raises:
        CommandError: the file is no queue, or of a newer version.
        OutputError: it cannot be kept there.
        EngineBusyError: it was locked for too long; each call may raise it.
        NoSpaceError: its disk is full; each call may raise it.
    """

    one_host = True

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock | None = None,
        lease_ms: int = LEASE_MS,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._path = path
        self._clock = clock or this_machine()
        self._lease_ms = lease_ms
        self._patience_s = patience_s
        prepare_place(path)
        self._connections = Connections(path, patience_s)
        with in_sentences(path):
            self._connections.mine()

    def submit(self, order: Order, *, newest: int | None = None) -> Submitted:
        """As `Engine.submit`."""
        with self._alone() as db:
            return self._kept(db, order, newest=newest)

    def _kept(
        self, db: sqlite3.Connection, order: Order, parent: int = 0, newest: int | None = None
    ) -> Submitted:
        values = rows.order_values(order, parent)
        found = db.execute(rows.OF_KEY, values | {"newest": newest}).fetchone()
        if found is not None:
            return Submitted(found["id"], new=False)
        made = db.execute(rows.SUBMIT, values | self._now()).lastrowid
        if made is None:
            raise sqlite3.InternalError("SQLite gave a row no number")
        return Submitted(made, new=True)

    def claim(self, worker: str, room: Needs) -> Claim | None:
        """As `Engine.claim`; whoever finds nothing was in nobody's way."""
        needs = needs_values(room)
        if not self._read(rows.NEXT, self._now() | needs):
            return None
        with self._alone() as db:
            values = self._now() | needs
            db.execute(rows.DROP_OF_THE_DEAD, values | rows.end_values(UNWANTED))
            found = db.execute(rows.NEXT, values).fetchone()
            if found is None:
                return None
            db.execute(rows.TAKE, values | {"id": found["id"], "worker": rows.text(worker)})
            job = rows.job_of(db.execute(rows.ONE, {"id": found["id"]}).fetchone())
        return Claim(job, job.token, worker, taken_over=found["state"] == State.RUNNING)

    def beat(self, claim: Claim, progress: int = -1) -> bool:
        """As `Engine.beat`."""
        which = _which(claim)
        with self._alone() as db:
            if not db.execute(rows.KEEP, self._now() | which | {"progress": progress}).rowcount:
                raise _lost(db, claim)
            return bool(db.execute(rows.ONE, which).fetchone()["unwanted"])

    def end(self, claim: Claim, how: Ended | Again | Parted) -> None:
        """As `Engine.end`; one that is not wanted any more is not tried again, but cancelled."""
        values = _which(claim)
        with self._alone() as db:
            values |= self._now()
            if not isinstance(how, Ended):
                if self._goes_on(db, claim, how):
                    return
                how = UNWANTED
            if not db.execute(rows.END, values | rows.end_values(how)).rowcount:
                raise _lost(db, claim)
            if how.state is State.DEAD and claim.job.parent:
                self._drop_parts(db, claim.job.parent)

    def _goes_on(self, db: sqlite3.Connection, claim: Claim, how: Again | Parted) -> bool:
        """Let a job wait, for its time or its parts; whether it is still the claim's, and wanted."""
        values = _which(claim) | {"sentence": rows.text(how.sentence), "uncounted": not how.counts}
        if isinstance(how, Again):
            return bool(db.execute(rows.AGAIN, values | {"not_before_ms": how.not_before_ms}).rowcount)
        if not db.execute(rows.PART, values | {"parts": len(how.orders)}).rowcount:
            return False
        for order in how.orders:
            self._kept(db, order, claim.job.id)
        return True

    def _drop_parts(self, db: sqlite3.Connection, parent: int) -> None:
        values = {"parent": parent} | self._now()
        db.execute(rows.DROP_PARTS, values | rows.end_values(UNWANTED))
        db.execute(rows.WANT_NO_PARTS, values)

    def jobs(
        self,
        states: Collection[State] = (),
        *,
        key: str = "",
        parent: int = 0,
        most: int = 1000,
        before: int = 0,
    ) -> Sequence[Job]:
        """As `Engine.jobs`."""
        values = {"states": rows.states_value(states or State), "key": rows.text(key), "most": most}
        last = before if 0 < before <= _MOST else _MOST
        every = rows.ALL if not states or ENDED.intersection(states) else rows.ALL_OPEN
        statement = rows.ALL_OF_PARENT if parent else rows.ALL_OF_KEY if key else every
        found = self._read(statement, values | {"parent": parent, "before": last})
        return [rows.job_of(row) for row in found]

    def ended(self, since_ms: int, *, most: int = 1000) -> Sequence[Job]:
        """As `Engine.ended`."""
        return [
            rows.job_of(row) for row in self._read(rows.ENDED_SINCE, {"since_ms": since_ms, "most": most})
        ]

    def counts(self) -> Mapping[State, int]:
        """As `Engine.counts`."""
        return by_state(self._numbers())

    def standing(self) -> Standing:
        """As `Engine.standing`."""
        (oldest,) = self._read(rows.OLDEST, self._now())
        return Standing(self._numbers(), oldest["at_ms"])

    def _numbers(self) -> Mapping[tuple[State, str], int]:
        return {(State(row["state"]), row["vendor"]): row["number"] for row in self._read(rows.STANDING, {})}

    def say(self, number: int, sentences: Sequence[str]) -> None:
        """As `Engine.say`."""
        if not sentences or not 0 < number <= _MOST:
            return
        with self._alone() as db:
            for sentence in sentences[-MOST_KEPT:]:
                db.execute(rows.NOTE, self._now() | {"id": number, "sentence": rows.text(sentence)})
            db.execute(rows.OLD_NOTES, {"id": number, "kept": MOST_KEPT})

    def said(self, number: int) -> Sequence[Note]:
        """As `Engine.said`."""
        if not 0 < number <= _MOST:
            return ()
        return [Note(row["at_ms"], row["sentence"]) for row in self._read(rows.NOTES, {"id": number})]

    def job(self, number: int) -> Job | None:
        """As `Engine.job`."""
        if not 0 < number <= _MOST:
            return None
        found = self._read(rows.ONE, {"id": number})
        return rows.job_of(found[0]) if found else None

    def cancel(self, number: int) -> Job | None:
        """As `Engine.cancel`; one whose worker died is ended at once."""
        if not 0 < number <= _MOST:
            return None
        values: dict[str, Any] = {"id": number}
        with self._alone() as db:
            refuse_part(_one(db, number))
            if not db.execute(rows.DROP, values | self._now() | rows.end_values(UNWANTED)).rowcount:
                db.execute(rows.WANT_NO_MORE, values)
            else:
                self._drop_parts(db, number)
            return _one(db, number)

    def retry(self, number: int) -> Job | None:
        """As `Engine.retry`. Raises CommandError where another job of its key has not ended."""
        if not 0 < number <= _MOST:
            return None
        with self._alone() as db:
            job = _one(db, number)
            refuse_part(job)
            if job is None or job.state not in ENDED:
                return job
            other = db.execute(rows.OF_KEY, {"key": job.order.key, "newest": None}).fetchone()
            if other is not None:
                raise CommandError(
                    f"job {number} is not tried again: job {other['id']} does the same, and has not ended."
                )
            db.execute(rows.FORGET_PARTS, {"id": number})
            db.execute(rows.RETRY, {"id": number})
            return _one(db, number)

    def purge(self, before_ms: int, states: Collection[State]) -> int:
        """As `Engine.purge`."""
        values = {"before_ms": before_ms, "states": rows.states_value(ENDED.intersection(states))}
        with self._alone() as db:
            return db.execute(rows.PURGE, values).rowcount

    def close(self) -> None:
        """As `Engine.close`; no thread may be inside a call."""
        self._connections.close()

    @contextmanager
    def _alone(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection, in a transaction that began as the only one that writes."""
        with in_sentences(self._path):
            db = self._connections.mine()
            with transaction(db, self._patience_s):
                yield db

    def _read(self, statement: str, values: dict[str, Any]) -> list[sqlite3.Row]:
        """Readers see the last commit and wait for nobody, but where a log is made or done away with."""
        with in_sentences(self._path):
            db = self._connections.mine()
            return patiently(lambda: db.execute(statement, values).fetchall(), self._patience_s)

    def _now(self) -> dict[str, Any]:
        """To be asked inside a transaction: waiting for its lock may have taken seconds."""
        now = self._clock()
        return asdict(now) | {"until_ms": now.since_ms + self._lease_ms}


def _which(claim: Claim) -> dict[str, Any]:
    return {"id": claim.job.id, "token": claim.token}


def _one(db: sqlite3.Connection, number: int) -> Job | None:
    row = db.execute(rows.ONE, {"id": number}).fetchone()
    return None if row is None else rows.job_of(row)


def _lost(db: sqlite3.Connection, claim: Claim) -> LostError:
    """Why a claim is none any more."""
    job = _one(db, claim.job.id)
    if job is None:
        what = "is not in the queue any more"
    elif job.state is State.RUNNING:
        what = f"was taken over by {job.worker}"
    else:
        what = f"is {job.state} by now"
    return LostError(f"job {claim.job.id} {what}: what {claim.worker} makes of it does not count.")
