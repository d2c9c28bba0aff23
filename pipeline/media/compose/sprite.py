"""A still picture that is laid over the canvas: letters, marks, images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Sprite:
    """Pixels at a place of the canvas.

    Attributes:
        x: left edge on the canvas; it may lie outside.
        y: the upper one.
        pixels: RGBA of shape (height, width, 4), not premultiplied.
    """

    x: int
    y: int
    pixels: NDArray[np.uint8]
