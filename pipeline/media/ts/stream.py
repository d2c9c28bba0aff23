"""A run's slices as one byte stream with one file open at a time, and which slice each byte came from."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from pipeline.media.ts.packets import PACKET, SYNC, in_step, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.model.slices import Slice

BUFFER = 1 << 19
"""Bytes FFmpeg asks for at a time: large enough that the calls into Python cost nothing."""

# Of the head of a TS packet as a little-endian word (ISO/IEC 13818-1 2.4.3.2):
_UNIT_START, _PAYLOAD = 0x40 << 8, 0x10 << 24
_PID_AND_PAYLOAD = 0x1F << 8 | 0xFF << 16 | _PAYLOAD


class SliceStream:
    """What FFmpeg's demuxer reads a run from; it can read on and nothing else.

    Args:
        open_slice: opens a key for reading in binary; raises OSError.
        pieces: the run's slices in order; of each only its whole TS packets are read.
        pid: the packets that are counted, as a check on the slices and on the demuxer.
    """

    def __init__(
        self, open_slice: Callable[[str], BinaryIO], pieces: Sequence[Slice], pid: int | None = None
    ) -> None:
        self._open = open_slice
        self._pieces = pieces
        self._pid = pid
        self.starts_seen = 0
        self.breaks: dict[int, int] = {}  # by index of the slice: torn packets and gaps in the counting
        self.skipped: dict[int, int] = {}  # by index of the slice: bytes that are no whole TS packets
        self.failure: BaseException | None = None
        self._counter: int | None = None
        self._file: BinaryIO | None = None
        self._left = 0
        self._held = b""
        self._starts: list[int] = []
        self._at = 0

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes of whole packets, never across two slices; empty at the end of the last.

        What goes wrong here ends the stream and is kept in `failure`: an exception that passes through FFmpeg
        may be lost on its way.
        """
        try:
            return self._next(max(PACKET, size - size % PACKET))
        except BaseException as error:  # noqa: BLE001 - raised again by whoever reads packets
            if isinstance(error, OSError) and error.filename is None:
                error.filename = self._pieces[len(self._starts) - 1].key
            self.failure = error
            return b""

    def _next(self, size: int) -> bytes:
        while True:
            if self._file is None:
                if len(self._starts) == len(self._pieces):
                    return b""
                self._begin(self._pieces[len(self._starts)])
            data = self._held or (self._file.read(min(size, self._left)) if self._file else b"")
            if data:
                if not self._held:
                    self._left -= len(data)
                    data = data if in_step(data) else self._realigned(data)
                data, self._held = data[:size], data[size:]
                self._at += len(data)
                if self._pid is not None:
                    self._count(data, self._pid)
                return data
            self.close()

    def _realigned(self, data: bytes) -> bytes:
        """The whole packets in the rest of a slice that lost its rhythm."""
        rest = [data]
        while self._left and self._file and (more := self._file.read(self._left)):
            self._left -= len(more)
            rest.append(more)
        whole = b"".join(rest)
        found = list(runs(whole))
        now = len(self._starts) - 1
        skipped = len(whole) - sum(end - begin for begin, end in found)
        self.skipped[now] = self.skipped.get(now, 0) + skipped
        parts: list[bytes] = []
        for number, (begin, end) in enumerate(found):
            if number and begin - found[number - 1][1] >= PACKET:
                parts.append(self._wound(whole, found[number - 1]))
            parts.append(whole[begin:end])
        return b"".join(parts)

    def _wound(self, data: bytes, before: tuple[int, int]) -> bytes:
        """A packet that breaks the counting where packets were destroyed, as counters may fit by chance."""
        begin, end = before
        pid = self._pid or 0
        head = bytes((pid >> 8, pid & 0xFF))
        for at in range(end - PACKET, begin - 1, -PACKET):
            if bytes((data[at + 1] & 0x1F, data[at + 2])) == head:
                counter = (data[at + 3] + 7) & 0x0F
                return bytes((SYNC, *head, 0x10 | counter)) + bytes(PACKET - 4)
        return b""

    def _begin(self, piece: Slice) -> None:
        self._file = self._open(piece.key)
        self._starts.append(self._at)
        self._counter = None
        begin, end = piece.ends.whole if piece.ends and piece.ends.whole else (0, piece.size)
        if begin:
            self._file.seek(begin)
        self._left = end - begin

    def _count(self, data: bytes, pid: int) -> None:
        """Count what begins a PES, and breaks of the continuity counter (ISO/IEC 13818-1 2.4.3.3)."""
        packets = np.frombuffer(data, dtype=np.uint8, count=len(data) // PACKET * PACKET).reshape(-1, PACKET)
        now = len(self._starts) - 1
        heads = np.ascontiguousarray(packets[:, :4]).view("<u4").ravel()
        ours = np.flatnonzero(heads & _PID_AND_PAYLOAD == (pid >> 8 << 8 | (pid & 0xFF) << 16 | _PAYLOAD))
        if not len(ours):
            return
        heads = heads[ours]
        self.starts_seen += int(np.count_nonzero(heads & _UNIT_START))
        counters = (heads >> 24 & 0x0F).astype(np.int16)
        last = int(counters[0]) - 1 if self._counter is None else self._counter
        jumps = np.flatnonzero(np.diff(counters, prepend=last) & 0x0F > 1)
        if len(jumps):  # a packet may come twice
            # A discontinuity may be announced in an adaptation field.
            fields = packets[ours[jumps], 3:6]
            announced = (fields[:, 0] & 0x20 != 0) & (fields[:, 1] > 0) & (fields[:, 2] & 0x80 != 0)
            if breaks := int(np.count_nonzero(~announced)):
                self.breaks[now] = self.breaks.get(now, 0) + breaks
        self._counter = int(counters[-1])

    def slice_at(self, position: int) -> int:
        """Index of the slice that holds a byte which was read."""
        return bisect_right(self._starts, position) - 1

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self._at

    def close(self) -> None:
        """Close the slice that is open."""
        if self._file is not None:
            self._file.close()
            self._file = None
