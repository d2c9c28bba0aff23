"""What a queue keeps: orders, the states of a job, claims on it, and how an attempt ended. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.errors import ExitCode


class State(StrEnum):
    """Of a job; `DONE`, `DEAD` and `CANCELLED` are ends, which only `Engine.retry` leaves."""

    WAITING = "waiting"  # for its time, or for a worker
    RUNNING = "running"  # a worker has a lease on it
    DONE = "done"  # with or without losses
    DEAD = "dead"  # set aside: it cannot be done, or was tried too often
    CANCELLED = "cancelled"  # somebody did not want it any more


ENDED = frozenset({State.DONE, State.DEAD, State.CANCELLED})


@dataclass(frozen=True, slots=True)
class Needs:
    """What a job takes while it runs, by its plan; 0 where nobody has planned it yet.

    Attributes:
        cores: at once.
        memory: bytes.
        disk: bytes.
    """

    cores: int = 1
    memory: int = 0
    disk: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """What is submitted.

    Attributes:
        key: the same for the same work; while a job of it has not ended no second one is made.
        document: the job, JSON as ``recpipe run`` takes it.
        priority: larger comes first.
        not_before_ms: UTC before which nobody begins it; 0 for at once.
        deadline_ms: UTC by which it should be done; 0 for none. Of equal priority the earliest comes first.
        needs: what it takes.
    """

    key: str
    document: str
    priority: int = 0
    not_before_ms: int = 0
    deadline_ms: int = 0
    needs: Needs = field(default_factory=Needs)

    def __post_init__(self) -> None:
        if not self.key or not self.document:
            raise ValueError("an order has a key and a document")


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended, when that was the end of the job.

    Attributes:
        state: one of `ENDED`.
        code: exit code of the job.
        sentence: what a person is told; empty for nothing.
        summary: JSON of what came out; empty for nothing.
    """

    state: State
    code: int
    sentence: str = ""
    summary: str = ""

    def __post_init__(self) -> None:
        if self.state not in ENDED:
            raise ValueError(f"{self.state} is no end")


UNWANTED = Ended(State.CANCELLED, int(ExitCode.INTERRUPTED), "cancelled before it was done")
"""What a queue itself writes where nobody who has the job could: it waited, or its worker died."""


@dataclass(frozen=True, slots=True)
class Again:
    """An attempt ended, and another one comes.

    Attributes:
        not_before_ms: UTC.
        sentence: why.
        counts: it counts as an attempt; not so where a worker was stopped and hands its job back.
    """

    not_before_ms: int
    sentence: str
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands in the queue; times are UTC ms, 0 where there is none.

    Attributes:
        id: of the queue, never used again.
        attempts: that were begun and counted.
        token: of the last claim; counts up with each.
        worker: who has it, or had it last.
        progress: of the running attempt, parts of a thousand; -1 for none.
    """

    id: int
    order: Order
    state: State
    attempts: int
    token: int
    submitted_ms: int
    started_ms: int = 0
    ended_ms: int = 0
    worker: str = ""
    progress: int = -1
    end: Ended | None = None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that is a worker's, as long as its lease is kept: ``token`` is larger than that of any before."""

    job: Job
    token: int
    worker: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of an order: the job's id, and whether it is new."""

    id: int
    new: bool
