"""A limiter: sums that are too loud are turned down before the peak comes, and back up slowly after it.

Nothing is divided by the number of those who speak: who speaks alone is as loud as among others, and nothing
changes when somebody comes or goes. Peaks are those between samples too (ITU-R BS.1770-4, annex 2).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pipeline.media.mix.samples import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.media.mix.samples import Samples

CEILING = 10 ** (-1 / 20)
"""-1 dBTP, what EBU R 128 allows."""
STEP = RATE // 1000
"""Samples in which the gain moves along a straight line: a millisecond."""
AHEAD = 6
"""Steps by which it moves before a peak."""
RELEASE_STEPS = 150
"""In as many steps two thirds of a reduction are given back."""
_OVER, _TAPS = 4, 12
_CONTEXT = _TAPS
_NEAR = 0.7
"""Peaks between samples are looked for from this part of the ceiling on; below it none reaches it."""


@lru_cache(maxsize=1)
def _between() -> NDArray[np.float32]:
    """Taps that give the signal at a quarter, a half and three quarters between two samples."""
    places = np.arange(_TAPS)[None, :] - (_TAPS // 2 - 1) - np.arange(1, _OVER)[:, None] / _OVER
    taps = (
        np.sinc(places)
        * np.kaiser(_TAPS * _OVER * 2 + 1, 6.0)[np.rint(places * _OVER * 2).astype(int) + _TAPS * _OVER]
    )
    return np.asarray(taps / taps.sum(axis=1, keepdims=True), dtype=np.float32)


class Limiter:
    """Keeps a stream below a ceiling; what goes in comes out `AHEAD` steps later.

    Args:
        channels: of the sound; all are turned down together.
        ceiling: the highest peak that may come out.
    """

    def __init__(self, channels: int, ceiling: float = CEILING) -> None:
        self._ceiling = ceiling
        self._held: Samples = np.zeros((channels, 0), dtype=np.float32)
        self._wanted = np.ones(0)  # gain that each held step needs by itself
        self._before: Samples = np.zeros((channels, _CONTEXT), dtype=np.float32)
        self._recent = np.ones(AHEAD)  # gains of the steps that went out last, before they were smoothed
        self._gain: float | None = None  # where the line of the last step ended

    def push(self, samples: Samples) -> Samples:
        """What is ready when these samples, whole steps of them, have come."""
        if samples.shape[1] % STEP:
            raise ValueError(f"{samples.shape[1]} samples are no whole steps of {STEP}")
        self._held = np.concatenate((self._held, samples), axis=1)
        self._wanted = np.concatenate((self._wanted, self._needed(samples)))
        return self._out(len(self._wanted) - AHEAD)

    def end(self) -> Samples:
        """What is left."""
        count = len(self._wanted)
        self._wanted = np.concatenate((self._wanted, np.ones(AHEAD)))
        return self._out(count)

    def _needed(self, samples: Samples) -> NDArray[np.float64]:
        """The gain that each step needs for its peak to be at the ceiling."""
        peaks = np.abs(samples).max(axis=0, initial=0)
        steps = peaks.reshape(-1, STEP).max(axis=1, initial=0).astype(np.float64)
        whole = np.concatenate((self._before, samples), axis=1)
        near = steps > _NEAR * self._ceiling
        if near.any():
            near[1:] |= near[:-1]
            near[0] = True
            # They belong up to 7 samples earlier, where the line is almost down already.
            windows = np.lib.stride_tricks.sliding_window_view(whole, _TAPS, axis=1)
            found = _peaks(windows[:, : samples.shape[1]][:, np.repeat(near, STEP)])
            steps[near] = np.maximum(steps[near], found.reshape(-1, STEP).max(axis=1))
        self._before = whole[:, -_CONTEXT:]
        return np.asarray(self._ceiling / np.maximum(steps, self._ceiling))

    def _out(self, count: int) -> Samples:
        if count <= 0:
            return self._held[:, :0]
        lowest = np.lib.stride_tricks.sliding_window_view(self._wanted, AHEAD + 1).min(axis=1)[:count]
        if self._gain is None:  # nothing came before that could have been turned down slowly
            self._gain = float(lowest[0])
            self._recent = np.full(AHEAD, self._gain)
        gains = np.concatenate((self._recent, self._released(lowest)))
        # The mean of steps that all know the peak is not above what it needs, nor is a line between two.
        ends = np.convolve(gains, np.full(AHEAD, 1 / AHEAD), mode="valid")[1:]
        begins = np.concatenate(([self._gain], ends[:-1]))
        out, self._held = self._held[:, : count * STEP], self._held[:, count * STEP :]
        self._wanted = self._wanted[count:]
        self._recent, self._gain = gains[-AHEAD:], float(ends[-1])
        if begins.min() == ends.min() == 1.0:
            return out
        along = np.arange(1, STEP + 1) / STEP
        lines = begins[:, None] + (ends - begins)[:, None] * along[None, :]
        return np.asarray(out * lines.reshape(1, -1), dtype=np.float32)

    def _released(self, lowest: NDArray[np.float64]) -> NDArray[np.float64]:
        """Down at once, up slowly."""
        last = float(self._recent[-1])
        if last == 1.0 and lowest.min() == 1.0:
            return lowest
        out = np.empty_like(lowest)
        for index, need in enumerate(lowest.tolist()):
            last = min(need, last + (1.0 - last) / RELEASE_STEPS)
            if last > 1 - 1e-6:
                last = min(need, 1.0)
            out[index] = last
        return out


def true_peaks(samples: Samples) -> NDArray[np.float32]:
    """The highest absolute value over all channels at each sample and up to the next, for all but the edges.

    Value ``n`` of the ``count - 11`` belongs to sample ``n + 5``.
    """
    return _peaks(np.lib.stride_tricks.sliding_window_view(samples, _TAPS, axis=1))


def _peaks(windows: Samples) -> NDArray[np.float32]:
    """The same of windows of `_TAPS` samples, of shape (channels, count, taps)."""
    between = np.abs(windows @ _between().T)
    peaks = np.abs(windows[:, :, _TAPS // 2 - 1])
    for place in range(_OVER - 1):  # a reduction over so short an axis would take ten times as long
        np.maximum(peaks, between[:, :, place], out=peaks)
    return np.asarray(peaks.max(axis=0), dtype=np.float32)
