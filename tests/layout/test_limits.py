"""The ranges of our own options for composites: the lowest and the highest pass, the next ones are told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import CommandError
from pipeline.layout.encoding import Encoding, SoundEncoding
from pipeline.layout.limits import CHANNELS, CRF, FPS, GOP_MS, LOUDNESS, RATES, SOUND_BIT_RATE, check

PICTURES, SOUND = Encoding(), SoundEncoding()

GOOD = [
    pytest.param((2, 8192), PICTURES, SOUND, id="the lowest width and the highest height"),
    pytest.param((8192, 2), PICTURES, SOUND, id="the highest width and the lowest height"),
    pytest.param(
        None, replace(PICTURES, fps=1, bit_rate=32_000, gop_ms=100), None, id="the lowest of pictures"
    ),
    pytest.param(
        None,
        replace(PICTURES, fps=60, bit_rate=100_000_000, gop_ms=60_000),
        None,
        id="the highest of pictures",
    ),
    pytest.param(None, replace(PICTURES, crf=0), None, id="the best quality"),
    pytest.param(None, replace(PICTURES, crf=51), None, id="the worst quality"),
    pytest.param(None, None, SoundEncoding(16_000, 1, 8_000, -40), id="the lowest of sound"),
    pytest.param(None, None, SoundEncoding(48_000, 2, 320_000, -8), id="the highest of sound"),
    pytest.param(None, None, SoundEncoding(32_000), id="32 kHz"),
    pytest.param(None, None, SoundEncoding(44_100), id="44.1 kHz"),
    pytest.param(None, None, None, id="nothing"),
]


@pytest.mark.parametrize(("size", "encoding", "sound"), GOOD)
def test_what_is_allowed_passes(
    size: tuple[int, int] | None, encoding: Encoding | None, sound: SoundEncoding | None
) -> None:
    check(size, encoding, sound)


BAD = [
    ((0, 480), None, None, "width: an even number from 2 to 8192, not 0"),
    ((641, 480), None, None, "width: an even number from 2 to 8192, not 641"),
    ((640, 8194), None, None, "height: an even number from 2 to 8192, not 8194"),
    (None, replace(PICTURES, fps=0), None, "fps: 1 to 60, not 0"),
    (None, replace(PICTURES, fps=90), None, "fps: 1 to 60, not 90"),
    (None, replace(PICTURES, bit_rate=31_999), None, "bit rate: 32000 to 100000000 bits a second, not 31999"),
    (
        None,
        replace(PICTURES, bit_rate=100_000_001),
        None,
        "bit rate: 32000 to 100000000 bits a second, not 100000001",
    ),
    (None, replace(PICTURES, crf=-1), None, "crf: 0 to 51, not -1"),
    (None, replace(PICTURES, crf=52), None, "crf: 0 to 51, not 52"),
    (None, replace(PICTURES, crf=20, bit_rate=500_000), None, "crf: not with a bit rate, give one of them"),
    (None, replace(PICTURES, gop_ms=99), None, "gop: 100 to 60000 ms, not 99"),
    (None, replace(PICTURES, gop_ms=60_001), None, "gop: 100 to 60000 ms, not 60001"),
    (None, None, replace(SOUND, rate=8000), "sample rate: 16000, 32000, 44100 or 48000, not 8000"),
    (None, None, replace(SOUND, channels=3), "channels: 1 or 2, not 3"),
    (None, None, replace(SOUND, channels=0), "channels: 1 or 2, not 0"),
    (None, None, replace(SOUND, bit_rate=7999), "sound bit rate: 8000 to 320000 bits a second, not 7999"),
    (
        None,
        None,
        replace(SOUND, bit_rate=320_001),
        "sound bit rate: 8000 to 320000 bits a second, not 320001",
    ),
    (None, None, replace(SOUND, loudness=-41), "loudness: -40 to -8 LUFS, not -41"),
    (None, None, replace(SOUND, loudness=-7), "loudness: -40 to -8 LUFS, not -7"),
]


@pytest.mark.parametrize(("size", "encoding", "sound", "said"), BAD, ids=[row[-1] for row in BAD])
def test_what_is_not_allowed_is_told_with_its_range(
    size: tuple[int, int] | None, encoding: Encoding | None, sound: SoundEncoding | None, said: str
) -> None:
    with pytest.raises(CommandError) as error:
        check(size, encoding, sound)
    assert str(error.value) == f"the composite cannot be encoded so: {said}."


def test_all_faults_come_at_once() -> None:
    with pytest.raises(CommandError) as error:
        check((1, 1), Encoding(fps=61, crf=60, gop_ms=1), SoundEncoding(1, 5, 1, 0))
    told = str(error.value)
    assert [name for name in NAMES if f"{name}: " in told] == list(NAMES)


NAMES = (
    "width",
    "height",
    "fps",
    "crf",
    "gop",
    "sample rate",
    "channels",
    "sound bit rate",
    "loudness",
)


@given(
    fps=st.integers(0, 100),
    crf=st.integers(-10, 60),
    gop_ms=st.integers(0, 100_000),
    rate=st.sampled_from((8000, *RATES)),
    channels=st.integers(0, 3),
    bit_rate=st.integers(0, 400_000),
    loudness=st.integers(-50, 0),
)
def test_as_many_faults_are_told_as_there_are(
    *, fps: int, crf: int, gop_ms: int, rate: int, channels: int, bit_rate: int, loudness: int
) -> None:
    wrong = [
        fps not in FPS,
        crf not in CRF,
        gop_ms not in GOP_MS,
        rate not in RATES,
        channels not in CHANNELS,
        bit_rate not in SOUND_BIT_RATE,
        loudness not in LOUDNESS,
    ]
    encoding, sound = (
        Encoding(fps=fps, crf=crf, gop_ms=gop_ms),
        SoundEncoding(rate, channels, bit_rate, loudness),
    )
    try:
        check(None, encoding, sound)
    except CommandError as error:
        assert str(error).count(", not ") == sum(wrong)  # noqa: PT017 - how many is the law, not that there is one
    else:
        assert not any(wrong)
