"""Test sound that beeps on every whole UTC second, and the ear that finds the beeps again.

Only samples live here: making them and measuring them. No codec, no file, no clock.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

BEEP_MS = 40
TONES_HZ: tuple[int, ...] = (1000, 1500, 2000, 2500, 3000, 3500)
"""One per user; whole half-periods in 1 ms or 2 ms keep the measured power of a beep flat."""

_LEVEL = 16000
_NOISE_BITS = 5
_QUIET = 0.02
_WINDOW_MS = 2


def beeps(
    start_sample: int,
    count: int,
    rate: int,
    zero_ms: int,
    *,
    channels: int,
    tone_hz: int,
    within: tuple[int, int] | None = None,
) -> Samples:
    """``count`` samples with a beep of 40 ms on each whole UTC second, and hardly audible noise elsewhere.

    Sample n is at UTC ``zero_ms + n * 1000 / rate``; a beep begins at the first sample that is not before its
    second. Only beeps that lie whole in ``within`` are drawn, so a piece equals that piece of the whole. The
    noise keeps compressed frames from being equal to one another, as in a real room. The second channel has
    half the level.

    Args:
        start_sample: n of the first sample returned; may be negative.
        count: how many samples.
        rate: samples per second.
        zero_ms: UTC milliseconds of sample 0.
        channels: 1 or 2.
        tone_hz: frequency of the beep.
        within: first sample, and the one after the last, of the stretch; None for the samples returned.

    Returns:
        int16 of shape (channels, count).
    """
    first, end = within or (start_sample, start_sample + count)
    length = rate * BEEP_MS // 1000
    sound = _noise(start_sample, count)
    wave = np.sin(np.arange(length) * (2 * np.pi * tone_hz / rate))
    beep = np.rint(wave * _LEVEL).astype(np.int16)
    # A beep that began up to its own length before the piece still reaches into it.
    near = beep_seconds(start_sample - length, count + 2 * length, rate, zero_ms)
    for second in near:
        at = _sample_at(second * 1000, rate, zero_ms)
        if first <= at and at + length <= end:
            from_, to = max(at, start_sample), min(at + length, start_sample + count)
            sound[from_ - start_sample : to - start_sample] += beep[from_ - at : to - at]
    return np.stack([sound >> channel for channel in range(channels)])


def beep_seconds(start_sample: int, count: int, rate: int, zero_ms: int) -> list[int]:
    """UTC seconds whose beeps lie whole in a range of samples."""
    second = -(-(zero_ms * rate + start_sample * 1000) // (1000 * rate))
    last = start_sample + count - rate * BEEP_MS // 1000
    seconds = []
    while (at := _sample_at(second * 1000, rate, zero_ms)) <= last:
        if at >= start_sample:
            seconds.append(second)
        second += 1
    return seconds


def onsets(samples: npt.NDArray[np.float64], rate: int) -> npt.NDArray[np.float64]:
    """Where the beeps begin, in samples; right to half a millisecond after AAC.

    The power in a window of 2 ms rises linearly while the window slides over a sharp onset, so the onset is
    where it passes half the beep's own level: pre-echo before it is far weaker than that.

    Args:
        samples: mono, full scale 1.0, shape (n,).
        rate: samples per second.

    Returns:
        positions in samples with fractions, rising.
    """
    window = rate * _WINDOW_MS // 1000
    total = np.concatenate([np.zeros(1), np.cumsum(np.square(samples, dtype=np.float64))])
    power = (total[window:] - total[:-window]) / window
    loud = power > _QUIET
    edges = np.flatnonzero(loud[1:] & ~loud[:-1]) + 1
    if len(loud) and loud[0]:
        edges = np.concatenate([np.zeros(1, dtype=edges.dtype), edges])
    found: list[float] = []
    for edge in edges:
        if found and edge - found[-1] < rate * BEEP_MS // 1000:
            continue  # a ripple of the beep that was already found
        plateau = power[edge + 2 * window : edge + rate * BEEP_MS // 1000 - 4 * window]
        if not len(plateau):
            continue
        half = float(np.median(plateau)) / 2
        # A window half over the onset begins half a window before it.
        from_ = max(0, int(edge) - 2 * window)
        above = np.flatnonzero(power[from_ : edge + 2 * window] >= half)
        if not len(above):
            continue
        at = from_ + int(above[0])
        fraction = 0.0
        if at:
            fraction = float((power[at] - half) / max(power[at] - power[at - 1], 1e-12))
        found.append(at - fraction + window / 2)
    return np.asarray(found, dtype=np.float64)


def _sample_at(at_ms: int, rate: int, zero_ms: int) -> int:
    """The first sample that is not before ``at_ms``."""
    return -(-(at_ms - zero_ms) * rate // 1000)


def _noise(start_sample: int, count: int) -> npt.NDArray[np.int16]:
    """Numbers of 5 bits around zero that depend on the position alone (a multiplicative hash)."""
    mixed = np.arange(start_sample, start_sample + count, dtype=np.int64).astype(np.uint32)
    for _ in range(2):
        mixed ^= mixed >> np.uint32(16)
        mixed *= np.uint32(0x45D9F3B)
    mixed ^= mixed >> np.uint32(16)
    noise = (mixed >> np.uint32(32 - _NOISE_BITS)).astype(np.int16)
    return noise - np.int16(1 << (_NOISE_BITS - 1))
