"""Silence for AAC-LC: exact, valid, and without a click where it begins and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.media.aac import FRAME_SAMPLES, SAMPLE_RATES, AdtsConfig
from pipeline.media.silence import recipe, silent_frames
from pipeline.media.silence.frames import AAC_LC, HE_AAC
from tests.media.listening import by_ffmpeg, by_pyav, loudest
from tests.media.mp4_material import ffmpeg, sound, wrap

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SILENT = 8
MONO_16K = AdtsConfig(2, 8, 1)

either_layout = pytest.mark.parametrize("channels", [1, 2], ids=["mono", "stereo"])
every_rate = pytest.mark.parametrize("rate", SAMPLE_RATES, ids=lambda rate: f"{rate} Hz")


def _bend(pcm: NDArray[np.float32]) -> float:
    """How sharply a sound bends at most: a step between two samples is a click, a tone bends slowly."""
    return loudest(np.diff(pcm, 2))


@pytest.mark.parametrize("channels", [1, 2])
def test_the_data_are_what_the_recipe_makes(channels: int) -> None:
    assert AAC_LC[channels] == recipe.frame(channels)
    assert HE_AAC[channels] == recipe.frame(channels, recipe.nothing(channels))


@either_layout
@every_rate
def test_silence_alone_is_exact(rate: int, channels: int) -> None:
    config = AdtsConfig(2, SAMPLE_RATES.index(rate), channels)
    heard = by_pyav(config, silent_frames(config, 10))
    assert heard.words == []
    assert heard.pcm.shape == (channels, 10 * FRAME_SAMPLES)
    assert not heard.pcm.any()


@either_layout
@every_rate
def test_silence_amid_loud_sound_is_exact_after_the_overlap_without_a_click_or_a_trace(
    rate: int, channels: int
) -> None:
    real, config = sound(rate, channels, seconds=2)
    half = len(real) // 2
    whole = by_pyav(config, real).pcm
    blocks = [*real[:half], *silent_frames(config, SILENT), *real[half:]]
    heard = by_pyav(config, blocks)
    assert heard.words == []
    begin, end = half * FRAME_SAMPLES, (half + SILENT) * FRAME_SAMPLES
    faded, back = begin + FRAME_SAMPLES, end + FRAME_SAMPLES
    np.testing.assert_array_equal(heard.pcm[:, :begin], whole[:, :begin])
    np.testing.assert_array_equal(heard.pcm[:, back:], whole[:, faded:])
    around = whole[:, begin - 3 * FRAME_SAMPLES : begin + 4 * FRAME_SAMPLES]
    assert loudest(around) > 0.4
    for pcm in (heard.pcm, by_ffmpeg(config, blocks, channels)):
        assert pcm.shape == (channels, len(blocks) * FRAME_SAMPLES)
        assert loudest(pcm[:, begin:faded]) > 0.1, "the last frame's second half fades"
        assert not pcm[:, faded:end].any()
        assert loudest(pcm[:, end:back]) > 0.1, "the first frame's first half fades in"
        for change in (pcm[:, begin - 64 : faded + 64], pcm[:, end - 64 : back + 64]):
            assert loudest(change) < 1.5 * loudest(around)
            assert _bend(change) < 2 * _bend(around)


@either_layout
@every_rate
def test_a_cut_without_silent_frames_would_click(rate: int, channels: int) -> None:
    """The measure of the test above can fail: the same sound, set to zero where it is loudest."""
    real, config = sound(rate, channels, seconds=2)
    pcm = by_pyav(config, real).pcm[:, 4 * FRAME_SAMPLES :].copy()
    tone = _bend(pcm)
    pcm[:, int(np.argmax(np.abs(pcm[0]))) :] = 0
    assert _bend(pcm) > 2.5 * tone


def test_a_stream_of_silence_alone_is_one_that_ffmpeg_reads(tmp_path: Path) -> None:
    path = tmp_path / "silence.aac"
    path.write_bytes(wrap(MONO_16K, silent_frames(MONO_16K, 40)))
    done = ffmpeg("-v", "error", "-xerror", "-f", "aac", "-i", str(path), "-f", "s16le", "-")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == bytes(40 * FRAME_SAMPLES * 2)


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
@pytest.mark.parametrize("sbr", [False, True], ids=["AAC-LC", "HE-AAC"])
@pytest.mark.parametrize("header", ["", "1011110000000000"], ids=["no header", "a header"])
def test_there_are_as_many_as_asked_for(count: int, header: str, *, sbr: bool) -> None:
    assert len(silent_frames(MONO_16K, count, sbr=sbr, header=header)) == count


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(AdtsConfig(1, 3, 2), id="AAC Main"),
        pytest.param(AdtsConfig(2, 3, 6), id="5.1 channels"),
        pytest.param(AdtsConfig(2, 3, 0), id="channels only an element describes"),
    ],
)
def test_silence_is_refused_for_what_was_not_proved(config: AdtsConfig) -> None:
    with pytest.raises(ValueError, match="silence is known for AAC-LC in mono and stereo"):
        silent_frames(config, 1)


@pytest.mark.parametrize("channels", [0, 3])
def test_the_recipe_knows_one_element_of_one_or_two_channels(channels: int) -> None:
    with pytest.raises(ValueError, match="one channel element holds 1 or 2 channels"):
        recipe.frame(channels)
