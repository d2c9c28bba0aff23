"""This process as a runner, and whether another of this machine is still there."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

from pipeline.journal.owner import Runner

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_STARTED = 19
"""The field of ``/proc/PID/stat`` behind the name that tells when it began (proc_pid_stat(5), field 22)."""


def utc_ms() -> int:
    """This machine's clock."""
    return time.time_ns() // 1_000_000


def this_runner() -> Runner:
    """This process."""
    pid = os.getpid()
    return Runner(socket.gethostname(), _text(_BOOT), _space(), pid, _began(pid) or 0)


def is_alive(runner: Runner) -> bool | None:
    """Whether a process of this machine is there; None where the kernel does not tell."""
    if not Path("/proc/self/stat").exists():
        return None
    return _began(runner.pid) == runner.began


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _space() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _began(pid: int) -> int | None:
    """When a process began; None for one that is not there, or only waits to be buried."""
    fields = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return int(fields[_STARTED]) if len(fields) > _STARTED and fields[0] not in {"Z", "X"} else None
