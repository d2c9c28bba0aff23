from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media.placing import FileTime, SoundTime
from pipeline.model import ticks
from pipeline.model.decisions import Piece
from pipeline.model.manifest import Fill

STEPS = st.integers(0, 5) | st.integers(500, 530) | st.integers(1000, 1050) | st.integers(0, 500_000)
PLACEMENTS = st.lists(st.tuples(STEPS, st.integers(1, 50)), min_size=1, max_size=30)
FRAME = 1024
RATES = st.sampled_from([8000, 16_000, 44_100, 48_000])


def placed(steps: list[tuple[int, int]], rate: int = 48_000) -> tuple[SoundTime, list[tuple[int, int, int]]]:
    """Spans that begin so many samples after the one before: (time, index of the first frame, frames)."""
    sound = SoundTime(rate, FRAME)
    spans = []
    for step, count in steps:
        at = sound.end + step
        sound.silence_before(at)
        spans.append((at, sound.frames, count))
        sound.copy(count, FRAME)
    return sound, spans


@given(steps=PLACEMENTS, rate=RATES)
def test_by_time_sound_begins_exactly_where_it_was_put(steps: list[tuple[int, int]], rate: int) -> None:
    sound, spans = placed(steps, rate)
    dts = sound.dts()
    for at, first, count in spans:
        assert sound.lead + dts[first] == at
        assert dts[first + count - 1] - dts[first] == (count - 1) * FRAME


@given(steps=PLACEMENTS)
def test_by_count_every_frame_is_within_half_a_frame_of_its_time(steps: list[tuple[int, int]]) -> None:
    _, spans = placed(steps)
    for at, first, _ in spans:
        assert 2 * abs(first * FRAME - at) <= FRAME


@given(steps=PLACEMENTS)
def test_dts_begin_with_zero_and_rise_strictly(steps: list[tuple[int, int]]) -> None:
    sound, _ = placed(steps)
    dts = sound.dts().tolist()
    assert dts[0] == 0
    assert all(a < b for a, b in pairwise([*dts, sound.end - sound.lead]))


@given(steps=PLACEMENTS)
def test_the_number_of_silent_frames_is_computed_from_zero(steps: list[tuple[int, int]]) -> None:
    sound, spans = placed(steps)
    copied = 0
    for at, first, count in spans:
        silent = first - copied
        assert silent == (2 * (at - copied * FRAME) + FRAME) // (2 * FRAME)
        assert sum(fill.count for fill in sound.fills if fill.first < first) == silent
        copied += count


@given(steps=PLACEMENTS)
def test_fills_and_spans_are_all_frames_there_are(steps: list[tuple[int, int]]) -> None:
    sound, spans = placed(steps)
    frames = [n for fill in sound.fills for n in range(fill.first, fill.first + fill.count)]
    frames += [n for _, first, count in spans for n in range(first, first + count)]
    assert sorted(frames) == list(range(sound.frames))
    assert len(sound.dts()) == sound.frames


@given(steps=PLACEMENTS)
def test_of_several_silent_frames_none_is_shorter_than_half(steps: list[tuple[int, int]]) -> None:
    sound, _ = placed(steps)
    starts = [*sound.dts().tolist(), sound.end - sound.lead]
    for fill in sound.fills:
        if fill.count > 1:
            frames = range(fill.first, fill.first + fill.count)
            assert min(starts[n + 1] - starts[n] for n in frames) >= FRAME // 2


@given(steps=PLACEMENTS, back=st.integers(1, FRAME - 1), count=st.integers(1, 5))
def test_a_little_backwards_shortens_the_frame_before(
    steps: list[tuple[int, int]], back: int, count: int
) -> None:
    sound, _ = placed(steps)
    at = sound.end - back
    sound.silence_before(at)
    first = sound.frames
    sound.copy(count, FRAME)
    dts = sound.dts().tolist()
    assert sound.lead + dts[first] == at
    assert all(a < b for a, b in pairwise(dts))


@given(steps=PLACEMENTS, after=st.integers(-5000, 200_000))
def test_silence_at_the_end_fits_by_time_and_by_count(steps: list[tuple[int, int]], after: int) -> None:
    sound, _ = placed(steps)
    end = sound.end + after
    before = sound.end
    count = sound.silence_to(end)
    assert sound.end == before + count * FRAME
    if count:
        assert sound.end <= end
        assert sound.frames * FRAME <= end
        assert sound.fills[-1] == Fill(sound.frames - count, count)
    assert end - max(sound.end, sound.frames * FRAME) < FRAME


@pytest.mark.parametrize(
    ("at", "frames", "lead"),
    [
        pytest.param(0, 0, 0, id="at zero"),
        pytest.param(511, 0, 511, id="less than half a frame late: an empty edit"),
        pytest.param(512, 1, 0, id="half a frame late: a short silent frame"),
        pytest.param(1024, 1, 0, id="a frame late"),
        pytest.param(48_000, 47, 0, id="a second late"),
    ],
)
def test_late_sound_begins_with_silence(at: int, frames: int, lead: int) -> None:
    sound = SoundTime(48_000, FRAME)
    assert sound.silence_before(at) == frames
    assert sound.lead == lead
    sound.copy(1, FRAME)
    assert sound.lead + sound.dts()[frames] == at


def test_no_sound_has_no_times() -> None:
    assert SoundTime(48_000, FRAME).dts().tolist() == []


def test_media_time_is_told_in_file_ticks() -> None:
    assert SoundTime(48_000, FRAME).ticks_at(1024) == 1920
    assert SoundTime(44_100, FRAME).ticks_at(44_100) == ticks.TICKS


LENGTHS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10**6)), min_size=1, max_size=8)


def pieces_of(lengths: list[tuple[int, int]]) -> list[Piece]:
    """Pieces that begin so many ticks after the one before, touching in the file."""
    pieces: list[Piece] = []
    now = at = 0
    for hole, length in lengths:
        pieces.append(Piece(now + hole, now + hole + length, at))
        now += hole + length
        at += length
    return pieces


@given(lengths=LENGTHS, asked=st.lists(st.integers(-100, 10**7), max_size=20))
def test_utc_has_a_place_in_the_file_or_none(lengths: list[tuple[int, int]], asked: list[int]) -> None:
    pieces = pieces_of(lengths)
    place = FileTime(pieces)
    for utc in [*asked, *(p.start for p in pieces), *(p.end - 1 for p in reversed(pieces))]:
        expected = [p.at + utc - p.start for p in pieces if p.start <= utc < p.end]
        assert place.at(utc) == (expected[0] if expected else None)


@given(lengths=LENGTHS, data=st.data())
def test_a_place_in_the_file_has_a_utc(lengths: list[tuple[int, int]], data: st.DataObject) -> None:
    pieces = pieces_of(lengths)
    piece = data.draw(st.sampled_from(pieces))
    utc = data.draw(st.integers(piece.start, piece.end - 1))
    place = FileTime(pieces)
    at = place.at(utc)
    assert at is not None
    assert place.utc_ms(at) == ticks.to_ms(utc)
