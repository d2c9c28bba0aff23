"""Samples of one clock read off at the ticks of another: other rates, and clocks that run fast or slow.

A windowed sinc in 1024 phases of 32 taps: what it adds lies 60 dB below the sound. Clocks that agree are not
touched at all.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.media.mix.samples import Samples


_TAPS, _PHASES = 32, 1024
_BEFORE = _TAPS // 2 - 1  # taps before the sample that a place lies behind
_BETA = 9.0
_BLOCK = 1 << 15  # places worked on at once: the gathered taps of more would leave the processor's cache


@lru_cache(maxsize=16)
def _kernels(cutoff: float) -> NDArray[np.float32]:
    """Taps by phase; ``cutoff`` relative to the source's own half rate, each phase with a gain of 1."""
    places = np.arange(-_BEFORE, _TAPS - _BEFORE)[None, :] - np.arange(_PHASES + 1)[:, None] / _PHASES
    inside = np.clip(1 - np.square(2 * places / _TAPS), 0, None)
    taps = np.sinc(cutoff * places) * np.i0(_BETA * np.sqrt(inside))
    return np.asarray(taps / taps.sum(axis=1, keepdims=True), dtype=np.float32)


class Resampler:
    """One stretch of sound, read off at even steps.

    Args:
        channels: of the sound.
        start: where the first sample to be read off lies, in source samples, 0 or a little more.
        step: source samples from one to the next.
    """

    def __init__(self, channels: int, start: float, step: float) -> None:
        self._start, self._step = start, step
        self._made = 0
        self._base = -_BEFORE  # index of the first sample held
        self._held: Samples = np.zeros((channels, _BEFORE), dtype=np.float32)
        self._plain = step == 1.0 and start == 0.0
        self._kernels = _kernels(min(1.0, 1 / step))

    def push(self, samples: Samples) -> Samples:
        """What can be read off once these samples are there too."""
        if self._plain:
            return samples
        self._held = np.concatenate((self._held, samples), axis=1)
        last = self._base + self._held.shape[1] - (_TAPS - _BEFORE)
        return self._read(int((last - self._start) // self._step) + 1 - self._made)

    def end(self) -> Samples:
        """What is left when nothing follows."""
        if self._plain:
            return self._held[:, :0]
        whole = self._base + self._held.shape[1]
        self._held = np.pad(self._held, ((0, 0), (0, _TAPS)))
        return self._read(int(np.ceil((whole - self._start) / self._step)) - self._made)

    def _read(self, count: int) -> Samples:
        parts = [
            self._at(self._made + begun, min(_BLOCK, count - begun)) for begun in range(0, count, _BLOCK)
        ]
        self._made += max(0, count)
        passed = int(self._start + self._made * self._step) - _BEFORE - self._base
        if passed > 0:
            self._held = self._held[:, passed:]
            self._base += passed
        return np.concatenate(parts, axis=1) if parts else self._held[:, :0]

    def _at(self, first: int, count: int) -> Samples:
        places = self._start + np.arange(first, first + count, dtype=np.float64) * self._step
        whole = np.floor(places).astype(np.int64)
        phases = np.rint((places - whole) * _PHASES).astype(np.int64)
        windows = np.lib.stride_tricks.sliding_window_view(self._held, _TAPS, axis=1)
        taps = self._kernels[phases]
        begins = whole - _BEFORE - self._base
        return np.stack([np.einsum("nt,nt->n", channel[begins], taps) for channel in windows])
