"""At which moments pictures are taken, what is shown then, and what the options mean as text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import CommandError
from pipeline.model import ticks
from pipeline.model.durations import short_duration_ms
from pipeline.model.job_key import job_key
from pipeline.model.options import Moment, Options
from pipeline.model.slices import Ends, Format, Medium, Slice, State
from pipeline.model.snapshots import Format as FileFormat
from pipeline.model.snapshots import Shot, SnapshotOptions, moments, shown_at
from pipeline.model.timeline import Gap, Placed, Run, TrackTime

SECOND = ticks.TICKS
FIVE = SnapshotOptions(every_ms=5000)
EARLY, LATE = Moment(8, absolute=True), Moment(9, absolute=True)


def run(*lengths: tuple[int, int], listed: int = 0) -> Run:
    """A run of slices that begin at a second and last so many; the last is listed with another length."""
    placed = []
    for number, (start, length) in enumerate(lengths):
        ends = Ends(0, length * SECOND, SECOND // 10, key=True, form=Format("h264", 320, 180))
        extinf = listed * 1_000_000 if listed and number + 1 == len(lengths) else None
        piece = Slice(f"{start}.ts", 1000, State.PRESENT, start * 1000, "name", extinf, ends=ends)
        placed.append(Placed(piece, start * SECOND))
    return Run(tuple(placed), "", 0)


def track(*runs: Run, gaps: tuple[Gap, ...] = ()) -> TrackTime:
    return TrackTime(Medium.VIDEO, runs, gaps, ())


def gap(start: int, end: int) -> Gap:
    return Gap(start * SECOND, end * SECOND, lost=False, why="off")


TRACK = track(run((10, 10), (20, 10)), run((40, 10)), run((50, 5), listed=8), gaps=(gap(30, 40),))


@pytest.mark.parametrize(
    ("at", "run_index", "seen"),
    [
        pytest.param(9, None, 0, id="before the first picture"),
        pytest.param(10, 0, 10, id="at the first picture"),
        pytest.param(29, 0, 29, id="in the last second of a run"),
        pytest.param(30, None, 0, id="where the camera goes off"),
        pytest.param(39, None, 0, id="just before it comes back"),
        pytest.param(40, 1, 40, id="where it comes back"),
        pytest.param(57, 2, 55, id="while the last picture stands still, as the playlist has it"),
        pytest.param(58, None, 0, id="behind that"),
    ],
)
def test_what_is_shown_at_a_second(at: int, run_index: int | None, seen: int) -> None:
    shot = shown_at(TRACK, at * SECOND, hold=False)
    if run_index is None:
        assert shot is None
    else:
        assert shot is not None
        assert (shot.at, shot.run) == (at * SECOND, run_index)
        assert abs(shot.seen - seen * SECOND) < ticks.PER_MS


def test_the_last_picture_is_held_where_that_is_asked_for() -> None:
    assert shown_at(TRACK, 35 * SECOND, hold=True) == Shot(35 * SECOND, 0, 30 * SECOND - 1)
    assert shown_at(TRACK, 99 * SECOND, hold=True) == Shot(99 * SECOND, 2, 55 * SECOND - 1)
    assert shown_at(TRACK, 9 * SECOND, hold=True) is None


@given(st.integers(100, 60_000), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_moments_are_all_multiples_since_1970_that_lie_inside(
    every_ms: int, start_ms: int, length_ms: int, first_ms: int
) -> None:
    start, end = ticks.from_ms(start_ms), ticks.from_ms(start_ms + length_ms)
    found = moments(SnapshotOptions(every_ms=every_ms), ticks.from_ms(first_ms), start, end)
    assert [at // ticks.PER_MS for at in found] == [
        ms for ms in range(0, start_ms + length_ms, every_ms) if ms >= start_ms
    ]


def test_moments_of_one_s_own_come_besides_and_once() -> None:
    asked = replace(FIVE, at=tuple(map(Moment.parse, ("2.5", "1970-01-01T00:00:15Z", "3600"))))
    found = moments(asked, 10 * SECOND, 10 * SECOND, 22 * SECOND)
    assert [at / SECOND for at in found] == [10, 12.5, 15, 20, 3610]


def test_start_and_end_bound_all_of_them() -> None:
    asked = replace(FIVE, at=(Moment.parse("1"),), start=Moment.parse("2"), end=Moment.parse("10"))
    assert moments(asked, 10 * SECOND, 10 * SECOND, 60 * SECOND) == (15 * SECOND,)


def test_too_many_are_refused() -> None:
    with pytest.raises(CommandError, match="gives over 200000 pictures of one user"):
        moments(SnapshotOptions(every_ms=100), 0, 0, 90_000 * SECOND)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        pytest.param({"every_ms": 0}, "give --every 5s, or --at T", id="no moment"),
        pytest.param({"every_ms": 99}, "at least 100 ms", id="too often"),
        pytest.param({"quality": 0}, "1 to 95", id="no quality"),
        pytest.param({"quality": 96}, "1 to 95", id="too much of it"),
        pytest.param({"width": 15}, "an even number", id="an odd width"),
        pytest.param({"width": 10_000}, "16 to 8192", id="too wide"),
        pytest.param({"start": LATE, "end": EARLY}, "before", id="order"),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        replace(FIVE, **wrong)


CHANGES: list[dict[str, Any]] = [
    {"every_ms": 6000},
    {"at": (Moment.parse("1"),)},
    {"format": FileFormat.PNG},
    {"quality": 80},
    {"width": 320},
    {"hold": True},
    {"nearest_ms": 1000},
    {"sheet": True},
    {"uids": ("ann",)},
    {"name": "{uid}-{utc}"},
    {"start": Moment.parse("1")},
]


@pytest.mark.parametrize("change", CHANGES, ids=[next(iter(change)) for change in CHANGES])
def test_whatever_changes_the_pictures_changes_the_text(change: dict[str, Any]) -> None:
    told = replace(FIVE, **change).as_text()
    assert told != FIVE.as_text()


def test_pictures_are_another_job_than_a_merge() -> None:
    keys = {job_key("agora", "", "room", options.as_text()) for options in (Options(), FIVE)}
    assert len(keys) == 2


def test_the_quality_of_a_png_does_not_count() -> None:
    one, other = (replace(FIVE, format=FileFormat.PNG, quality=quality) for quality in (50, 90))
    assert one.as_text() == other.as_text()


@pytest.mark.parametrize(("text", "ms"), [("500ms", 500), ("5s", 5000), ("1m30s", 90_000)])
def test_short_durations(text: str, ms: int) -> None:
    assert short_duration_ms(text) == ms


@pytest.mark.parametrize("text", ["", "5", "0,5s", "ms", "-1s", "5s500ms"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(CommandError, match="is no duration"):
        short_duration_ms(text)
