"""How alike two pictures are to the eye: SSIM (Wang et al. 2004) of brightness in windows of 8 x 8 pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    import numpy.typing as npt

SIDE, STEP = 8, 4
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> float:
    """The mean over windows that overlap by half; 1 for the same picture.

    Args:
        a: of shape (height, width), at least a window.
        b: as a.
    """
    first, second = _windows(a), _windows(b)
    mean, other = first.mean(axis=-1), second.mean(axis=-1)
    spread, others = first.var(axis=-1), second.var(axis=-1)
    together = (first * second).mean(axis=-1) - mean * other
    alike = (2 * mean * other + _C1) * (2 * together + _C2)
    alike /= (np.square(mean) + np.square(other) + _C1) * (spread + others + _C2)
    return float(alike.mean())


def _windows(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    views = sliding_window_view(picture.astype(np.float64), (SIDE, SIDE))[::STEP, ::STEP]
    return views.reshape(*views.shape[:2], -1)
