"""What only FFmpeg should say: the size in pixels that parameter sets describe, whether AAC carries SBR."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import av.error

if TYPE_CHECKING:
    from pipeline.media.aac import AdtsConfig

# The beginning of an IDR slice, and of another access unit that completes it: FFmpeg's H.264 parser reports
# a size only once it has seen a slice that refers to the parameter sets.
_ANY_SLICE = b"\0\0\0\1\x65\x88\x84\0\0\0\1\x09\xf0\0\0\0\1\x65\x88"


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


def has_sbr(config: AdtsConfig, block: bytes) -> bool:
    """Whether a raw data block is HE-AAC that its ADTS header calls AAC-LC: it decodes to twice the rate."""
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = config.audio_specific_config
    try:
        frames = decoder.decode(av.Packet(block))
    except av.error.FFmpegError:
        return False
    return any(frame.sample_rate == 2 * config.sample_rate for frame in frames)
