"""A server as a process of its own: where it is installed, when it is ready, and that it surely ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pipeline.media.aside import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

INSTALLED = Path(os.environ.get("RECPIPE_SERVERS") or Path(__file__).parents[2] / ".venv-servers")
"""The environment that ``make servers`` makes, or another that the variable names."""
READY_S = 60
_POLL_S = 0.01
_TOLD = 2000


def not_installed(*names: str) -> str:
    """Which of these commands of the servers' environment are missing, as a sentence; "" for none."""
    missing = [name for name in names if not (INSTALLED / "bin" / name).exists()]
    return f"{' and '.join(missing)} not found in {INSTALLED}: run make servers" if missing else ""


@contextmanager
def serving(command: Sequence[str], folder: Path, ready: str, given: bytes = b"") -> Iterator[re.Match[str]]:
    """Run a server until the block ends; all that it started ends with it, also when we are killed.

    Start it in the main thread: the kernel ends it when the thread that started it does (Linux, prctl(2)).

    Args:
        command: an executable of the servers' environment, and its arguments.
        folder: its home; what it prints is in ``log.txt`` there.
        ready: what it prints once it listens, as a regular expression.
        given: its standard input.

    Yields:
        What ``ready`` found.

    Raises:
        RuntimeError: it ended, or said nothing of the kind for `READY_S`; the text is its last words.
    """
    log = folder / "log.txt"
    name, *arguments = command
    with log.open("wb") as out, _input(folder, given) as standard_input:
        process = subprocess.Popen(
            [INSTALLED / "bin" / name, *arguments],
            stdin=standard_input,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={"HOME": str(folder), "PATH": os.defpath},  # no settings of the user's
            start_new_session=True,  # Ctrl-C is ours: we end it
            preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - it takes no lock of ours
        )
    try:
        yield _wait(process, name, log, re.compile(ready, re.MULTILINE))
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _input(folder: Path, given: bytes) -> IO[bytes]:
    """A file, so that nobody waits for a pipe."""
    file = folder / "input"
    file.write_bytes(given)
    return file.open("rb")


def _wait(process: subprocess.Popen[bytes], name: str, log: Path, ready: re.Pattern[str]) -> re.Match[str]:
    deadline = time.monotonic() + READY_S
    while True:
        # looked at, not taken: until it is taken its id is no other process's, and can be killed
        ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        told = log.read_text(encoding="utf-8", errors="replace")
        if found := ready.search(told):
            return found
        if ended or time.monotonic() > deadline:
            how = f"ended with {ended.si_status}" if ended else f"is not ready after {READY_S} s"
            raise RuntimeError(f"{name} {how}: {told[-_TOLD:]}")
        time.sleep(_POLL_S)
