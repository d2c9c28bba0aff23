"""Two decoders listen to raw AAC blocks: FFmpeg's program and PyAV, with every word they say against them.

What lives here plays sound and measures it; the clips are those of ``fixtures/clips``.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import av
import imageio_ffmpeg
import numpy as np

from pipeline.media.aac import AdtsConfig, split_adts
from tests.media.mp4_material import wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CLIPS = Path(__file__).parents[2] / "fixtures" / "clips"
V1, V2 = "he-aac-v1-stereo-48000", "he-aac-v2-44100"
CLIP_DELAY = {V1: 5058, V2: 7106}
"""Samples by which a clip is late when it is decoded: nDelay of its encoder, the decoder's part included."""
HEADER_EVERY = 10
"""The encoder of the clips repeats the SBR header in each frame that is this many after another."""
HE_FRAME = 2048
"""Samples that a frame of HE-AAC decodes to."""


@cache
def clip(name: str) -> tuple[tuple[bytes, ...], AdtsConfig]:
    """Raw data blocks of a clip, and what its ADTS headers say."""
    split = split_adts((CLIPS / f"{name}.aac").read_bytes())
    assert split.config is not None
    assert (split.changed, split.rest, split.skipped) == ((), b"", 0)
    return tuple(split.frames), split.config


@dataclass(frozen=True, slots=True)
class Heard:
    """What came out of a decoder.

    Attributes:
        pcm: float32 of shape (channels, samples).
        shapes: (rate in Hz, channel layout, samples) of its frames, each once.
        words: what it said against the stream.
        profiles: what it called the stream after each frame.
    """

    pcm: NDArray[np.float32]
    shapes: set[tuple[int, str, int]]
    words: list[str]
    profiles: list[str]


def by_pyav(config: AdtsConfig, blocks: Sequence[bytes]) -> Heard:
    """What PyAV makes of blocks that an MP4 describes by what ADTS says."""
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = config.audio_specific_config
    frames, profiles = [], []
    # PyAV would hold back what the decoder before this one has said last.
    said_once = av.logging.get_skip_repeated()
    av.logging.set_skip_repeated(False)
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture() as words:
            for block in blocks:
                frames += decoder.decode(av.Packet(block))
                profiles.append(str(decoder.profile))
    finally:
        av.logging.set_level(None)
        av.logging.set_skip_repeated(said_once)
    return Heard(
        np.concatenate([frame.to_ndarray() for frame in frames], axis=1),
        {(frame.sample_rate, frame.layout.name, frame.samples) for frame in frames},
        [text for _, _, text in words],
        profiles,
    )


def by_ffmpeg(config: AdtsConfig, blocks: Sequence[bytes], channels: int) -> NDArray[np.float32]:
    """All samples that FFmpeg decodes of an ADTS stream, one row a channel; it must not say a word."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-v", "error", "-xerror", "-f", "aac"]
    command += ["-i", "pipe:0", "-f", "f32le", "pipe:1"]
    stream = wrap(config, list(blocks))
    done = subprocess.run(command, input=stream, capture_output=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    return np.frombuffer(done.stdout, dtype=np.float32).reshape(-1, channels).T


def loudest(pcm: NDArray[np.float32]) -> float:
    """The largest sample of a stretch."""
    return float(np.abs(pcm).max())
