"""TS packets found again in a slice that lost its rhythm of 188 bytes, because bytes came in or went out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKET, SYNC = 188, 0x47
CONFIRMED_BY = 2
"""Sync bytes that must follow one, each a packet later, before it is taken for one (as far as data goes)."""


def in_step(data: bytes) -> bool:
    """Whether every 188 bytes begin with a sync byte."""
    return not np.count_nonzero(np.frombuffer(data, dtype=np.uint8)[::PACKET] != SYNC)


def runs(data: bytes) -> Iterator[tuple[int, int]]:
    """Begin and end of each stretch of whole TS packets, in bytes."""
    values = np.frombuffer(data, dtype=np.uint8)
    at = _next_sync(data, 0)
    while at is not None:
        whole = (len(data) - at) // PACKET
        wrong = np.flatnonzero(values[at : at + whole * PACKET : PACKET] != SYNC)
        count = int(wrong[0]) if len(wrong) else whole
        if count:
            yield at, at + count * PACKET
        at = _next_sync(data, at + count * PACKET) if count < whole else None


def aligned(data: bytes) -> bytes:
    """Only the whole TS packets."""
    return b"".join(data[begin:end] for begin, end in runs(data))


def _next_sync(data: bytes, at: int) -> int | None:
    """Where packets begin from ``at`` on; None if nowhere."""
    while (at := data.find(SYNC, at)) >= 0 and at + PACKET <= len(data):
        following = data[at + PACKET : at + CONFIRMED_BY * PACKET + 1 : PACKET]
        if following.count(SYNC) == len(following):
            return at
        at += 1
    return None
