"""Whose a job is: the record that its runner leaves, and when another may take the job over. Pure.

A runner says until when it means to live and moves that time on while its work moves. Clocks of machines
differ, so the time alone decides only with `MARGIN_MS` to spare; on one machine the process itself is looked
for. Whoever was taken over learns it by the token, which every visible act reads again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

LEASE_MS = 180_000
"""How long a runner may be silent: longer than a call that is tried again may take (`Patience`)."""
MARGIN_MS = 30_000
"""By how much the clocks of two machines may differ."""
LATEST_MS = 4_102_444_800_000
"""UTC of the year 2100: no runner lives so long."""


@dataclass(frozen=True, slots=True)
class Runner:
    """A process that runs jobs.

    Attributes:
        host: its machine's name, for people.
        boot: of this start of the machine's kernel; "" where it tells none.
        space: the namespace in which ``pid`` counts; "" where there are none.
        pid: its number.
        began: when it began, in the kernel's ticks since the boot; numbers are used again, these are not.
    """

    host: str
    boot: str
    space: str
    pid: int
    began: int

    def beside(self, other: Runner) -> bool:
        """Whether each can see the other's process."""
        return bool(self.boot) and (self.boot, self.space) == (other.boot, other.space)


@dataclass(frozen=True, slots=True)
class Owner:
    """The record.

    Attributes:
        runner: who.
        token: of this taking, by chance.
        until_ms: UTC by the runner's clock.
    """

    runner: Runner
    token: str
    until_ms: int

    def to_json(self) -> bytes:
        """The document."""
        return json.dumps(asdict(self), sort_keys=True).encode()


def owner_of(data: bytes) -> Owner | None:
    """The record read back; None for what no runner has written."""
    try:
        found = json.loads(data)
        runner = Runner(**found["runner"])
        numbers = (runner.pid, runner.began, found["until_ms"])
        whole = isinstance(found["token"], str) and all(isinstance(number, int) for number in numbers)
        if whole and 0 <= found["until_ms"] < LATEST_MS:
            return Owner(runner, found["token"], found["until_ms"])
    except (ValueError, TypeError, KeyError):
        pass
    return None


def may_take(owner: Owner | None, me: Runner, *, alive: bool | None, now_ms: int) -> bool:
    """Whether a job may be taken from its owner.

    Args:
        owner: None where the record is none.
        me: who asks.
        alive: whether the owner's process is there; None where that cannot be seen.
        now_ms: UTC by the clock of who asks.
    """
    if owner is None:
        return True
    if owner.runner.beside(me) and alive is not None:
        return not alive
    return now_ms > owner.until_ms + MARGIN_MS
