"""How a composite is encoded: pictures and sound. Whether this machine can, the codec's room tells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class VideoCodec(StrEnum):
    """Of the pictures."""

    H264 = "h264"
    HEVC = "hevc"


PRESET = "veryfast"
CRF = {VideoCodec.H264: 23, VideoCodec.HEVC: 26}


@dataclass(frozen=True, slots=True)
class Encoding:
    """Of pictures.

    Attributes:
        fps: pictures a second, 1 to 60.
        bit_rate: bits a second; None for constant quality.
        crf: that quality; None for the codec's own default (`CRF`). Not with a bit rate.
        gop_ms: at most so long from key frame to key frame.
        codec: of them.
        encoder: its name where it is not x264 or x265, such as ``h264_nvenc``.
        profile: such as ``high``; empty for the encoder's own.
        preset: such as ``veryfast``.
    """

    fps: int = 15
    bit_rate: int | None = None
    crf: int | None = None
    gop_ms: int = 4000
    codec: VideoCodec = VideoCodec.H264
    encoder: str = ""
    profile: str = ""
    preset: str = PRESET

    @property
    def gop(self) -> int:
        """Frames from key frame to key frame."""
        return max(1, self.gop_ms * self.fps // 1000)

    @property
    def quality(self) -> int:
        """The constant quality that is encoded with where there is no bit rate."""
        return CRF[self.codec] if self.crf is None else self.crf


@dataclass(frozen=True, slots=True)
class SoundEncoding:
    """Of sound, which is AAC-LC.

    Attributes:
        rate: samples a second: 16000, 32000, 44100 or 48000.
        channels: 1 or 2.
        bit_rate: bits a second.
        loudness: LUFS that it is brought to; None leaves it as it is.
        asked: another AAC profile that was asked for and that FFmpeg cannot write, such as ``HE-AAC v2``.
    """

    rate: int = 48_000
    channels: int = 2
    bit_rate: int = 128_000
    loudness: int | None = None
    asked: str = ""
