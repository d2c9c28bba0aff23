"""Boxes in bytes: headers, children, and fields read in order, each checked against what is there.

What the reader and the dump have in common. Every mistake of a file is a ``ValueError`` of one sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_HEADER, _LARGE_HEADER = 8, 16
_SIZE_AND_KIND = Struct(">I4s")
_LARGE_SIZE = Struct(">Q")
_IN_LARGE_SIZE, _TO_THE_END = 1, 0
_MOST_CHILDREN = 1000


@dataclass(frozen=True, slots=True)
class BoxHeader:
    """The type of a box as text, the bytes of its header, and its whole size, None for "to the end"."""

    kind: str
    length: int
    size: int | None


def box_header(data: bytes | memoryview) -> BoxHeader:
    """Reads a header from the first 16 bytes of a box, or from all of them if there are fewer."""
    if len(data) < _HEADER:
        raise ValueError(f"{len(data)} bytes are left where a box header takes {_HEADER}")
    size, kind = _SIZE_AND_KIND.unpack_from(data)
    name = kind.decode("latin-1")
    if size == _TO_THE_END:
        return BoxHeader(name, _HEADER, None)
    length = _HEADER
    if size == _IN_LARGE_SIZE:
        length = _LARGE_HEADER
        if len(data) < length:
            raise ValueError(f"{name}: {len(data)} bytes are left where a large box header takes {length}")
        (size,) = _LARGE_SIZE.unpack_from(data, _HEADER)
    if size < length:
        raise ValueError(f"{name}: a size of {size} is less than its own header of {length} bytes")
    return BoxHeader(name, length, size)


@dataclass(frozen=True, slots=True)
class Box:
    """A box in memory: where it is (``moov/trak/mdia``), all its bytes, and those after the header."""

    path: str
    whole: memoryview
    body: memoryview

    @property
    def kind(self) -> str:
        """The four characters of its type."""
        return self.path[-4:]

    def children(self, skip: int = 0) -> list[Box]:
        """The boxes inside, from ``skip`` bytes into the body."""
        return list(boxes(self.body[skip:], self.path))

    def child(self, kind: str, skip: int = 0) -> Box:
        """The one box of a type inside; ``ValueError`` for none or several."""
        found = self.optional(kind, skip)
        if found is None:
            raise ValueError(f"{self.path}: there is no {kind} in it")
        return found

    def optional(self, kind: str, skip: int = 0) -> Box | None:
        """The one box of a type inside, or None; ``ValueError`` for several."""
        found = [box for box in boxes(self.body[skip:], self.path) if box.kind == kind]
        if len(found) > 1:
            raise ValueError(f"{self.path}: there are {len(found)} {kind} in it where one is expected")
        return found[0] if found else None

    def fields(self) -> Fields:
        """Reads the body from its beginning."""
        return Fields(self.path, self.body)


def boxes(data: memoryview, parent: str = "") -> Iterator[Box]:
    """Cuts bytes into boxes."""
    at = count = 0
    while at < len(data):
        count += 1
        if count > _MOST_CHILDREN:
            raise ValueError(f"{parent}: more than {_MOST_CHILDREN} boxes are in it")
        try:
            header = box_header(data[at : at + _LARGE_HEADER])
        except ValueError as error:
            raise ValueError(f"{parent}: {error}") from None
        path = f"{parent}/{header.kind}".lstrip("/")
        size = len(data) - at if header.size is None else header.size
        if size > len(data) - at:
            raise ValueError(f"{path}: it is {size} bytes long where {len(data) - at} are left")
        yield Box(path, data[at : at + size], data[at + header.length : at + size])
        at += size


class Fields:
    """Reads the fields of a box one after another; ``ValueError`` where it ends too early."""

    def __init__(self, path: str, data: memoryview) -> None:
        self._path = path
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes have not been read."""
        return len(self._data) - self._at

    def take(self, size: int) -> memoryview:
        """The next bytes."""
        if size > self.left:
            raise ValueError(f"{self._path}: {self.left} bytes are left where {size} are expected")
        self._at += size
        return self._data[self._at - size : self._at]

    def unsigned(self, size: int) -> int:
        """The next number of so many bytes."""
        return int.from_bytes(self.take(size), "big")

    def signed(self, size: int) -> int:
        """The next number of so many bytes, in two's complement."""
        return int.from_bytes(self.take(size), "big", signed=True)

    def version(self, *known: int) -> tuple[int, int]:
        """Version and flags of a full box; ``ValueError`` for a version that is not known."""
        version, flags = self.unsigned(1), self.unsigned(3)
        if version not in known:
            raise ValueError(f"{self._path}: version {version} is not one of {', '.join(map(str, known))}")
        return version, flags

    def text(self) -> str:
        """The rest as UTF-8, up to the first zero byte."""
        raw = bytes(self.take(self.left)).partition(b"\0")[0]
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise ValueError(f"{self._path}: its text is not UTF-8") from None

    def table(self, columns: int = 1, width: int = 4) -> NDArray[np.int64]:
        """A count and as many rows of unsigned numbers, one array row per column."""
        return self.rows(self.unsigned(4), columns, width)

    def rows(self, count: int, columns: int = 1, width: int = 4) -> NDArray[np.int64]:
        """``count`` rows of unsigned numbers, one array row per column; ``ValueError`` if there are fewer."""
        size = count * columns * width
        if size > self.left:
            raise ValueError(f"{self._path}: {count} entries take {size} bytes where {self.left} are left")
        values = np.frombuffer(self.take(size), dtype=f">u{width}").astype(np.int64)
        return values.reshape(count, columns).T
