"""EBML elements (RFC 8794) over a file that is read through one window; every length is held against it.

Nothing here recurses, and nothing is read that was not asked for.
"""

from __future__ import annotations

from struct import unpack
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

EBML: Final = 0x1A45DFA3
DOC_TYPE: Final = 0x4282
MAX_ID_LENGTH: Final = 0x42F2
MAX_SIZE_LENGTH: Final = 0x42F3
VOID: Final = 0xEC
CRC32: Final = 0xBF

SEGMENT: Final = 0x18538067
SEEK_HEAD: Final = 0x114D9B74
INFO: Final = 0x1549A966
TRACKS: Final = 0x1654AE6B
CUES: Final = 0x1C53BB6B
ATTACHMENTS: Final = 0x1941A469
CHAPTERS: Final = 0x1043A770
TAGS: Final = 0x1254C367
CLUSTER: Final = 0x1F43B675

TIMESTAMP_SCALE: Final = 0x2AD7B1
TRACK_ENTRY: Final = 0xAE
TRACK_NUMBER: Final = 0xD7
CODEC_ID: Final = 0x86
CODEC_PRIVATE: Final = 0x63A2
CODEC_DELAY: Final = 0x56AA
SEEK_PRE_ROLL: Final = 0x56BB
DEFAULT_DURATION: Final = 0x23E383
CONTENT_ENCODINGS: Final = 0x6D80
TRACK_TYPE: Final = 0x83
TRACK_UID: Final = 0x73C5
VIDEO: Final = 0xE0
PIXEL_WIDTH: Final = 0xB0
PIXEL_HEIGHT: Final = 0xBA
AUDIO: Final = 0xE1
SAMPLING_FREQUENCY: Final = 0xB5
CHANNELS: Final = 0x9F

TIMESTAMP: Final = 0xE7
POSITION: Final = 0xA7
PREV_SIZE: Final = 0xAB
SILENT_TRACKS: Final = 0x5854
ENCRYPTED_BLOCK: Final = 0xAF
SIMPLE_BLOCK: Final = 0xA3
BLOCK_GROUP: Final = 0xA0
BLOCK: Final = 0xA1
REFERENCE_BLOCK: Final = 0xFB
DISCARD_PADDING: Final = 0x75A2

UNKNOWN: Final = -1
"""Size of an element that ends where its parent, or the next of its kind, says (RFC 8794 6.2)."""
NO_ELEMENT: Final = 0
CUT_SHORT: Final = -1
"""In place of an ID: here begins none; here the file ends within its ID or size."""

_MOST_HEAD = 12  # bytes of an ID and a size
_MOST_ID = 4
_LENGTHS = (0, *(9 - value.bit_length() for value in range(1, 256)))
"""Bytes of a variable-size integer by its first (RFC 8794 4); 0 is none."""


class Element(NamedTuple):
    """An element's ID (or `NO_ELEMENT`, `CUT_SHORT`), where its data begins, and their bytes or `UNKNOWN`."""

    kind: int
    start: int
    size: int


class EbmlError(Exception):
    """Data that should be EBML and is not."""


class Window:
    """A file of ``size`` bytes, read a window of ``step`` bytes at a time.

    Reading raises OSError as the file does, also where it turns out shorter than it was said to be.
    """

    def __init__(self, file: BinaryIO, size: int, step: int = 1 << 20) -> None:
        self.size = size
        self._file = file
        self._step = step
        self._base = 0
        self._data = b""

    def read(self, at: int, count: int) -> bytes:
        """Up to ``count`` bytes from ``at``; fewer only where the file ends."""
        begin = at - self._base
        if begin < 0 or begin + count > len(self._data):
            self._load(at, count)
            begin = 0
        return self._data[begin : begin + count]

    def _load(self, at: int, count: int) -> None:
        left = max(0, self.size - at)
        self._file.seek(at)
        self._data = self._file.read(min(left, max(count, self._step)))
        self._base = at
        if len(self._data) < min(left, count):
            raise OSError(f"it ends after {at + len(self._data)} of {self.size} bytes")

    def glimpse(self, at: int, count: int) -> bytes:
        """As `read`, for a few bytes anywhere: the window stays where it is."""
        begin = at - self._base
        if begin >= 0 and begin + count <= len(self._data):
            return self._data[begin : begin + count]
        self._file.seek(at)
        return self._file.read(max(0, min(count, self.size - at)))

    def element(self, at: int) -> Element:
        """The element that begins at a byte. Its data may reach beyond the file."""
        begin = at - self._base
        if begin < 0 or begin + _MOST_HEAD > len(self._data):
            self._load(at, min(_MOST_HEAD, max(0, self.size - at)))
            begin = 0
        return _element(self._data, begin, self._base)


def _element(data: bytes, begin: int, base: int = 0) -> Element:
    size = len(data)
    if begin >= size:
        return Element(CUT_SHORT, base + begin, 0)
    length = _LENGTHS[data[begin]]
    if not 0 < length <= _MOST_ID:
        return Element(NO_ELEMENT, base + begin, 0)
    at = begin + length
    if at >= size:
        return Element(CUT_SHORT, base + begin, 0)
    kind = int.from_bytes(data[begin:at], "big")
    length = _LENGTHS[data[at]]
    if not length:
        return Element(NO_ELEMENT, base + begin, 0)
    end = at + length
    if end > size:
        return Element(CUT_SHORT, base + begin, 0)
    most = (1 << 7 * length) - 1
    value = int.from_bytes(data[at:end], "big") & most
    return Element(kind, base + end, UNKNOWN if value == most else value)


def first(data: bytes) -> Element:
    """The element at the beginning of these bytes; its data may reach beyond them."""
    return _element(data, 0)


def children(data: bytes) -> Iterator[tuple[int, bytes]]:
    """ID and data of each element in a master element's data.

    Raises:
        EbmlError: an element is none, has no size, or is longer than what is left.
    """
    at = 0
    while at < len(data):
        kind, start, size = _element(data, at)
        if kind in {NO_ELEMENT, CUT_SHORT} or size == UNKNOWN or start + size > len(data):
            raise EbmlError
        at = start + size
        yield kind, data[start:at]


def vint(data: bytes, at: int) -> tuple[int, int, int]:
    """Value of a variable-size integer, where it ends, and its bytes (RFC 8794 4).

    Raises:
        EbmlError: there is none, or it is not whole.
    """
    length = _LENGTHS[data[at]] if at < len(data) else 0
    end = at + length
    if not length or end > len(data):
        raise EbmlError
    return int.from_bytes(data[at:end], "big") & (1 << 7 * length) - 1, end, length


def unsigned(data: bytes) -> int:
    """An unsigned integer of 0 to 8 bytes (RFC 8794 7.2). Raises `EbmlError` for more."""
    if len(data) > 8:  # noqa: PLR2004 - RFC 8794 7.2
        raise EbmlError
    return int.from_bytes(data, "big")


def signed(data: bytes) -> int:
    """A signed integer of 0 to 8 bytes (RFC 8794 7.1). Raises `EbmlError` for more."""
    if len(data) > 8:  # noqa: PLR2004 - RFC 8794 7.1
        raise EbmlError
    return int.from_bytes(data, "big", signed=True)


def real(data: bytes) -> float:
    """A float of 0, 4 or 8 bytes (RFC 8794 7.3). Raises `EbmlError` for other lengths."""
    if not data:
        return 0.0
    if len(data) not in {4, 8}:
        raise EbmlError
    return float(unpack(">f" if len(data) == 4 else ">d", data)[0])  # noqa: PLR2004 - RFC 8794 7.3


def element(kind: int, *parts: bytes, size: int | None = None) -> bytes:
    """An element as bytes, its size in as few bytes as hold it, ``size`` instead if given (`UNKNOWN`)."""
    head = kind.to_bytes(-(-kind.bit_length() // 8), "big")
    if size == UNKNOWN:
        return b"".join((head, b"\x01\xff\xff\xff\xff\xff\xff\xff", *parts))
    return b"".join((head, vint_of(sum(map(len, parts))), *parts))


def vint_of(value: int) -> bytes:
    """A variable-size integer in as few bytes as hold it, all ones kept for the unknown."""
    length = 1
    while value >= (1 << 7 * length) - 1:
        length += 1
    return (value | 1 << 7 * length).to_bytes(length, "big")


def unsigned_of(value: int) -> bytes:
    """The data of an unsigned integer, in as few bytes as hold it, one at least."""
    return value.to_bytes(max(1, -(-value.bit_length() // 8)), "big")
