"""What the first bytes of VP8 and VP9 frames say: key frame, size, profile, colours; no codec is opened."""

from __future__ import annotations

from dataclasses import dataclass

_VP8_START = b"\x9d\x01\x2a"
_VP8_KEY_HEAD = 10
_VP9_SYNC = 0x498342
_RGB = 7
_HIGH = 2  # from this VP9 profile on, samples have 10 or 12 bits


@dataclass(frozen=True, slots=True)
class VpxFrame:
    """The header of one VP8 or VP9 frame.

    Attributes:
        key: a decoder can begin here.
        shown: it is to be displayed (VP8 show_frame, VP9 show_frame or show_existing_frame).
        width: coded size in pixels; 0 where the frame does not say, as only key frames do.
        height: as width.
        profile: VP8 version or VP9 profile, 0 to 3.
        bit_depth: bits of a sample.
        subsampling: whether chroma is halved across and down; (True, True) is 4:2:0.
        full_range: sample values use the whole range.
        colour_space: VP9 color_space (7.2.2): 0 unknown, 1 BT.601, 2 BT.709 … 5 BT.2020, 7 RGB.
    """

    key: bool
    shown: bool
    width: int = 0
    height: int = 0
    profile: int = 0
    bit_depth: int = 8
    subsampling: tuple[bool, bool] = (True, True)
    full_range: bool = False
    colour_space: int = 0


def read_frame(codec: str, data: bytes) -> VpxFrame | None:
    """The header of a frame of ``vp8`` or ``vp9``; None where the bytes begin no such frame."""
    return read_vp8(data) if codec == "vp8" else read_vp9(data)


def is_key(codec: str, data: bytes) -> bool:
    """Whether a frame of ``vp8`` or ``vp9`` is a key frame, by its own header; damaged ones are none."""
    if not data:
        return False
    if codec == "vp8" and data[0] & 1:
        return False
    if codec == "vp9" and data[0] & 0xCC == 0x84:  # noqa: PLR2004 - an inter frame, as most are
        return False
    frame = read_frame(codec, data)
    return frame is not None and frame.key


def read_vp8(data: bytes) -> VpxFrame | None:
    """The frame header of VP8 (RFC 6386 9.1); None where the bytes begin no VP8 frame."""
    if len(data) < 3:  # noqa: PLR2004 - the frame tag
        return None
    tag = int.from_bytes(data[:3], "little")
    version, shown = tag >> 1 & 7, bool(tag & 0x10)
    if version > 3:  # noqa: PLR2004 - RFC 6386 9.1: reserved
        return None
    if tag & 1:
        return VpxFrame(key=False, shown=shown, profile=version)
    if len(data) < _VP8_KEY_HEAD or data[3:6] != _VP8_START:
        return None
    width = int.from_bytes(data[6:8], "little") & 0x3FFF
    height = int.from_bytes(data[8:10], "little") & 0x3FFF
    if not (width and height):
        return None
    return VpxFrame(key=True, shown=shown, width=width, height=height, profile=version)


def read_vp9(data: bytes) -> VpxFrame | None:
    """The uncompressed header of VP9 up to the size (VP9 bitstream specification 6.2); None if it is none.

    Of a superframe (annex B) this is its first frame: a decoder begins there.
    """
    try:
        return _vp9(_Bits(data))
    except _Vp9Error:
        return None


class _Vp9Error(Exception):
    """The bytes are no VP9, or end within the header."""


class _Bits:
    def __init__(self, data: bytes) -> None:
        head = data[:16]  # an uncompressed header has its size within these
        self._word, self._left = int.from_bytes(head, "big"), len(head) * 8

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise _Vp9Error
        return self._word >> self._left & (1 << count) - 1

    def must_be(self, count: int, value: int) -> None:
        if self.take(count) != value:
            raise _Vp9Error


def _vp9(bits: _Bits) -> VpxFrame:
    bits.must_be(2, 2)  # frame_marker
    profile = bits.take(1) | bits.take(1) << 1
    if profile == 3:  # noqa: PLR2004 - only then comes a reserved bit
        bits.must_be(1, 0)
    if bits.take(1):  # show_existing_frame
        return VpxFrame(key=False, shown=True, profile=profile)
    key, shown = not bits.take(1), bool(bits.take(1))
    bits.take(1)  # error_resilient_mode
    if not key:
        return VpxFrame(key=False, shown=shown, profile=profile)
    bits.must_be(24, _VP9_SYNC)
    depth = 8 if profile < _HIGH else 12 if bits.take(1) else 10
    space = bits.take(3)
    odd = bool(profile & 1)  # only odd profiles have chroma that is not 4:2:0
    if space == _RGB:
        if not odd:
            raise _Vp9Error
        full, halved = True, (False, False)
    else:
        full = bool(bits.take(1))
        halved = (bool(bits.take(1)), bool(bits.take(1))) if odd else (True, True)
        if odd and halved == (True, True):
            raise _Vp9Error
    if odd:
        bits.must_be(1, 0)
    width, height = bits.take(16) + 1, bits.take(16) + 1
    return VpxFrame(
        key=True,
        shown=shown,
        width=width,
        height=height,
        profile=profile,
        bit_depth=depth,
        subsampling=halved,
        full_range=full,
        colour_space=space,
    )
