"""Integrated loudness (ITU-R BS.1770-4, EBU R 128): K-weighting, blocks of 400 ms, two gates.

The filters are applied as the impulse response that they have, by FFT: numpy has no recursive filter, and
after 4096 samples less than a millionth of it is left.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pipeline.media.mix.samples import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.media.mix.samples import Samples

ABSOLUTE_GATE = -70.0
"""LUFS below which a block does not count."""
RELATIVE_GATE = -10.0
"""LU below the mean of the blocks that count so far."""
_OFFSET = -0.691
_HOP = RATE // 10
_HOPS = 4  # of 100 ms in a block of 400 ms
_TAPS = 4096
_SHELF = (1.53512485958697, -2.69169618940638, 1.19839281085285), (-1.69065929318241, 0.73248077421585)
_HIGH_PASS = (1.0, -2.0, 1.0), (-1.99004745483398, 0.99007225036621)
"""BS.1770-4 tables 1 and 2, for 48 kHz: numerators, and denominators behind the leading 1."""


@lru_cache(maxsize=1)
def _response() -> NDArray[np.float64]:
    """Impulse response of the K-weighting."""
    signal = [1.0] + [0.0] * (_TAPS - 1)
    for (b0, b1, b2), (a1, a2) in (_SHELF, _HIGH_PASS):
        x1 = x2 = y1 = y2 = 0.0
        out = []
        for x in signal:
            y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
            x1, x2, y1, y2 = x, x1, y, y1
            out.append(y)
        signal = out
    return np.array(signal)


class Loudness:
    """Measures a stream of any length, ten numbers a second in memory.

    Args:
        channels: one or two; both weigh 1.
    """

    def __init__(self, channels: int) -> None:
        self._tail: NDArray[np.float64] = np.zeros((channels, _TAPS - 1))
        self._rest = np.zeros(0)  # power of samples that fill no 100 ms yet
        self._hops: list[float] = []

    def push(self, samples: Samples) -> None:
        """Some more sound."""
        weighted = self._weighted(samples)
        power = np.concatenate((self._rest, np.square(weighted).sum(axis=0)))
        whole = len(power) // _HOP * _HOP
        self._hops += power[:whole].reshape(-1, _HOP).mean(axis=1).tolist()
        self._rest = power[whole:]

    def _weighted(self, samples: Samples) -> NDArray[np.float64]:
        if not samples.any() and not self._tail.any():
            return np.zeros(samples.shape)
        whole: NDArray[np.float64] = np.concatenate((self._tail, samples.astype(np.float64)), axis=1)
        size = 1 << (whole.shape[1] + _TAPS - 2).bit_length()
        product = np.fft.rfft(whole, size) * np.fft.rfft(_response(), size)
        self._tail = whole[:, whole.shape[1] - _TAPS + 1 :]
        return np.fft.irfft(product, size)[:, _TAPS - 1 : whole.shape[1]]

    def integrated(self) -> float | None:
        """LUFS; None where no block passes the absolute gate."""
        if len(self._hops) < _HOPS:
            return None
        blocks = np.convolve(np.array(self._hops), np.full(_HOPS, 1 / _HOPS), mode="valid")
        heard = blocks[blocks > _power(ABSOLUTE_GATE)]
        if not len(heard):
            return None
        loud = heard[heard > heard.mean() * 10 ** (RELATIVE_GATE / 10)]
        return float(_OFFSET + 10 * np.log10(loud.mean()))


def _power(lufs: float) -> float:
    return float(10 ** ((lufs - _OFFSET) / 10))
