"""Round corners and discs, as masks with smooth edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_OPAQUE = 255


def rounded(w: int, h: int, radius: int) -> NDArray[np.uint8]:
    """How much of each pixel a rectangle with round corners covers, h x w, 0 to 255.

    Args:
        w: width in pixels.
        h: height in pixels.
        radius: of the corners in pixels; 0, or more than half the short side: none is round
            (`pipeline.layout.looks.Cell`).
    """
    if not 0 < 2 * radius <= min(w, h):
        return np.full((h, w), _OPAQUE, np.uint8)
    across, down = (np.maximum(0, radius - _edge(side)) for side in (w, h))
    outside = np.hypot(across[None, :], down[:, None]) - radius
    return np.clip((0.5 - outside) * _OPAQUE, 0, _OPAQUE).round().astype(np.uint8)


def disc(size: int) -> NDArray[np.uint8]:
    """How much of each pixel a disc covers, size x size, 0 to 255."""
    distance = size / 2 - _edge(size)
    outside = np.hypot(distance[None, :], distance[:, None]) - size / 2
    return np.clip((0.5 - outside) * _OPAQUE, 0, _OPAQUE).round().astype(np.uint8)


def _edge(side: int) -> NDArray[np.float64]:
    """How far the middle of each pixel is from the nearer end of a side."""
    middles = np.arange(side) + 0.5
    nearer: NDArray[np.float64] = np.minimum(middles, side - middles)
    return nearer
