"""Where packets go on the file's time line: pictures by their PTS, sound by PTS and by sample count at once.

Pure arithmetic on integers, apart from the demuxers that feed it. Players differ: some believe the time
stamps of sound, most (and every transcoder) count samples and close small holes. So holes are filled with
whole silent frames whose number is computed from file zero, never from hole to hole, and what is left over
goes into the last frame's duration: by time sound is exact, by count it is within half a frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pipeline.model import ticks
from pipeline.model.manifest import Fill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.model.decisions import Piece


class FileTime:
    """File ticks of UTC ticks by the plan's pieces, for questions that mostly go forward."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._now = 0

    def at(self, utc: int, early: int = 0) -> int | None:
        """File ticks; None where the plan leaves that time out.

        Of media up to ``early`` ticks before file zero they are negative: a decoder needs it.
        """
        piece = self._pieces[self._now]
        if not piece.start <= utc < piece.end:
            found = next((n for n, p in enumerate(self._pieces) if p.start <= utc < p.end), None)
            if found is None:
                before = self._pieces[0].start - utc
                return -before if 0 < before <= early else None
            self._now, piece = found, self._pieces[found]
        return piece.at + utc - piece.start

    def piece_at(self, at: int) -> Piece:
        """The piece of the plan that file ticks lie in, 0 or later."""
        return next(p for p in reversed(self._pieces) if p.at <= at)

    def utc_ms(self, at: int) -> int:
        """UTC milliseconds of file ticks that `at` gave, 0 or later."""
        piece = self.piece_at(at)
        return ticks.to_ms(piece.start + at - piece.at)


@dataclass(slots=True)
class SoundTime:
    """Times of the sound samples written so far, in units of ``rate`` per second.

    Attributes:
        rate: the timescale.
        frame: how long a silent frame is; those that are copied may have other lengths.
        frames: how many (access units) so far, silent ones included.
        counted: where the last of them ends for a player that counts samples from file zero.
        end: media time where it ends.
        lead: time before the first of them that no whole frame fits into, which an empty edit shows; negative
            where it begins before file zero, so that an edit must skip its beginning.
        shortest: the length of the shortest.
    """

    rate: int
    frame: int
    frames: int = 0
    counted: int = 0
    end: int = 0
    lead: int = 0
    shortest: int = 0
    fills: list[Fill] = field(default_factory=list)
    _last: int = 0  # length of the last frame
    _others: list[tuple[int, int, int]] = field(default_factory=list)  # first, count, length: not `frame`
    _odd: list[tuple[int, int]] = field(default_factory=list)

    @property
    def earliest(self) -> int | None:
        """The earliest media time for what comes next; None before the first frame."""
        return self.end - self._last // 2 if self.frames else None

    def silence_before(self, at: int) -> int:
        """How many silent frames lead up to a frame that starts at ``at``; they are noted as written.

        By count from file zero the frame then starts within half a silent frame of ``at``, by time at ``at``
        exactly. ``at`` must not lie before `earliest`.
        """
        count = max(0, (2 * (at - self.counted) + self.frame) // (2 * self.frame))
        rest = at - self.end - count * self.frame
        if count:
            self._silence(count)
        if not self.frames:
            self.lead, self.counted = at, min(0, at)
        elif rest:
            self._stretch(rest, count)
        self.end = at
        return count

    def surplus(self, at: int, each: int, most: int) -> int:
        """How many frames of ``each`` samples must not come, by count, where the first would start at ``at``.

        Args:
            at: media time.
            each: their length.
            most: how many there are.
        """
        excess = 2 * (self.counted - at) if self.frames else 0
        return min(most, max(0, -(-(excess - min(each, self.frame)) // (2 * each))))

    def _silence(self, count: int) -> None:
        self.fills.append(Fill(self.frames, count))
        self.copy(count, self.frame)

    def _stretch(self, rest: int, count: int) -> None:
        """Give the last silent frame, or the last two where one would become too short, the remainder."""
        if count > 1 and rest < -self.frame // 2:
            self._odd += [(self.frames - 2, rest // 2), (self.frames - 1, rest - rest // 2)]
        else:
            self._odd.append((self.frames - 1, rest))

    def copy(self, count: int, each: int) -> None:
        """Note ``count`` frames of ``each`` samples that follow one another."""
        if each != self._last:
            self._last = each
            self.shortest = min(self.shortest or each, each)
        if each != self.frame:
            self._note_length(count, each)
        self.frames += count
        self.counted += count * each
        self.end += count * each

    def _note_length(self, count: int, each: int) -> None:
        first, before, length = self._others[-1] if self._others else (0, 0, 0)
        if length == each and first + before == self.frames:
            self._others[-1] = first, before + count, each
        else:
            self._others.append((self.frames, count, each))

    def silence_to(self, end: int) -> int:
        """How many whole silent frames fit, by count, before ``end``; they are noted as written."""
        count = max(0, (end - max(self.end, self.counted)) // self.frame)
        if count:
            self._silence(count)
        return count

    def dts(self) -> NDArray[np.int64]:
        """Start of every sample, beginning with 0."""
        lengths = np.full(self.frames, self.frame, dtype=np.int64)
        for first, count, each in self._others:
            lengths[first : first + count] = each
        for index, extra in self._odd:
            lengths[index] += extra
        starts = np.zeros(self.frames, dtype=np.int64)
        np.cumsum(lengths[:-1], out=starts[1:])
        return starts

    def ticks_at(self, media: int) -> int:
        """File ticks of a media time."""
        return ticks.ticks_of(media, self.rate)
