"""What differs between codecs in a packet of pictures; times and containers are not known here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from pipeline.media import vpx
from pipeline.media.annexb import (
    AccessUnit,
    Codec,
    has_sps,
    normalise,
    of_h264,
    with_start_codes,
    without_sets,
)
from pipeline.media.probe import picture_size

if TYPE_CHECKING:
    from collections.abc import Callable

VPX = frozenset({"vp8", "vp9"})


class Bitstream(Protocol):
    """A codec's packets as samples of MP4, and back as a decoder wants them."""

    @property
    def unit(self) -> Callable[[bytes], AccessUnit]:
        """The access unit of a packet."""

    def decodable(self, payload: bytes) -> bytes:
        """The payload of an access unit as a decoder takes it."""

    def announces(self, unit: AccessUnit) -> bool:
        """Whether it tells codec parameters."""

    def size(self, unit: AccessUnit) -> tuple[int, int] | None:
        """The width and height that it tells; None if it tells none."""

    def bare(self, unit: AccessUnit) -> bytes:
        """Its payload without parameter sets."""

    def hidden(self, data: bytes) -> bool:
        """Whether a packet holds a picture that is only referred to and never shown."""


class _Nal:
    """H.264 and HEVC: NAL units with start codes."""

    def __init__(self, codec: Codec, *, in_band: bool) -> None:
        self._codec = codec
        self.unit = of_h264 if codec == "h264" else partial(normalise, codec=codec, in_band=in_band)

    def decodable(self, payload: bytes) -> bytes:
        return with_start_codes(payload)

    def announces(self, unit: AccessUnit) -> bool:
        return bool(unit.parameter_sets)

    def size(self, unit: AccessUnit) -> tuple[int, int] | None:
        if not has_sps(unit.parameter_sets, self._codec):
            return None
        return picture_size(self._codec, b"".join(b"\0\0\0\1" + nal for nal in unit.parameter_sets))

    def bare(self, unit: AccessUnit) -> bytes:
        return without_sets(unit, self._codec)

    def hidden(self, data: bytes) -> bool:  # noqa: ARG002 - all are shown
        return False


class _Vpx:
    """VP8 and VP9: a frame is a sample as it is, and key frames tell their size themselves."""

    def __init__(self, codec: str) -> None:
        self._codec = codec

    def unit(self, data: bytes) -> AccessUnit:
        """A frame that is none is damaged and holds no picture."""
        frame = vpx.read_frame(self._codec, data)
        return AccessUnit(data, frame is not None and frame.key, (), int(frame is not None), 1, 0)

    def decodable(self, payload: bytes) -> bytes:
        return payload

    def announces(self, unit: AccessUnit) -> bool:
        return unit.key

    def size(self, unit: AccessUnit) -> tuple[int, int] | None:
        frame = vpx.read_frame(self._codec, unit.payload)
        return (frame.width, frame.height) if frame is not None and frame.key else None

    def bare(self, unit: AccessUnit) -> bytes:
        return unit.payload

    def hidden(self, data: bytes) -> bool:
        frame = vpx.read_frame(self._codec, data)
        return frame is not None and not frame.shown


def bitstream(codec: str, *, in_band: bool = False) -> Bitstream:
    """What is to be known of ``h264``, ``hevc``, ``vp8`` or ``vp9``.

    Args:
        codec: as in `Format`.
        in_band: parameter sets of HEVC stay in the payload.
    """
    return _Vpx(codec) if codec in VPX else _Nal("hevc" if codec == "hevc" else "h264", in_band=in_band)
