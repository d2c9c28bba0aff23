"""The canvas: a picture in YUV 4:2:0 that patches are laid on (ITU-R BT.601, limited range).

Everything on it lies on even pixels, so that luma and chroma agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.layout.canvas import OPAQUE

if TYPE_CHECKING:
    from av.video.plane import VideoPlane

    from pipeline.layout.canvas import Canvas
    from pipeline.layout.fill import Rect
    from pipeline.media.compose.sprite import Sprite

Plane = NDArray[np.uint8]
_RGB_TO_YUV = np.array(
    [[0.256788, 0.504129, 0.097906], [-0.148223, -0.290993, 0.439216], [0.439216, -0.367788, -0.071427]]
)
_OFFSET = np.array([16.0, 128.0, 128.0])
BLACK = (16, 128, 128)
_BAND = 64
"""Lines of a sprite that are converted at a time, by numbers of 8 bytes; an even number."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A picture at an even place of the canvas.

    Attributes:
        x: left edge; it may lie outside of the canvas.
        y: the upper one.
        planes: Y of shape (height, width), U and V of half of both; sides are even.
        alpha: of luma and of chroma, 0 to 255; None where it hides all behind it.
    """

    x: int
    y: int
    planes: tuple[Plane, Plane, Plane]
    alpha: tuple[Plane, Plane] | None = None

    @property
    def w(self) -> int:
        """Its width."""
        return int(self.planes[0].shape[1])

    @property
    def h(self) -> int:
        """Its height."""
        return int(self.planes[0].shape[0])


class Board:
    """The canvas of a composite."""

    def __init__(self, canvas: Canvas) -> None:
        self.frame = av.VideoFrame(canvas.width, canvas.height, "yuv420p")
        self._planes = [pixels(plane) for plane in self.frame.planes]
        self._colour = colour(canvas.background)
        self._w, self._h = canvas.width, canvas.height

    def clear(self, rect: Rect) -> None:
        """Fill a part with the background colour."""
        self.fill(rect, self._colour)

    def fill(self, rect: Rect, yuv: tuple[int, int, int]) -> None:
        """Fill a part with a colour."""
        for number, (plane, value) in enumerate(zip(self._planes, yuv, strict=True)):
            half = int(number > 0)
            plane[rect.y >> half : rect.bottom >> half, rect.x >> half : rect.right >> half] = value

    def lay(self, patch: Patch, rect: Rect) -> None:
        """Draw what of a patch lies in a part of the canvas."""
        left, top = max(patch.x, rect.x, 0), max(patch.y, rect.y, 0)
        right, bottom = (
            min(patch.x + patch.w, rect.right, self._w),
            min(patch.y + patch.h, rect.bottom, self._h),
        )
        if left >= right or top >= bottom:
            return
        for number, (plane, source) in enumerate(zip(self._planes, patch.planes, strict=True)):
            half = int(number > 0)
            there = slice(top >> half, bottom >> half), slice(left >> half, right >> half)
            here = (
                slice((top - patch.y) >> half, (bottom - patch.y) >> half),
                slice((left - patch.x) >> half, (right - patch.x) >> half),
            )
            if patch.alpha is None:
                plane[there] = source[here]
            else:
                plane[there] = _blended(plane[there], source[here], patch.alpha[half][here])


def _blended(behind: Plane, front: Plane, alpha: Plane) -> Plane:
    """Rounded ``(front * alpha + behind * (255 - alpha)) / 255``."""
    wide = alpha.astype(np.uint16)
    total = front * wide + behind * (OPAQUE - wide) + 128
    return np.asarray((total + (total >> 8)) >> 8, dtype=np.uint8)


def pixels(plane: VideoPlane) -> Plane:
    """A view of a plane, writable, lines by columns."""
    lines = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(plane.height, plane.line_size)
    return lines[:, : plane.width]


def colour(text: str) -> tuple[int, int, int]:
    """A colour such as ``#1a2b3c`` as Y, U and V.

    >>> colour("#000000"), colour("#ffffff")
    ((16, 128, 128), (235, 128, 128))
    """
    rgb = np.array([int(text[n : n + 2], 16) for n in (1, 3, 5)], dtype=np.float64)
    y, u, v = np.rint(_RGB_TO_YUV @ rgb + _OFFSET).astype(int).tolist()
    return y, u, v


def patch_of(sprite: Sprite) -> Patch:
    """A sprite as a patch: moved onto even pixels by what is transparent around it."""
    rgba = sprite.pixels
    left, top = sprite.x % 2, sprite.y % 2
    right, bottom = (rgba.shape[1] + left) % 2, (rgba.shape[0] + top) % 2
    rgba = np.pad(rgba, ((top, bottom), (left, right), (0, 0)))
    bands = [_yuv(rgba[at : at + _BAND]) for at in range(0, max(1, rgba.shape[0]), _BAND)]
    luma, u, v, coarse = (np.concatenate(parts) for parts in zip(*bands, strict=True))
    alpha = rgba[:, :, 3]
    seen = None if int(alpha.min(initial=OPAQUE)) == OPAQUE else (np.ascontiguousarray(alpha), coarse)
    return Patch(sprite.x - left, sprite.y - top, (luma, u, v), seen)


def _yuv(rgba: NDArray[np.uint8]) -> tuple[Plane, Plane, Plane, Plane]:
    """Y, U, V and the opacity of U and V of some lines."""
    yuv = rgba[:, :, :3] @ _RGB_TO_YUV.T + _OFFSET
    alpha = rgba[:, :, 3].astype(np.float64)
    # The colour of four pixels is that of those which are seen.
    weight = np.maximum(alpha, 1e-3)
    shared = _quads(weight)
    u, v = (np.rint(_quads(yuv[:, :, n] * weight) / shared).astype(np.uint8) for n in (1, 2))
    luma = np.rint(yuv[:, :, 0]).astype(np.uint8)
    return luma, u, v, np.rint(_quads(alpha) / 4).astype(np.uint8)


def _quads(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over 2 x 2 pixels."""
    h, w = values.shape
    return np.asarray(values.reshape(h // 2, 2, w // 2, 2).sum(axis=(1, 3)))
