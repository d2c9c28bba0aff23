from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import ticks

TICK_COUNTS = st.integers(-(1 << 60), 1 << 60)
RAW = st.integers(0, ticks.WRAP - 1)
RATES = st.sampled_from([7350, 8000, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000])


@given(ms=st.integers(-(10**15), 10**15))
def test_milliseconds_survive_as_ticks(ms: int) -> None:
    assert ticks.to_ms(ticks.from_ms(ms)) == ms


@given(count=TICK_COUNTS)
def test_milliseconds_of_ticks_are_the_nearest(count: int) -> None:
    assert abs(ticks.from_ms(ticks.to_ms(count)) - count) <= ticks.PER_MS // 2


@given(us=st.integers(0, 10**15))
def test_microseconds_are_counted_in_whole_ticks(us: int) -> None:
    assert 0 <= us * ticks.TICKS - ticks.from_us(us) * 1_000_000 < 1_000_000


@given(start=RAW, step=st.integers(-(ticks.WRAP // 2), ticks.WRAP // 2 - 1))
def test_a_step_survives_the_33_bit_counter(start: int, step: int) -> None:
    assert ticks.forward((start + step) % ticks.WRAP, start) == step


@given(expected=TICK_COUNTS, raw=RAW)
def test_the_nearest_count_reads_the_same_and_is_less_than_half_a_range_away(expected: int, raw: int) -> None:
    found = ticks.nearest(raw, expected)
    assert found % ticks.WRAP == raw
    assert -ticks.WRAP // 2 <= found - expected < ticks.WRAP // 2


@given(samples=st.integers(-(10**12), 10**12), rate=RATES)
def test_samples_survive_as_ticks_where_a_tick_is_shorter_than_a_sample(samples: int, rate: int) -> None:
    back = ticks.samples_at(ticks.ticks_of(samples, rate), rate)
    assert abs(back - samples) <= (0 if rate < ticks.TICKS else 1)


@given(count=TICK_COUNTS, rate=RATES)
def test_samples_in_ticks_are_the_nearest(count: int, rate: int) -> None:
    found = ticks.samples_at(count, rate)
    assert abs(2 * (found * ticks.TICKS - count * rate)) <= ticks.TICKS


@pytest.mark.parametrize(
    ("ms", "clock", "iso"),
    [
        pytest.param(0, "00:00:00.000", "1970-01-01T00:00:00.000Z", id="the epoch"),
        pytest.param(1768908622488, "11:30:22.488", "2026-01-20T11:30:22.488Z", id="a slice's stamp"),
        pytest.param(1767225599999, "23:59:59.999", "2025-12-31T23:59:59.999Z", id="the last ms of a year"),
        pytest.param(-1, "23:59:59.999", "1969-12-31T23:59:59.999Z", id="before the epoch"),
    ],
)
def test_utc_is_written_for_people(ms: int, clock: str, iso: str) -> None:
    assert ticks.clock(ticks.from_ms(ms)) == clock
    assert ticks.iso(ticks.from_ms(ms)) == iso


@pytest.mark.parametrize(
    ("count", "text"),
    [
        pytest.param(0, "0:00.000", id="nothing"),
        pytest.param(44, "0:00.000", id="under half a millisecond"),
        pytest.param(45, "0:00.001", id="half a millisecond"),
        pytest.param(ticks.from_ms(59_999), "0:59.999", id="under a minute"),
        pytest.param(ticks.from_ms(3_599_999), "59:59.999", id="under an hour"),
        pytest.param(ticks.from_ms(3_600_000), "1:00:00.000", id="an hour"),
        pytest.param(ticks.from_ms(360_000_000), "100:00:00.000", id="days"),
    ],
)
def test_a_length_is_written_for_people(count: int, text: str) -> None:
    assert ticks.duration(count) == text
