from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import ticks
from pipeline.model.clock import PPB, Clock, fit, stretched
from tests.model.laws import patient

MS = ticks.PER_MS
SLICE = 15 * ticks.TICKS


def stamps(count: int, *, ppm: int = 0, off_ms: tuple[int, ...] = (0,), at: int = 0) -> list[tuple[int, int]]:
    """Stamps of slices of 15 s, each off by the next of ``off_ms``; UTC is ``at`` at media time 0."""
    return [
        (n * SLICE, at + n * SLICE + n * SLICE * ppm // 1_000_000 + off_ms[n % len(off_ms)] * MS)
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("points", "utc_ms", "ppm", "uncertainty_ms"),
    [
        pytest.param(stamps(1), 0, 0, 1, id="one stamp is all there is"),
        pytest.param(stamps(240), 0, 0, 1, id="an hour of exact stamps"),
        pytest.param(stamps(5, off_ms=(0, -1)), 0, 0, 1, id="cut to whole milliseconds: the largest is best"),
        pytest.param(stamps(5, off_ms=(0, -2)), 0, 0, 2, id="off by 2 ms: the median"),
        pytest.param(stamps(9, off_ms=(30, -30, 0)), 0, 0, 30, id="jitter of 30 ms"),
        pytest.param(stamps(20, off_ms=(*[0] * 19, 5000)), 0, 0, 1, id="one of twenty is 5 s late"),
        pytest.param(stamps(9, off_ms=(*[0] * 8, -60_000)), 0, 0, 60_000, id="one of nine is a minute early"),
        pytest.param(stamps(9, ppm=200), 12, 0, 12, id="nine stamps cannot tell a slope"),
        pytest.param(stamps(10, ppm=200), 0, 200, 1, id="ten can"),
        pytest.param(stamps(240, ppm=-200), 0, -200, 1, id="a slow clock over an hour"),
        pytest.param(stamps(240, ppm=5), 9, 0, 9, id="a slope of 18 ms in an hour does not show"),
        pytest.param(stamps(240, ppm=6), 0, 6, 1, id="one of 21.5 ms does"),
        pytest.param(stamps(240, ppm=200, off_ms=(30, -30, 0)), 0, 200, 30, id="a slope under jitter"),
        pytest.param(stamps(240, ppm=20, off_ms=(40, -40, 0)), 36, 0, 65, id="jitter that hides a slope"),
        pytest.param(
            stamps(240, ppm=200, off_ms=(*[0] * 99, 5000)), 0, 200, 1, id="a slope with two stamps 5 s late"
        ),
        pytest.param([(0, 0)] * 20, 0, 0, 1, id="twenty stamps at one media time"),
        pytest.param([(0, 0)] * 9 + [(SLICE, SLICE)], 0, 0, 1, id="nearly all at one media time"),
    ],
)
def test_a_line_is_fitted(points: list[tuple[int, int]], utc_ms: int, ppm: int, uncertainty_ms: int) -> None:
    clock = fit(points)
    assert round(clock.slope_ppb / 1000) == ppm
    assert round(clock.at(0) / MS) == utc_ms
    assert clock.uncertainty_ms == uncertainty_ms
    assert clock.stamps == len(points)


POINTS = st.lists(
    st.tuples(st.integers(0, 10**9), st.integers(-(10**6), 10**6)),
    min_size=1,
    max_size=40,
    unique_by=lambda p: p[0],
).map(lambda pairs: [(media, media + off) for media, off in sorted(pairs)])


@patient
@given(points=POINTS)
def test_nine_of_ten_stamps_lie_within_the_uncertainty(points: list[tuple[int, int]]) -> None:
    clock = fit(points)
    near = sum(abs(utc - clock.at(media)) <= clock.uncertainty_ms * MS + 1 for media, utc in points)
    assert near * 10 >= len(points) * 9


@patient
@given(points=POINTS, media=st.integers(-(10**12), 10**12), utc=st.integers(-(10**15), 10**15))
def test_moving_the_stamps_moves_the_line(points: list[tuple[int, int]], media: int, utc: int) -> None:
    clock = fit(points)
    moved = fit([(m + media, u + media + utc) for m, u in points])
    assert moved == Clock(
        clock.media + media, clock.utc + media + utc, clock.slope_ppb, clock.uncertainty_ms, clock.stamps
    )


@given(length=st.integers(-(10**10), 10**10), slope=st.integers(-(10**6), 10**6))
def test_stretching_is_right_to_half_a_tick(length: int, slope: int) -> None:
    assert abs(2 * ((stretched(length, slope) - length) * PPB - length * slope)) <= PPB


@given(a=st.integers(-(10**10), 10**10), b=st.integers(0, 10**10), slope=st.integers(-(10**6), 10**6))
def test_stretching_keeps_the_order(a: int, b: int, slope: int) -> None:
    assert stretched(a, slope) <= stretched(a + b, slope)


def test_stamps_that_run_away_faster_than_any_clock_are_wrong_and_not_the_media() -> None:
    second = 90_000
    line = [(n * 15 * second, n * 15 * second + n * 48 * 90) for n in range(420)]  # 20 s in 1 h 45
    clock = fit(line)
    assert clock.slope_ppb == 0
    assert 8000 < clock.uncertainty_ms < 10_100
