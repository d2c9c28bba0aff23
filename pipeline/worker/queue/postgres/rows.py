"""Rows of the queue's tables as values, and states as Procrastinate's statuses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.errors import ExitCode
from pipeline.worker.queue import columns
from pipeline.worker.queue.jobs import ENDED, Ended, State

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pipeline.worker.queue.jobs import Job

STATUSES: dict[State, tuple[str, ...]] = {
    State.WAITING: ("todo",),
    State.RUNNING: ("doing",),
    State.DONE: ("succeeded",),
    State.DEAD: ("failed",),
    State.CANCELLED: ("aborted", "cancelled"),  # while it ran, while it waited
}
"""The first one is what an attempt ends with."""
_CODES = {
    State.DONE: ExitCode.GOOD,
    State.DEAD: ExitCode.TERMINATED,
    State.CANCELLED: ExitCode.INTERRUPTED,
}
_OUTSIDE = "it was ended with Procrastinate's own tools."
"""Of a job whose end nobody told us."""
_STATES = {status: state for state, statuses in STATUSES.items() for status in statuses}


def statuses(states: Collection[State]) -> list[str]:
    """What Procrastinate calls these states."""
    return [status for state in states for status in STATUSES[state]]


def state_of(status: str) -> State:
    """What we call a status."""
    return _STATES[status]


def job(row: Mapping[str, Any]) -> Job:
    """A row of `pipeline.worker.queue.postgres.statements.KEPT`."""
    found = columns.job_of(row, state_of(row["status"]))
    if found.state not in ENDED or found.end is not None:
        return found
    return replace(found, end=Ended(found.state, int(_CODES[found.state]), _OUTSIDE), sentence=_OUTSIDE)


def text(words: str) -> str:
    """Words for people as PostgreSQL keeps them: without NUL and halves of characters (of `os.fsdecode`)."""
    return words.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
