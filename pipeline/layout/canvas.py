"""Canvas, boxes and regions: fractions of a canvas become whole even pixels here, and nowhere else.

4:2:0 pictures have one colour sample for 2x2 pixels, so every edge of a region lies on an even pixel. Edges
are rounded, not sizes: boxes that touch stay touching, boxes that do not overlap never do, and no edge is
further than one pixel from its fraction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from pipeline.errors import CommandError

LEAST_SIDE, MOST_SIDE = 2, 8192
OPAQUE = 255
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,12}|/[1-9][0-9]{0,8})?", re.ASCII)
_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})", re.ASCII)


class Mode(StrEnum):
    """How a picture fills its region; the clouds number these differently."""

    STRETCH = "stretch"  # to the region's size, whatever that does to it
    CROP = "crop"  # cover the region, the rest is cut off
    FIT = "fit"  # lie inside the region, the rest is background
    SMART = "smart"  # crop at most a fifth of a side, stretch the rest


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in fractions of the canvas, origin top-left; it lies inside the canvas and has an area.

    Raises:
        CommandError: it does not.
    """

    x: Fraction
    y: Fraction
    w: Fraction
    h: Fraction

    def __post_init__(self) -> None:
        if min(self.x, self.y) < 0 or min(self.w, self.h) <= 0:
            raise CommandError(f"the region {self} has no area or begins outside the canvas.")
        if max(self.right, self.bottom) > 1:
            raise CommandError(f"the region {self} ends outside the canvas.")

    def __str__(self) -> str:
        return ",".join(f"{float(side):g}" for side in (self.x, self.y, self.w, self.h))

    @property
    def right(self) -> Fraction:
        """Where it ends."""
        return self.x + self.w

    @property
    def bottom(self) -> Fraction:
        """Where it ends."""
        return self.y + self.h

    @property
    def mirrored(self) -> Box:
        """The same on the other side of the canvas."""
        return Box(1 - self.right, self.y, self.w, self.h)


ZERO = Fraction(0)
WHOLE = Box(ZERO, ZERO, Fraction(1), Fraction(1))


@dataclass(frozen=True, slots=True)
class Place:
    """A box with its depth and its way to fill it: what a template has for a user.

    Attributes:
        box: where.
        mode: how a picture fills it.
        z: larger is further in front.
        opacity: 0 to 255.
    """

    box: Box
    mode: Mode = Mode.CROP
    z: int = 0
    opacity: int = OPAQUE


@dataclass(frozen=True, slots=True)
class Region:
    """Where one user is drawn, in pixels of the canvas; even, with an area.

    Attributes:
        seat: index of the user in the order of joining, from 0.
        x: left edge; ``y`` the upper one.
        y: as x.
        w: width; ``h`` the height.
        h: as w.
        z: larger is further in front.
        mode: how the picture fills it.
        opacity: 0 to 255.
        cell: index of the custom layout's cell that it is; None in templates.
    """

    seat: int
    x: int
    y: int
    w: int
    h: int
    z: int = 0
    mode: Mode = Mode.CROP
    opacity: int = OPAQUE
    cell: int | None = None

    def __post_init__(self) -> None:
        sides = (self.x, self.y, self.w, self.h)
        if any(side % 2 for side in sides) or min(self.x, self.y) < 0 or min(self.w, self.h) <= 0:
            raise ValueError(f"a region lies on even pixels of the canvas and has an area: {self}")
        if not 0 <= self.opacity <= OPAQUE:
            raise ValueError(f"an opacity is 0 to {OPAQUE}: {self}")

    @property
    def right(self) -> int:
        """The pixel behind its last column."""
        return self.x + self.w

    @property
    def bottom(self) -> int:
        """The pixel below its last row."""
        return self.y + self.h

    def overlaps(self, other: Region) -> bool:
        """Whether they share a pixel."""
        beside = self.right <= other.x or other.right <= self.x
        return not beside and not (self.bottom <= other.y or other.bottom <= self.y)


@dataclass(frozen=True, slots=True)
class Canvas:
    """The whole picture: even sides in pixels, and the colour where nobody is, as ``#RRGGBB``.

    Raises:
        CommandError: a side is odd or out of bounds, or the colour is none.
    """

    width: int
    height: int
    background: str = "#000000"

    def __post_init__(self) -> None:
        for name, side in (("width", self.width), ("height", self.height)):
            if side % 2 or not LEAST_SIDE <= side <= MOST_SIDE:
                raise CommandError(
                    f"a canvas' {name} is an even number from {LEAST_SIDE} to {MOST_SIDE}, not {side}."
                )
        if not _COLOUR.fullmatch(self.background):
            raise CommandError(f"a background is a colour such as #1a2b3c, not {self.background!r}.")

    @classmethod
    def parse(cls, text: str) -> Canvas:
        """A canvas of a size such as ``1280x720``.

        Raises:
            CommandError: it is none.
        """
        found = _SIZE.fullmatch(text)
        if not found:
            raise CommandError(f"a size is WIDTHxHEIGHT in pixels, such as 1280x720, not {text!r}.")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    def region(self, seat: int, place: Place) -> Region:
        """A place in pixels, each edge at the even pixel nearest to its fraction, halves away from zero.

        Volcengine rounds 1920 x 0.33 = 633.6 to 634, and so does this (StartRecord, LocationX).

        Raises:
            CommandError: nothing of it is left on so small a canvas.
        """
        box = place.box
        left, right = (even(side * self.width) for side in (box.x, box.right))
        top, bottom = (even(side * self.height) for side in (box.y, box.bottom))
        if left == right or top == bottom:
            raise CommandError(
                f"a canvas of {self} is too small: the region of user {seat + 1} has no pixels."
            )
        return Region(seat, left, top, right - left, bottom - top, place.z, place.mode, place.opacity)

    def parse_region(self, text: str) -> tuple[Box, int]:
        """A box and its z, of ``X,Y,W,H`` or ``X,Y,W,H,Z``: fractions if none is above 1, else whole pixels.

        >>> str(Canvas(640, 480).parse_region("1/2,0,0.5,1")[0])
        '0.5,0,0.5,1'
        >>> str(Canvas(640, 480).parse_region("320,0,320,480,2")[0])
        '0.5,0,0.5,1'

        Raises:
            CommandError: it is none, or it leaves the canvas.
        """
        parts = text.split(",")
        if len(parts) not in {4, 5} or not all(_NUMBER.fullmatch(part) for part in parts):
            raise CommandError(f"a region is X,Y,W,H or X,Y,W,H,Z in fractions or in pixels, not {text!r}.")
        numbers = [Fraction(part) for part in parts]
        z = numbers[4] if len(numbers) > len("xywh") else ZERO
        sides = numbers[:4]
        if max(sides) > 1:
            if any(side.denominator > 1 for side in numbers):
                raise CommandError(f"the region {text!r} is in pixels: give whole numbers.")
            return self.box(*map(int, sides)), int(z)
        if z.denominator > 1:
            raise CommandError(f"the region {text!r} has a z that is no whole number.")
        return Box(*sides), int(z)

    def box(self, x: int, y: int, w: int, h: int) -> Box:
        """A rectangle in pixels as fractions.

        Raises:
            CommandError: it leaves the canvas or has no area.
        """
        if x + w > self.width or y + h > self.height:
            raise CommandError(f"the region {x},{y},{w},{h} leaves the canvas of {self}.")
        return Box(
            Fraction(x, self.width),
            Fraction(y, self.height),
            Fraction(w, self.width),
            Fraction(h, self.height),
        )


def even(value: Fraction) -> int:
    """The even number nearest to a value that is not below zero, halves away from zero."""
    return 2 * ((value + 1) // 2)
