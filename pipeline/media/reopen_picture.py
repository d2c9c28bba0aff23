"""Finished pictures reopened: decoded by FFmpeg, which did not write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import av
import av.error

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

_CODECS = ((b"\xff\xd8\xff", "mjpeg"), (b"\x89PNG\r\n\x1a\n", "png"))


def picture_facts(data: bytes) -> tuple[int, int]:
    """Width and height of a JPEG or PNG, decoded whole.

    Raises:
        ValueError: it is neither, or does not decode.
    """
    codec = next((codec for magic, codec in _CODECS if data.startswith(magic)), None)
    if codec is None:
        raise ValueError("it is no JPEG and no PNG")
    context = cast("VideoCodecContext", av.CodecContext.create(codec, "r"))
    context.options = {"err_detect": "explode"}
    try:
        frames = [*context.decode(av.Packet(data)), *context.decode(None)]
    except av.error.FFmpegError as error:
        raise ValueError(f"it does not decode ({error.strerror})") from error
    if len(frames) != 1:
        raise ValueError("it does not decode")
    return frames[0].width, frames[0].height
