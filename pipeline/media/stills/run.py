"""The stills of a run: which of its slices are read, and its pictures on UTC."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from pipeline.media.pictures.bitstream import bitstream
from pipeline.media.pictures.sieve import Sieve, shape_at
from pipeline.media.runs import open_run
from pipeline.media.stills.decode import StillDecoder, Unit
from pipeline.media.stills.window import EarlierError, Window
from pipeline.media.tally import Tally
from pipeline.model import ticks
from pipeline.model.clock import stretched
from pipeline.model.shapes import shapes_of
from pipeline.model.slices import Medium
from pipeline.model.snapshots import slice_at

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from pipeline.media.packet import Packets
    from pipeline.media.stills.decode import Taken
    from pipeline.model.timeline import Run

STEP = 1 << 20
"""Bytes after which progress is told."""


@dataclass(frozen=True, slots=True)
class RunStills:
    """Takes the pictures of one run.

    Attributes:
        run: the run.
        opened: opens a slice's key for reading.
        nearest: ticks by which a key frame may be earlier or later that takes a moment's place; 0 for none.
        width: of the pictures; None for the size in which they were sent.
        progress: called now and then with bytes read since the last call.
    """

    run: Run
    opened: Callable[[str], BinaryIO]
    nearest: int
    width: int | None
    progress: Callable[[int], None]

    def take(self, moments: Sequence[int]) -> Iterator[Taken]:
        """The pictures at UTC ticks, which rise, one for each in their order.

        Slices between moments that are far apart are not read, unless a group of pictures reaches over them.

        Raises:
            Surprise: the slices are not what their ends promised.
            OSError: a slice cannot be read.
        """
        waiting = dict(enumerate(moments))
        ready: dict[int, Taken] = {}
        back, skips, due = 0, True, 0
        while waiting:
            asked = self._together(waiting) if skips else list(waiting.items())
            first = max(0, slice_at(self.run, asked[0][1]) - back)
            decoder = StillDecoder(_codec_of(self.run), self.width)
            window = Window(asked, self.nearest, decoder, whole=first == 0)
            with closing(self._units(first, slice_at(self.run, asked[-1][1] + self.nearest))) as units:
                try:
                    for taken in window.of(units):
                        del waiting[taken.number]
                        ready[taken.number] = taken
                        while due in ready:
                            yield ready.pop(due)
                            due += 1
                except EarlierError:
                    back, skips = 2 * back + 1, False
                    continue
            back = 0

    def _together(self, waiting: dict[int, int]) -> list[tuple[int, int]]:
        """The first moments, up to where a slice or more lies between two."""
        out: list[tuple[int, int]] = []
        before = 0
        for number, at in waiting.items():
            here = slice_at(self.run, at)
            if out and here > before + 1:
                break
            out.append((number, at))
            before = here
        return out

    def _units(self, first: int, last: int) -> Generator[Unit]:
        """The pictures of some slices, and of the one behind them as far as somebody asks for it."""
        part = replace(self.run, placed=self.run.placed[first : last + 2])
        packets = open_run(self.opened, [placed.piece for placed in part.placed], Medium.VIDEO)
        seen = 0
        try:
            for unit in _placed(part, packets):
                yield unit
                if packets.position - seen >= STEP:
                    self.progress(packets.position - seen)
                    seen = packets.position
        finally:
            self.progress(packets.position - seen)
            packets.close()


def _placed(run: Run, packets: Packets) -> Iterator[Unit]:
    """The pictures of a run on UTC, in decoding order, without those that are damaged."""
    stream = bitstream(_codec_of(run))
    shapes = [shapes_of(placed) for placed in run.placed]
    sieve = Sieve(run, shapes, Tally(), lambda *_: None, lambda _: False)
    bases = [(p.piece.ends.first if p.piece.ends else 0, p.at, p.slope_ppb) for p in run.placed]
    for packet in packets:
        pts, dts, piece, data, _ = packet
        zero, base, slope = bases[piece]
        after = 0 if pts is None else ticks.forward(pts, zero)
        at = base + (stretched(after, slope) if slope else after)
        unit = stream.unit(data)
        if sieve.drops(packet, unit, at) or pts is None:
            continue
        early = 0 if dts is None or dts == pts else max(0, ticks.forward(pts, dts))
        clockwise = shape_at(shapes[piece], after).clockwise
        yield Unit(at, at - early, unit.key, not stream.hidden(data), data, clockwise)


def _codec_of(run: Run) -> str:
    ends = run.placed[0].piece.ends
    if ends is None:
        raise AssertionError(run.placed[0].piece.key)  # runs hold readable slices only
    return ends.form.codec
