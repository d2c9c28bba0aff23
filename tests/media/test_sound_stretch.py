"""What is encoded is heard where it belongs, to the sample, whatever stands before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.demo.sound import beeps, onsets
from pipeline.media.opus import OpusHead
from pipeline.media.placing import SoundTime
from pipeline.media.sound.adts import Adts
from pipeline.media.sound.decode import Decoded
from pipeline.media.sound.opus import Opus
from pipeline.media.sound.stretch import Stretch
from pipeline.model.slices import Format

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.media.sound.coding import Coding

CODINGS: dict[str, Coding] = {
    "aac": Adts(Format("aac", rate=48_000, channels=1, parameters="1188"), lambda _: []),
    "aac stereo": Adts(Format("aac", rate=44_100, channels=2, parameters="1210"), lambda _: []),
    "opus": Opus(Format("opus", rate=48_000, channels=1, parameters=OpusHead(1, 0).write().hex())),
    "opus stereo": Opus(Format("opus", rate=48_000, channels=2, parameters=OpusHead(2, 0).write().hex())),
}
every_coding = pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)


def pcm(coding: Coding, count: int) -> NDArray[np.float32]:
    """Sound with a beep at 100 ms."""
    sound = beeps(0, count, coding.rate, 900, channels=coding.channels, tone_hz=1000)
    return (sound / 32768).astype(np.float32)


def heard(coding: Coding, frames: list[bytes]) -> NDArray[np.float64]:
    samples: NDArray[np.float64] = Decoded(coding, coding).take(frames)[0].astype(np.float64)
    return samples


def silent(coding: Coding, count: int) -> list[bytes]:
    return coding.silence(count, [])


@every_coding
@pytest.mark.parametrize("before", [0, 1, 10])
@pytest.mark.parametrize("late", [0, 1, 311, 480, 1024, 5000])
def test_it_is_heard_at_its_place(coding: Coding, before: int, late: int) -> None:
    time = SoundTime(coding.rate, coding.frame)
    time.copy(before, coding.frame)
    at = before * coding.frame + late
    stretch = Stretch(time, coding, at)
    frames = silent(coding, before + stretch.silent)
    anew = stretch.take(pcm(coding, coding.rate // 2)) + stretch.close(room=True)
    time.copy(len(anew), coding.frame)
    assert stretch.start == time.lead + time.dts()[stretch.first]
    (onset,) = onsets(heard(coding, frames + anew), coding.rate)
    assert onset + min(0, time.lead) == pytest.approx(at + coding.rate / 10, abs=coding.rate / 2000)
    assert stretch.end == at + coding.rate // 2
    assert 0 <= time.counted - stretch.end < coding.frame


@every_coding
@pytest.mark.parametrize("count", [100, 700, 3000, 4500])
def test_without_room_it_ends_within_half_a_frame(coding: Coding, count: int) -> None:
    time = SoundTime(coding.rate, coding.frame)
    time.copy(5, coding.frame)
    stretch = Stretch(time, coding, time.end)
    frames = stretch.take(pcm(coding, count)) + stretch.close(room=False)
    time.copy(len(frames), coding.frame)
    assert 2 * abs(time.end - stretch.end) <= coding.frame


@every_coding
@pytest.mark.parametrize("gap", [-700, -1, 0, 1, 960, 5000])
def test_it_goes_on_at_another_place(coding: Coding, gap: int) -> None:
    time = SoundTime(coding.rate, coding.frame)
    stretch = Stretch(time, coding, 0)
    sound = pcm(coding, coding.rate // 2)
    frames = stretch.take(sound) + stretch.go_on(stretch.end + gap)
    frames += stretch.take(sound) + stretch.close(room=True)
    first, second = onsets(heard(coding, frames), coding.rate) + min(0, time.lead)
    assert first == pytest.approx(coding.rate / 10, abs=coding.rate / 2000)
    assert second - first == pytest.approx(coding.rate / 2 + gap, abs=coding.rate / 2000)


@every_coding
def test_a_frame_that_does_not_decode_becomes_silence_of_its_length(coding: Coding) -> None:
    time = SoundTime(coding.rate, coding.frame)
    stretch = Stretch(time, coding, 0)
    frames = stretch.take(pcm(coding, coding.rate)) + stretch.close(room=True)
    bad = frames[20][:1] + b"\xff" * 3
    decoded = Decoded(coding, coding)
    samples = decoded.take([*frames[:20], bad, *frames[21:]])
    assert samples.shape == (coding.channels, len(frames) * coding.frame)


@pytest.mark.parametrize("slope_ppb", [-400_000, 0, 1_000, 400_000])
def test_a_clock_that_runs_fast_or_slow_is_resampled(slope_ppb: int) -> None:
    coding = CODINGS["aac"]
    time = SoundTime(coding.rate, coding.frame)
    stretch = Stretch(time, coding, 0)
    count = 60 * coding.rate // coding.frame * coding.frame
    frames = stretch.take(pcm(coding, count)) + stretch.close(room=True)
    decoded = Decoded(coding, coding, slope_ppb)
    samples = np.concatenate([decoded.take(frames), decoded.end()], axis=1)
    length = len(frames) * coding.frame
    assert samples.shape[1] == pytest.approx(length + length * slope_ppb / 10**9, abs=2)
