"""A crew: works that are done at the same time, each in a forked process, and end without one another.

Whoever starts processes here has no threads: a fork copies their locks and not the threads. SIGTERM ends a
work as an exception, so that it tidies up; SIGINT, which a terminal sends to all, is left to who started it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from pipeline.media.aside import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess
    from types import FrameType

K = TypeVar("K")
R = TypeVar("R")

PATIENCE_SECONDS = 30
"""For processes that were asked to end, before they are killed."""
POLL_SECONDS = 0.5
HEEDED = frozenset({signal.SIGINT, signal.SIGTERM})


class Ending(Exception):  # noqa: N818 - no error: the crew was asked to end
    """Raised in the middle of a work that is asked to end."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What a work has to do with the process that waits for it.

    Attributes:
        tell: says a sentence there.
        heed: ends the work where that was asked for; to be called often, because libraries forget exceptions
            that pass through them.
    """

    tell: Callable[[str], None]
    heed: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Killed:
    """A process that ended without a result: its exit code, or the number of the signal below zero."""

    exit_code: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A work that ended with an exception, which is a bug of ours: its class, and what it says."""

    kind: str
    what: str


class Crew(Generic[K, R]):
    """Processes, each with one work.

    Args:
        said: is told the key of a work and a sentence that it said.
    """

    def __init__(self, said: Callable[[K, str], None]) -> None:
        self._said = said
        self._working: dict[K, tuple[ForkProcess, Connection]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def __len__(self) -> int:
        return len(self._working)

    def start(self, key: K, work: Callable[[Ways], R]) -> None:
        """Begin a work in a process of its own.

        Args:
            key: of the work.
            work: returns what can be pickled; raises nothing but what is a bug.
        """
        context = multiprocessing.get_context("fork")
        with _signals_wait() as before:
            mine, theirs = context.Pipe(duplex=False)
            arguments = (work, theirs, mine, os.getpid(), before)
            process = context.Process(target=_in_child, args=arguments)
            process.start()
            self._working[key] = process, mine
            theirs.close()

    def ended(self) -> Iterator[tuple[K, R | Killed | Broken]]:
        """Wait a moment; what has ended meanwhile."""
        pipes = {pipe: key for key, (_, pipe) in self._working.items()}
        for pipe in wait(list(pipes), POLL_SECONDS):
            key = pipes[pipe]  # type: ignore[index]  # typeshed: a wait may be for sockets and numbers too
            process, mine = self._working[key]
            try:
                ends, said = mine.recv()
            except (EOFError, OSError):
                process.join()
                ends, said = True, Killed(process.exitcode or 0)
            if not ends:
                self._said(key, said)
                continue
            del self._working[key]
            process.join()
            mine.close()
            yield key, said

    def end(self) -> None:
        """End all that still work: first they are asked, and tidy up; who does not hear is killed."""
        for process, _ in self._working.values():
            process.terminate()
        until = time.monotonic() + PATIENCE_SECONDS
        for process, pipe in self._working.values():
            while process.is_alive() and time.monotonic() < until:
                _drain(pipe)
                process.join(0.05)
            process.kill()
            process.join()
            pipe.close()
        self._working.clear()


def _drain(pipe: Connection) -> None:
    """Take what a process says, which might wait for room in the pipe else."""
    with suppress(EOFError, OSError):
        while pipe.poll():
            pipe.recv()


@contextmanager
def _signals_wait() -> Iterator[set[int]]:
    """Signals come after the block: a process is known, or knows what to do with them; gives the mask."""
    before = {int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, HEEDED)}
    try:
        yield before
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Request:
    """That the process was asked to end; its own children do not heed it."""

    def __init__(self) -> None:
        self._own = os.getpid()
        self.made = False

    def receive(self, _number: int, _frame: FrameType | None) -> None:
        if os.getpid() == self._own and not self.made:
            self.made = True
            raise Ending

    def heed(self) -> None:
        if self.made and os.getpid() == self._own:
            raise Ending


def _in_child(
    work: Callable[[Ways], R], to: Connection, unused: Connection, parent: int, mask: set[int]
) -> None:
    die_with_parent(parent)
    unused.close()
    request = _Request()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, request.receive)
    said: R | Broken | None = None
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        said = work(Ways(lambda sentence: to.send((False, sentence)), request.heed))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told where somebody can read it
        kind = type(error).__name__
        said = Broken(kind, f"{kind}: {error}" if str(error) else kind)
    if not request.made:
        with suppress(Ending, BrokenPipeError):
            to.send((True, said))
    if request.made:
        os._exit(1)  # all is tidied up; a thread that still waits for a store is not waited for
