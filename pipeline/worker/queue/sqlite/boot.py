"""What time it is: by UTC, and by a clock that nobody sets, with the start of the kernel it counts from.

UTC says when a job may begin. A lease ends by CLOCK_BOOTTIME, which goes on while the machine sleeps and
which no administrator and no NTP sets (clock_gettime(2)). It means nothing after another start of the
machine, so its readings go with the boot id (random(4)): a lease of another boot is over, as its worker is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pipeline.errors import CommandError

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Instant:
    """One reading.

    Attributes:
        utc_ms: of the wall clock, which may be set back and forward.
        boot: of this start of the kernel.
        since_ms: since then, never less than in an earlier reading.
    """

    utc_ms: int
    boot: str
    since_ms: int


Clock: TypeAlias = Callable[[], Instant]


def this_machine() -> Clock:
    """The clocks of this machine. Raises CommandError where it tells no boot id."""
    try:
        boot = _BOOT.read_text(encoding="ascii").strip()
    except OSError as error:
        raise CommandError(
            f"a queue in SQLite needs Linux: {_BOOT} cannot be read ({error.strerror})."
        ) from error

    def now() -> Instant:
        since_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        return Instant(time.time_ns() // 1_000_000, boot, since_ns // 1_000_000)

    return now
