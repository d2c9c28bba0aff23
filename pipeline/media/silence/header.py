"""The SBR header of a stream, found in its raw data blocks without decoding what stands before it.

Where SBR data begin only a decoder of the whole block knows. But they end where the block ends, or where
other fill elements begin, and their element says how long it is: that leaves few places, and whether the
block without them is whole leaves one. Syntax: ISO/IEC 14496-3 4.4.2.7 (fill_element), 4.4.2.8 (SBR).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_ID_FIL, _ID_END = "110", "111"
_ESCAPED, _MOST_BYTES = 15, 269
_FILLING = {"0000", "0001"}  # EXT_FILL, EXT_FILL_DATA
_SBR = {"1101": 0, "1110": 10}  # EXT_SBR_DATA, EXT_SBR_DATA_CRC: bits before the header flag
_TYPE_BITS = 4
_FIXED, _RESERVED, _EXTRA_1, _EXTRA_2 = 16, slice(12, 14), 14, 15  # bits of sbr_header
_EXTRA_1_BITS, _EXTRA_2_BITS = 5, 6


class Place(NamedTuple):
    """Where SBR data may stand in a block.

    ``rest`` is the block without them, which decodes as AAC-LC if the place is right; ``header`` is
    sbr_header as binary digits, "" if they have none.
    """

    rest: bytes
    header: str


def places(block: bytes) -> Iterator[Place]:
    """The places in a raw data block where SBR data may stand; mostly one, none if there are no such data."""
    bits = f"{int.from_bytes(block, 'big'):0{8 * len(block)}b}"
    used = bits.rstrip("0")
    if not used.endswith(_ID_END) or len(bits) - len(used) >= 8:  # noqa: PLR2004 - less than a byte of padding
        return
    ends = [len(used) - len(_ID_END)]
    while ends:
        for at, payload in _ending(bits, ends.pop()):
            kind = payload[:_TYPE_BITS]
            if kind in _SBR:
                yield Place(_closed(bits[:at]), _header(payload[_TYPE_BITS + _SBR[kind] :]))
            elif not kind or kind in _FILLING:
                ends.append(at)


def _ending(bits: str, end: int) -> Iterator[tuple[int, str]]:
    """Where fill elements may begin that end at ``end``, and what they hold."""
    for count in range(_MOST_BYTES + 1):
        head = f"{_ID_FIL}{min(count, _ESCAPED):04b}"
        if count >= _ESCAPED:
            head += f"{count - _ESCAPED + 1:08b}"
        at = end - len(head) - 8 * count
        if at >= 0 and bits.startswith(head, at):
            yield at, bits[at + len(head) : end]


def _header(bits: str) -> str:
    """sbr_header after its flag; "" if there is none or its reserved bits are set."""
    header = bits[1:]
    if not bits.startswith("1") or len(header) < _FIXED or header[_RESERVED] != "00":
        return ""
    extra = _EXTRA_1_BITS * (header[_EXTRA_1] == "1") + _EXTRA_2_BITS * (header[_EXTRA_2] == "1")
    return header[: _FIXED + extra]


def _closed(bits: str) -> bytes:
    """A block that ends here."""
    bits += _ID_END
    count = -(-len(bits) // 8)
    return int(bits.ljust(8 * count, "0"), 2).to_bytes(count, "big")
