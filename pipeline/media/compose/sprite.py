"""A drawn rectangle of pixels that lies on a canvas: what drawing hands to the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHANNELS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """Pixels and where their upper left corner lies; some or all may lie outside the canvas.

    Attributes:
        x: pixels from the canvas' left edge; any integer.
        y: from its upper edge.
        pixels: height x width x 4 bytes, RGBA, the colours not multiplied by alpha.
    """

    x: int
    y: int
    pixels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if len(shape) != len("hwc") or shape[2] != _CHANNELS or self.pixels.dtype != np.uint8:
            raise ValueError(f"a sprite is height x width x 4 bytes, not {shape} of {self.pixels.dtype}")

    @property
    def w(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def h(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])
