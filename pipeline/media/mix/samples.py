"""What samples are in this room."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
"""Samples a second of everything that is mixed."""
BLOCK = RATE
"""Samples that are worked on at a time: a second."""

Samples: TypeAlias = NDArray[np.float32]
"""Of shape (channels, count), full scale 1.0."""


def with_channels(samples: Samples, channels: int) -> Samples:
    """The same sound in one channel or two: a single one is heard on both sides at its full level.

    >>> with_channels(np.ones((1, 3), dtype=np.float32), 2).shape
    (2, 3)
    """
    if samples.shape[0] == channels:
        return samples
    if samples.shape[0] == 1:
        return np.repeat(samples, channels, axis=0)
    return with_channels(samples.mean(axis=0, keepdims=True, dtype=np.float32), channels)
