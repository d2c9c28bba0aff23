"""Voices added up in file time, a second at a time; gaps are silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.media.mix.limiter import STEP, Limiter
from pipeline.media.mix.samples import BLOCK, Samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipeline.media.mix.voice import Voice


def added(voices: Sequence[Voice], channels: int, count: int) -> Iterator[Samples]:
    """The sum of the voices from file zero on: ``count`` samples in blocks, the last one as long as it is.

    Raises:
        Surprise: as `Voice.until`.
        OSError: a slice cannot be read.
    """
    ahead: Samples = np.zeros((channels, 0), dtype=np.float32)
    for begin in range(0, count, BLOCK):
        end = min(begin + BLOCK, count)
        parts = [part for voice in voices for part in voice.until(end)]
        longest = max((at + samples.shape[1] - begin for at, samples in parts), default=0)
        total = np.zeros((channels, max(BLOCK, ahead.shape[1], longest)), dtype=np.float32)
        total[:, : ahead.shape[1]] = ahead
        for at, samples in parts:
            early = max(0, begin - at)  # before file zero
            if early < samples.shape[1]:
                total[:, at + early - begin : at - begin + samples.shape[1]] += samples[:, early:]
        ahead = total[:, end - begin :]
        yield total[:, : end - begin]
    for voice in voices:  # what lies behind the end is read and counted too
        for _ in voice.until(1 << 62):
            pass


def limited(blocks: Iterable[Samples], channels: int, gain: float) -> Iterator[Samples]:
    """The blocks times ``gain``, limited, as many samples as come in."""
    limiter = Limiter(channels)
    left = 0
    for block in blocks:
        left += block.shape[1]
        loud = block if gain == 1.0 else np.asarray(block * np.float32(gain), dtype=np.float32)
        ready = limiter.push(np.pad(loud, ((0, 0), (0, -block.shape[1] % STEP))))
        left -= ready.shape[1]
        yield ready
    yield limiter.end()[:, :left]


class Levels:
    """The power of a stream in steps of 10 ms, to tell the level of any part of it later."""

    HOP = BLOCK // 100

    def __init__(self) -> None:
        self._rest = np.zeros(0)
        self._hops: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []

    def push(self, samples: Samples) -> None:
        """Some more sound."""
        power = np.concatenate((self._rest, np.square(samples, dtype=np.float64).mean(axis=0)))
        whole = len(power) // self.HOP * self.HOP
        self._hops.append(power[:whole].reshape(-1, self.HOP).mean(axis=1))
        self._rest = power[whole:]

    def level(self, start: int, end: int) -> float:
        """Decibels below full scale, RMS, of samples ``start`` up to ``end``; -120 is silence."""
        if len(self._hops) > 1:
            self._hops = [np.concatenate(self._hops)]
        part = (self._hops[0] if self._hops else self._rest)[-(-start // self.HOP) : end // self.HOP]
        return float(10 * np.log10(max(1e-12, part.mean() if len(part) else 0)))
