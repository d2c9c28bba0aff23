"""What only FFmpeg should say: the size in pixels that parameter sets describe, what extends AAC."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

import av
import av.error

from pipeline.media.silence.header import places

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.media.aac import AdtsConfig

# The beginning of an IDR slice, and of another access unit that completes it: FFmpeg's H.264 parser reports
# a size only once it has seen a slice that refers to the parameter sets.
_ANY_SLICE = b"\0\0\0\1\x65\x88\x84\0\0\0\1\x09\xf0\0\0\0\1\x65\x88"
_HE_AAC_V2 = "HE-AACv2"


def picture_size(codec: str, parameter_sets: bytes) -> tuple[int, int]:
    """Width and height in pixels, cropping done; (0, 0) when FFmpeg cannot make sense of the sets.

    Args:
        codec: ``h264`` or ``hevc``.
        parameter_sets: NAL units with start codes.
    """
    context = av.CodecContext.create(codec, "r")
    try:
        if codec == "h264":
            context.parse(parameter_sets + _ANY_SLICE)
        else:
            context.extradata = parameter_sets
            context.open()
    except (av.error.FFmpegError, ValueError):
        return 0, 0
    return int(getattr(context, "width", 0)), int(getattr(context, "height", 0))


class Extension(Enum):
    """What HE-AAC adds to the AAC-LC that is all an ADTS header speaks of (ISO/IEC 14496-3 1.6.5.2)."""

    NONE = auto()
    SBR = auto()  # v1: twice the rate
    PS = auto()  # v2: twice the rate, and stereo out of a mono core


def extension(config: AdtsConfig, blocks: Sequence[bytes]) -> Extension:
    """Which extension raw data blocks carry that follow one another in a stream.

    SBR data may stand in the first block or nowhere: FFmpeg takes no notice of it later. PS data (8.A.2) show
    from the first SBR header on, which encoders repeat within a second.
    """
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = config.audio_specific_config
    decoded = 0
    for block in (*blocks[:1], *blocks):
        try:
            frames = decoder.decode(av.Packet(block))
        except av.error.FFmpegError:
            continue
        if not decoded and not any(frame.sample_rate == 2 * config.sample_rate for frame in frames):
            return Extension.NONE
        # At the first block FFmpeg only supposes PS, if the core is mono; so it is given that one twice.
        if decoded and decoder.profile == _HE_AAC_V2:
            return Extension.PS
        decoded += 1
        if config.channels != 1:
            break
    return Extension.SBR if decoded else Extension.NONE


def sbr_header(config: AdtsConfig, blocks: Iterable[bytes]) -> str:
    """The first SBR header that raw data blocks hold, as binary digits; "" if none is found."""
    for block in blocks:
        for place in places(block):
            if place.header and _is_aac_lc(config, place.rest):
                return place.header
    return ""


def _is_aac_lc(config: AdtsConfig, block: bytes) -> bool:
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = config.audio_specific_config
    try:
        frames = decoder.decode(av.Packet(block))
    except av.error.FFmpegError:
        return False
    return [frame.sample_rate for frame in frames] == [config.sample_rate]
