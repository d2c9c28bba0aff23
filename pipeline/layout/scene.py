"""A scene: who is where on a canvas at one time, and how well that is known. A value; `templates` make it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pipeline.layout.rules import Mark
from pipeline.layout.streams import CAMERA, SCREEN

if TYPE_CHECKING:
    from pipeline.layout.canvas import Canvas, Region
    from pipeline.layout.rules import Known


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody who may get a region; seats stand in the order of joining.

    Attributes:
        name: what he is called.
        width: of his upright picture; with ``height`` its aspect.
        height: as width.
        screen: a shared screen, not a camera.
    """

    name: str
    width: int = 16
    height: int = 9
    screen: bool = False

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 1:
            raise ValueError(f"a picture has a width and a height: {self}")

    @property
    def source(self) -> str:
        """``camera`` or ``screen``."""
        return SCREEN if self.screen else CAMERA

    @property
    def aspect(self) -> Fraction:
        """Width over height."""
        return Fraction(self.width, self.height)


@dataclass(frozen=True, slots=True)
class Scene:
    """Regions on a canvas.

    Attributes:
        layout: the template's name.
        vendor: whose variant; empty for none's.
        canvas: what they lie on.
        seats: all who were there, in the order of joining.
        regions: at most one a seat, the hindmost first.
        known: each number and rule that they follow.
        left_out: indexes of the seats that got no region.
    """

    layout: str
    vendor: str
    canvas: Canvas
    seats: tuple[Seat, ...]
    regions: tuple[Region, ...]
    known: tuple[Known[Any], ...]
    left_out: tuple[int, ...] = ()

    @property
    def inferred(self) -> tuple[Known[Any], ...]:
        """What no page of a vendor says."""
        return tuple(each for each in self.known if each.mark is Mark.INFERRED)

    @property
    def approximate(self) -> bool:
        """Whether the vendor's own picture may differ from it."""
        return bool(self.inferred)

    def shown(self, region: Region) -> Fraction:
        """Square pixels of a region that the whole picture of its user covers when it is fitted into it."""
        aspect = self.seats[region.seat].aspect
        width = min(Fraction(region.w), region.h * aspect)
        return width * width / aspect

    @property
    def area(self) -> Fraction:
        """Square pixels shown over all regions."""
        return sum((self.shown(region) for region in self.regions), Fraction(0))
