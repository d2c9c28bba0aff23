"""What has been seen of a queue since this process began: jobs that ended, each counted once.

A queue forgets jobs in time, so sums over it would shrink; these only grow, as counters must.
"""

from __future__ import annotations

import threading
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from pipeline.worker.queue.results import result_of
from pipeline.worker.queue.telling import took_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.worker.queue.engine import Engine
    from pipeline.worker.queue.jobs import Job

OVERLAP_MS = 60_000
"""Ends that are asked for again: a transaction may be seen later than another that ended after it."""
MOST = 1000
TIMES = (1, 3, 10, 30, 100, 300, 1000)
"""How many times faster than its recording a job was: the bounds of the histogram."""


@dataclass(slots=True)
class Sums:
    """Since this process began, by vendor where nothing else is said.

    Attributes:
        ended: jobs, by state, exit code and vendor.
        retries: attempts of them after the first.
        sizes: bytes of their files.
        losses: entries.
        lost_ms: media.
        media_ms: of those that made files.
        work_ms: that making these took, the last attempt of each.
        times: jobs by how many times faster than their recordings they were, each up to that of `TIMES`; the
            last without bound.
        times_in_all: the sum of these.
    """

    ended: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    retries: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    losses: Counter[str] = field(default_factory=Counter)
    lost_ms: Counter[str] = field(default_factory=Counter)
    media_ms: Counter[str] = field(default_factory=Counter)
    work_ms: Counter[str] = field(default_factory=Counter)
    times: list[int] = field(default_factory=lambda: [0] * (len(TIMES) + 1))
    times_in_all: float = 0.0

    def add(self, job: Job) -> None:
        """Count a job that has ended."""
        result = result_of(job)
        vendor = result.vendor
        self.ended[str(job.state), job.end.code if job.end else 0, vendor] += 1
        self.retries[vendor] += max(0, job.attempts - 1)
        self.sizes[vendor] += result.size
        self.losses[vendor] += result.losses
        self.lost_ms[vendor] += result.lost_ms
        if result.media_ms and job.started_ms:
            took = max(1, took_ms(job))
            self.media_ms[vendor] += result.media_ms
            self.work_ms[vendor] += took
            times = result.media_ms / took
            self.times_in_all += times
            self.times[next((n for n, most in enumerate(TIMES) if times <= most), len(TIMES))] += 1


class Watched:
    """The sums of a queue, brought up to date when they are asked for. Any thread may ask.

    Args:
        engine: the queue.
        since_ms: UTC; what ended before is not counted.
    """

    def __init__(self, engine: Engine, since_ms: int) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._begin_ms = since_ms
        self._since_ms = since_ms
        self._seen: dict[tuple[int, int], int] = {}
        self._sums = Sums()
        self.last = Sums()
        """What was told last, for when the queue cannot be asked."""

    def sums(self) -> Sums:
        """With all that has ended by now. Raises as the queue does; then nothing is lost."""
        with self._lock:
            since = max(self._begin_ms, self._since_ms - OVERLAP_MS)
            while page := self._engine.ended(since, most=MOST):
                self._take(page)
                if len(page) < MOST or page[-1].ended_ms == since:
                    break
                since = page[-1].ended_ms
            self._seen = {
                which: at for which, at in self._seen.items() if at >= self._since_ms - 2 * OVERLAP_MS
            }
            self.last = deepcopy(self._sums)  # another thread may count while this one is read
            return self.last

    def _take(self, page: Sequence[Job]) -> None:
        for job in page:
            which = (job.id, job.ended_ms)
            if which not in self._seen:
                self._seen[which] = job.ended_ms
                if not job.parent:  # what its parts made is in the whole
                    self._sums.add(job)
            self._since_ms = max(self._since_ms, job.ended_ms)


def cumulated(numbers: list[int]) -> list[int]:
    """How many there are up to each.

    >>> cumulated([1, 0, 2])
    [1, 1, 3]
    """
    return list(accumulate(numbers))
