"""Colour: a mask of letters or shapes becomes pixels with alpha, over a box or over nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPAQUE = 255


def rgb(colour: str) -> tuple[int, int, int]:
    """A colour such as ``#1a2b3c``: red, green, blue."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def painted(
    mask: NDArray[np.uint8], colour: str, behind: str = "", opacity: int = OPAQUE
) -> NDArray[np.uint8]:
    """Pixels of letters over a box.

    Args:
        mask: how much of each pixel the letters cover, height x width, 0 to 255.
        colour: of the letters, as ``#RRGGBB``.
        behind: of the box, as ``#RRGGBB``; empty for none.
        opacity: of the box, 0 to 255.

    Returns:
        Height x width x 4 bytes, RGBA, the colours not multiplied by alpha.
    """
    ink = mask.astype(np.float32)[..., None] / OPAQUE
    box = (1 - ink) * (opacity / OPAQUE if behind else 0)
    alpha = ink + box
    sums = ink * np.array(rgb(colour), np.float32) + box * np.array(rgb(behind or colour), np.float32)
    colours = np.divide(sums, alpha, out=np.zeros_like(sums), where=alpha > 0)
    return np.concatenate([colours, alpha * OPAQUE], axis=2).round().astype(np.uint8)
