"""A packet of pictures as a sample of MP4, whatever the codec."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipeline.media.annexb import AccessUnit, normalise
from pipeline.media.vpx import read_frame

if TYPE_CHECKING:
    from collections.abc import Callable

VPX = frozenset({"vp8", "vp9"})


def unit_reader(codec: str, *, in_band: bool = False) -> Callable[[bytes], AccessUnit]:
    """What turns packets of ``h264``, ``hevc``, ``vp8`` or ``vp9`` into access units; see `normalise`."""
    if codec in VPX:
        return partial(_vpx, codec)
    return partial(normalise, codec="hevc" if codec == "hevc" else "h264", in_band=in_band)


def _vpx(codec: str, data: bytes) -> AccessUnit:
    """A frame of VP8 or VP9 is a sample as it is; one that is none is damaged and holds no picture."""
    frame = read_frame(codec, data)
    return AccessUnit(data, frame is not None and frame.key, (), int(frame is not None), 1, 0)
