"""Rows of the queue's tables as values, and states as Procrastinate's statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.worker.jobs import ENDED, Ended, Job, Needs, Order, State

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

STATUSES: dict[State, tuple[str, ...]] = {
    State.WAITING: ("todo",),
    State.RUNNING: ("doing",),
    State.DONE: ("succeeded",),
    State.DEAD: ("failed",),
    State.CANCELLED: ("aborted", "cancelled"),  # while it ran, while it waited
}
"""The first one is what an attempt ends with."""
_STATES = {status: state for state, statuses in STATUSES.items() for status in statuses}


def statuses(states: Collection[State]) -> list[str]:
    """What Procrastinate calls these states."""
    return [status for state in states for status in STATUSES[state]]


def state_of(status: str) -> State:
    """What we call a status."""
    return _STATES[status]


def job(row: Mapping[str, Any]) -> Job:
    """A row of `pipeline.worker.postgres.statements.KEPT`."""
    state = state_of(row["status"])
    end = None
    if row["code"] is not None and state in ENDED:
        end = Ended(state, row["code"], row["sentence"], row["summary"])
    return Job(
        id=row["id"],
        order=Order(
            key=row["key"],
            document=row["document"],
            priority=row["priority"],
            not_before_ms=row["not_before_ms"],
            deadline_ms=row["deadline_ms"],
            needs=Needs(row["cores"], row["memory"], row["disk"]),
            vendor=row["vendor"],
        ),
        state=state,
        attempts=row["attempts"],
        token=row["token"],
        submitted_ms=row["submitted_ms"],
        started_ms=row["started_ms"],
        ended_ms=row["ended_ms"],
        worker=row["worker"],
        progress=row["progress"],
        end=end,
        sentence=row["sentence"],
        parent=row["parent"],
        parts=row["parts"],
    )


def text(words: str) -> str:
    """Words for people as PostgreSQL keeps them: without NUL and halves of characters (of `os.fsdecode`)."""
    return words.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
