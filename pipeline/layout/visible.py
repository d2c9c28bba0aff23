"""What of a shot can be seen at all: who lies behind somebody else is neither decoded nor drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.layout.canvas import OPAQUE, Mode
from pipeline.layout.stage import Face

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.layout.canvas import Region
    from pipeline.layout.looks import Cell
    from pipeline.layout.stage import Shot

_SOLID = {Face.BLACK, Face.AVATAR}
_MOVING = {Face.LIVE, Face.HELD}


def visible(shot: Shot, cells: Sequence[Cell] = ()) -> tuple[Region, ...]:
    """The regions that show something, the hindmost first."""
    regions = [region for region in shot.scene.regions if shot.role(region).face is not Face.NOTHING]
    return tuple(
        region
        for n, region in enumerate(regions)
        if not any(_hides(shot, front, region, cells) for front in regions[n + 1 :])
    )


def covers(shot: Shot, region: Region, cells: Sequence[Cell] = ()) -> bool:
    """Whether nothing behind a region can be seen through it.

    Images may be transparent and hide nothing. Whose camera is on hides what is behind him, even in the
    moment before his first picture is decoded.
    """
    rounded = region.cell is not None and bool(cells) and cells[region.cell].radius > 0
    face = shot.role(region).face
    filled = face in _SOLID or (face in _MOVING and region.mode is not Mode.FIT)
    return filled and region.opacity == OPAQUE and not rounded


def _hides(shot: Shot, front: Region, region: Region, cells: Sequence[Cell]) -> bool:
    inside = (
        front.x <= region.x
        and front.y <= region.y
        and front.right >= region.right
        and front.bottom >= region.bottom
    )
    return inside and covers(shot, front, cells)
