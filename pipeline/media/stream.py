"""A run's slices as one byte stream with one file open at a time, and which slice each byte came from."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.model.slices import Slice

PACKET = 188
BUFFER = 1 << 18
"""Bytes FFmpeg asks for at a time: large enough that the calls into Python cost nothing."""


class SliceStream:
    """What FFmpeg's demuxer reads a run from; it can read on and nothing else.

    Args:
        open_slice: opens a key for reading in binary; raises OSError.
        pieces: the run's slices in order; of each only its whole TS packets are read.
        pid: the packets whose payload_unit_start_indicator is counted, as a check on the demuxer.
    """

    def __init__(
        self, open_slice: Callable[[str], BinaryIO], pieces: Sequence[Slice], pid: int | None = None
    ) -> None:
        self._open = open_slice
        self._pieces = pieces
        self._pid = pid
        self.starts_seen = 0
        self.failure: BaseException | None = None
        self._file: BinaryIO | None = None
        self._left = 0
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
            self.failure = error
            return b""

    def _next(self, size: int) -> bytes:
        while True:
            if self._file is None:
                if len(self._starts) == len(self._pieces):
                    return b""
                self._begin(self._pieces[len(self._starts)])
            data = self._file.read(min(size, self._left)) if self._file else b""
            if data:
                self._at += len(data)
                self._left -= len(data)
                if self._pid is not None:
                    self.starts_seen += _starts(data, self._pid)
                return data
            self.close()

    def _begin(self, piece: Slice) -> None:
        self._file = self._open(piece.key)
        self._starts.append(self._at)
        begin, end = piece.ends.whole if piece.ends and piece.ends.whole else (0, piece.size)
        if begin:
            self._file.seek(begin)
        self._left = end - begin

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


def _starts(data: bytes, pid: int) -> int:
    """TS packets of a PID that begin a PES (ISO/IEC 13818-1 2.4.3.2)."""
    packets = np.frombuffer(data, dtype=np.uint8, count=len(data) // PACKET * PACKET).reshape(-1, PACKET)
    begins = (packets[:, 1] & 0x5F) == (0x40 | pid >> 8)
    return int(np.count_nonzero(begins & (packets[:, 2] == pid & 0xFF)))
