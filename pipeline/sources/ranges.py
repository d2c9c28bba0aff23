"""An object of a store as a file: what is read is asked for in ranges."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from pipeline.errors import ConditionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer

    from pipeline.storage.protocol import Got, Reads, Stat

STEP = 1 << 20
"""Bytes asked for at least where an object is read on."""


class RangeFile(io.RawIOBase):
    """A file over ranges, which keeps the pieces that it was given and the last that it asked for.

    Args:
        store: where it lies.
        stat: what the listing says of it; other bytes than those listed raise ConditionError.
        pieces: bytes that are known, by where they begin.
        told: called with the number of bytes that came.
        step: bytes asked for at least.
    """

    def __init__(
        self,
        store: Reads,
        stat: Stat,
        pieces: dict[int, bytes] | None = None,
        told: Callable[[int], None] = lambda _: None,
        step: int = STEP,
    ) -> None:
        super().__init__()
        self._store = store
        self._stat = stat
        self._pieces = pieces or {}
        self._last = (0, b"")
        self._told = told
        self._step = step
        self._at = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of any file."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._stat.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """As of any file."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, fewer only at the end."""
        left = max(0, self._stat.size - self._at)
        wanted = left if size < 0 else min(size, left)
        parts: list[bytes] = []
        while wanted:
            part = self._known(wanted) or self._asked(wanted)
            parts.append(part)
            self._at += len(part)
            wanted -= len(part)
        return b"".join(parts) if len(parts) != 1 else parts[0]

    def readinto(self, buffer: WriteableBuffer) -> int:
        """As of any file."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def _known(self, wanted: int) -> bytes:
        for start, data in (self._last, *self._pieces.items()):
            inside = self._at - start
            if 0 <= inside < len(data):
                return data[inside : inside + wanted]
        return b""

    def _asked(self, wanted: int) -> bytes:
        got = self._store.get_range(self._stat.key, self._at, max(wanted, self._step))
        self._told(len(got.data))
        same_as_listed(got, self._stat)
        self._last = (self._at, got.data)
        return got.data[:wanted]


def same_as_listed(got: Got, listed: Stat) -> None:
    """Raise ConditionError where an object is not the one that the listing speaks of."""
    other = listed.etag and got.stat.etag and got.stat.etag != listed.etag
    if other or got.stat.size != listed.size:
        raise ConditionError(
            f"{listed.key} changed after it was listed ({listed.size} bytes then, {got.stat.size} now): "
            "run again."
        )
