"""How a composite looks besides who is where: backgrounds, labels, watermarks, cameras that are off.

Images are named as somebody wrote them, by address or by path; nothing here opens one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from pipeline.layout.canvas import WHOLE, Box, Mode, Place

if TYPE_CHECKING:
    from pipeline.layout.streams import Who

LINGER_MS = 1000
"""For so long after the last picture a camera counts as on."""


class CameraOff(StrEnum):
    """What a region shows while the camera of its user is off."""

    HOLD = "hold"  # the last picture; before the first one, what lies behind
    BLACK = "black"
    AVATAR = "avatar"  # a disc with the first letter of the name, and the name
    NOTHING = "nothing"  # what lies behind it


@dataclass(frozen=True, slots=True)
class Image:
    """An image: what names it (an address or a path), and how it fills where it lies."""

    ref: str
    mode: Mode = Mode.CROP


@dataclass(frozen=True, slots=True)
class Cell:
    """One region of a custom layout.

    Attributes:
        place: where, how filled, how deep, how opaque.
        who: whose it is; None for the next to join who has none of his own.
        crop: the part of the picture that is shown, of its width and height.
        radius: of its corners, a fraction of the canvas' width; ignored when larger than half its short side.
        image: shown while its user sends no pictures; before what `Looks` says.
    """

    place: Place
    who: Who | None = None
    crop: Box = WHOLE
    radius: Fraction = Fraction(0)
    image: Image | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """Names of users, at the bottom-left of their regions.

    Attributes:
        size: height of the letters in pixels; 0 for a fitting one.
        colour: as ``#RRGGBB``.
        behind: colour behind the letters as ``#RRGGBB``; empty for none.
        opacity: of what is behind, 0 to 255.
    """

    size: int = 0
    colour: str = "#ffffff"
    behind: str = "#000000"
    opacity: int = 128


@dataclass(frozen=True, slots=True)
class ImageMark:
    """An image as a watermark, in pixels of the canvas; fitted into its rectangle."""

    ref: str
    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class TextMark:
    """Text as a watermark: its upper left corner in pixels of the canvas."""

    text: str
    x: int
    y: int
    size: int = 14
    colour: str = "#ffffff"
    behind: str = ""


class Corner(StrEnum):
    """Where a running time stands."""

    TOP_LEFT = "top-left"
    TOP_RIGHT = "top-right"
    BOTTOM_LEFT = "bottom-left"
    BOTTOM_RIGHT = "bottom-right"
    TOP = "top"
    BOTTOM = "bottom"
    MIDDLE = "middle"


@dataclass(frozen=True, slots=True)
class ClockMark:
    """The time of day as a watermark, as ``2026-01-20 11:30:22``, a new one each second.

    Attributes:
        corner: where it stands.
        zone_minutes: east of UTC.
        size: height of the letters in pixels.
        colour: as ``#RRGGBB``.
        behind: as ``#RRGGBB``; empty for none.
    """

    corner: Corner = Corner.TOP_LEFT
    zone_minutes: int = 0
    size: int = 14
    colour: str = "#ffffff"
    behind: str = ""


Mark: TypeAlias = ImageMark | TextMark | ClockMark


@dataclass(frozen=True, slots=True)
class Looks:
    """How a composite looks.

    Attributes:
        backdrop: an image behind everything; its mode fills the canvas.
        camera_off: what a region shows while the camera of its user is off and there is no image for it.
        linger_ms: for how long after his last picture a user's camera counts as on.
        image: shown in the region of everybody whose camera is off.
        images: of single users, before ``image``; the first that admits one counts.
        names: what users are called, by id; who is not in it is called by his id.
        label: names on regions; None for none.
        marks: watermarks, the later ones in front.
        mode: how pictures fill their regions; None as the layout says.
        sound_only: who sends no pictures in a stay gets a region too.
    """

    backdrop: Image | None = None
    camera_off: CameraOff = CameraOff.AVATAR
    linger_ms: int = LINGER_MS
    image: Image | None = None
    images: tuple[tuple[Who, Image], ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    label: Label | None = None
    marks: tuple[Mark, ...] = ()
    mode: Mode | None = None
    sound_only: bool = True

    def name_of(self, uid: str) -> str:
        """What a user is called."""
        return dict(self.names).get(uid, uid)

    def image_of(self, uid: str, source: str) -> Image | None:
        """What is shown while his camera is off, if an image is."""
        return next((image for who, image in self.images if who.admits(uid, source)), self.image)
