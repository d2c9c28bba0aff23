"""What a worker and the process of a job say to each other: lines of JSON, as values. Pure.

Down goes one `Task`, then ``keep`` lines while the lease is kept and ``go`` once there is room. Up come the
step, how far it is, sentences, what the plan needs, and how it ended.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from pipeline.errors import ExitCode
from pipeline.job.shares import Dead, Known, Share
from pipeline.worker.queue.jobs import Needs
from pipeline.worker.shift.chunks.documents import share_from
from pipeline.worker.shift.retry import Outcome

GO, KEEP = b"go", b"keep"


class Step(StrEnum):
    """Where a job is; each has a time for which nothing may move (`LIMITS_MS`)."""

    BEGINNING = "beginning"  # listing, reading ends of slices, planning
    ASKING = "asking"  # has planned, and waits to be let in
    COPYING = "making files"  # input is read
    ENDING = "ending"  # all is read: verification, uploads, VOD services, receivers


LIMITS_MS = {
    Step.BEGINNING: 600_000,
    Step.ASKING: 600_000,  # after it was let in
    Step.COPYING: 900_000,
    Step.ENDING: 3_600_000,  # a VOD service says nothing for so long
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of each process of a job; 0 for none.

    Attributes:
        memory: bytes of address space.
        cpu_s: seconds of a core.
        nice: how much others come first.
    """

    memory: int = 0
    cpu_s: int = 0
    nice: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """A job and what its process is told besides.

    Attributes:
        document: JSON of the job.
        folder: to which the paths of its own files are relative.
        config: the file that names stores; None for where it is usually looked for.
        processors: that it may use.
        parent: process id of the worker.
        lease_ms: without a ``keep`` for so long it is no longer its own.
        kept_ms: CLOCK_BOOTTIME of the claim.
        hands_back: where it would wait for a recording to be complete it ends, and says for how long.
        last: no other attempt comes, whatever becomes of this one.
        known: what the queue knows of its shares.
        bounds: of its processes.
    """

    document: str
    folder: str
    config: str | None
    processors: int
    parent: int
    lease_ms: int
    kept_ms: int
    hands_back: bool = True
    last: bool = False
    known: Known = field(default_factory=lambda: Known(reached=False))
    bounds: Bounds = field(default_factory=Bounds)

    def to_json(self) -> bytes:
        """For the process."""
        return json.dumps(asdict(self)).encode("ascii")

    @classmethod
    def from_json(cls, data: bytes) -> Task:
        """Read back what `to_json` wrote."""
        found = json.loads(data)
        known, bounds = _known(found["known"]), Bounds(**found["bounds"])
        return cls(**{**found, "known": known, "bounds": bounds})


def _known(told: dict[str, Any]) -> Known:
    dead = told["dead"]
    made = tuple(map(share_from, told["made"]))
    return Known(told["reached"], made, Dead(ExitCode(dead["code"]), dead["sentence"]) if dead else None)


@dataclass(frozen=True, slots=True)
class Moved:
    """Something moved: the step, and parts of a thousand of the input that are read; -1 for not known."""

    step: Step
    progress: int = -1


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence for people."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Asks:
    """The plan is there: may it begin?"""

    needs: Needs


@dataclass(frozen=True, slots=True)
class Apart:
    """Other jobs are to make shares of it first.

    Attributes:
        shares: at least one.
        sentence: about them.
        counts: the attempt counts.
    """

    shares: tuple[Share, ...]
    sentence: str
    counts: bool


@dataclass(frozen=True, slots=True)
class Over:
    """The last word.

    Attributes:
        outcome: of the attempt; None where it was stopped, or waits.
        wait_ms: for so long there is nothing to do yet; 0 where it was stopped.
        sentence: what is waited for.
        apart: what it waits for is made by others.
    """

    outcome: Outcome | None
    wait_ms: int = 0
    sentence: str = ""
    apart: Apart | None = None


Word = Moved | Said | Asks | Over


def line_of(word: Word) -> bytes:
    """A word as it is said."""
    return json.dumps({type(word).__name__: asdict(word)}).encode("ascii") + b"\n"


def word_of(line: bytes) -> Word | None:
    """A word as it is heard; None for what is none."""
    try:
        ((kind, told),) = json.loads(line).items()
        word: Word = _MAKERS[kind](told)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return word


def _over(told: dict[str, Any]) -> Over:
    outcome, apart = told.pop("outcome"), told.pop("apart")
    return Over(
        Outcome(**outcome) if outcome is not None else None,
        **told,
        apart=_apart(apart) if apart is not None else None,
    )


def _apart(told: dict[str, Any]) -> Apart:
    return Apart(tuple(map(share_from, told["shares"])), told["sentence"], told["counts"])


_MAKERS: dict[str, Any] = {
    "Moved": lambda told: Moved(Step(told["step"]), told["progress"]),
    "Said": lambda told: Said(told["sentence"]),
    "Asks": lambda told: Asks(Needs(**told["needs"])),
    "Over": _over,
}


def keep_line(kept_ms: int) -> bytes:
    """Tell a process that the lease was kept at a time of CLOCK_BOOTTIME."""
    return KEEP + b" %d\n" % kept_ms
