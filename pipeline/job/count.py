"""Bytes of input: how many were read, of how many that will be in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Count:
    """Bytes that were read, and bytes that will be in all."""

    def __init__(self, tell: Callable[[int, int], None] | None) -> None:
        self._tell = tell or (lambda _done, _total: None)
        self._read = self._total = 0

    def begin(self, count: int) -> None:
        """So many more will be read."""
        self._total += count
        self._tell(self._read, self._total)

    def advance(self, count: int) -> None:
        """So many more were read."""
        self._read += count
        self._tell(self._read, self._total)
