"""The process of a job: ``python -m pipeline.worker.shift.inside NUMBER``, whose file NUMBER holds the task.

It ends with its worker, whatever becomes of that. It also ends when it has not heard for as long as a lease
lasts that the job is still its own: whoever wakes up after that finds no time to write over another's files.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import sys
import time
import traceback
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from pipeline.errors import ExitCode, RecpipeError
from pipeline.job.shares import Parting
from pipeline.media.aside import die_with_parent
from pipeline.worker.shift.chunks.documents import share_of
from pipeline.worker.shift.machine import boot_ms
from pipeline.worker.shift.retry import Outcome
from pipeline.worker.shift.words import GO, KEEP, Apart, Asks, Moved, Over, Said, Step, Task, line_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from pipeline.job.edges import Edges
    from pipeline.job.shares import Share
    from pipeline.job.spec import Job
    from pipeline.model.plan import Plan
    from pipeline.worker.shift.words import Bounds, Word

T = TypeVar("T")
BETWEEN_MS = 500
"""Two words about progress, and two looks at what the worker says."""
ASKED_S = 0.1
NEARLY = 98
"""Parts of a hundred of the input: what comes behind them is verification, uploads and receivers."""
FEW_COLLECTIONS = 100_000
"""As `pipeline.__main__` has it."""
_BLOCK = 1 << 16


class Ending(Exception):  # noqa: N818 - no error: the job was asked to end
    """Raised in the middle of a job that is asked to end."""


class Waits(Exception):  # noqa: N818 - no error: there is nothing to do yet
    """Raised where a job would only wait for its recording to be complete."""

    def __init__(self, ms: int) -> None:
        super().__init__()
        self.ms = ms


class Inside:
    """A job, from inside of its process.

    Args:
        task: what is to be done.
        hears: descriptor of what the worker says; does not block.
        says: descriptor of what the worker hears.
    """

    def __init__(self, task: Task, hears: int, says: int) -> None:
        self._task = task
        self._hears = hears
        self._says = says
        self._own = os.getpid()
        self._kept = task.kept_ms
        self._rest = b""
        self._looked = self._moved = 0
        self._asked_to_end = self._may_go = False
        self._step = Step.BEGINNING
        self._read = self._total = 0
        self._waits_for = ""

    def receive(self, _number: int, _frame: FrameType | None) -> None:
        """SIGTERM: the work ends as by an exception, once; what it forked does not heed it."""
        if os.getpid() == self._own and not self._asked_to_end:
            self._asked_to_end = True
            raise Ending

    def say(self, word: Word) -> None:
        """Tell the worker; who has none any more ends."""
        line = memoryview(line_of(word))
        try:
            while line:
                line = line[os.write(self._says, line) :]
        except BrokenPipeError:
            _gone()

    def do(self) -> Over:
        """The job, to whatever end it comes."""
        from pipeline.job.spec_json import parse_job
        from pipeline.worker.shift.outcomes import outcome_of_error

        place = ""
        try:
            document, share = share_of(self._task.document) or (self._task.document, None)
            job = parse_job(document, "the job", Path(self._task.folder))
            place = job.place
            return self._run(job) if share is None else self._make(job, share)
        except Parting as parting:
            return Over(None, apart=Apart(parting.shares, parting.sentence, parting.counts))
        except Waits as waits:
            return Over(None, waits.ms, self._waits_for)
        except Exception as error:  # noqa: BLE001 - the boundary of the process: whatever it is, it is told
            if self._asked_to_end:  # it may have come out of a library as another error
                return Over(None)
            if isinstance(error, RecpipeError):
                return Over(outcome_of_error(error, place))
            return Over(_broken(error))

    def _run(self, job: Job) -> Over:
        from pipeline.job.run import run
        from pipeline.worker.shift.outcomes import outcome_of

        ran = run(job, self._edges())
        if self._asked_to_end and any(each.error for each in ran):
            return Over(None)
        outcome = outcome_of(ran, accept_loss=job.limits.accept_loss)
        if self._task.known.dead is not None:  # trying again makes no dead share good
            outcome = replace(outcome, retryable=False, died=False)
        return Over(outcome)

    def _make(self, job: Job, share: Share) -> Over:
        from pipeline.job.piece import make_share

        return Over(Outcome(int(ExitCode.GOOD), make_share(job, share, self._edges())))

    def _edges(self) -> Edges:
        from pipeline.job.edges import Edges
        from pipeline.journal.here import utc_ms

        return Edges(
            environ=os.environ,
            config=self._task.config,
            processors=self._task.processors,
            clock=partial(self._heeding, utc_ms),
            sleep=self._sleep,
            tell=self._tell,
            begin=self._begin,
            admit=self._admit,
            progress=self._progress,
            known=self._task.known,
            last=self._task.last,
        )

    def _heeding(self, call: Callable[[], T]) -> T:
        self._heed()
        self._move()
        return call()

    def _tell(self, sentence: str) -> None:
        self._waits_for = sentence
        self.say(Said(sentence))

    def _sleep(self, seconds: float) -> None:
        """Wait for a recording, or leave the process to another job meanwhile."""
        if self._task.hands_back:
            raise Waits(max(1, int(seconds * 1000)))
        until = time.monotonic() + seconds
        while (rest := until - time.monotonic()) > 0:
            self._heed()
            self._move()
            time.sleep(min(rest, 1))

    def _admit(self, plan: Plan, beat: Callable[[], None]) -> None:
        from pipeline.worker.shift.outcomes import needs_of

        self._may_go = False
        self._step = Step.ASKING
        self.say(Asks(needs_of(plan, self._task.processors)))
        while not self._may_go:
            self._look()
            beat()
            time.sleep(ASKED_S)

    def _begin(self, total: int) -> None:
        self._total += total
        self._step = Step.COPYING
        self._move(at_once=True)

    def _progress(self, count: int) -> None:
        self._read += count
        if self._step is Step.COPYING and self._read * 100 >= self._total * NEARLY:
            self._step = Step.ENDING
        self._heed()
        if count:  # who waits for processes of his own asks often, and tells that nothing was read
            self._move()

    def _move(self, *, at_once: bool = False) -> None:
        """Tell that something moves, now and then."""
        if os.getpid() != self._own:
            return
        now = boot_ms()
        if at_once or now - self._moved >= BETWEEN_MS:
            self._moved = now
            known = self._read * 1000 // self._total if self._total else -1
            self.say(Moved(self._step, min(known, 1000)))

    def _heed(self) -> None:
        """End where that was asked for, or where the job may be another's by now."""
        if os.getpid() == self._own and (self._asked_to_end or boot_ms() - self._looked >= BETWEEN_MS):
            self._look()

    def _look(self) -> None:
        if self._asked_to_end:
            raise Ending
        self._looked = boot_ms()
        try:
            while data := os.read(self._hears, _BLOCK):
                *lines, self._rest = (self._rest + data).split(b"\n")
                for line in lines:
                    self._hear(line)
            _gone()
        except BlockingIOError:
            pass
        if boot_ms() - self._kept > self._task.lease_ms:
            _gone()

    def _hear(self, line: bytes) -> None:
        if line == GO:
            self._may_go = True
        elif line.startswith(KEEP):
            self._kept = max(self._kept, int(line[len(KEEP) :]))


def _gone() -> NoReturn:
    """End now, and those with us that the kernel ends with their parent: the job is not ours any more."""
    os._exit(int(ExitCode.OUTPUT))


def _broken(error: Exception) -> Outcome:
    if isinstance(error, MemoryError):
        sentence = "the job's process came to the end of the memory that it may have."
        return Outcome(int(ExitCode.TERMINATED), sentence, retryable=True, died=True)
    traceback.print_exc()
    kind = type(error).__name__
    what = f"{kind}: {error}" if str(error) else kind
    return Outcome(
        int(ExitCode.BUG), f"this is a bug in recpipe: {what}; the worker's stderr has the traceback."
    )


def _bind(bounds: Bounds) -> None:
    """Keep this process, and what it forks, within bounds."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for kind, most in ((resource.RLIMIT_AS, bounds.memory), (resource.RLIMIT_CPU, bounds.cpu_s)):
        if most:
            _, hard = resource.getrlimit(kind)
            soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (soft, hard))
    if bounds.nice:
        os.nice(bounds.nice)


def main(arguments: list[str]) -> NoReturn:
    """Do the task in a file, and end."""
    says = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no word of ours
    with os.fdopen(int(arguments[0]), "rb") as file:
        task = Task.from_json(file.read())
    die_with_parent(task.parent)
    _bind(task.bounds)
    gc.set_threshold(FEW_COLLECTIONS)
    os.set_blocking(0, False)
    inside = Inside(task, 0, says)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, inside.receive)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    try:
        over = inside.do()
    except Ending:
        over = Over(None)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    inside.say(over)
    sys.stderr.flush()
    os._exit(0)  # a thread that still waits for a store is not waited for


if __name__ == "__main__":
    main(sys.argv[1:])
