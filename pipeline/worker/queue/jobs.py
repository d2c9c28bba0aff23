"""What a queue keeps: orders, the states of a job, claims on it, and how an attempt ended. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

LAST_MS = 253_402_300_799_999
"""UTC, the last one of the year 9999: what every engine and every calendar still tells."""
MOST_NUMBER = 2**63 - 1
MOST_SMALL = 2**31 - 1
"""Of a priority and of cores, on both sides of 0."""
MOST_KEPT = 200
"""Sentences that are kept of a job; older ones go."""
MOST_VENDOR = 63
"""Characters."""


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
        vendor: whose recording it is, for counts; empty where nobody knows it yet.

    Raises:
        ValueError: no key, no document, or a number that a queue could not keep.
    """

    key: str
    document: str
    priority: int = 0
    not_before_ms: int = 0
    deadline_ms: int = 0
    needs: Needs = field(default_factory=Needs)
    vendor: str = ""

    def __post_init__(self) -> None:
        if not self.key or not self.document:
            raise ValueError("an order has a key and a document")
        if abs(self.priority) > MOST_SMALL:
            raise ValueError(f"a priority is at most {MOST_SMALL}, above or below 0")
        if not (0 <= self.not_before_ms <= LAST_MS and 0 <= self.deadline_ms <= LAST_MS):
            raise ValueError("the times of an order are UTC ms, from 1970 to 9999")
        needs = self.needs
        sizes = 0 <= needs.memory <= MOST_NUMBER and 0 <= needs.disk <= MOST_NUMBER
        if not (sizes and 0 <= needs.cores <= MOST_SMALL):
            raise ValueError(f"what an order needs is at least 0, and has at most {MOST_NUMBER} bytes")
        if len(self.vendor) > MOST_VENDOR:
            raise ValueError(f"the name of a vendor has at most {MOST_VENDOR} characters")


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
class Parted:
    """An attempt ended, and the job comes again when the jobs that make parts of it have ended.

    Attributes:
        orders: of these jobs. Where one of a key has not ended, that one is not ordered again.
        sentence: why.
        counts: as of `Again`.
    """

    orders: tuple[Order, ...]
    sentence: str
    counts: bool = False

    def __post_init__(self) -> None:
        if not self.orders:
            raise ValueError("what is parted has parts")


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands in the queue; times are UTC ms, 0 where there is none.

    Attributes:
        id: of the queue, never used again.
        attempts: that were begun and counted.
        token: of the last claim; counts up with each.
        worker: who has it, or had it last.
        progress: of the running attempt, parts of a thousand; -1 for none.
        parent: the job of which it makes a part; 0 for none.
        parts: of how many jobs it was parted into last; 0 for none. It does not begin while one is open.
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
    parent: int = 0
    parts: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that is a worker's, as long as its lease is kept.

    Attributes:
        token: larger than that of any claim before.
        taken_over: another had it, and was heard no more.
    """

    job: Job
    token: int
    worker: str
    taken_over: bool = False


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of an order: the job's id, and whether it is new."""

    id: int
    new: bool


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence that was said of a job.

    Attributes:
        at_ms: UTC.
    """

    at_ms: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a queue stands.

    Attributes:
        numbers: of jobs, by state and vendor; those that are none are left out.
        oldest_ms: UTC since which that one waits that could have begun first; 0 where none could.
    """

    numbers: Mapping[tuple[State, str], int]
    oldest_ms: int = 0


def by_state(numbers: Mapping[tuple[State, str], int]) -> dict[State, int]:
    """Of each state, 0 where there is none.

    >>> by_state({(State.DONE, "agora"): 2, (State.DONE, "trtc"): 3})[State.DONE]
    5
    """
    return {state: sum(number for (one, _), number in numbers.items() if one is state) for state in State}
