"""Sound kept by count as long as its time stamps agree, and taken back to them where they part.

Inside a run a frame stands where the count of samples puts it. A sender whose clock runs fast or slow, or who
left out a single frame, makes count and time part slowly or by a step; then sound begins anew by its time, at
the step or where it is least heard. Pure arithmetic on integers; whether a whole frame goes in or out there
is a matter of the count from file zero.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from pipeline.model import ticks
from pipeline.model.clock import stretched

if TYPE_CHECKING:
    from collections.abc import Iterator

WINDOW = 5 * ticks.TICKS
"""Within this the quietest place for an edit is looked for."""
APART = ticks.from_ms(9)
"""Time stamps may differ from the count by this, or half a silent frame if that is less. 10 ms are promised:
while a difference is confirmed, a clock that is off by 500 ppm adds half a millisecond."""
CONFIRMS = ticks.TICKS
"""Time stamps that differ from the count for this long are no jitter."""
SLACK = 150
"""Hundredths of a silent frame by which a PTS may differ from the count before the count is given up."""


class Piece(NamedTuple):
    """Frames of ``each`` samples from UTC ticks ``utc`` on; ``anew`` where they leave the count."""

    utc: int
    frames: list[bytes]
    each: int
    anew: bool


class _Block(NamedTuple):
    off: int  # ticks by which its time stamp is later than the count
    utc: int
    frames: list[bytes]
    each: int

    @property
    def samples(self) -> int:
        return len(self.frames) * self.each


class Steady:
    """The blocks of frames of one run with their places.

    Args:
        rate: samples per second.
        frame: samples of a silent frame.
        slope_ppb: how much longer than that a sample takes by UTC.
    """

    def __init__(self, rate: int, frame: int, slope_ppb: int = 0) -> None:
        self._rate, self._slope = rate, slope_ppb
        self._step = ticks.ticks_of(frame, rate)
        self._slack = self._step * SLACK // 100
        self._anchor: int | None = None
        self._count = 0  # samples since the anchor, waiting ones included
        self._waiting: deque[_Block] = deque()
        self._held = 0  # samples that wait
        self._apart = min(APART, self._step // 2)
        self._near = self._apart // 2
        self._off = 0  # of the last frames that did not wait

    @property
    def expected(self) -> int | None:
        """UTC ticks of the next frame by count; None before the first."""
        return None if self._anchor is None else self._anchor + self.after(self._count)

    def strays(self, utc: int) -> bool:
        """Whether a time stamp is so far from the count that frames begin anew there."""
        expected = self.expected
        return expected is None or not self.near(utc, expected)

    def near(self, utc: int, expected: int) -> bool:
        """Whether a time stamp may be that of frames whose place is ``expected``."""
        return abs(utc - expected) <= self._slack

    def after(self, samples: int) -> int:
        """Ticks of so many samples."""
        length = ticks.ticks_of(samples, self._rate)
        return stretched(length, self._slope) if self._slope else length

    def plain(self, utc: int | None, samples: int) -> int | None:
        """UTC ticks of frames that go on by count and need not wait, as nearly all do; None for others."""
        if utc is None or self._anchor is None or self._waiting:
            return None
        expected = self._anchor + self.after(self._count)
        if not -self._near <= utc - expected <= self._near:
            return None
        self._off = utc - expected
        self._count += samples
        return expected

    def begin(self, utc: int, frames: list[bytes], each: int) -> Iterator[Piece]:
        """Frames that begin anew."""
        yield from self.end()
        self._anchor, self._count, self._off = utc, len(frames) * each, 0
        yield Piece(utc, frames, each, anew=True)

    def take(self, utc: int | None, frames: list[bytes], each: int) -> Iterator[Piece]:
        """Frames that go on; ``utc`` is what their time stamp says, None without one."""
        expected = self.expected
        if expected is None:
            raise AssertionError("frames go on before any began")
        off = (self._waiting[-1].off if self._waiting else self._off) if utc is None else utc - expected
        block = _Block(off, expected + off, frames, each)
        self._waiting.append(block)
        self._count += block.samples
        self._held += block.samples
        if self._parted():
            yield from self._edit()
        while self.after(self._held) > WINDOW or (self._waiting and abs(self._waiting[-1].off) <= self._near):
            yield self._out()

    def end(self) -> Iterator[Piece]:
        """What waits."""
        while self._waiting:
            yield self._out()

    def _out(self) -> Piece:
        block = self._waiting.popleft()
        self._held -= block.samples
        self._off = block.off
        return Piece(block.utc - block.off, block.frames, block.each, anew=False)

    def _parted(self) -> bool:
        """Whether all time stamps of the last second are off the count by too much, to one side."""
        last = self._waiting[-1]
        if abs(last.off) <= self._apart:
            return False
        seen = 0
        for block in reversed(self._waiting):
            if abs(block.off) <= self._apart or (block.off > 0) != (last.off > 0):
                return False
            seen += block.samples
            if self.after(seen) >= CONFIRMS:
                return True
        return False

    def _edit(self) -> Iterator[Piece]:
        """Begin anew by time where the time stamps left the count, or where it is least heard."""
        blocks = list(self._waiting)
        at, frame = _jump(blocks, self._off, self._step) or _quietest(blocks)
        for _ in range(at):
            yield self._out()
        block, *rest = self._waiting
        self._waiting.clear()
        self._held = 0
        if frame:
            yield Piece(block.utc - block.off, block.frames[:frame], block.each, anew=False)
        kept, start = block.frames[frame:], block.utc + self.after(frame * block.each)
        self._anchor, self._count, self._off = start, len(kept) * block.each, 0
        yield Piece(start, kept, block.each, anew=True)
        for later in rest:
            yield from self.take(later.utc, later.frames, later.each)


def _jump(blocks: list[_Block], off: int, step: int) -> tuple[int, int] | None:
    """The block before which the time stamps leave the count at once: a frame is missing or too many."""
    for at, block in enumerate(blocks):
        if 2 * abs(block.off - off) > step:
            return at, 0
        off = block.off
    return None


def _quietest(blocks: list[_Block]) -> tuple[int, int]:
    """Block and frame with the fewest bytes: silence and soft sound take few."""
    places = ((len(f), at, n) for at, block in enumerate(blocks) for n, f in enumerate(block.frames))
    _, at, number = min(places)
    return at, number
