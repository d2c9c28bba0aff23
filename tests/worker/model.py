"""A queue in plain values: what an engine must say after any acts, and what its contract looks like kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipeline.errors import CommandError, LostError
from pipeline.worker.queue.engine import LEASE_MS, refuse_part
from pipeline.worker.queue.jobs import (
    ENDED,
    MOST_KEPT,
    UNWANTED,
    Again,
    Claim,
    Ended,
    Job,
    Note,
    Order,
    Parted,
    Standing,
    State,
    Submitted,
    by_state,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pipeline.worker.queue.jobs import Needs
    from tests.worker.clocks import Hands


@dataclass(slots=True)
class Model:
    """An `Engine`; several on one queue share ``by_number``, ``leases``, ``unwanted``, ``last``, ``notes``.

    Attributes:
        hands: the clocks.
        by_number: the jobs.
        leases: of those that run: the boot, and until when.
        unwanted: those that run and that somebody cancelled.
        last: the number that was given last.
        notes: what was said.
    """

    hands: Hands
    by_number: dict[int, Job] = field(default_factory=dict)
    leases: dict[int, tuple[str, int]] = field(default_factory=dict)
    unwanted: set[int] = field(default_factory=set)
    last: list[int] = field(default_factory=lambda: [0])
    notes: dict[int, list[Note]] = field(default_factory=dict)

    @property
    def one_host(self) -> bool:
        return True

    def submit(self, order: Order, parent: int = 0, *, newest: int | None = None) -> Submitted:
        later = [] if newest is None else [job.id for job in self.jobs(key=order.key) if job.id > newest]
        if found := max(self._open(order.key), *later, 0):
            return Submitted(found, new=False)
        self.last[0] += 1
        self.by_number[self.last[0]] = Job(
            self.last[0], order, State.WAITING, 0, 0, self.hands.utc_ms, parent=parent
        )
        return Submitted(self.last[0], new=True)

    def claim(self, worker: str, room: Needs) -> Claim | None:
        for job in list(self.by_number.values()):
            if job.id in self.unwanted and self._waits(job):
                self._end(job, UNWANTED)
        fitting = [job for job in self.by_number.values() if self._may_begin(job) and _fits(job, room)]
        if not fitting:
            return None
        job = min(fitting, key=_rank)
        taken_over = job.state is State.RUNNING
        job = replace(
            job,
            state=State.RUNNING,
            attempts=job.attempts + 1,
            token=job.token + 1,
            started_ms=self.hands.utc_ms,
            worker=worker,
            progress=-1,
        )
        self.by_number[job.id] = job
        self._lease(job)
        return Claim(job, job.token, worker, taken_over)

    def beat(self, claim: Claim, progress: int = -1) -> bool:
        job = self._held(claim)
        self._lease(job)
        if progress >= 0:
            self.by_number[job.id] = replace(job, progress=progress)
        return job.id in self.unwanted

    def end(self, claim: Claim, how: Ended | Again | Parted) -> None:
        job = self._held(claim)
        if isinstance(how, Ended):
            self._end(job, how)
            if how.state is State.DEAD and job.parent:
                self._drop_parts(job.parent)
        elif job.id in self.unwanted:
            self._end(job, UNWANTED)
        elif isinstance(how, Parted):
            self.by_number[job.id] = replace(
                job,
                state=State.WAITING,
                attempts=job.attempts if how.counts else job.attempts - 1,
                progress=-1,
                sentence=how.sentence,
                parts=len(how.orders),
            )
            for order in how.orders:
                self.submit(order, job.id)
        else:
            self.by_number[job.id] = replace(
                job,
                state=State.WAITING,
                order=replace(job.order, not_before_ms=how.not_before_ms),
                attempts=job.attempts if how.counts else job.attempts - 1,
                progress=-1,
                sentence=how.sentence,
            )

    def jobs(
        self,
        states: Collection[State] = (),
        *,
        key: str = "",
        parent: int = 0,
        most: int = 1000,
        before: int = 0,
    ) -> Sequence[Job]:
        found = (self.by_number[n] for n in sorted(self.by_number, reverse=True) if not before or n < before)
        asked = (j for j in found if key in {"", j.order.key} and parent in {0, j.parent})
        return [j for j in asked if j.state in (states or State)][:most]

    def ended(self, since_ms: int, *, most: int = 1000) -> Sequence[Job]:
        found = [j for j in self.by_number.values() if j.state in ENDED and j.ended_ms >= since_ms]
        return sorted(found, key=lambda j: (j.ended_ms, j.id))[:most]

    def counts(self) -> Mapping[State, int]:
        return by_state(self.standing().numbers)

    def standing(self) -> Standing:
        jobs = self.by_number.values()
        waiting = [j for j in jobs if j.state is State.WAITING and self._may_begin(j)]
        oldest = min((max(j.submitted_ms, j.order.not_before_ms) for j in waiting), default=0)
        return Standing(Counter((j.state, j.order.vendor) for j in jobs), oldest)

    def say(self, number: int, sentences: Sequence[str]) -> None:
        if number in self.by_number:
            told = self.notes.setdefault(number, [])
            told += [Note(self.hands.utc_ms, sentence) for sentence in sentences]
            del told[:-MOST_KEPT]

    def said(self, number: int) -> Sequence[Note]:
        return list(self.notes.get(number, []))

    def job(self, number: int) -> Job | None:
        return self.by_number.get(number)

    def cancel(self, number: int) -> Job | None:
        job = self.job(number)
        refuse_part(job)
        if job and self._waits(job):
            self._end(job, UNWANTED)
            self._drop_parts(number)
        elif job and job.state is State.RUNNING:
            self.unwanted.add(number)
        return self.job(number)

    def retry(self, number: int) -> Job | None:
        job = self.job(number)
        refuse_part(job)
        if job and job.state in ENDED:
            if other := self._open(job.order.key):
                raise CommandError(f"job {number} waits for job {other} of its key.")
            for part in self.jobs(ENDED, parent=number):
                del self.by_number[part.id]
            self.by_number[number] = replace(
                job, state=State.WAITING, attempts=0, started_ms=0, ended_ms=0, end=None, sentence=""
            )
        return self.job(number)

    def purge(self, before_ms: int, states: Collection[State]) -> int:
        gone = [
            job.id
            for job in self.by_number.values()
            if job.state in ENDED.intersection(states)
            and job.ended_ms < before_ms
            and not self._is_open(job.parent)
        ]
        for number in gone:
            del self.by_number[number]
            self.notes.pop(number, None)
        return len(gone)

    def close(self) -> None:
        """Nothing is open."""

    def _open(self, key: str) -> int:
        return next((j.id for j in self.by_number.values() if j.order.key == key and j.state not in ENDED), 0)

    def _is_open(self, number: int) -> bool:
        job = self.job(number)
        return job is not None and job.state not in ENDED

    def _drop_parts(self, parent: int) -> None:
        for part in self.jobs({State.WAITING, State.RUNNING}, parent=parent):
            if self._waits(part):
                self._end(part, UNWANTED)
            else:
                self.unwanted.add(part.id)

    def _lease(self, job: Job) -> None:
        self.leases[job.id] = (self.hands.boot, self.hands.since_ms + LEASE_MS)

    def _waits(self, job: Job) -> bool:
        """Nobody has it."""
        if job.state is State.RUNNING:
            boot, until_ms = self.leases[job.id]
            return boot != self.hands.boot or self.hands.since_ms >= until_ms
        return job.state is State.WAITING

    def _may_begin(self, job: Job) -> bool:
        early = job.state is State.WAITING and job.order.not_before_ms > self.hands.utc_ms
        parted = bool(self.jobs({State.WAITING, State.RUNNING}, parent=job.id))
        return self._waits(job) and not early and not parted

    def _held(self, claim: Claim) -> Job:
        job = self.job(claim.job.id)
        if job is None or job.token != claim.token or job.state is not State.RUNNING:
            raise LostError(f"job {claim.job.id} is lost for {claim.worker}.")
        return job

    def _end(self, job: Job, how: Ended) -> None:
        self.unwanted.discard(job.id)
        self.by_number[job.id] = replace(
            job, state=how.state, ended_ms=self.hands.utc_ms, progress=-1, end=how, sentence=how.sentence
        )


def _fits(job: Job, room: Needs) -> bool:
    needs = job.order.needs
    return needs.cores <= room.cores and needs.memory <= room.memory and needs.disk <= room.disk


def _rank(job: Job) -> tuple[int, float, int]:
    return (-job.order.priority, job.order.deadline_ms or float("inf"), job.id)
