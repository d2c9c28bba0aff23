"""When jobs may begin and should be done: night windows, deadlines, words before one is missed. Pure.

A window is what a clock on a wall of its zone shows, so that days of 23 and 25 hours need no rule of their
own: an hour that comes twice is open twice, one that is left out is not open that day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from pipeline.errors import CommandError
from pipeline.worker.queue.jobs import LAST_MS, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.worker.queue.jobs import Job

DEADLINE_MS = 86_400_000
"""After its submission, of a job that has none of its own: what Agora's postponed transcoding promised."""
WARNED_MS = 3_600_000
"""So long before its deadline somebody is told of a job that has not ended."""
_MINUTE_MS = 60_000
_MOST_DAYS = 3
"""Without an open minute: a zone may leave out a day (Samoa, 2011-12-30), and the next may begin late."""
_WORDS = re.compile(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d) (\S+)", re.ASCII)
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Window:
    """A part of each day; one whose end is not behind its begin goes on into the next day.

    Attributes:
        begin: minutes after midnight.
        end: as begin, the first that is not in it; up to 24:00.
        zone: whose clock counts.
    """

    begin: int
    end: int
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str) -> Self:
        """As a person writes it: ``22:00-06:00 Asia/Shanghai``.

        Raises:
            CommandError: it is none.
        """
        found = _WORDS.fullmatch(text)
        if found is None:
            raise CommandError(f"{text!r} is no window: give it as '22:00-06:00 Asia/Shanghai'.")
        hour, minute, until_hour, until_minute = map(int, found.groups()[:4])
        begin, end = hour * 60 + minute, until_hour * 60 + until_minute
        if begin >= _DAY or end > _DAY or begin == end:
            raise CommandError(f"{text!r} is no window: its times are of one day, and differ.")
        try:
            zone = ZoneInfo(found[5])
        except (KeyError, OSError, ValueError) as error:  # no name of one, a folder of zones, a path
            raise CommandError(
                f"{found[5]!r} is no time zone that this machine knows: give one as Asia/Shanghai or UTC."
            ) from error
        return cls(begin, end, zone)

    def is_open(self, now_ms: int) -> bool:
        """Whether it is, at UTC ms."""
        wall = datetime.fromtimestamp(now_ms // 1000, self.zone)
        minute = wall.hour * 60 + wall.minute
        if self.begin < self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


def is_open(windows: Sequence[Window], now_ms: int) -> bool:
    """Whether jobs may begin at UTC ms: in any of the windows, or at any time where there is none."""
    return not windows or any(window.is_open(now_ms) for window in windows)


def opens_ms(windows: Sequence[Window], now_ms: int) -> int:
    """UTC ms, not before ``now_ms``, at which jobs may begin."""
    if is_open(windows, now_ms):
        return now_ms
    return _opens_ms(tuple(windows), now_ms - now_ms % _MINUTE_MS)  # offsets are whole minutes since 1972


@lru_cache(maxsize=4096)
def _opens_ms(windows: tuple[Window, ...], first: int) -> int:
    """As `opens_ms`, behind a minute in which all are closed; known for all the jobs that wait in it."""
    for minute in range(1, _MOST_DAYS * _DAY + 1):
        if is_open(windows, moment := first + minute * _MINUTE_MS):
            return moment
    raise AssertionError("a window opens within three days")


def deadline_of(given_ms: int, not_before_ms: int, now_ms: int) -> int:
    """The deadline of an order; one that gives none would come behind all that have one, for ever.

    Args:
        given_ms: UTC; 0 for none.
        not_before_ms: UTC before which nobody begins it.
        now_ms: UTC.

    Raises:
        CommandError: it is over before the job may begin.
    """
    if 0 < given_ms <= not_before_ms:
        raise CommandError(
            f"the deadline, {_minute(given_ms)}, is over before the job may begin, {_minute(not_before_ms)}: "
            "give a later one."
        )
    return given_ms or min(max(now_ms, not_before_ms) + DEADLINE_MS, LAST_MS)


def due_ms(job: Job) -> int:
    """UTC ms by which a job should be done."""
    return job.order.deadline_ms or job.submitted_ms + DEADLINE_MS


def _minute(utc_ms: int) -> str:
    return f"{datetime.fromtimestamp(utc_ms // 1000, UTC):%Y-%m-%d %H:%M} UTC"


class Lateness(StrEnum):
    """What is to be feared of a job."""

    NONE = "none"
    NEAR = "near"  # its deadline is near, or will have passed when it may begin
    MISSED = "missed"


def lateness(job: Job, now_ms: int, windows: Sequence[Window] = ()) -> Lateness:
    """What is to be feared of a job that has not ended.

    Args:
        job: waits, or runs.
        now_ms: UTC.
        windows: in which jobs may begin.
    """
    due = due_ms(job)
    if now_ms >= due:
        return Lateness.MISSED
    begin = now_ms
    if job.state is State.WAITING:
        begin = opens_ms(windows, max(now_ms, job.order.not_before_ms))
    return Lateness.NEAR if begin >= due - WARNED_MS else Lateness.NONE


def late_words(job: Job, how: Lateness, now_ms: int) -> str:
    """The sentence about it; empty for none."""
    due = due_ms(job)
    at = _minute(due)
    if how is Lateness.MISSED:
        return f"its deadline, {at}, has passed; it is {job.state}."
    if how is Lateness.NEAR:
        left = timedelta(seconds=(due - now_ms) // 1000)
        return f"its deadline, {at}, is in {left}; it is {job.state}."
    return ""
