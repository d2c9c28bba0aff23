"""A small MPEG-TS packetiser (ISO/IEC 13818-1) that writes the stamps it is given, to the tick.

What lives here makes the slices of generated recordings: FFmpeg's own muxer shifts and rounds stamps, and the
truth of a test must not. Only bytes: no file, no codec.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STAMP_MODULUS = 1 << 33
PACKET = 188

_PAT_PID = 0
_PMT_PID = 0x1000
_FIRST_PID = 0x100
_PROGRAM = 1
_PAYLOAD = PACKET - 4
_START = 0x4000  # payload_unit_start_indicator, above the PID in the header's middle bytes
_PCR_LEAD_TICKS = 9_000  # the decoder gets 100 ms: the longest distance of two clock references
_PSI_EVERY = 40  # PES packets between two copies of PAT and PMT
_MAX_PES_LENGTH = 0xFFFF


class StreamType(IntEnum):
    """stream_type of the program map (ISO/IEC 13818-1 table 2-34)."""

    AAC = 0x0F
    H264 = 0x1B
    HEVC = 0x24


@dataclass(frozen=True, slots=True)
class Pes:
    """One PES packet to write: an access unit of pictures, or several ADTS frames.

    Attributes:
        stream: which elementary stream it belongs to.
        payload: Annex B bytes beginning with an access unit delimiter, or ADTS frames.
        pts_ticks: presentation time of the first access unit, 1/90000 s; written modulo 2**33.
        dts_ticks: decoding time, written only where it differs; None means the same.
        key: decoding can begin here.
    """

    stream: StreamType
    payload: bytes
    pts_ticks: int
    dts_ticks: int | None = None
    key: bool = False

    @property
    def decode_ticks(self) -> int:
        """The decoding time, whether written or not."""
        return self.pts_ticks if self.dts_ticks is None else self.dts_ticks


@dataclass(slots=True)
class Continuity:
    """Continuity counters by PID; a new value restarts them, the same one goes on from slice to slice."""

    counters: dict[int, int] = field(default_factory=dict)

    def take(self, pid: int, count: int) -> int:
        """The counter of the next packet of ``pid``, of which ``count`` follow."""
        first = self.counters.get(pid, 0)
        self.counters[pid] = (first + count) % 16
        return first


def write_slice(packets: Sequence[Pes], continuity: Continuity | None = None) -> bytes:
    """One TS slice with the elementary streams that occur in ``packets``.

    PAT and PMT stand first, before each key picture and every 40 PES packets; the stream of pictures, or else
    the sound, carries the clock reference.

    Args:
        packets: in the order to be written, decoding times rising.
        continuity: counters to go on with; None starts them at 0.

    Returns:
        whole TS packets; nothing for no packets.
    """
    counters = continuity or Continuity()
    streams = sorted({pes.stream for pes in packets}, reverse=True)  # pictures first, as recorders do
    pids = {stream: _FIRST_PID + index for index, stream in enumerate(streams)}
    out: list[bytes] = []
    since_tables = _PSI_EVERY
    for pes in packets:
        if since_tables >= _PSI_EVERY or (pes.key and pes.stream != StreamType.AAC):
            out += _tables(pids, counters)
            since_tables = 0
        since_tables += 1
        clock = pes.decode_ticks - _PCR_LEAD_TICKS if pes.stream == streams[0] else None
        out += _packets(pids[pes.stream], pes, clock, counters)
    return b"".join(out)


def _tables(pids: dict[StreamType, int], counters: Continuity) -> Iterable[bytes]:
    pat = _PROGRAM.to_bytes(2, "big") + (0xE000 | _PMT_PID).to_bytes(2, "big")
    clock_pid = min(pids.values())
    pmt = (0xE000 | clock_pid).to_bytes(2, "big") + b"\xf0\x00"
    for stream, pid in pids.items():
        pmt += bytes([stream]) + (0xE000 | pid).to_bytes(2, "big") + b"\xf0\x00"
    yield _section(_PAT_PID, 0x00, pat, counters)
    yield _section(_PMT_PID, 0x02, pmt, counters)


def _section(pid: int, table: int, body: bytes, counters: Continuity) -> bytes:
    """One TS packet with one PSI section (2.4.4)."""
    length = len(body) + 9  # five bytes of header after the length, four of CRC
    section = bytes([table]) + (0xB000 | length).to_bytes(2, "big")
    section += _PROGRAM.to_bytes(2, "big") + b"\xc1\x00\x00" + body
    section += _crc32_mpeg(section).to_bytes(4, "big")
    return (_header(pid, counters.take(pid, 1), start=True) + b"\x00" + section).ljust(PACKET, b"\xff")


def _packets(pid: int, pes: Pes, clock: int | None, counters: Continuity) -> list[bytes]:
    data = _pes_header(pes) + pes.payload
    adaptation = _adaptation(clock, key=pes.key)
    first_room = _PAYLOAD - len(adaptation)
    count = 1 + max(0, -(-(len(data) - first_room) // _PAYLOAD))
    counter = counters.take(pid, count)
    out = [_packet(pid, counter, adaptation, data[:first_room], start=True)]
    at = first_room
    for index in range(1, count):
        out.append(_packet(pid, counter + index, b"", data[at : at + _PAYLOAD], start=False))
        at += _PAYLOAD
    return out


def _packet(pid: int, counter: int, adaptation: bytes, payload: bytes, *, start: bool) -> bytes:
    """A TS packet, its adaptation field grown by stuffing to fill it (2.4.3.5)."""
    stuffing = _PAYLOAD - len(adaptation) - len(payload)
    if stuffing and not adaptation:
        adaptation = b"\x00" if stuffing == 1 else b"\x01\x00"
        stuffing -= len(adaptation)
    if stuffing:
        adaptation = bytes([adaptation[0] + stuffing]) + adaptation[1:] + b"\xff" * stuffing
    return _header(pid, counter, start=start, adapted=bool(adaptation)) + adaptation + payload


def _header(pid: int, counter: int, *, start: bool, adapted: bool = False) -> bytes:
    middle = (_START if start else 0) | pid
    return bytes([0x47, middle >> 8, middle & 0xFF, (0x30 if adapted else 0x10) | counter % 16])


def _adaptation(clock: int | None, *, key: bool) -> bytes:
    """An adaptation field with random_access_indicator and PCR where they apply; empty where none does."""
    if clock is None:
        return b"\x01\x40" if key else b""
    # 33 bits of base, 6 reserved bits, 9 bits of extension.
    reference = (clock % STAMP_MODULUS) << 15 | 0x3F << 9
    return bytes([7, 0x50 if key else 0x10]) + reference.to_bytes(6, "big")


def _pes_header(pes: Pes) -> bytes:
    """PES header with PTS, and DTS where it differs (2.4.3.6)."""
    pts = pes.pts_ticks % STAMP_MODULUS
    dts = pes.decode_ticks % STAMP_MODULUS
    stamps = _stamp(0x2, pts) if pts == dts else _stamp(0x3, pts) + _stamp(0x1, dts)
    flags = 0x80 if pts == dts else 0xC0
    if pes.stream == StreamType.AAC:
        stream_id, length = 0xC0, len(pes.payload) + len(stamps) + 3
        if length > _MAX_PES_LENGTH:
            raise ValueError(f"a PES packet of sound holds {_MAX_PES_LENGTH} bytes, not {length}")
    else:
        stream_id, length = 0xE0, 0  # unbounded: allowed for pictures in a transport stream
    return (
        bytes([0, 0, 1, stream_id]) + length.to_bytes(2, "big") + bytes([0x84, flags, len(stamps)]) + stamps
    )


def _stamp(marker: int, ticks: int) -> bytes:
    """33 bits in 5 bytes with marker bits between 3, 15 and 15 of them."""
    return bytes(
        [
            marker << 4 | ticks >> 29 & 0x0E | 1,
            ticks >> 22 & 0xFF,
            ticks >> 14 & 0xFE | 1,
            ticks >> 7 & 0xFF,
            ticks << 1 & 0xFE | 1,
        ]
    )


def _crc32_mpeg(data: bytes) -> int:
    """CRC of PSI sections: polynomial 0x04C11DB7, most significant bit first, not inverted (annex A)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc
