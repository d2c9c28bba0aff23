"""How a picture fills a region: which part of it is shown, and where inside the region that lies.

Whoever draws, moving pictures or still ones, asks here, so that both do it alike. All edges lie on even
pixels because 4:2:0 pictures have one colour sample for 2x2 pixels; only where a picture ends on an odd pixel
may a part of it end there.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from pipeline.layout.canvas import WHOLE, Box, Mode, even

MOST_CUT = Fraction(1, 5)
"""TRTC, RenderMode 3: so much of a side is cut off at most, the rest is stretched (doc)."""
_LEAST = 2


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in pixels with an area, origin top-left."""

    x: int
    y: int
    w: int
    h: int

    def __post_init__(self) -> None:
        if min(self.x, self.y) < 0 or min(self.w, self.h) < 1:
            raise ValueError(f"a rectangle in a picture has an area and begins inside it: {self}")

    @property
    def right(self) -> int:
        """The pixel behind its last column."""
        return self.x + self.w

    @property
    def bottom(self) -> int:
        """The pixel below its last row."""
        return self.y + self.h


@dataclass(frozen=True, slots=True)
class Fill:
    """What is shown where.

    Attributes:
        source: the part of the picture, in its pixels.
        dest: where that is scaled to, in pixels of the region.
    """

    source: Rect
    dest: Rect


@lru_cache(maxsize=1024)
def fill(mode: Mode, picture: tuple[int, int], region: tuple[int, int], crop: Box = WHOLE) -> Fill:
    """How a picture fills a region.

    The vendors' modes, under our names: Agora renderMode 0 crop, 1 fit; TRTC RenderMode 0 stretch, 1 crop,
    2 fit, 3 smart; Volcengine RenderMode 0 stretch, 1 crop, 2 fit.

    Args:
        mode: crop covers the region and cuts off alike on both sides; fit lies in its middle.
        picture: width and height as shown, at least 1.
        region: width and height, even.
        crop: the part of the picture to show, of its width and height; as if the picture were no larger.

    >>> fill(Mode.FIT, (640, 480), (320, 180)).dest
    Rect(x=40, y=0, w=240, h=180)
    >>> fill(Mode.CROP, (640, 480), (320, 180)).source
    Rect(x=0, y=60, w=640, h=360)

    Raises:
        ValueError: a side is odd or too small.
    """
    if min(picture) < 1 or min(region) < _LEAST or any(side % 2 for side in region):
        raise ValueError(f"a picture of {picture} cannot fill a region of {region}")
    wide, high = crop.w * picture[0], crop.h * picture[1]
    inner = Rect(0, 0, *region)
    if mode is Mode.FIT:
        scale = min(region[0] / wide, region[1] / high)
        inner = _part(region, (wide * scale, high * scale), Fraction(1, 2), Fraction(1, 2))
    shown = _shown(mode, wide / high, Fraction(*region))
    middle = (crop.x + crop.w / 2, crop.y + crop.h / 2)
    return Fill(_part(picture, (wide * shown[0], high * shown[1]), *middle), inner)


def _shown(mode: Mode, have: Fraction, want: Fraction) -> tuple[Fraction, Fraction]:
    """How much of a picture's width and height is shown, by its aspect and the region's."""
    if mode not in {Mode.CROP, Mode.SMART}:
        return Fraction(1), Fraction(1)
    least = 1 - MOST_CUT if mode is Mode.SMART else Fraction(0)
    return max(least, min(Fraction(1), want / have)), max(least, min(Fraction(1), have / want))


def _part(whole: tuple[int, int], size: tuple[Fraction, Fraction], x: Fraction, y: Fraction) -> Rect:
    """The part of so many pixels around a point, which is a fraction of the whole's sides."""
    across, down = (_span(*each) for each in zip(whole, size, (x, y), strict=True))
    return Rect(across[0], down[0], across[1], down[1])


def _span(side: int, length: Fraction, middle: Fraction) -> tuple[int, int]:
    """Where a part of a side begins and how long it is; odd lengths reach the end of an odd side."""
    whole = min(side, max(_LEAST, even(length)))
    if whole == side:
        return 0, side
    start = even(max(Fraction(0), middle * side - Fraction(whole, 2)))
    return min(start, (side - whole) // 2 * 2), whole
