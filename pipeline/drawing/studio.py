"""The artist of a composite: what the engine asks to be drawn, with the fonts and images at hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.drawing.avatars import avatar
from pipeline.drawing.corners import rounded
from pipeline.drawing.fonts import find_fonts
from pipeline.drawing.labels import label
from pipeline.drawing.marks import clock, image_mark, text_mark
from pipeline.drawing.tiles import image_tile
from pipeline.layout.looks import ClockMark, ImageMark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pipeline.drawing.fonts import Fonts
    from pipeline.drawing.marks import Clock
    from pipeline.drawing.text import Drawn
    from pipeline.layout.canvas import Canvas, Region
    from pipeline.layout.looks import Image, Label, TextMark
    from pipeline.media.compose.sprite import Sprite


class Studio:
    """An `pipeline.media.compose.artist.Artist`.

    Args:
        files: the paths of the images that a composite names, by reference.
        fonts: paths of fonts that come before those of the machine.
    """

    def __init__(self, files: Mapping[str, str], fonts: Sequence[str] = ()) -> None:
        self._files = files
        self._given = [Path(font) for font in fonts]
        self._found: Fonts | None = None
        self._clocks: dict[tuple[ClockMark, Canvas], Clock] = {}
        self.lacks: dict[str, str] = {}
        """What could not be written, a sentence for each text."""

    @property
    def _fonts(self) -> Fonts:
        if self._found is None:
            self._found = find_fonts(self._given)
        return self._found

    def label(self, name: str, label_: Label, region: Region) -> Sprite | None:
        """As `Artist.label`."""
        return self._noted(name, label(name, label_, region, self._fonts))

    def avatar(self, uid: str, name: str, region: Region) -> Sprite:
        """As `Artist.avatar`."""
        sprite = self._noted(name, avatar(uid, name, region.w, region.h, self._fonts))
        if sprite is None:
            raise AssertionError(f"an avatar fills its region: {region}")
        return replace(sprite, x=region.x, y=region.y)

    def image(self, image: Image, region: Region) -> Sprite:
        """As `Artist.image`."""
        sprite = image_tile(self._path(image.ref), image.mode, region.w, region.h)
        return replace(sprite, x=region.x, y=region.y)

    def backdrop(self, image: Image, canvas: Canvas) -> Sprite:
        """As `Artist.backdrop`."""
        return image_tile(self._path(image.ref), image.mode, canvas.width, canvas.height)

    def mark(self, mark: ImageMark | TextMark, canvas: Canvas) -> Sprite | None:
        """As `Artist.mark`."""
        if isinstance(mark, ImageMark):
            return image_mark(mark, self._path(mark.ref))
        return self._noted(mark.text, text_mark(mark, canvas, self._fonts))

    def clock(self, mark: ClockMark, utc_ms: int, canvas: Canvas) -> Sprite:
        """As `Artist.clock`."""
        if (mark, canvas) not in self._clocks:
            self._clocks[mark, canvas] = clock(mark, canvas, self._fonts)
        return self._clocks[mark, canvas].at(utc_ms)

    def rounded(self, w: int, h: int, radius: int) -> NDArray[np.uint8]:
        """As `Artist.rounded`."""
        return rounded(w, h, radius)

    def _path(self, ref: str) -> Path:
        return Path(self._files.get(ref, ref))

    def _noted(self, text: str, drawn: Drawn) -> Sprite | None:
        if drawn.lack and text not in self.lacks:
            self.lacks[text] = drawn.lack.told(repr(text))
        return drawn.sprite
