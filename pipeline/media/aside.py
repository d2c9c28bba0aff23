"""A track copied in a process of its own, so that one user's file uses two cores.

Threads would not do: demuxing hands the interpreter's lock back and forth for every packet. The process is
forked, sends its header and its chunks through a pipe, and ends with what was made or with what went wrong.
"""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing
import os
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from pipeline.media.mp4.writer import TrackHeader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from pipeline.media.tally import Chunk, Copier, Made


TOGETHER = 16
"""Chunks in one message: each message costs both sides a switch."""
PIPE_BYTES = 1 << 20
_PR_SET_PDEATHSIG = 1


class _End(NamedTuple):
    """The last message: the track does not depend on where the file ends."""

    made: Made
    ends: int


class Aside:
    """A `Copier` that works in another process, for a track that does not depend on the file's end.

    Args:
        make: makes the copier there, given where it reports its progress.
        progress: called here with bytes that were read there.
    """

    def __init__(
        self, make: Callable[[Callable[[int], None]], Copier], progress: Callable[[int], None]
    ) -> None:
        self._header: TrackHeader | None = None
        self._progress = progress
        self._end: _End | None = None
        context = multiprocessing.get_context("fork")
        self._from, to = context.Pipe(duplex=False)
        _widen(to)
        self._process = context.Process(target=_copy, args=(make, to, self._from, os.getpid()), daemon=True)
        self._process.start()
        to.close()

    def header(self) -> TrackHeader:
        """As the copier's; raises what making it met."""
        while self._header is None:
            if isinstance(told := self._from.recv(), TrackHeader):
                self._header = told
            else:
                self._told(told)
        return self._header

    def chunks(self) -> Iterator[Chunk]:
        """What the other process copies; raises what it met, EOFError when it was killed."""
        self.header()  # comes first
        while not isinstance(told := self._from.recv(), _End):
            if isinstance(told, list):
                yield from told
            else:
                self._told(told)
        self._end = told

    def _told(self, said: int | Exception) -> None:
        """Progress is passed on, what went wrong is raised."""
        if not isinstance(said, int):
            raise said
        self._progress(said)

    @property
    def ends(self) -> int:
        """As the copier's."""
        return self._finished().ends

    def made(self, end: int, payload_sha256: str) -> Made:  # noqa: ARG002 - such a track ends by itself
        """As the copier's."""
        made = self._finished().made
        return made._replace(track=replace(made.track, payload_sha256=payload_sha256))

    def _finished(self) -> _End:
        if self._end is None:
            raise AssertionError("asked before all chunks were taken")
        return self._end

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._from.close()


def _widen(pipe: Connection) -> None:
    """Let a pipe hold several messages, so that neither side waits for each of them (Linux, fcntl(2))."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a user may have used up what the system grants him
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, however that ends (Linux, prctl(2)).

    Args:
        parent: its process id; where that has ended already, this process ends here.
    """
    if sys.platform == "linux":
        import ctypes  # only where a process was forked

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _copy(
    make: Callable[[Callable[[int], None]], Copier], to: Connection, unused: Connection, parent: int
) -> None:
    die_with_parent(parent)
    unused.close()
    try:
        copier = make(to.send)
        to.send(copier.header())
        waiting: list[Chunk] = []
        for piece in copier.chunks():
            waiting.append(piece)
            if len(waiting) >= TOGETHER:
                to.send(waiting)
                waiting = []
        to.send(waiting)
        to.send(_End(copier.made(0, ""), copier.ends))
    except BrokenPipeError:
        return  # the parent is gone
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised in the parent
        to.send(error)
