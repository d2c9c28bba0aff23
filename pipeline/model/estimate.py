"""What making an output takes, by what it reads and encodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.model import ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model.slices import Slice
    from pipeline.model.timeline import TrackTime

BYTES_A_SECOND = 100_000_000
"""Measured by ``make bench``: input bytes copied, verified and hashed by one core a second, rounded down."""
PIXELS_A_SECOND = 70_000_000
"""Measured by the row ``fit``: pixels decoded, turned and encoded a second, rounded down."""
SOUND_A_SECOND = 40
"""Measured: seconds of sound decoded, resampled and encoded a second, rounded down."""
MEMORY = 100_000_000
MEMORY_A_PACKET = 100


@dataclass(frozen=True, slots=True)
class Estimate:
    """What making an output takes.

    Attributes:
        seconds: on one core of the machine that ``make bench`` ran on.
        size: bytes of the output, about; the disk needs no more.
        memory: bytes.
    """

    seconds: float
    size: int
    memory: int


def estimate_of(slices: Sequence[Slice], tracks: Sequence[TrackTime], pixels: int, sound: int) -> Estimate:
    """The estimate of an output.

    Args:
        slices: that are read.
        tracks: that they are of.
        pixels: that are encoded.
        sound: ticks of sound that are encoded.
    """
    size = sum({s.key: s.size for s in slices}.values())  # a slice may hold sound and pictures
    packets = sum(
        p.piece.ends.span // max(1, p.piece.ends.step)
        for t in tracks
        for run in t.runs
        for p in run.placed
        if p.piece.ends
    )
    seconds = 0.3 + size / BYTES_A_SECOND + pixels / PIXELS_A_SECOND + sound / ticks.TICKS / SOUND_A_SECOND
    return Estimate(round(seconds, 1), size, MEMORY + MEMORY_A_PACKET * packets)
