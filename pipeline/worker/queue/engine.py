"""What every queue can do. A contract suite (`tests/worker/contract.py`) says the same of each engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pipeline.errors import CommandError, EngineBusyError, NoSpaceError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pipeline.worker.queue.jobs import (
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
    )

LEASE_MS = 60_000
"""A claim that nobody beats for so long is another worker's to take."""
AWAY = (EngineBusyError, NoSpaceError)
"""What a queue raises that may be better later."""


def refuse_part(job: Job | None) -> None:
    """What is done to a job is done to its parts by it. Raises CommandError for a part."""
    if job is not None and job.parent:
        raise CommandError(f"job {job.id} makes a part of job {job.parent}: do it to that one.")


class Engine(Protocol):
    """A queue of jobs. Any number of workers may use it; what it says is on the disk when it returns.

    Raises EngineBusyError where it cannot be reached or is locked (again later).
    """

    @property
    def one_host(self) -> bool:
        """All its workers are on this host, and reach the same folders."""
        ...

    def submit(self, order: Order, *, newest: int | None = None) -> Submitted:
        """Keep an order; where a job of its key has not ended, nothing is kept and that one is told.

        Args:
            order: to keep.
            newest: the newest job of its key by what the caller saw, 0 for none. Where a newer one is there,
                that one is told even if it has ended: others saw the same and were sooner. None where jobs
                that have ended do not matter.
        """
        ...

    def claim(self, worker: str, room: Needs) -> Claim | None:
        """The next job that may begin and fits, which is this worker's from now on; None for none.

        By priority, then deadline, then age; none whose parts have not ended. Jobs whose worker has not
        beaten for `LEASE_MS` count as waiting, but that one of them that is not wanted any more is cancelled.
        Each claim counts as an attempt of its job, those that take a job from the dead too.
        """
        ...

    def beat(self, claim: Claim, progress: int = -1) -> bool:
        """Keep a claim for another `LEASE_MS`; whether somebody wants the job cancelled.

        A claim that nobody took meanwhile is kept however late the beat comes.

        Args:
            claim: of `claim`.
            progress: parts of a thousand; -1 leaves what was told before.

        Raises:
            LostError: it is another's by now, or ended.
        """
        ...

    def end(self, claim: Claim, how: Ended | Again | Parted) -> None:
        """The attempt is over. Raises `LostError` as `beat`: then nothing of it may be seen.

        Whoever ends a job that is not wanted any more with `Again` or `Parted` ends it with `UNWANTED`. Where
        a part ends as dead, the others of its job are cancelled as by `cancel`.
        """
        ...

    def jobs(
        self,
        states: Collection[State] = (),
        *,
        key: str = "",
        parent: int = 0,
        most: int = 1000,
        before: int = 0,
    ) -> Sequence[Job]:
        """Jobs, the newest first; of all states where none is given.

        Args:
            states: of which they are.
            key: of which they are; empty for any.
            parent: whose parts they are; 0 for any job.
            most: how many.
            before: only those with a smaller number; 0 for all.
        """
        ...

    def ended(self, since_ms: int, *, most: int = 1000) -> Sequence[Job]:
        """Jobs that ended at UTC ms or later, the earliest first."""
        ...

    def counts(self) -> Mapping[State, int]:
        """How many jobs there are of each state, 0 where there is none."""
        ...

    def standing(self) -> Standing:
        """How many jobs there are by state and vendor, and how long the first of them has waited."""
        ...

    def say(self, number: int, sentences: Sequence[str]) -> None:
        """Keep what is said of a job, the last `MOST_KEPT` sentences of it; nothing where there is none."""
        ...

    def said(self, number: int) -> Sequence[Note]:
        """What was said of a job, the earliest first; nothing where there is none."""
        ...

    def job(self, number: int) -> Job | None:
        """One of them."""
        ...

    def cancel(self, number: int) -> Job | None:
        """End one that waits; of one that runs, its worker learns it by `beat`. None where there is none.

        What counts as waiting for `claim` does so here. Parts of a job are cancelled with it.

        Raises:
            CommandError: it makes a part of another job.
        """
        ...

    def retry(self, number: int) -> Job | None:
        """Let one that has ended wait again, its attempts and its end forgotten; None where there is none.

        One that has not ended stays as it is. Those of its parts that have ended are forgotten.

        Raises:
            CommandError: another job of its key has not ended, or it makes a part of another job.
        """
        ...

    def purge(self, before_ms: int, states: Collection[State]) -> int:
        """Forget jobs that ended before UTC ms, with what was said, if they are in one of these states.

        Parts of a job that has not ended stay.

        Returns:
            How many.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
