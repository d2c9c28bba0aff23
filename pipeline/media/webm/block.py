"""The frames of one block: its own head, the group around it, and its laces. No walk and no file."""

from __future__ import annotations

from pipeline.media.webm import ebml
from pipeline.media.webm.ebml import EbmlError

OWN = 3
"""Bytes of a block's time and flags, behind its track number."""
_LACING, _XIPH, _FIXED = 0x06, 0x02, 0x04  # bits of a block's flags


def read_block(kind: int, data: bytes) -> tuple[int, int, list[bytes], int]:
    """Track number, time within the cluster, frames, DiscardPadding (RFC 9559, Block Structure).

    Args:
        kind: SimpleBlock or BlockGroup.
        data: of the element.

    Raises:
        EbmlError: it holds no frames, or laces that do not fit.
    """
    discard = 0
    if kind == ebml.BLOCK_GROUP:
        data, discard = _in_group(data)
    number, at, _ = ebml.vint(data, 0)
    if len(data) <= at + OWN:
        raise EbmlError
    relative = int.from_bytes(data[at : at + 2], "big", signed=True)
    lacing = data[at + 2] & _LACING
    at += OWN
    return number, relative, _split(data, at, lacing) if lacing else [data[at:]], discard


def _in_group(data: bytes) -> tuple[bytes, int]:
    """The block of a BlockGroup and its DiscardPadding in nanoseconds."""
    blocks: list[bytes] = []
    discard = 0
    for kind, inner in ebml.children(data):
        if kind == ebml.BLOCK:
            blocks.append(inner)
        elif kind == ebml.DISCARD_PADDING:
            discard = max(0, ebml.signed(inner))
    if len(blocks) != 1:
        raise EbmlError
    return blocks[0], discard


def _split(data: bytes, at: int, lacing: int) -> list[bytes]:
    """The frames of a block with laces (RFC 9559, Block Lacing); `EbmlError` if they do not fit."""
    count = data[at] + 1
    at += 1
    if lacing == _FIXED:
        each, rest = divmod(len(data) - at, count)
        if rest:
            raise EbmlError
        sizes = [each] * count
    else:
        sizes, at = _xiph(data, at, count) if lacing == _XIPH else _ebml_laces(data, at, count)
        sizes.append(len(data) - at - sum(sizes))
    if min(sizes) <= 0:
        raise EbmlError
    frames: list[bytes] = []
    for size in sizes:
        frames.append(data[at : at + size])
        at += size
    return frames


def _xiph(data: bytes, at: int, count: int) -> tuple[list[int], int]:
    sizes: list[int] = []
    for _ in range(count - 1):
        size = 0
        while data[at : at + 1] == b"\xff":
            size += 0xFF
            at += 1
        if at >= len(data):
            raise EbmlError
        sizes.append(size + data[at])
        at += 1
    return sizes, at


def _ebml_laces(data: bytes, at: int, count: int) -> tuple[list[int], int]:
    sizes: list[int] = []
    for number in range(count - 1):
        value, at, length = ebml.vint(data, at)
        # The first is a size, each later one a difference around the middle of its range.
        sizes.append(sizes[-1] + value - ((1 << 7 * length - 1) - 1) if number else value)
        if sizes[-1] <= 0:
            raise EbmlError
    return sizes, at
