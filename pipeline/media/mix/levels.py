"""How loud everybody is over time, in the steps by which `pipeline.layout.speaking` tells who speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from pipeline.layout.speaking import STEP_MS
from pipeline.media.mix.samples import RATE
from pipeline.media.mix.voice import Voice
from pipeline.model import ticks
from pipeline.model.decisions import Piece

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.model.timeline import UserTime

_STEP = RATE * STEP_MS // 1000
_SILENT_DB = -100


def levels_of(
    times: Sequence[UserTime], start: int, open_slice: Callable[[str], BinaryIO]
) -> dict[str, list[int | None]]:
    """Decibels of each user in steps from ``start`` (UTC ticks) on; None where he is not there.

    Raises:
        Surprise: as `Voice.until`.
        OSError: a slice cannot be read.
    """
    out: dict[str, list[int | None]] = {}
    end = max(time.end for time in times)
    count = ticks.samples_at(end - start, RATE) // _STEP + 1
    for time in times:
        if time.audio is None:
            continue
        sums = np.zeros(count)  # a step each: samples of hours would fill the memory
        voice = Voice((Piece(start, end, 0),), start, 1, time.audio, open_slice)
        for at, samples in voice.until(count * _STEP):
            low, high = max(0, at), min(at + samples.shape[1], count * _STEP)
            if low < high:
                power = np.square(samples[0, low - at : high - at], dtype=np.float64)
                first, after = low // _STEP, -(-high // _STEP)
                padded = np.pad(power, (low - first * _STEP, after * _STEP - high))
                sums[first:after] += padded.reshape(-1, _STEP).sum(axis=1)
        steps = sums / _STEP
        levels = np.maximum(_SILENT_DB, 10 * np.log10(np.maximum(steps, 1e-12))).round().astype(int)
        there = np.zeros(count, dtype=bool)
        for a, b in time.sessions:
            # What a decoder needs before the first sound lies before ``start`` where he is the first.
            there[max(0, _steps(a - start)) : max(0, -_steps(start - b))] = True
        out[time.uid] = [int(level) if here else None for level, here in zip(levels, there, strict=True)]
    return out


def _steps(after: int) -> int:
    """The step in which a moment lies."""
    return after // ticks.from_ms(STEP_MS)
