"""Silence for HE-AAC: decoders keep rate and channels, hear nothing, go on as if no gap had been."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.demo.sound import beeps, onsets
from pipeline.media.aac import SAMPLE_RATES, AdtsConfig
from pipeline.media.encode import AAC_FRAME, encode_sound
from pipeline.media.probe import sbr_header
from pipeline.media.silence import silent_frames
from tests.media.he_aac import CORE_RATES, he_aac
from tests.media.listening import (
    CLIP_DELAY,
    CLIPS,
    HE_FRAME,
    HEADER_EVERY,
    V1,
    V2,
    by_ffmpeg,
    by_pyav,
    clip,
    loudest,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

FADED = 2
"""Frames that a decoder is late: so long it plays what the frames before a gap hold."""
PS_FADED = 8
"""The same with the echoes of Parametric Stereo; those after `FADED` are below -60 dB of full scale."""
SETTLED = 8
"""Frames after a gap in which smoothing forgets it."""
STEP = 16
LENGTH = 81
"""A gap of this many frames brings FFmpeg's table of noise round to where it was, so that samples compare."""

either_clip = pytest.mark.parametrize("name", [V1, V2])
KINDS = {"v1 mono": (1, False), "v1 stereo": (2, False), "v2": (1, True)}


def _gaps(
    blocks: Sequence[bytes], config: AdtsConfig, begin: int, length: int, *, step: int = STEP
) -> tuple[list[bytes], list[tuple[int, int]]]:
    """Blocks with a gap every ``step`` of them, filled; where each gap is among them, and in the result."""
    out: list[bytes] = list(blocks[:begin])
    where = []
    for at in range(begin, len(blocks), step):
        header = sbr_header(config, reversed(blocks[:at]))
        where.append((at, len(out)))
        out += silent_frames(config, length, sbr=True, header=header)
        out += blocks[at : at + step]
    return out, where


def _part(pcm: NDArray[np.float32], begin: int, end: int) -> NDArray[np.float32]:
    return pcm[:, begin * HE_FRAME : end * HE_FRAME]


def _made(rate: int, channels: int, *, ps: bool) -> tuple[list[bytes], AdtsConfig]:
    """HE-AAC of our own writing: a beep each second, noise above it."""
    samples = beeps(0, 48 * AAC_FRAME, rate, 0, channels=channels, tone_hz=1000)
    coded = he_aac(encode_sound([samples], rate=rate, channels=channels), channels=channels, rate=rate, ps=ps)
    frames = list(coded)
    return [frame.block for frame in frames], AdtsConfig(2, SAMPLE_RATES.index(rate), channels)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rate", CORE_RATES, ids=lambda rate: f"core of {rate} Hz")
@pytest.mark.parametrize("known", [True, False], ids=["header known", "header not known"])
def test_rate_and_channels_stay_and_silence_is_exact(rate: int, kind: str, *, known: bool) -> None:
    channels, ps = KINDS[kind]
    blocks, config = _made(rate, channels, ps=ps)
    header = sbr_header(config, blocks) if known else ""
    assert bool(header) == known
    silence = silent_frames(config, 20, sbr=True, header=header)
    late = silent_frames(config, 12, sbr=True)
    whole = [*late, *blocks[:30], *silence, *blocks[30:], *silence]
    heard = by_pyav(config, whole)
    assert heard.words == []
    assert heard.shapes == {(2 * rate, "stereo", HE_FRAME)}
    for pcm in (heard.pcm, by_ffmpeg(config, whole, 2)):
        assert pcm.shape == (2, len(whole) * HE_FRAME)
        assert not _part(pcm, 0, 12).any(), "nothing plays early"
        assert not _part(pcm, 42 + FADED, 62).any()
        assert not _part(pcm, len(whole) - 20 + FADED, len(whole)).any()
        assert loudest(_part(pcm, 12, 42)) > 0.2


@either_clip
@pytest.mark.parametrize("length", [1, 2, 3, 10, pytest.param(500, marks=pytest.mark.soak)])
def test_no_decoder_says_a_word_wherever_a_gap_is(name: str, length: int) -> None:
    blocks, config = clip(name)
    for begin in range(1, 8, 2) if length < 500 else (5,):
        whole, _ = _gaps(blocks, config, begin, length, step=8 if length < 500 else 51)
        heard = by_pyav(config, whole)
        assert heard.words == []
        assert {shape[1:] for shape in heard.shapes} == {("stereo", HE_FRAME)}
        assert len(heard.shapes) == 1
    assert by_ffmpeg(config, whole, 2).shape == (2, len(whole) * HE_FRAME)


def _heard(
    name: str, begin: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32], list[tuple[int, int]]]]:
    """A clip with gaps, and without, by both decoders; and where the gaps are."""
    blocks, config = clip(name)
    filled, where = _gaps(blocks, config, begin, LENGTH)
    yield by_pyav(config, filled).pcm, by_pyav(config, blocks).pcm, where
    yield by_ffmpeg(config, filled, 2), by_ffmpeg(config, blocks, 2), where


@either_clip
@pytest.mark.parametrize("begin", range(5, STEP + 2, 6))
def test_sound_goes_on_after_a_gap_as_if_there_had_been_none(name: str, begin: int) -> None:
    for gapped, whole, where in _heard(name, begin):
        assert len(where) > 12
        for at, there in where:
            back = there + LENGTH
            np.testing.assert_allclose(
                _part(gapped, back + SETTLED, back + STEP),
                _part(whole, at + SETTLED, at + STEP),
                atol=3e-6,
            )


@either_clip
@pytest.mark.parametrize("begin", range(2, STEP + 2, 6))
def test_a_gap_is_silent_but_for_what_its_decoder_still_has_to_say(name: str, begin: int) -> None:
    for gapped, whole, where in _heard(name, begin):
        for at, there in where:
            silent = _part(gapped, there + FADED, there + LENGTH)
            assert loudest(silent) < {V1: 1e-12, V2: 1e-3}[name]
            assert loudest(_part(gapped, there + PS_FADED, there + LENGTH)) < 1e-12
            tail = _part(gapped, there, there + FADED)
            assert loudest(tail) < 1.1 * loudest(_part(whole, at - 2, at + FADED))


@either_clip
def test_frames_that_know_nothing_of_the_stream_leave_a_trace(name: str) -> None:
    """What the header is for, and that the tests above can fail."""
    blocks, config = clip(name)
    bare = silent_frames(config, LENGTH, sbr=True)
    words = [by_pyav(config, [*blocks[:at], *bare, *blocks[at:]]).words for at in range(3, 200, 5)]
    assert any(words)
    assert any("env_facs_q" in word for some in words for word in some)


@either_clip
@pytest.mark.parametrize("lost", [1, 7, 23])
def test_where_frames_are_lost_decoders_say_what_they_say_without_silence(name: str, lost: int) -> None:
    blocks, config = clip(name)
    for at in range(15, len(blocks) - 40, 9):
        header = sbr_header(config, reversed(blocks[:at]))
        silence = silent_frames(config, lost, sbr=True, header=header)
        filled = by_pyav(config, [*blocks[:at], *silence, *blocks[at + lost :]])
        joined = by_pyav(config, [*blocks[:at], *blocks[at + lost :]])
        assert filled.words == joined.words


@either_clip
def test_the_header_is_found_in_every_frame_that_has_one(name: str) -> None:
    blocks, config = clip(name)
    found = [sbr_header(config, [block]) for block in blocks]
    assert [n for n, header in enumerate(found) if header] == list(range(0, len(blocks), HEADER_EVERY))
    assert len({header for header in found if header}) == 1


@either_clip
def test_the_last_header_before_the_gap_counts(name: str) -> None:
    blocks, config = clip(name)
    mine, mono = _made(config.sample_rate, config.channels, ps=False)
    assert mono == config
    theirs = sbr_header(config, blocks)
    ours = sbr_header(config, mine)
    assert theirs != ours
    assert sbr_header(config, reversed([*blocks[:30], *mine[:30]])) == ours
    assert sbr_header(config, reversed([*mine[:30], *blocks[:30]])) == theirs


@either_clip
def test_the_clips_beep_on_every_second(name: str) -> None:
    blocks, config = clip(name)
    rate = 2 * config.sample_rate
    heard = by_pyav(config, blocks)
    assert heard.shapes == {(rate, "stereo", HE_FRAME)}
    assert set(heard.profiles[1:]) == {"HE-AAC" if name == V1 else "HE-AACv2"}
    for channel in heard.pcm.astype(np.float64):
        at = (onsets(channel, rate) - CLIP_DELAY[name]) / rate
        np.testing.assert_allclose(at, range(10), atol=0.001)
    assert loudest(heard.pcm[:1] - heard.pcm[1:]) > 0.1, "it is stereo"


def test_the_clips_are_small_and_those_that_their_origin_is_told_of() -> None:
    told = (CLIPS / "README.md").read_text(encoding="utf-8")
    files = sorted(CLIPS.glob("*.aac"))
    assert [file.stem for file in files] == [V1, V2]
    for file in files:
        data = file.read_bytes()
        assert len(data) < 50_000
        assert f"| {len(data)} bytes | `{sha256(data).hexdigest()}` |" in told
