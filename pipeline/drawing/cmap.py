"""Which characters a font file has, from its table ``cmap``.

Pillow draws a box for a character that a font lacks and does not say so, and boxes cannot be told from glyphs
by their look. The sources are the OpenType specification, "cmap" and "otff" (font collections).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass
from itertools import count as count_from
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLLECTION = b"ttcf"
_MOST_TABLES, _MOST_BYTES = 4096, 8_000_000
_LAST = 0x10FFFF
_UNICODE = {(3, 10): 0, (0, 6): 1, (0, 4): 2, (3, 1): 3, (0, 3): 4, (0, 2): 5, (0, 1): 6, (0, 0): 7}
"""Platform and encoding of tables of Unicode; the full ones first, as FreeType chooses."""
_SEGMENTS, _TRIMMED, _GROUPS = 4, 6, 12
_BROKEN = 0xFFFF
"""Offset of the last segment in some fonts; FreeType skips it too."""


class NoFontError(ValueError):
    """The bytes are no TrueType or OpenType font that tells its characters."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Code points of a font: ascending ranges that do not touch, first and last of each."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def __contains__(self, code: int) -> bool:
        at = bisect_right(self.starts, code) - 1
        return at >= 0 and code <= self.ends[at]

    def __len__(self) -> int:
        return sum(end - start + 1 for start, end in zip(self.starts, self.ends, strict=True))


def coverage(file: BinaryIO, index: int = 0) -> Coverage:
    """The characters of a font.

    Args:
        file: of a font or a collection.
        index: of the font in a collection.

    Raises:
        NoFontError: it is none.
    """
    try:
        table = _unicode_table(_read(file, *_located(file, index)))
        return _joined(_ranges(table))
    except (struct.error, OSError) as error:
        raise NoFontError(f"its table of characters cannot be read ({error})") from None


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    if size > _MOST_BYTES:
        raise NoFontError("its table of characters is too large")
    file.seek(at)
    return file.read(size)


def _located(file: BinaryIO, index: int) -> tuple[int, int]:
    """Where the table of characters lies: offset and size."""
    at = 0
    if _read(file, 0, 4) == _COLLECTION:
        (count,) = struct.unpack(">I", _read(file, 8, 4))
        if index >= count:
            raise NoFontError(f"it has {count} fonts, and number {index} was asked for")
        (at,) = struct.unpack(">I", _read(file, 12 + 4 * index, 4))
    (count,) = struct.unpack(">H", _read(file, at + 4, 2))
    for row in range(min(count, _MOST_TABLES)):
        tag, _sum, offset, size = struct.unpack(">4sIII", _read(file, at + 12 + 16 * row, 16))
        if tag == b"cmap":
            return offset, size
    raise NoFontError("it has no table of characters")


def _unicode_table(cmap: bytes) -> bytes:
    (count,) = struct.unpack_from(">H", cmap, 2)
    found: list[tuple[int, int]] = []
    for row in range(count):
        platform, encoding, offset = struct.unpack_from(">HHI", cmap, 4 + 8 * row)
        if (platform, encoding) in _UNICODE:
            found.append((_UNICODE[platform, encoding], offset))
    if not found:
        raise NoFontError("it has no table of Unicode characters")
    return cmap[min(found)[1] :]


def _ranges(table: bytes) -> Iterator[tuple[int, int]]:
    (kind,) = struct.unpack_from(">H", table)
    if kind == _GROUPS:
        return _of_groups(table)
    if kind == _SEGMENTS:
        return _of_segments(table)
    if kind == _TRIMMED:
        return _of_array(table)
    raise NoFontError(f"its table of characters has format {kind}, which is not read")


def _of_groups(table: bytes) -> Iterator[tuple[int, int]]:
    (count,) = struct.unpack_from(">I", table, 12)
    if 16 + 12 * count > len(table):
        raise NoFontError("its table of characters is cut off")
    for row in range(count):
        start, end, glyph = struct.unpack_from(">III", table, 16 + 12 * row)
        yield start + (glyph == 0), min(end, _LAST)


def _of_array(table: bytes) -> Iterator[tuple[int, int]]:
    first, count = struct.unpack_from(">HH", table, 6)
    for n, glyph in enumerate(struct.unpack_from(f">{count}H", table, 10)):
        if glyph:
            yield first + n, first + n


def _of_segments(table: bytes) -> Iterator[tuple[int, int]]:
    (twice,) = struct.unpack_from(">H", table, 6)
    count = twice // 2
    ends = struct.unpack_from(f">{count}H", table, 14)
    starts = struct.unpack_from(f">{count}H", table, 16 + twice)
    deltas = struct.unpack_from(f">{count}H", table, 16 + 2 * twice)
    offsets = struct.unpack_from(f">{count}H", table, 16 + 3 * twice)
    for n, (start, end, delta, offset) in enumerate(zip(starts, ends, deltas, offsets, strict=True)):
        if not offset:
            hole = -delta & 0xFFFF  # the one character here whose glyph number is 0
            yield start, min(end, hole - 1) if start <= hole else end
            yield max(start, hole + 1), end
        elif offset != _BROKEN:
            at = 16 + 3 * twice + 2 * n + offset
            there = max(0, min(end - start + 1, (len(table) - at) // 2))
            glyphs = table[at : at + 2 * there]
            for code, (glyph,) in zip(count_from(start), struct.iter_unpack(">H", glyphs), strict=False):
                if glyph and (glyph + delta) & 0xFFFF:
                    yield code, code


def _joined(ranges: Iterator[tuple[int, int]]) -> Coverage:
    starts: list[int] = []
    ends: list[int] = []
    for start, end in sorted(each for each in ranges if each[0] <= each[1]):
        if ends and start <= ends[-1] + 1:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return Coverage(tuple(starts), tuple(ends))
