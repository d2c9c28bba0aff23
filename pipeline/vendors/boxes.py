"""Rectangles of a request: those that leave what they lie in, or of which no pixel is left, are told."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.layout.canvas import WHOLE, Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.layout.canvas import Canvas, Place
    from pipeline.vendors.fields import Fields

SLACK = Fraction(1, 1_000_000)
"""Fractions of pages have six decimals, so that thirds of a canvas may end this much outside it."""


def boxed(
    part: Fields,
    names: tuple[str, str, str, str],
    sides: Sequence[Fraction | int],
    size: tuple[int, int] = (1, 1),
) -> Box:
    """A rectangle that lies inside, as fractions; the whole where it does not.

    Args:
        part: has its fields.
        names: of the fields of its left and upper edge, its width and its height.
        sides: what they hold, fractions or pixels.
        size: of what it lies in, in the same unit.
    """
    if part.faulty(*names):
        return WHOLE
    x, y, w, h = (Fraction(side) for side in sides)
    for edge, length, (first, second), most in (
        (x, w, (names[0], names[2]), size[0]),
        (y, h, (names[1], names[3]), size[1]),
    ):
        if edge + length > most * (1 + SLACK):
            part.fault(second, f"with {first} at most {most}, not {float(edge + length):.10g}")
            return WHOLE
    if x >= size[0] or y >= size[1]:
        part.fault(names[2] if x >= size[0] else names[3], "nothing of it lies inside")
        return WHOLE
    right, bottom = min(x + w, Fraction(size[0])), min(y + h, Fraction(size[1]))
    return Box(x / size[0], y / size[1], (right - x) / size[0], (bottom - y) / size[1])


def shown(part: Fields, name: str, canvas: Canvas, place: Place) -> None:
    """Something of a region is left in whole pixels of the canvas; ``name`` is the field to blame."""
    try:
        canvas.region(0, place)
    except CommandError:
        part.fault(name, f"the region has no pixels on a canvas of {canvas}")
