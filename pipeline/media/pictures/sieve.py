"""Access units that do not just go by: whether each is left out, and what the ledger says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.media.pictures.entry import FARTHEST_AHEAD
from pipeline.media.tally import DAMAGED, INCOMPLETE, NO_PICTURE, NO_PTS, Surprise
from pipeline.model import ticks
from pipeline.model.ledger import Sort

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.media.annexb import AccessUnit
    from pipeline.media.packet import Packet
    from pipeline.media.tally import Tally
    from pipeline.model.shapes import Shape
    from pipeline.model.timeline import Run

KEY_WITHIN = FARTHEST_AHEAD
"""After a hole, pictures are dropped up to a key frame that comes within this; else kept and flagged."""


class Sieve:
    """What of a run's access units is left out.

    Args:
        run: the run.
        shapes: of each of its slices, as `shapes_of` gives them.
        tally: where to note what is left out.
        announced: told of an access unit that tells codec parameters, with the shape planned for it and the
            key of its slice.
        announces: whether an access unit does.
    """

    def __init__(
        self,
        run: Run,
        shapes: Sequence[tuple[tuple[int, Shape], ...]],
        tally: Tally,
        announced: Callable[[AccessUnit, Shape, str], None],
        announces: Callable[[AccessUnit], bool],
    ) -> None:
        self._run = run
        self._shapes = shapes
        self._tally = tally
        self._announced = announced
        self._announces = announces
        self.cut = [p.piece.ends.cut if p.piece.ends else None for p in run.placed]
        self.waits = False  # for a key frame, after damage
        self._since = 0

    def drops(self, packet: Packet, unit: AccessUnit, utc: int) -> bool:
        """Whether an access unit is left out; raises `Surprise` where the plan must change."""
        pts, _, piece, _, torn = packet
        tally, placed = self._tally, self._run.placed[piece]
        if pts is not None and pts == self.cut[piece]:
            tally.drop(INCOMPLETE)
            return True
        if self._is_damaged(unit, utc, torn=torn):
            tally.drop(DAMAGED)
            return True
        if self._announces(unit):
            first = placed.piece.ends.first if placed.piece.ends else 0
            shape = shape_at(self._shapes[piece], 0 if pts is None else ticks.forward(pts, first))
            self._announced(unit, shape, placed.piece.key)
        if unit.pictures > 1:
            raise Surprise(f"{placed.piece.key} has several pictures in one PES packet")
        reason = NO_PICTURE if not unit.pictures else NO_PTS if pts is None else ""
        if reason:
            tally.drop(reason)
            tally.note(Sort.LOSS, f"a packet with {reason} dropped", placed.at, placed.piece.key)
        return bool(reason)

    def _is_damaged(self, unit: AccessUnit, utc: int, *, torn: bool) -> bool:
        """What refers to a damaged picture is damaged too, up to a key frame that comes soon."""
        if torn:
            self._since = self._since if self.waits else utc
            self.waits = True
        elif unit.key or utc - self._since > KEY_WITHIN:
            self.waits = False
        return self.waits


def shape_at(shapes: tuple[tuple[int, Shape], ...], after: int) -> Shape:
    """The shape that holds ``after`` ticks behind a slice's first PTS."""
    return next((shape for begins, shape in reversed(shapes) if begins <= after), shapes[0][1])
