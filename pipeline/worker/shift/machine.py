"""What this machine has, and its clock that goes on while it sleeps and that nobody sets."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import api
from pipeline.worker.queue.jobs import Needs

if TYPE_CHECKING:
    from collections.abc import Iterator

_CGROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Of version 2 and of version 1: what a container may use."""


def machine(folder: Path = Path()) -> Needs:
    """Processors that we may use, memory of the machine or of the container, free bytes where we work."""
    return Needs(api.processors(), min(_memories()), shutil.disk_usage(folder).free)


def _memories() -> Iterator[int]:
    yield os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in _CGROUPS:
        try:
            text = path.read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():  # "max" where there is no limit
            yield int(text)


def boot_ms() -> int:
    """CLOCK_BOOTTIME, which all processes read alike; the monotonic clock where there is none."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(clock) // 1_000_000
