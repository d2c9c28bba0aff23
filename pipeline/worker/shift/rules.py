"""How a worker works, as one value, and what it knows of a job that it has begun."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.worker.queue.engine import LEASE_MS
from pipeline.worker.queue.schedule import due_ms
from pipeline.worker.shift.retry import is_last
from pipeline.worker.shift.words import LIMITS_MS, Bounds, Step, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.job.shares import Known
    from pipeline.worker.queue.jobs import Claim, Job, Needs
    from pipeline.worker.queue.schedule import Window
    from pipeline.worker.shift.child import Child
    from pipeline.worker.shift.words import Over

GRACE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Rules:
    """How a worker works.

    Attributes:
        concurrency: jobs at once.
        windows: in which jobs begin; at any time where there is none.
        grace_ms: for which jobs may go on after the worker was asked to stop.
        drain: it ends when no job may begin any more and none runs.
        config: the file that names stores; None for where it is usually looked for.
        folder: to which the paths of jobs are relative, and whose disk counts.
        bounds: of the processes of jobs.
        limits_ms: for which nothing may move in a step.
        lease_ms: of the queue's claims.
        poll_ms: between two looks for jobs that nobody announces.
        look_ms: between two looks for jobs that may be late.
        tidy_ms: for a process that was asked to end, before it is killed.
    """

    concurrency: int = 1
    windows: tuple[Window, ...] = ()
    grace_ms: int = GRACE_MS
    drain: bool = False
    config: str | None = None
    folder: str = "."
    bounds: Bounds = field(default_factory=Bounds)
    limits_ms: Mapping[Step, int] = field(default_factory=lambda: dict(LIMITS_MS))
    lease_ms: int = LEASE_MS
    poll_ms: int = 1_000
    look_ms: int = 60_000
    tidy_ms: int = 15_000

    @property
    def beat_ms(self) -> int:
        """Between two beats: one may be missed, and the next still comes in time."""
        return self.lease_ms // 4

    @property
    def kept_ms(self) -> int:
        """How long a process goes on without hearing of a beat: less than its lease lasts."""
        return self.lease_ms * 5 // 6


class Why(StrEnum):
    """A worker ends the process of a job before that has ended by itself."""

    CANCELLED = "cancelled"
    STOPPED = "stopped"  # the worker was
    HUNG = "hung"
    LOST = "lost"  # it is another's


@dataclass(slots=True)
class Running:
    """A job that was begun here; times are of CLOCK_BOOTTIME in ms.

    Attributes:
        claim: on the job.
        child: its process.
        moved_ms: when something moved last.
        kept_ms: when its lease was kept last.
        beat_ms: when it is kept next.
        needs: what it takes, as far as that is known.
        step: where it is.
        let_in: it may make what it has planned.
        asks: it has planned, and waits.
        progress: parts of a thousand.
        over: its last word.
        why: it is ended.
        kill_ms: when that is done with force; 0 for never.
    """

    claim: Claim
    child: Child
    moved_ms: int
    kept_ms: int
    beat_ms: int
    needs: Needs
    step: Step = Step.BEGINNING
    let_in: bool = False
    asks: bool = False
    progress: int = -1
    over: Over | None = None
    why: Why | None = None
    kill_ms: int = 0


def task_of(job: Job, rules: Rules, known: Known, *, cores: int, kept_ms: int, now_ms: int) -> Task:
    """What the process of a job is told.

    Args:
        job: that was claimed.
        rules: of its worker.
        known: what the queue knows of its shares.
        cores: of the machine, which jobs share.
        kept_ms: CLOCK_BOOTTIME before the claim.
        now_ms: UTC.
    """
    return Task(
        document=job.order.document,
        folder=str(Path(rules.folder).absolute()),
        config=rules.config,
        processors=max(1, cores // rules.concurrency),
        parent=os.getpid(),
        lease_ms=rules.kept_ms,
        kept_ms=kept_ms,
        hands_back=now_ms < due_ms(job),
        last=is_last(job.attempts) or known.dead is not None,
        known=known,
        bounds=rules.bounds,
    )
