"""The process of a job, from outside: begun, heard, told, ended. A process group of its own.

It is executed anew rather than forked, so that no job inherits what another has left behind, and so that the
worker may have threads and connections.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pipeline
from pipeline.worker.shift.words import GO, keep_line, word_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.worker.shift.words import Task, Word

INSIDE = ("-P", "-m", "pipeline.worker.shift.inside")
MEMORY = {
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(5 << 20),
}
"""As `pipeline.__main__` has it, in glibc's variables (mallopt(3))."""
_BLOCK = 1 << 16


class Child:
    """A process that does one job.

    Args:
        task: what it does.
    """

    def __init__(self, task: Task) -> None:
        with (
            tempfile.TemporaryFile() as file
        ):  # a pipe would hold the worker up where the child does not read
            file.write(task.to_json())
            file.flush()
            file.seek(0)
            number = file.fileno()
            self._process = subprocess.Popen(
                [sys.executable, *INSIDE, str(number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                env=_environ(),
                pass_fds=(number,),
                process_group=0,  # what a terminal sends to the worker's group is the worker's to pass on
            )
        self._rest = b""
        os.set_blocking(self._down, False)
        os.set_blocking(self.fileno(), False)

    @property
    def pid(self) -> int:
        """Its process id, which is that of its group too."""
        return self._process.pid

    def fileno(self) -> int:
        """To wait until it says something."""
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        return self._process.stdout.fileno()

    @property
    def _down(self) -> int:
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        return self._process.stdin.fileno()

    def heard(self) -> Iterator[Word]:
        """What it has said since; what is no word is left out."""
        with suppress(BlockingIOError):
            while data := os.read(self.fileno(), _BLOCK):
                *lines, self._rest = (self._rest + data).split(b"\n")
                yield from (word for line in lines if (word := word_of(line)) is not None)

    def keep(self, kept_ms: int) -> None:
        """Tell it that the job is still its own, as of a time of CLOCK_BOOTTIME."""
        self._tell(keep_line(kept_ms))

    def go(self) -> None:
        """Tell it that there is room."""
        self._tell(GO + b"\n")

    def _tell(self, line: bytes) -> None:
        with suppress(BrokenPipeError, BlockingIOError):  # it has ended, or does not listen
            os.write(self._down, line)

    def terminate(self) -> None:
        """Ask it to end: it tidies up."""
        self._process.terminate()

    def kill(self) -> None:
        """End it and all that it forked, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def ended(self) -> int | None:
        """Its exit code, or the number of the signal below zero; None while it lives."""
        return self._process.poll()

    def close(self) -> None:
        """Bury it, and whatever of its group is left."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def _environ() -> dict[str, str]:
    """Ours, and where this package is."""
    paths = [str(Path(pipeline.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {**MEMORY, **os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
