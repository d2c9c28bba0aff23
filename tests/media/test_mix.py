"""What mixing does to samples, as laws: resampling, adding up, limiting, measuring loudness."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.media.mix.limiter import AHEAD, CEILING, STEP, Limiter, true_peaks
from pipeline.media.mix.loudness import Loudness
from pipeline.media.mix.mixer import Levels, limited
from pipeline.media.mix.resample import Resampler
from pipeline.media.mix.samples import BLOCK, RATE, with_channels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.media.mix.samples import Samples

SECOND = RATE


def tone(hz: float, count: int, level: float = 0.5, rate: float = RATE) -> Samples:
    return np.asarray(level * np.sin(2 * np.pi * hz / rate * np.arange(count)), dtype=np.float32)[None]


def noise(count: int, level: float, channels: int = 1, seed: int = 1) -> Samples:
    made = np.random.default_rng(seed).standard_normal((channels, count)) * level
    return np.asarray(made, dtype=np.float32)


def blocks(samples: Samples, size: int = BLOCK) -> Iterator[Samples]:
    return (samples[:, begin : begin + size] for begin in range(0, samples.shape[1], size))


def joined(parts: Iterator[Samples]) -> Samples:
    return np.concatenate(list(parts), axis=1)


def resampled(samples: Samples, start: float, step: float, size: int) -> Samples:
    resampler = Resampler(samples.shape[0], start, step)
    parts = [resampler.push(part) for part in blocks(samples, size)]
    return np.concatenate([*parts, resampler.end()], axis=1)


@pytest.mark.parametrize(
    ("hz", "rate", "ppm"),
    [(1000, 44_100, 0), (8000, 44_100, 0), (5000, 16_000, 0), (3000, 96_000, 0), (1000, 48_000, 200),
     (10_000, 48_000, -200)],
)  # fmt: skip
def test_a_tone_stays_itself_on_another_clock(hz: float, rate: int, ppm: int) -> None:
    step = rate / (RATE * (1 + ppm / 1_000_000))
    out = resampled(tone(hz, 2 * rate, rate=rate), 0.25, step, 1024)
    assert out.shape[1] == pytest.approx(2 * rate / step, abs=2)
    wanted = 0.5 * np.sin(2 * np.pi * hz / rate * (0.25 + np.arange(out.shape[1]) * step))
    error = (out[0] - wanted)[100:-100]
    assert 10 * np.log10(np.square(error).mean() / 0.125) < -60


def test_what_a_lower_rate_cannot_hold_is_taken_away() -> None:
    out = resampled(tone(40_000, 96_000, rate=96_000), 0.0, 2.0, 4096)
    assert np.abs(out[:, 100:-100]).max() < 0.01


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3000), st.sampled_from([1.0, 0.91875, 1.0002, 2.0]))
def test_pieces_of_any_length_give_the_same_as_the_whole(size: int, step: float) -> None:
    whole = noise(9000, 0.1, channels=2)
    start = 0.0 if step == 1.0 else 0.5
    assert np.array_equal(resampled(whole, start, step, size), resampled(whole, start, step, 9000))


def test_clocks_that_agree_change_nothing() -> None:
    whole = noise(5000, 0.1)
    assert np.array_equal(resampled(whole, 0.0, 1.0, 777), whole)


def test_one_channel_is_heard_on_both_sides_and_two_in_their_middle() -> None:
    one = noise(10, 0.1)
    assert np.array_equal(with_channels(one, 2), np.concatenate([one, one]))
    assert np.allclose(with_channels(with_channels(one, 2), 1), one)


def test_the_limiter_lets_through_what_is_not_too_loud() -> None:
    whole = noise(3 * SECOND + 777, 0.1, channels=2)
    assert np.array_equal(joined(limited(blocks(whole), 2, 1.0)), whole)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.5, 20), st.integers(1, 2))
def test_nothing_is_above_the_ceiling_not_even_between_samples(seed: int, gain: float, channels: int) -> None:
    chance = np.random.default_rng(seed)
    shape = np.repeat(chance.random((1, 40)) ** 4, SECOND // 20, axis=1)  # soft and loud in turn
    whole = np.asarray(noise(2 * SECOND, 0.3, channels, seed) * shape, dtype=np.float32)
    out = joined(limited(blocks(whole), channels, gain))
    assert out.shape == whole.shape
    assert np.abs(out).max() <= CEILING * 1.0001
    assert true_peaks(out).max() <= CEILING * 1.06  # half a decibel: interpolation has its own error


def test_a_loud_tone_is_turned_down_without_a_step() -> None:
    loud = np.concatenate(
        [tone(440, SECOND, 0.5), tone(440, SECOND, 3.0), tone(440, 2 * SECOND, 0.5)], axis=1
    )
    out = joined(limited(blocks(loud), 1, 1.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(np.abs(loud[0]) > 0.05, out[0] / loud[0], np.nan)
    known = gain[~np.isnan(gain)]
    assert np.abs(np.diff(known)).max() < 0.02
    assert known[:40_000] == pytest.approx(1.0)
    assert known[-1] == pytest.approx(1.0, abs=0.001)
    assert np.abs(out[0, SECOND + 4800 : 2 * SECOND - 4800]).max() == pytest.approx(CEILING, abs=0.02)


def test_who_is_alone_is_as_loud_as_before_others_came() -> None:
    """Nothing is divided by the number of inputs: two quiet voices do not make a third one quieter."""
    alone, others = tone(1000, 2 * SECOND, 0.2), tone(200, 2 * SECOND, 0.1)
    together = alone.copy()
    together[:, SECOND:] += others[:, SECOND:]
    out = joined(limited(blocks(together), 1, 1.0))
    out[:, SECOND:] -= others[:, SECOND:]
    assert np.abs(out - alone).max() < 1e-6


def test_the_limiter_wants_whole_steps() -> None:
    with pytest.raises(ValueError, match="no whole steps"):
        Limiter(1).push(np.zeros((1, STEP + 1), dtype=np.float32))
    assert AHEAD * STEP < BLOCK


def loudness(whole: Samples, size: int = BLOCK) -> float | None:
    meter = Loudness(whole.shape[0])
    for block in blocks(whole, size):
        meter.push(block)
    return meter.integrated()


def db(level: float) -> float:
    return float(10 ** (level / 20))


def stereo(*parts: tuple[float, float]) -> Samples:
    """A tone of 1 kHz on both sides: (dB below full scale, seconds) of each part."""
    one = np.concatenate([tone(1000, int(s * RATE), db(level)) for level, s in parts], axis=1)
    return with_channels(one, 2)


@pytest.mark.parametrize(
    ("whole", "lufs"),
    [
        pytest.param(stereo((-23, 20)), -23.0, id="EBU Tech 3341, case 1"),
        pytest.param(stereo((-33, 20)), -33.0, id="case 2"),
        pytest.param(stereo((-36, 10), (-23, 60), (-36, 10)), -23.0, id="case 3: the relative gate"),
        pytest.param(stereo((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)), -23.0, id="case 4: both"),
        pytest.param(stereo((-26, 20), (-20, 20.1), (-26, 20)), -23.0, id="case 5"),
    ],
)
def test_loudness_is_that_of_the_ebu_test_signals(whole: Samples, lufs: float) -> None:
    assert loudness(whole) == pytest.approx(lufs, abs=0.1)


def test_what_is_silent_or_too_short_has_no_loudness() -> None:
    assert loudness(np.zeros((1, 5 * SECOND), dtype=np.float32)) is None
    assert loudness(tone(1000, 5 * SECOND, db(-80))) is None
    assert loudness(tone(1000, SECOND // 5)) is None


def test_loudness_does_not_depend_on_how_it_comes() -> None:
    whole = noise(3 * SECOND, 0.1, channels=2)
    assert loudness(whole, 4999) == pytest.approx(loudness(whole) or 0, abs=1e-9)


def test_ffmpeg_measures_the_same_loudness(tmp_path: Path) -> None:
    whole = noise(6 * SECOND, 0.05, channels=2)
    whole[:, 2 * SECOND : 3 * SECOND] *= 4
    whole[1] *= 0.3
    path = tmp_path / "noise.f32"
    whole.T.tofile(path)
    assert loudness(whole) == pytest.approx(
        measured("-f", "f32le", "-ar", "48000", "-ac", "2", "-i", str(path)), abs=0.1
    )


def measured(*source: str) -> float:
    """Integrated loudness by FFmpeg's ebur128."""
    arguments = ["-hide_banner", "-nostats", *source, "-af", "ebur128", "-f", "null", "-"]
    done = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), *arguments], capture_output=True, text=True, check=True
    )
    return float(re.findall(r"I:\s+(-?[\d.]+) LUFS", done.stderr)[-1])


def test_the_level_of_a_part_is_that_of_its_samples() -> None:
    levels = Levels()
    for part in blocks(np.concatenate([tone(1000, SECOND, 0.5), tone(1000, SECOND, 0.05)], axis=1), 777):
        levels.push(part)
    assert levels.level(0, SECOND) == pytest.approx(-9.03, abs=0.01)
    assert levels.level(SECOND, 2 * SECOND) == pytest.approx(-29.03, abs=0.01)
    assert levels.level(5 * SECOND, 6 * SECOND) == -120
