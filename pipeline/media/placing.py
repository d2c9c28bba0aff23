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

FRAME = 1024
"""Samples that an AAC access unit advances its own clock by (ISO/IEC 14496-3 4.5.1.1)."""


class FileTime:
    """File ticks of UTC ticks by the plan's pieces, for questions that mostly go forward."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._now = 0

    def at(self, utc: int) -> int | None:
        """File ticks; None where the plan leaves that time out."""
        piece = self._pieces[self._now]
        if not piece.start <= utc < piece.end:
            found = next((n for n, p in enumerate(self._pieces) if p.start <= utc < p.end), None)
            if found is None:
                return None
            self._now, piece = found, self._pieces[found]
        return piece.at + utc - piece.start

    def utc_ms(self, at: int) -> int:
        """UTC milliseconds of file ticks that `at` gave."""
        piece = next(p for p in reversed(self._pieces) if p.at <= at)
        return ticks.to_ms(piece.start + at - piece.at)


@dataclass(slots=True)
class SoundTime:
    """Times of the sound samples written so far, in units of ``rate`` per second.

    Attributes:
        rate: the timescale.
        frames: samples (access units) so far, silent ones included.
        end: media time where the last of them ends.
        lead: time before the first of them that no whole frame fits into; an empty edit shows it.
    """

    rate: int
    frames: int = 0
    end: int = 0
    lead: int = 0
    fills: list[Fill] = field(default_factory=list)
    _odd: list[tuple[int, int]] = field(default_factory=list)

    def silence_before(self, at: int) -> int:
        """How many silent frames lead up to a frame that starts at ``at``; they are noted as written.

        By count from file zero the frame then starts within half a frame of ``at``, by time at ``at``
        exactly. ``at`` must not lie before `end` by more than the last frame's length.
        """
        count = max(0, (2 * (at - self.frames * FRAME) + FRAME) // (2 * FRAME))
        rest = at - self.end - count * FRAME
        if count:
            self.fills.append(Fill(self.frames, count))
        self.frames += count
        self.end = at
        if not self.frames:
            self.lead = at
        elif rest:
            self._stretch(rest, count)
        return count

    def surplus(self, at: int) -> int:
        """How many frames too many there are, by count, for a frame that starts at ``at``."""
        return max(0, (2 * (self.frames * FRAME - at) + FRAME - 1) // (2 * FRAME)) if self.frames else 0

    def _stretch(self, rest: int, count: int) -> None:
        """Give the last silent frame, or the last two where one would become too short, the remainder."""
        if count > 1 and rest < -FRAME // 2:
            self._odd += [(self.frames - 2, rest // 2), (self.frames - 1, rest - rest // 2)]
        else:
            self._odd.append((self.frames - 1, rest))

    def copy(self, count: int) -> None:
        """Note ``count`` frames that follow one another."""
        self.frames += count
        self.end += count * FRAME

    def silence_to(self, end: int) -> int:
        """How many whole silent frames fit, by count, before ``end``; they are noted as written."""
        count = max(0, (end - max(self.end, self.frames * FRAME)) // FRAME)
        if count:
            self.fills.append(Fill(self.frames, count))
            self.copy(count)
        return count

    def dts(self) -> NDArray[np.int64]:
        """Start of every sample, beginning with 0."""
        lengths = np.full(self.frames, FRAME, dtype=np.int64)
        for index, extra in self._odd:
            lengths[index] += extra
        starts = np.zeros(self.frames, dtype=np.int64)
        np.cumsum(lengths[:-1], out=starts[1:])
        return starts

    def ticks_at(self, media: int) -> int:
        """File ticks of a media time."""
        return ticks.ticks_of(media, self.rate)
