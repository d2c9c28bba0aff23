"""When a recording is complete, and how long to wait for what it lacks.

Complete is what lacks nothing (`missing`) and has not changed for a while: recorders write their last slices
and playlists after a call is over, and write playlists anew with each slice.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import CommandError
from pipeline.model import ticks

LEAST_LOOK_MS, MOST_LOOK_MS = 10_000, 300_000
"""Between two looks at what lacks something."""
PATIENCE = 8
"""The longer nothing has changed, the rarer are the looks: after a part of that time."""


@dataclass(frozen=True, slots=True)
class Settling:
    """How long to wait.

    Attributes:
        settle_ms: for which nothing must have changed.
        limit_ms: for how long after the last change to wait for what is missing; never shorter than that.

    Raises:
        CommandError: a time below zero.
    """

    settle_ms: int = 0
    limit_ms: int = 0

    def __post_init__(self) -> None:
        if min(self.settle_ms, self.limit_ms) < 0:
            raise CommandError("a recording cannot be waited for by less than no time: give 0 or more.")


AT_ONCE = Settling()
"""Of folders that were downloaded: they are taken as they are."""
OF_JOBS = Settling(120_000, 21_600_000)
"""Of jobs, which begin when a call ends."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What was seen of a listing so far.

    Attributes:
        fingerprint: of all that it tells.
        changed_ms: UTC of the last change, as far as anybody knows; never later than it was looked at.
    """

    fingerprint: str
    changed_ms: int


def seen(before: Listing | None, fingerprint: str, newest_ms: int, now_ms: int) -> Listing:
    """The listing as it is now.

    Args:
        before: as it was at the last look; None at the first.
        fingerprint: of all that it tells.
        newest_ms: UTC of its newest object, as the store says; 0 where it does not. A store's clock may be
            ahead of ours: what is to come counts as now.
        now_ms: UTC.
    """
    if before is None:
        return Listing(fingerprint, min(newest_ms or now_ms, now_ms))
    if before.fingerprint != fingerprint:
        return Listing(fingerprint, now_ms)
    return Listing(fingerprint, min(before.changed_ms, now_ms))  # our own clock may have been put back


@dataclass(frozen=True, slots=True)
class Completeness:
    """What is known of a recording.

    Attributes:
        missing: a sentence for each thing that it lacks.
        changed_ms: UTC of the last change.
    """

    missing: tuple[str, ...]
    changed_ms: int

    @property
    def words(self) -> str:
        """The first thing that it lacks, and how many others there are; empty where it lacks nothing."""
        others = f" (and {len(self.missing) - 1} more)" if len(self.missing) > 1 else ""
        return f"{self.missing[0]}{others}" if self.missing else ""


@dataclass(frozen=True, slots=True)
class Run:
    """Begin; ``without`` is what is missing, a part of a sentence, empty where nothing is."""

    without: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again after ``ms``; ``why`` is a part of a sentence."""

    ms: int
    why: str


def verdict(now_ms: int, found: Completeness, rule: Settling) -> Run | Wait:
    """Whether to begin now.

    Nothing is waited for longer than ``limit_ms`` (or ``settle_ms``, if that is more) after the last change.
    """
    quiet = max(0, now_ms - found.changed_ms)
    most = max(rule.settle_ms, rule.limit_ms) if found.missing else rule.settle_ms
    left = most - quiet
    if left <= 0:
        return Run(found.words)
    until = f"at most {_length(left)} more"
    if not found.missing:
        return Wait(left, f"all of it is there, and may still change: {until}")
    look = min(max(quiet // PATIENCE, LEAST_LOOK_MS), MOST_LOOK_MS)
    return Wait(min(left, look), f"{found.words}: {until}")


def _length(ms: int) -> str:
    return ticks.duration(ticks.from_ms(ms)).partition(".")[0]
