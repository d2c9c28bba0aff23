"""Contact sheets: small pictures in rows, each with a line of text below it."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from pipeline.drawing.encoded import image

COLUMNS = 10
CELL = (160, 120)
"""Pixels that a small picture has at most."""
MARGIN, LINE, TEXT = 4, 14, 11
"""Pixels around a cell, of the line below it, and of its text."""
QUALITY = 80
_GROUND, _EMPTY, _INK = (24, 24, 24), (48, 48, 48), (230, 230, 230)


class Sheet:
    """A sheet that is filled picture by picture, row by row.

    Args:
        count: how many there will be.
    """

    def __init__(self, count: int) -> None:
        self.columns = min(COLUMNS, max(1, count))
        self._cell = (CELL[0] + 2 * MARGIN, CELL[1] + LINE + 2 * MARGIN)
        self.width = self.columns * self._cell[0]
        self.height = -(-max(1, count) // self.columns) * self._cell[1]
        self._picture = Image.new("RGB", (self.width, self.height), _GROUND)
        self._draw = ImageDraw.Draw(self._picture)
        self._font = ImageFont.load_default(TEXT)
        self._filled = 0

    def add(self, pixels: bytes, width: int, height: int, text: str) -> None:
        """Put the next picture there: lines of RGB without padding."""
        small = image(pixels, width, height)
        small.thumbnail(CELL, reducing_gap=2.0)
        left, top = self._next(text)
        spare = CELL[0] - small.width, CELL[1] - small.height
        self._picture.paste(small, (left + spare[0] // 2, top + spare[1] // 2))

    def leave(self, text: str) -> None:
        """Leave the next place empty."""
        left, top = self._next(text)
        self._draw.rectangle((left, top, left + CELL[0] - 1, top + CELL[1] - 1), _EMPTY)

    def jpeg(self) -> bytes:
        """The sheet as it is now."""
        out = BytesIO()
        self._picture.save(out, "JPEG", quality=QUALITY)
        return out.getvalue()

    def _next(self, text: str) -> tuple[int, int]:
        """Left and top of the next place, its text written."""
        row, column = divmod(self._filled, self.columns)
        self._filled += 1
        left, top = column * self._cell[0] + MARGIN, row * self._cell[1] + MARGIN
        below = (left + CELL[0] // 2, top + CELL[1] + LINE // 2 + 1)
        self._draw.text(below, text, _INK, self._font, anchor="mm")
        return left, top
