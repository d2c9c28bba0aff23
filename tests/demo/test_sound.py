from __future__ import annotations

import io
import itertools

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.demo.sound import TONES_HZ, beep_seconds, beeps, onsets
from pipeline.media.encode import encode_sound

ZERO_MS = 1_772_442_000_250


@settings(deadline=None)
@given(
    cuts=st.lists(st.integers(-3000, 60_000), min_size=2, max_size=6, unique=True).map(sorted),
    rate=st.sampled_from([8000, 16000, 44100, 48000]),
    channels=st.sampled_from([1, 2]),
)
def test_pieces_joined_are_the_whole(cuts: list[int], rate: int, channels: int) -> None:
    within = (cuts[0], cuts[-1])
    whole = beeps(cuts[0], cuts[-1] - cuts[0], rate, ZERO_MS, channels=channels, tone_hz=1000)
    pieces = [
        beeps(from_, to - from_, rate, ZERO_MS, channels=channels, tone_hz=1000, within=within)
        for from_, to in itertools.pairwise(cuts)
    ]
    assert np.array_equal(np.concatenate(pieces, axis=1), whole)


@pytest.mark.parametrize(
    ("start", "count", "rate", "expected"),
    [
        (0, 48_000, 48_000, [1_772_442_001]),
        (0, 36_000, 48_000, []),
        (0, 36_000 + 1920, 48_000, [1_772_442_001]),
        (36_000, 1920, 48_000, [1_772_442_001]),
        (36_001, 48_000 * 2, 48_000, [1_772_442_002]),
        (-48_000, 48_000, 48_000, [1_772_442_000]),
        (0, 44_100 * 3, 44_100, [1_772_442_001, 1_772_442_002, 1_772_442_003]),
    ],
    ids=[
        "one second holds one beep",
        "the range ends where the beep begins",
        "the range ends with the beep",
        "the range is the beep",
        "a beep that began one sample earlier is left out",
        "before sample zero",
        "44.1 kHz",
    ],
)
def test_only_whole_beeps_count(start: int, count: int, rate: int, expected: list[int]) -> None:
    assert beep_seconds(start, count, rate, ZERO_MS) == expected
    samples = beeps(start, count, rate, ZERO_MS, channels=1, tone_hz=1000)[0] / 32768
    assert len(onsets(samples, rate)) == len(expected)


@pytest.mark.parametrize("tone_hz", TONES_HZ)
@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (48_000, 2), (44_100, 2), (16_000, 1)])
def test_beeps_are_found_within_half_a_millisecond_after_aac(rate: int, channels: int, tone_hz: int) -> None:
    count = rate * 8 // 1024 * 1024
    sound = beeps(0, count, rate, ZERO_MS, channels=channels, tone_hz=tone_hz)
    frames = list(encode_sound([sound], rate=rate, channels=channels, bit_rate=48_000 * channels))
    adts = b"".join(frame.header + frame.block for frame in frames)
    with av.open(io.BytesIO(adts), "r", "aac") as container:
        decoded = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    assert decoded.shape == (channels, count + 1024)
    for channel in decoded:
        found = (onsets(channel.astype(np.float64), rate) - 1024) * 1000 / rate + ZERO_MS
        expected = [second * 1000 for second in beep_seconds(0, count, rate, ZERO_MS)]
        assert len(found) == len(expected)
        assert np.abs(found - np.array(expected)).max() < 0.5


def test_sound_between_beeps_is_quiet_but_never_the_same() -> None:
    sound = beeps(0, 48_000, 48_000, ZERO_MS, channels=1, tone_hz=1000)[0]
    quiet = sound[:35_000]
    assert 0 < np.abs(quiet).max() <= 16
    assert len({bytes(quiet[at : at + 1024]) for at in range(0, 34_000, 1024)}) == 34


def test_silence_has_no_onsets() -> None:
    assert len(onsets(np.zeros(48_000), 48_000)) == 0
    assert len(onsets(np.zeros(0), 48_000)) == 0
