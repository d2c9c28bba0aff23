"""Watermarks: an image, a text, the time of day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from pipeline.drawing.paint import painted
from pipeline.drawing.text import Drawn, lay
from pipeline.drawing.tiles import fitted
from pipeline.layout.looks import Corner
from pipeline.media.compose.sprite import Sprite

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.drawing.fonts import Fonts
    from pipeline.layout.canvas import Canvas
    from pipeline.layout.looks import ClockMark, ImageMark, TextMark

_DIGITS, _SIGNS, _SPACE = "0123456789", "-:", " "
_LEFT = {Corner.TOP_LEFT, Corner.BOTTOM_LEFT}
_RIGHT = {Corner.TOP_RIGHT, Corner.BOTTOM_RIGHT}
_TOP = {Corner.TOP_LEFT, Corner.TOP, Corner.TOP_RIGHT}
_BOTTOM = {Corner.BOTTOM_LEFT, Corner.BOTTOM, Corner.BOTTOM_RIGHT}


def image_mark(mark: ImageMark, path: Path) -> Sprite:
    """An image in the middle of its rectangle, as large as fits; what of it is transparent stays so.

    Raises:
        CommandError: the file is no image that can be used.
    """
    return fitted(path, mark.x, mark.y, mark.w, mark.h)


def text_mark(mark: TextMark, canvas: Canvas, fonts: Fonts) -> Drawn:
    """A text whose upper left corner, or that of its box, lies where the mark says.

    What would stand outside the canvas on the right is not drawn.
    """
    line = lay(mark.text, mark.size, fonts)
    pad = mark.size // 4
    inside = canvas.width - mark.x + (0 if mark.behind else pad)
    w, h = min(line.width + 2 * pad, inside), line.height + 2 * pad
    if not line.runs or w < 1:
        return Drawn(None, line.lack)
    pixels = painted(line.mask(w, h, pad, pad + line.ascent), mark.colour, mark.behind)
    shift = 0 if mark.behind else pad
    return Drawn(Sprite(mark.x - shift, mark.y - shift, pixels), line.lack)


def told(utc_ms: int, zone_minutes: int) -> str:
    """A time of day as a clock shows it: ``2026-01-20 11:30:22``.

    Args:
        utc_ms: milliseconds of UTC since 1970.
        zone_minutes: east of UTC.
    """
    second = datetime.fromtimestamp(utc_ms // 1000, UTC) + timedelta(minutes=zone_minutes)
    return second.replace(tzinfo=None).isoformat(" ")


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """The time of day as a watermark; each character is drawn once, when the clock is made.

    Attributes:
        mark: what it is asked to look like.
        x: pixels from the canvas' left edge; ``y`` from its upper one.
        y: as x.
        glyphs: pixels of each character; all digits are of one width, so that nothing moves.
        pad: pixels before the first character and behind the last.
    """

    mark: ClockMark
    x: int
    y: int
    glyphs: Mapping[str, NDArray[np.uint8]]
    pad: NDArray[np.uint8]

    def at(self, utc_ms: int) -> Sprite:
        """What it shows during the second in which that moment lies."""
        parts = [self.glyphs[each] for each in told(utc_ms, self.mark.zone_minutes)]
        return Sprite(self.x, self.y, np.concatenate([self.pad, *parts, self.pad], axis=1))


def clock(mark: ClockMark, canvas: Canvas, fonts: Fonts) -> Clock:
    """A clock in its corner, as far from the edges as its letters are high."""
    lines = {each: lay(each, mark.size, fonts) for each in _DIGITS + _SIGNS}
    pad = max(1, mark.size // 4)
    ascent = max(line.ascent for line in lines.values())
    height = ascent + max(line.descent for line in lines.values()) + 2 * pad
    digit = max(lines[each].width for each in _DIGITS)
    glyphs: dict[str, NDArray[np.uint8]] = {}
    for each, line in lines.items():
        width = digit if each in _DIGITS else line.width
        mask = line.mask(width, height, (width - line.width) // 2, pad + ascent)
        glyphs[each] = painted(mask, mark.colour, mark.behind)
    space = max(1, lay("0 0", mark.size, fonts).width - lay("00", mark.size, fonts).width)
    glyphs[_SPACE] = painted(np.zeros((height, space), np.uint8), mark.colour, mark.behind)
    edge = painted(np.zeros((height, pad), np.uint8), mark.colour, mark.behind)
    width = sum(glyphs[each].shape[1] for each in told(0, 0)) + 2 * pad
    x, y = _corner(mark, canvas, width, height)
    return Clock(mark, x, y, glyphs, edge)


def _corner(mark: ClockMark, canvas: Canvas, w: int, h: int) -> tuple[int, int]:
    right, low = canvas.width - w, canvas.height - h
    x = mark.size if mark.corner in _LEFT else right - mark.size if mark.corner in _RIGHT else right // 2
    y = mark.size if mark.corner in _TOP else low - mark.size if mark.corner in _BOTTOM else low // 2
    return x, y
