"""A run of WebM slices as packets: one slice after another, each with its own header and its own times."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pipeline.media.packet import Packet
from pipeline.media.tally import Surprise
from pipeline.media.webm.blocks import packets
from pipeline.model.ticks import WRAP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.model.slices import Slice


class WebmRun:
    """The packets of a run; implements `Packets`.

    A picture behind damage is torn, for what it refers to may be missing; sound refers to nothing.

    Args:
        open_slice: opens a key for reading.
        pieces: the run's slices.
    """

    def __init__(self, open_slice: Callable[[str], BinaryIO], pieces: Sequence[Slice]) -> None:
        self._open = open_slice
        self._pieces = pieces
        self._file: BinaryIO | None = None
        self.breaks: dict[int, int] = {}
        self.skipped: dict[int, int] = {}
        self.lost = 0
        self.position = 0

    def __iter__(self) -> Iterator[Packet]:
        for index, piece in enumerate(self._pieces):
            yield from self._slice(index, piece)
            self.position += piece.size

    def _slice(self, index: int, piece: Slice) -> Iterator[Packet]:
        pictures = piece.ends is None or not piece.ends.form.rate
        self.close()
        self._file = self._open(piece.key)
        try:
            reader = packets(self._file, piece.size)
            places = 0
            for ticks, key, data, _ in reader:
                stamp = ticks % WRAP
                torn = pictures and not key and reader.damage.places > places
                places = reader.damage.places
                yield Packet(stamp, stamp, index, data, torn)
        except ValueError as error:
            raise Surprise(f"{piece.key} cannot be read: {error}") from error
        except OSError as error:
            error.filename = error.filename or piece.key
            raise
        damage = reader.damage
        if damage.places:
            self.breaks[index] = damage.places
        if damage.bytes:
            self.skipped[index] = damage.bytes

    def close(self) -> None:
        """Close the slice that is open."""
        if self._file is not None:
            self._file.close()
            self._file = None
