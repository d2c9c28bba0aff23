"""The HE-AAC that the tests make is HE-AAC: two builds of FFmpeg hear what was put in, and the high band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from pipeline.demo.sound import beeps, onsets
from pipeline.media.encode import AAC_FRAME, CodedSound, encode_sound
from tests import truth
from tests.media.he_aac import BAND_HZ, CORE_RATE, DELAY, FRAME, RATE, he_aac, with_sbr
from tests.ts_unwrapper import adts_blocks

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

FRAMES = 120
PRIMING = FRAME
WINDOW = 1 << 14

either_layout = pytest.mark.parametrize("channels", [1, 2], ids=["mono", "stereo"])


def _core(channels: int) -> list[CodedSound]:
    """Beeps on whole seconds, early by what SBR will delay them."""
    sound = beeps(DELAY, FRAMES * AAC_FRAME, CORE_RATE, 0, channels=channels, tone_hz=1000)
    return list(encode_sound([sound], rate=CORE_RATE, channels=channels))


def _write(path: Path, frames: list[CodedSound]) -> Path:
    path.write_bytes(b"".join(each.header + each.block for each in frames))
    return path


def _decoded(path: Path) -> npt.NDArray[np.float64]:
    """The first channel of a file of HE-AAC."""
    with av.open(str(path)) as container:
        context = container.streams.audio[0].codec_context
        frames = list(container.decode(audio=0))
        assert context.profile == "HE-AAC"
    assert {(frame.sample_rate, frame.samples) for frame in frames} == {(RATE, FRAME)}
    assert len(frames) == FRAMES + 1
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float64)


def _power_db(samples: npt.NDArray[np.float64], low_hz: int, high_hz: int) -> float:
    """Mean power between two frequencies over a stretch without a beep, in dB of full scale squared."""
    quiet = samples[PRIMING + RATE * 5 // 4 :][:WINDOW] * np.hanning(WINDOW)
    spectrum = np.square(np.abs(np.fft.rfft(quiet))) * 2 / (WINDOW * np.square(np.hanning(WINDOW)).sum())
    hz = np.fft.rfftfreq(WINDOW, 1 / RATE)
    return float(10 * np.log10(spectrum[(hz >= low_hz) & (hz < high_hz)].sum() + 1e-20))


@either_layout
@pytest.mark.parametrize("header_every", [1, 10, FRAMES + 1])
def test_ffmpeg_decodes_it_at_twice_the_rate_without_a_word(
    channels: int, header_every: int, tmp_path: Path
) -> None:
    path = _write(
        tmp_path / "he.aac", list(he_aac(_core(channels), channels=channels, header_every=header_every))
    )
    truth.decodes_silently(path)
    assert len(_decoded(path)) == (FRAMES + 1) * FRAME


@either_layout
def test_the_beeps_are_where_they_were_put(channels: int, tmp_path: Path) -> None:
    path = _write(tmp_path / "he.aac", list(he_aac(_core(channels), channels=channels)))
    heard = (onsets(_decoded(path), RATE) - PRIMING) * 1000 / RATE
    np.testing.assert_allclose(heard, [1000, 2000, 3000, 4000, 5000], atol=0.5)


@either_layout
def test_above_the_core_s_12_khz_sound_goes_on_up_to_where_sbr_ends(channels: int, tmp_path: Path) -> None:
    samples = _decoded(_write(tmp_path / "he.aac", list(he_aac(_core(channels), channels=channels))))
    replicated = _power_db(samples, CORE_RATE // 2, BAND_HZ[1])
    assert -70 < replicated < -50
    assert _power_db(samples, BAND_HZ[1] + 400, RATE // 2) < replicated - 15


@either_layout
def test_the_headers_go_on_saying_aac_lc_at_half_the_rate(channels: int) -> None:
    frames = list(he_aac(_core(channels), channels=channels))
    data = b"".join(each.header + each.block for each in frames)
    assert adts_blocks(data) == [each.block for each in frames]
    for each in frames:
        assert each.header[2] >> 6 == 1, "profile: AAC-LC"
        assert each.header[2] >> 2 & 15 == 6, "sampling_frequency_index: 24 kHz"
        assert (each.header[2] & 1) << 2 | each.header[3] >> 6 == channels


@pytest.mark.parametrize("block", [b"", b"\x00", b"\x07\x00", b"\x05"])
def test_a_block_that_ends_in_no_known_way_is_refused(block: bytes) -> None:
    with pytest.raises(ValueError, match="ends with ID_END"):
        with_sbr(block, channels=1, header=True)
