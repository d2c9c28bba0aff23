"""Windows as tables of what a clock on the wall shows, around changes of it; deadlines and their words."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import CommandError
from pipeline.worker.queue.jobs import Job, Order, State
from pipeline.worker.queue.schedule import (
    DEADLINE_MS,
    WARNED_MS,
    Lateness,
    Window,
    due_ms,
    is_open,
    late_words,
    lateness,
    opens_ms,
)

NIGHT = "22:00-06:00 Asia/Shanghai"
HOUR_MS = 3_600_000
ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def job(state: State = State.WAITING, *, submitted: int = 0, deadline: int = 0, not_before: int = 0) -> Job:
    order = Order("key", "{}", deadline_ms=deadline, not_before_ms=not_before)
    return Job(7, order, state, 0, 0, submitted)


OPEN = [
    pytest.param(NIGHT, "2026-01-10T13:59:59", False, id="a second before it opens it is closed"),
    pytest.param(NIGHT, "2026-01-10T14:00:00", True, id="22:00 in Shanghai is 14:00 UTC"),
    pytest.param(NIGHT, "2026-01-10T16:00:00", True, id="it goes on over midnight"),
    pytest.param(NIGHT, "2026-01-10T21:59:59", True, id="a second before its end it is open"),
    pytest.param(NIGHT, "2026-01-10T22:00:00", False, id="its end is not in it"),
    pytest.param("09:00-17:00 UTC", "2026-01-10T08:59:00", False, id="a window of a day before its begin"),
    pytest.param("09:00-17:00 UTC", "2026-01-10T16:59:00", True, id="a window of a day before its end"),
    pytest.param("20:00-24:00 UTC", "2026-01-10T23:59:00", True, id="midnight may be the end"),
    pytest.param("20:00-24:00 UTC", "2026-01-11T00:00:00", False, id="and is not in it"),
    pytest.param("02:00-03:00 Europe/Berlin", "2026-03-28T01:30:00", True, id="the night before the change"),
    pytest.param(
        "02:00-03:00 Europe/Berlin", "2026-03-29T01:00:00", False, id="an hour left out is not open"
    ),
    pytest.param("01:00-03:30 Europe/Berlin", "2026-03-29T01:29:00", True, id="3:29 comes an hour early"),
    pytest.param("01:00-03:30 Europe/Berlin", "2026-03-29T01:30:00", False, id="and so does its end"),
    pytest.param("02:00-03:00 Europe/Berlin", "2026-10-25T00:30:00", True, id="an hour that comes twice"),
    pytest.param("02:00-03:00 Europe/Berlin", "2026-10-25T01:30:00", True, id="is open the second time too"),
    pytest.param("02:00-03:00 Europe/Berlin", "2026-10-25T02:00:00", False, id="and not a third time"),
]


@pytest.mark.parametrize(("window", "at", "wanted"), OPEN)
def test_a_window_is_open_by_the_clock_on_the_wall(window: str, at: str, *, wanted: bool) -> None:
    assert Window.parse(window).is_open(utc(at)) is wanted


OPENS = [
    pytest.param([], "2026-01-10T12:00:05", "2026-01-10T12:00:05", id="without a window it is always now"),
    pytest.param([NIGHT], "2026-01-10T15:00:05", "2026-01-10T15:00:05", id="an open one opens now"),
    pytest.param([NIGHT], "2026-01-10T12:00:05", "2026-01-10T14:00:00", id="a closed one in the evening"),
    pytest.param(
        [NIGHT, "12:30-13:00 UTC"], "2026-01-10T12:00:05", "2026-01-10T12:30:00", id="of two the first"
    ),
    pytest.param(
        ["02:00-03:00 Europe/Berlin"],
        "2026-03-28T12:00:00",
        "2026-03-30T00:00:00",
        id="a window that a night leaves out opens in the next",
    ),
    pytest.param(
        ["02:15-02:30 Europe/Berlin"],
        "2026-10-25T00:30:00",
        "2026-10-25T01:15:00",
        id="a window that comes twice opens again within the hour",
    ),
    pytest.param(
        ["10:00-10:30 Pacific/Apia"],
        "2011-12-29T21:00:00",
        "2011-12-30T20:00:00",
        id="a day that an island left out",
    ),
]


@pytest.mark.parametrize(("windows", "at", "wanted"), OPENS)
def test_when_jobs_may_begin(windows: list[str], at: str, wanted: str) -> None:
    assert opens_ms([Window.parse(window) for window in windows], utc(at)) == utc(wanted)


@given(
    begin=st.integers(0, 1439),
    length=st.integers(1, 1439),
    zone=st.sampled_from(ZONES),
    now=st.integers(utc("2020-01-01"), utc("2030-01-01")),
)
def test_a_window_opens_at_the_first_moment_at_which_it_is_open(
    begin: int, length: int, zone: str, now: int
) -> None:
    window = Window(begin, (begin + length) % 1440, ZoneInfo(zone))
    opens = opens_ms([window], now)
    assert opens >= now
    assert is_open([window], opens)
    assert opens == now or not is_open([window], opens - 1)
    assert not any(is_open([window], moment) for moment in range(now, opens, HOUR_MS // 4))


class Counted(Window):
    """A window that counts how often it is asked."""

    asked = 0

    def is_open(self, now_ms: int) -> bool:
        """As a window does."""
        Counted.asked += 1
        return super().is_open(now_ms)


def test_many_jobs_that_wait_for_a_window_cost_one_search_for_it() -> None:
    windows = [Counted(0, 60, ZoneInfo("UTC"))]
    jobs = [job(deadline=DUE, not_before=number) for number in range(1000)]
    Counted.asked = 0
    assert {lateness(each, DUE - 22 * HOUR_MS, windows) for each in jobs} == {Lateness.NONE}
    assert Counted.asked <= len(jobs) + 24 * 60


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("22:00-06:00", id="no zone"),
        pytest.param("22:00-22:00 UTC", id="no time between"),
        pytest.param("24:00-06:00 UTC", id="a begin at the day's end"),
        pytest.param("22:00-24:01 UTC", id="an end behind the day"),
        pytest.param("22:60-06:00 UTC", id="an hour of 61 minutes"),
        pytest.param("22:00-06:00 Mars/Olympus", id="a zone that is none"),
        pytest.param("22:00-06:00 ../../etc/passwd", id="a path"),
        pytest.param("22:00-06:00 Europe", id="a folder of zones"),
        pytest.param("\u0662\u0662:00-06:00 UTC", id="digits of another script"),
    ],
)
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(CommandError):
        Window.parse(text)


def test_a_job_without_a_deadline_is_due_a_day_after_it_was_submitted() -> None:
    assert due_ms(job(submitted=5)) == 5 + DEADLINE_MS
    assert due_ms(job(submitted=5, deadline=9)) == 9


DUE = utc("2026-01-10T12:00:00")
LATE = [
    pytest.param(State.WAITING, DUE - WARNED_MS - 1, 0, "", Lateness.NONE, id="there is time"),
    pytest.param(State.WAITING, DUE - WARNED_MS, 0, "", Lateness.NEAR, id="an hour before it is near"),
    pytest.param(State.RUNNING, DUE - WARNED_MS, 0, "", Lateness.NEAR, id="of one that runs too"),
    pytest.param(State.WAITING, DUE, 0, "", Lateness.MISSED, id="at its deadline it is missed"),
    pytest.param(State.WAITING, 0, DUE - 1, "", Lateness.NEAR, id="it may not begin before"),
    pytest.param(
        State.RUNNING, DUE - 5 * HOUR_MS, 0, NIGHT, Lateness.NONE, id="one that runs needs no window"
    ),
    pytest.param(
        State.WAITING, DUE - 13 * HOUR_MS, 0, "12:00-13:00 UTC", Lateness.NEAR, id="the window opens too late"
    ),
    pytest.param(State.WAITING, DUE - 15 * HOUR_MS, 0, NIGHT, Lateness.NONE, id="the window is open"),
]


@pytest.mark.parametrize(("state", "now", "not_before", "window", "wanted"), LATE)
def test_somebody_is_warned_before_a_deadline_is_missed(
    state: State, now: int, not_before: int, window: str, wanted: Lateness
) -> None:
    windows = [Window.parse(window)] if window else []
    assert lateness(job(state, deadline=DUE, not_before=not_before), now, windows) is wanted


def test_the_words_name_the_deadline_and_what_is_left_of_the_time() -> None:
    late, at = job(deadline=DUE), "its deadline, 2026-01-10 12:00 UTC,"
    assert late_words(late, Lateness.NEAR, DUE - 3_000_000) == f"{at} is in 0:50:00; it is waiting."
    assert late_words(late, Lateness.MISSED, DUE) == f"{at} has passed; it is waiting."
    assert not late_words(late, Lateness.NONE, 0)
