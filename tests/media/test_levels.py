"""How loud everybody is over time, and sound files of other rates: by tones whose levels are known."""

from __future__ import annotations

import math
import tracemalloc
from io import BytesIO
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from pipeline.demo.sound import BEEP_MS
from pipeline.layout.speaking import SPEECH_DB, STEP_MS
from pipeline.media.mix.encode import AacFile
from pipeline.media.mix.levels import levels_of
from pipeline.media.mix.samples import RATE
from tests.media.composing import recorded, sender, utc

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.media.mix.samples import Samples

BEEP_DB = 10 * math.log10((16_000 / 32_768) ** 2 / 2 * BEEP_MS / STEP_MS)
"""Of 100 ms with a beep of 40 ms in it."""
STEPS = 1000 // STEP_MS


def levels(place: Path, *users: Any, start_ms: int = 0) -> dict[str, list[int | None]]:
    found = recorded(place / "recording", *users)
    return levels_of(found.times, utc(start_ms), found.folder.open)


KINDS: dict[str, dict[str, Any]] = {
    "AAC": {},
    "stereo": {"channels": 2},
    "44.1 kHz": {"rate": 44_100},
    "16 kHz": {"rate": 16_000},
    "Opus": {"web": ((0, 10_000),)},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_beep_each_second_is_as_loud_as_it_was_made(kind: str, tmp_path: Path) -> None:
    found = levels(tmp_path, sender(sound=((0, 5000),), **KINDS[kind]))["1"]
    beeps = [level for n, level in enumerate(found[: 5 * STEPS]) if n % STEPS == 0]
    between = [level for n, level in enumerate(found[: 5 * STEPS - 1]) if n % STEPS > 1]
    wanted = BEEP_DB if kind != "stereo" else BEEP_DB + 20 * math.log10(0.75)  # one channel has half
    assert all(level is not None and abs(level - wanted) <= 1.5 for level in beeps[1:])
    assert all(level is not None and -100 <= level < SPEECH_DB for level in between)


@pytest.mark.parametrize("kind", ["AAC", "Opus"])
def test_who_is_not_there_has_no_level(kind: str, tmp_path: Path) -> None:
    ann = sender("1", sound=((0, 4000), (25_000, 27_000)), **{**KINDS[kind], **_web(kind)})
    found = levels(tmp_path, ann, sender("2", number=2, sound=((2000, 3000),)))
    there = {uid: [n for n, level in enumerate(own) if level is not None] for uid, own in found.items()}
    assert [there["2"][0], there["2"][-1]] == [pytest.approx(20, abs=1), pytest.approx(30, abs=1)]
    gone = [n for n in range(42, 249) if n in there["1"]]
    assert gone == []
    assert {*range(1, 39), *range(251, 269)} <= set(there["1"])


def _web(kind: str) -> dict[str, Any]:
    return {"web": ((0, 30_000),)} if kind == "Opus" else {}


def test_a_gap_inside_of_a_stay_is_silence(tmp_path: Path) -> None:
    found = levels(tmp_path, sender(sound=((0, 2000), (5000, 7000))))["1"]
    assert set(found[22:49]) == {-100}


def test_levels_of_hours_take_no_memory_of_their_samples(tmp_path: Path) -> None:
    found = recorded(tmp_path / "recording", sender(sound=((0, 1000), (7_200_000, 7_201_000))))
    tracemalloc.start()
    try:
        own = levels_of(found.times, utc(0), found.folder.open)["1"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [own[0] is not None, own[720], own[72_001] is not None] == [True, None, True]
    assert peak < 50_000_000, "two hours of samples would be 2.7 GB"


def test_who_sends_no_sound_is_not_in_it(tmp_path: Path) -> None:
    found = levels(tmp_path, sender("1", picture=((0, 2000),)), sender("2", number=2, sound=((0, 2000),)))
    assert list(found) == ["2"]


def test_steps_are_counted_from_the_moment_that_was_asked_for(tmp_path: Path) -> None:
    found = levels(tmp_path, sender(sound=((3000, 6000),)))["1"]
    assert [level is None for level in found[:32]] == [True] * 30 + [False] * 2
    loud = [n for n, level in enumerate(found) if level is not None and level > -20]
    assert loud == [40, 50]


def tone(hz: float, seconds: float, channels: int, level: float = 0.5) -> Samples:
    wave = level * np.sin(2 * np.pi * hz / RATE * np.arange(int(seconds * RATE)))
    return np.asarray(np.stack([wave] * channels), dtype=np.float32)


def written(samples: Samples, rate: int) -> BytesIO:
    file = BytesIO()
    sink = AacFile(file, samples.shape[0], 128_000, samples.shape[1], creation_ms=0, title="x", rate=rate)
    for begin in range(0, samples.shape[1], 4800):
        sink.push(samples[:, begin : begin + 4800])
    sink.end()
    file.seek(0)
    return file


def heard(file: BytesIO) -> tuple[int, NDArray[np.float32]]:
    """Rate and samples as a player that honours edit lists hears them."""
    parts: list[tuple[int, NDArray[np.float32]]] = []
    with av.open(file, "r") as container:
        stream = container.streams.audio[0]
        rate = stream.codec_context.sample_rate
        for frame in container.decode(audio=0):
            assert frame.pts is not None
            assert frame.time_base is not None
            samples = frame.to_ndarray().astype(np.float32)
            parts.append((round(frame.pts * frame.time_base * rate), samples))
    line = np.zeros((parts[0][1].shape[0], parts[-1][0] + parts[-1][1].shape[1]), dtype=np.float32)
    for at, samples in parts:
        skipped = max(0, -at)
        line[:, at + skipped : at + samples.shape[1]] = samples[:, skipped:]
    return rate, line


@pytest.mark.parametrize("rate", [16_000, 32_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2], ids=["mono", "stereo"])
def test_sound_of_another_rate_stays_in_place_and_as_loud(rate: int, channels: int) -> None:
    """The phase of a slow tone tells a delay to a fraction of a sample."""
    hz, seconds = 100, 3
    found_rate, line = heard(written(tone(hz, seconds, channels), rate))
    assert (found_rate, line.shape[0]) == (rate, channels)
    assert abs(line.shape[1] - seconds * rate) <= 1024
    middle = slice(rate, 2 * rate)
    at = np.arange(line.shape[1])[middle] / rate
    for own in line:
        turning = np.exp(-2j * np.pi * hz * at)
        found = 2 * np.mean(own[middle] * turning)
        phase = np.angle(found / -1j)
        assert abs(abs(found) - 0.5) < 0.01
        assert abs(phase / (2 * np.pi * hz) * rate) < 1


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_the_file_ends_with_the_last_sample(rate: int) -> None:
    samples = tone(440, 2.5, 1)
    with av.open(written(samples, rate), "r") as container:
        assert container.streams.audio[0].duration is not None
        assert container.duration is not None
        assert container.duration / 1_000_000 == pytest.approx(2.5, abs=0.001)


def test_what_a_lower_rate_cannot_hold_is_taken_away() -> None:
    _, line = heard(written(tone(12_000, 2, 1), 16_000))
    assert np.abs(line[0, 4000:-4000]).max() < 0.01
