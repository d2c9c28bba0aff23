"""Avatars: what stands in for a user whose camera is off and who has no image."""

from __future__ import annotations

import colorsys
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from pipeline.drawing.clusters import cleaned, clusters
from pipeline.drawing.corners import disc
from pipeline.drawing.labels import LEAST_SIZE, fitting
from pipeline.drawing.paint import OPAQUE, rgb
from pipeline.drawing.text import Drawn, lay, shortened
from pipeline.media.compose.sprite import Sprite

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.drawing.fonts import Fonts
    from pipeline.drawing.text import Line

_WHITE = "#ffffff"
_LEAST_NAMED = 6 * LEAST_SIZE
"""Lower regions have no room for a name below the disc."""


def avatar(uid: str, name: str, w: int, h: int, fonts: Fonts) -> Drawn:
    """A disc with the first letter of the name and the name below it, on a colour that is the user's own.

    Args:
        uid: chooses the colour, always the same one.
        name: may be empty; then the id is taken.
        w: width of the region in pixels.
        h: height of it.
        fonts: to write with.

    Returns:
        A sprite of w x h at 0, 0, with no transparent pixel.
    """
    called = cleaned(name) or cleaned(uid) or "?"
    back, front = colours(uid)
    pixels = np.full((h, w, 4), (*back, OPAQUE), np.uint8)
    size = max(2, min(w, h) // 2)
    top = (h - size) // 2
    line = None
    if h >= _LEAST_NAMED:
        letters = fitting(h)
        line = shortened(called, letters, fonts, w - 2 * (letters // 2))
        top -= letters // 2
    _over(pixels, disc(size), front, (w - size) // 2, top)
    initial = clusters(called)[0]
    capital = initial.upper()
    letter = lay(capital if len(capital) == len(initial) else initial, max(2, size // 2), fonts)
    _write(pixels, letter, top + (size - letter.height) // 2)
    if line:
        _write(pixels, line, top + size + line.size // 2)
    return Drawn(Sprite(0, 0, pixels), (line or letter).lack)


def colours(uid: str) -> tuple[tuple[int, int, int], str]:
    """Of a user's background, and a lighter one of the same hue for the disc: always the same ones."""
    hue = int.from_bytes(sha256(uid.encode(errors="surrogatepass")).digest()[:2]) / 65536
    red, green, blue = (round(OPAQUE * part) for part in colorsys.hsv_to_rgb(hue, 0.35, 0.35))
    lighter = bytes(round(OPAQUE * part) for part in colorsys.hsv_to_rgb(hue, 0.45, 0.6))
    return (red, green, blue), f"#{lighter.hex()}"


def _write(pixels: NDArray[np.uint8], line: Line, top: int) -> None:
    """A line in white, in the middle between the sides."""
    w = min(line.width, pixels.shape[1])
    if w:
        _over(
            pixels, line.mask(w, line.height, 0, line.ascent), _WHITE, (pixels.shape[1] - w) // 2, max(0, top)
        )


def _over(pixels: NDArray[np.uint8], mask: NDArray[np.uint8], colour: str, x: int, y: int) -> None:
    """Paints a colour through a mask whose upper left corner lies at x, y; what is too low is cut off."""
    h, w = mask.shape
    part = pixels[y : y + h, x : x + w, :3]
    ink = mask[: part.shape[0], :, None].astype(np.float32) / OPAQUE
    part[:] = (ink * np.array(rgb(colour), np.float32) + part * (1 - ink)).round()
