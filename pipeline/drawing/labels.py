"""Names of users in their regions, at the bottom-left, on a box that lets the picture shine through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.drawing.paint import painted
from pipeline.drawing.text import Drawn, shortened
from pipeline.media.compose.sprite import Sprite

if TYPE_CHECKING:
    from pipeline.drawing.fonts import Fonts
    from pipeline.layout.canvas import Region
    from pipeline.layout.fill import Rect
    from pipeline.layout.looks import Label

LEAST_SIZE, MOST_SIZE = 10, 28
_SHARE = 16
"""Of the region's height: so small are letters whose size nobody gave."""


def fitting(height: int) -> int:
    """The size of letters for a region of so many pixels."""
    return min(MOST_SIZE, max(LEAST_SIZE, height // _SHARE))


def label(text: str, label: Label, region: Region | Rect, fonts: Fonts) -> Drawn:
    """A name in the bottom-left corner of a region, cut with an ellipsis where it is too long.

    The box never leaves the region. There is no sprite where not even a letter has room, and none of no text.
    """
    size = label.size or fitting(region.h)
    beside, above = max(2, size // 3), max(1, size // 6)
    line = shortened(text, size, fonts, region.w - 2 * beside)
    if line is None or not line.runs:
        return Drawn(None)
    w, h = line.width + 2 * beside, line.height + 2 * above
    if h > region.h:
        return Drawn(None, line.lack)
    mask = line.mask(w, h, beside, above + line.ascent)
    pixels = painted(mask, label.colour, label.behind, label.opacity)
    return Drawn(Sprite(region.x, region.y + region.h - h, pixels), line.lack)
