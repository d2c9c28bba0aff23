"""The frames of a run on UTC: by their PTS where they begin, by their count as long as PTS agree."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from pipeline.media.drift import Piece, Steady
from pipeline.media.tally import BACKWARD, Tally
from pipeline.model import ticks
from pipeline.model.ledger import Sort

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.media.packet import Packets
    from pipeline.media.sound.coding import Coding
    from pipeline.media.sound.codings import Codings
    from pipeline.model.timeline import Placed, Run

FAR = 10 * ticks.TICKS
"""A PTS that lies this far outside of its slice is a reset or damage that its ends did not show."""


class _Block(NamedTuple):
    """Frames of ``each`` samples, the UTC ticks of the first by its PTS, and their slice."""

    utc: int | None
    frames: list[bytes]
    each: int
    placed: Placed
    coding: Coding


class Reader:
    """Frames of a track, run by run.

    Args:
        codings: those that the plan knows of.
        tally: where what cannot be used is counted and told.
    """

    def __init__(self, codings: Codings, tally: Tally) -> None:
        self._codings, self._tally = codings, tally
        self._doubtful: set[str] = set()

    def read(
        self, run: Run, packets: Packets, kept: Coding | None
    ) -> Iterator[tuple[Coding, Iterator[Piece]]]:
        """The frames of a run with their places, in turn of each coding; all of one before the next.

        Args:
            run: the run.
            packets: its packets.
            kept: what is copied; of what is not, the count of samples follows the sender's clock.

        Raises:
            Surprise: a coding that the plan does not know of.
            OSError: a slice cannot be read.
        """
        self._first: int | None = None
        self._end = run.start
        for coding, blocks in groupby(self._stamped(run, packets), attrgetter("coding")):
            slope = 0 if coding is kept else run.slope_ppb
            yield coding, self._counted(blocks, Steady(coding.rate, coding.frame, slope))
        self._tally.reached(run, self._first, self._end)

    def _counted(self, blocks: Iterable[_Block], steady: Steady) -> Iterator[Piece]:
        """Frames with their places; by count, as long as the PTS agree.

        A PTS far from the count is believed once the next one does not contradict it.
        """
        doubted: _Block | None = None
        plain = steady.plain
        for block in blocks:
            frames, each = block.frames, block.each
            if doubted is None and (utc := plain(block.utc, len(frames) * each)) is not None:
                yield Piece(utc, frames, each, anew=False)
                continue
            expected = steady.expected
            if expected is None:
                utc = self._end if block.utc is None else block.utc
                self._first = utc if self._first is None else self._first
                yield from steady.begin(utc, frames, each)
                continue
            if doubted is not None:
                by_count = expected + steady.after(len(doubted.frames) * doubted.each)
                if block.utc is not None and steady.near(block.utc, by_count):
                    self._note_once(doubted.placed, "a time stamp")
                    yield from steady.take(None, doubted.frames, doubted.each)
                else:
                    yield from self._anew(steady, doubted)
                doubted = None
            if block.utc is not None and steady.strays(block.utc):
                doubted = block
            else:
                yield from steady.take(block.utc, frames, each)
        if doubted is not None:
            yield from self._anew(steady, doubted)
        yield from steady.end()
        self._end = self._end if steady.expected is None else steady.expected

    def _stamped(self, run: Run, packets: Packets) -> Iterator[_Block]:
        """Frames with the UTC of their first by PTS; a PTS far outside of its slice is not believed."""
        bounds = [(placed.at - FAR, placed.end + FAR) for placed in run.placed]
        blocks = self._codings.of_run(run).blocks(run, packets, self._tally, self._codings)
        for pts, piece, frames, each, coding, begun in blocks:
            placed = run.placed[piece]
            utc = None if pts is None else placed.utc(pts)
            if begun and utc is not None:
                utc -= ticks.ticks_of(begun, coding.rate)
            low, high = bounds[piece]
            if utc is not None and not low <= utc <= high:
                self._note_once(placed, "time stamps")
                utc = None
            yield _Block(utc, frames, each, placed, coding)

    def _note_once(self, placed: Placed, what: str) -> None:
        if placed.piece.key not in self._doubtful:
            self._doubtful.add(placed.piece.key)
            sentence = f"{what} of sound in it cannot be true; it goes on by its count"
            self._tally.note(Sort.REPAIR, sentence, placed.at, placed.piece.key)

    def _anew(self, steady: Steady, block: _Block) -> Iterator[Piece]:
        """Frames that begin anew by their PTS, without those that were heard already."""
        frames, utc, expected = block.frames, block.utc, steady.expected
        if utc is None or expected is None:
            raise AssertionError(block.placed.piece.key)
        if utc < expected:
            step = steady.after(block.each)
            heard = min(len(frames), -(-(expected - utc) // step))
            self._tally.drop(BACKWARD, heard)
            self._tally.note(
                Sort.REPAIR, f"{heard} sound frames that repeat time dropped", utc, block.placed.piece.key
            )
            frames, utc = frames[heard:], utc + heard * step
        if frames:
            yield from steady.begin(utc, frames, block.each)
