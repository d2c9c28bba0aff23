"""Pictures in decoding order: one whose time stamp jumps is believed once the next does not contradict it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from pipeline.media.tally import BACKWARD, Tally
from pipeline.model.ledger import Sort
from pipeline.model.timeline import tolerance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.model.timeline import Placed

COPIED, ENCODED = -1, -2
Picture: TypeAlias = tuple[int, int, bool, bytes, int]
"""File ticks of presentation, ticks by which DTS is earlier, key frame, payload; then `COPIED`, `ENCODED`, or
the degrees clockwise of a picture that is to be re-encoded, whose payload still has start codes."""

UNTRUE = "time stamps of pictures in it cannot be true; they are shown after those before them"
REPEATED = "pictures in it that repeat time dropped"


class Order:
    """Pictures in decoding order; one that jumps is believed once the next one does not contradict it."""

    def __init__(self, tally: Tally, step: int) -> None:
        self._tally = tally
        self._step = step
        self._most = tolerance(step, sound=False)
        self._doubted: tuple[Picture, Placed] | None = None
        self._noted: set[tuple[str, str]] = set()
        self.last: Picture | None = None

    def goes_on(self, decoded: int) -> bool:
        """Whether a picture that is decoded at these file ticks follows on the last one."""
        last = self.last
        return last is not None and self._doubted is None and 0 < decoded - last[0] + last[1] <= self._most

    def take(self, picture: Picture, placed: Placed) -> Iterator[Picture]:
        """A picture that does not simply go on, and what waited for it."""
        if self._doubted is not None:
            yield from self._settled(*self._doubted, picture[0] - picture[1])
            self._doubted = None
        if self.last is None or self.goes_on(picture[0] - picture[1]):
            self.last = picture
            yield picture
        else:
            self._doubted = picture, placed

    def end(self) -> Iterator[Picture]:
        """What still waits."""
        if self._doubted is not None:
            yield from self._settled(*self._doubted, None)

    def _settled(self, doubted: Picture, placed: Placed, after: int | None) -> Iterator[Picture]:
        """The doubted picture at its own place, or between its neighbours if they are near each other."""
        if self.last is None:
            raise AssertionError(placed.piece.key)
        before, now = self.last[0] - self.last[1], doubted[0] - doubted[1]
        if after is not None and before < after and not before <= now <= after:
            self.note_once(placed, UNTRUE)
            doubted = min(before + self._step, (before + after) // 2), 0, *doubted[2:]
        elif now <= before - self._step // 2 or (now <= before and doubted[3] == self.last[3]):
            self._tally.drop(BACKWARD)
            self.note_once(placed, REPEATED)
            return
        self.last = doubted
        yield doubted

    def note_once(self, placed: Placed, what: str) -> None:
        """A repair, told once of a slice."""
        if (placed.piece.key, what) not in self._noted:
            self._noted.add((placed.piece.key, what))
            self._tally.note(Sort.REPAIR, what, placed.at, placed.piece.key)
