"""`pipeline.worker.queue.engine.Engine` on Procrastinate's tables. Why not by its worker: docs/decisions."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, LiteralString

from procrastinate.jobs import Job as TheirJob
from procrastinate.manager import JobManager
from procrastinate.sql import queries
from procrastinate.sync_psycopg_connector import SyncPsycopgConnector

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
    Job,
    Needs,
    Note,
    Order,
    Parted,
    Standing,
    State,
    Submitted,
    by_state,
)
from pipeline.worker.queue.postgres import rows, statements
from pipeline.worker.queue.postgres.connecting import connect, parse_address
from pipeline.worker.queue.postgres.session import Session

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from psycopg import Connection

_LONGEST_LOCK: Final = 1000
"""Bytes of a queueing lock; an index takes 2,704."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBERS: Final = range(1, 2**63)
"""PostgreSQL's ``bigserial``."""
_DROPPED: Final = {"code": UNWANTED.code, "unwanted": UNWANTED.sentence}


def open_engine(dsn: str, environ: Mapping[str, str], *, make: bool = True) -> PostgresEngine:
    """The queue in a database; nothing is connected before the first call.

    Args:
        dsn: libpq's connection string, without a password.
        environ: may name the password's file (`pipeline.worker.queue.postgres.connecting.PASSWORD_FILE`).
        make: the tables where there are none.

    Raises:
        CommandError: as `parse_address`.
    """
    address = parse_address(dsn, environ)
    return PostgresEngine(Session(lambda: connect(address), str(address), make=make))


class PostgresEngine:
    """As `pipeline.worker.queue.engine.Engine`; not to be used on both sides of a fork.

    Args:
        session: with the database.
    """

    one_host = False

    def __init__(self, session: Session) -> None:
        self._session = session
        self._manager = JobManager(SyncPsycopgConnector())

    def submit(self, order: Order, *, newest: int | None = None) -> Submitted:
        """As `Engine.submit`. Raises CommandError for an order that PostgreSQL cannot keep."""
        with self._session.transaction() as connection:
            return self._kept(connection, order, newest=newest)

    def _kept(
        self,
        connection: Connection[dict[str, Any]],
        order: Order,
        parent: int = 0,
        newest: int | None = None,
    ) -> Submitted:
        there = _locked_key(connection, order.key, newest)
        if there is not None:
            return Submitted(there, new=False)
        number = self._manager.defer_job(_deferred(order), connection=connection).id
        assert number is not None  # noqa: S101 - Procrastinate's job has one once it is deferred
        ours = {"id": number, "key": order.key, "priority": order.priority, "parent": parent}
        told = {"vendor": order.vendor, "deadline_ms": order.deadline_ms, **needs_values(order.needs)}
        connection.execute(statements.KEEP, {**ours, **told})
        return Submitted(number, new=True)

    def claim(self, worker: str, room: Needs) -> Claim | None:
        """As `Engine.claim`."""
        asked = {"lease_ms": LEASE_MS, **needs_values(room)}
        with self._session.transaction() as connection:
            for unwanted in connection.execute(statements.UNWANTED_OF_THE_DEAD, asked).fetchall():
                _reaped(connection, unwanted["id"])
            while row := connection.execute(statements.NEXT, asked).fetchone():
                if row["status"] == "doing" and not _reaped(connection, row["id"]):
                    continue
                connection.execute(statements.TAKE, {"id": row["id"], "worker": rows.text(worker)})
                job = _read(connection, statements.ONE, row["id"])
                assert job is not None  # noqa: S101 - its row is locked
                return Claim(job, job.token, worker, taken_over=row["status"] == "doing")
        return None

    def beat(self, claim: Claim, progress: int = -1) -> bool:
        """As `Engine.beat`."""
        return bool(self._fenced(statements.BEAT, claim, {"progress": progress})["abort_requested"])

    def end(self, claim: Claim, how: Ended | Again | Parted) -> None:
        """As `Engine.end`. A job that is to come again but that somebody wants cancelled is cancelled."""
        if isinstance(how, Ended):
            self._ended(claim, how)
            return
        orders = how.orders if isinstance(how, Parted) else ()
        given = {
            "sentence": rows.text(how.sentence),
            "counts": how.counts,
            "retry_at": _moment(how.not_before_ms) if isinstance(how, Again) else None,
            "parts": len(orders) or None,
            **_DROPPED,
        }
        with self._session.transaction() as connection:
            row = _mine(connection, statements.AGAIN, claim, given)
            for order in () if row["abort_requested"] else orders:
                self._kept(connection, order, claim.job.id)

    def _ended(self, claim: Claim, how: Ended) -> None:
        said = {"code": how.code, "sentence": rows.text(how.sentence), "summary": rows.text(how.summary)}
        given = {**said, "status": rows.STATUSES[how.state][0]}
        parent = claim.job.parent if how.state is State.DEAD else 0
        with self._session.transaction() as connection:
            if parent:
                connection.execute(statements.PARTS_LOCKED, {"parent": parent})
            _mine(connection, statements.END, claim, given)
            if parent:
                _drop_parts(connection, parent)

    def _fenced(self, statement: LiteralString, claim: Claim, given: Mapping[str, Any]) -> dict[str, Any]:
        with self._session.transaction() as connection:
            return _mine(connection, statement, claim, given)

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
        which = {"key": rows.text(key), "parent": parent, "most": most}
        asked = {"statuses": rows.statuses(states) if states else None, **which}
        last = before if before in _NUMBERS else _NUMBERS[-1]
        with self._session.transaction() as connection:
            return [rows.job(row) for row in connection.execute(statements.LISTED, {**asked, "before": last})]

    def ended(self, since_ms: int, *, most: int = 1000) -> Sequence[Job]:
        """As `Engine.ended`."""
        asked = {"since_ms": since_ms, "most": most}
        with self._session.transaction() as connection:
            return [rows.job(row) for row in connection.execute(statements.ENDED_SINCE, asked)]

    def counts(self) -> Mapping[State, int]:
        """As `Engine.counts`."""
        return by_state(self.standing().numbers)

    def standing(self) -> Standing:
        """As `Engine.standing`."""
        numbers: Counter[tuple[State, str]] = Counter()
        with self._session.transaction() as connection:
            for row in connection.execute(statements.STANDING):
                numbers[rows.state_of(row["status"]), row["vendor"]] += row["number"]
            oldest = connection.execute(statements.OLDEST).fetchone()
        return Standing(numbers, oldest["at_ms"] if oldest else 0)

    def say(self, number: int, sentences: Sequence[str]) -> None:
        """As `Engine.say`."""
        if not sentences or number not in _NUMBERS:
            return
        told = [rows.text(sentence) for sentence in sentences[-MOST_KEPT:]]
        with self._session.transaction() as connection:
            connection.execute(statements.NOTE, {"id": number, "sentences": told})
            connection.execute(statements.OLD_NOTES, {"id": number, "kept": MOST_KEPT})

    def said(self, number: int) -> Sequence[Note]:
        """As `Engine.said`."""
        if number not in _NUMBERS:
            return ()
        with self._session.transaction() as connection:
            found = connection.execute(statements.NOTES, {"id": number})
            return [Note(row["at_ms"], row["sentence"]) for row in found]

    def job(self, number: int) -> Job | None:
        """As `Engine.job`."""
        if number not in _NUMBERS:
            return None
        with self._session.transaction() as connection:
            return _read(connection, statements.ONE, number)

    def cancel(self, number: int) -> Job | None:
        """As `Engine.cancel`. One whose worker does not beat any more ends at once."""
        if number not in _NUMBERS:
            return None
        with self._session.transaction() as connection:
            refuse_part(_read(connection, statements.ONE, number))
            connection.execute(statements.PARTS_LOCKED, {"parent": number})
            job = _cancelled(connection, number)
            if job is not None and job.state is State.CANCELLED:
                _drop_parts(connection, number)
            return job

    def retry(self, number: int) -> Job | None:
        """As `Engine.retry`."""
        if number not in _NUMBERS:
            return None
        with self._session.transaction() as connection:
            job = _read(connection, statements.ONE, number)
            refuse_part(job)
            if job is None:
                return None
            other = _locked_key(connection, job.order.key)
            job = _read(connection, statements.LOCKED, number)
            if job is None or job.state not in ENDED:
                return job
            if other is not None:
                raise CommandError(
                    f"job {number} is not tried again: job {other} does the same, and has not ended."
                )
            connection.execute(statements.FORGET_PARTS, {"id": number})
            connection.execute(statements.RETRY, {"id": number})
            return _read(connection, statements.ONE, number)

    def purge(self, before_ms: int, states: Collection[State]) -> int:
        """As `Engine.purge`."""
        asked = {"before_ms": before_ms, "statuses": rows.statuses(states)}
        with self._session.transaction() as connection:
            return connection.execute(statements.PURGE, asked).rowcount

    def close(self) -> None:
        """As `Engine.close`."""
        self._session.close()


def _deferred(order: Order) -> TheirJob:
    return TheirJob(
        queue=statements.QUEUE,
        task_name=statements.TASK,
        priority=order.priority,
        lock=None,
        queueing_lock=_queueing_lock(order.key),
        task_kwargs={"document": order.document},
        scheduled_at=_moment(order.not_before_ms),
    )


def _mine(
    connection: Connection[dict[str, Any]],
    statement: LiteralString,
    claim: Claim,
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """What a statement tells of a job that is the claim's; raises LostError where it is not any more."""
    mine = {"id": claim.job.id, "token": claim.token}
    row = connection.execute(statement, {**mine, **given}).fetchone()
    if row is None:
        raise LostError(
            f"job {claim.job.id} is not {claim.worker}'s any more: another worker has it, or it ended. "
            "Drop what was made of it."
        )
    return row


def _cancelled(connection: Connection[dict[str, Any]], number: int) -> Job | None:
    """A job that nobody wants any more: ended where nobody has it, else its worker will know."""
    job = _read(connection, statements.LOCKED, number)
    if job is not None and job.state is State.WAITING:
        connection.execute(statements.CANCEL, {"id": number, **_DROPPED})
    elif job is not None and job.state is State.RUNNING:
        connection.execute(queries["cancel_job"], {"job_id": number, "abort": True, "delete_job": False})
        _reaped(connection, number)
    return _read(connection, statements.ONE, number)


def _drop_parts(connection: Connection[dict[str, Any]], parent: int) -> None:
    for part in connection.execute(statements.OPEN_PARTS, {"parent": parent}).fetchall():
        _cancelled(connection, part["id"])


def _reaped(connection: Connection[dict[str, Any]], number: int) -> bool:
    """Let a locked job whose heartbeat stalled wait again, or end where that was wanted; whether it waits."""
    stalled = connection.execute(statements.STALLED, {"id": number, "lease_ms": LEASE_MS}).fetchone()
    if stalled is None:
        return False
    if stalled["abort_requested"]:
        connection.execute(statements.ABORT, {"id": number, **_DROPPED})
    else:
        connection.execute(statements.REAP, {"id": number})
    connection.execute(queries["unregister_worker"], {"worker_id": stalled["worker_id"]})
    return not stalled["abort_requested"]


def _locked_key(connection: Connection[dict[str, Any]], key: str, newest: int | None = None) -> int | None:
    """The job of a key that has not ended or is newer, to which nobody adds before the transaction ends."""
    connection.execute(statements.KEY_LOCKED, {"key": key})
    row = connection.execute(statements.OF_KEY, {"key": key, "newest": newest}).fetchone()
    return None if row is None else row["id"]


def _read(connection: Connection[dict[str, Any]], statement: LiteralString, number: int) -> Job | None:
    row = connection.execute(statement, {"id": number}).fetchone()
    return None if row is None else rows.job(row)


def _queueing_lock(key: str) -> str:
    data = key.encode()
    return key if len(data) <= _LONGEST_LOCK else f"sha256:{hashlib.sha256(data).hexdigest()}"


def _moment(ms: int) -> datetime | None:
    """UTC ms as PostgreSQL takes it; None for 0."""
    try:
        return _EPOCH + timedelta(milliseconds=ms) if ms else None
    except OverflowError as error:
        raise CommandError(f"{ms} ms is no time: expected UTC ms before the year 10000.") from error
