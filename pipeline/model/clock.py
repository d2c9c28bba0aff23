"""Clocks: a robust line of UTC against media time, from the stamps of many slices.

A stamp is a hint (rounded, late on a bad network, sometimes minutes wrong); media time is steady. So a clock
is fitted over all stamps of a stretch and says how far they disagree with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median_low
from typing import TYPE_CHECKING

from pipeline.model import ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

SLOPE_POINTS = 10
"""Fewer stamps than this cannot tell a slope from their own rounding."""
SLOPE_SHOWS = ticks.from_ms(20)
"""A slope counts only when it moves the far end by more than this, and by more than the stamps scatter."""
MOST_SLOPE = 500_000
"""Parts per thousand million: no two clocks part faster; stamps that do are wrong, not the media."""
SCATTERS = 4
PPB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Clock:
    """UTC as a line over media time.

    Attributes:
        media: media ticks where ``utc`` holds.
        utc: UTC ticks there.
        slope_ppb: how much faster UTC runs than media time, in parts per thousand million.
        uncertainty_ms: nine of ten stamps lie within this of the line; at least 1, the stamps' own rounding.
        stamps: how many stamps it rests on.
    """

    media: int
    utc: int
    slope_ppb: int = 0
    uncertainty_ms: int = 1
    stamps: int = 1

    def at(self, media: int) -> int:
        """UTC ticks of a media time."""
        return self.utc + stretched(media - self.media, self.slope_ppb)


def stretched(length: int, slope_ppb: int) -> int:
    """Media ticks as UTC ticks on a clock of this slope.

    >>> stretched(90_000_000, 200_000)
    90018000
    """
    return length + (length * slope_ppb + PPB // 2) // PPB if slope_ppb else length


def fit(points: Sequence[tuple[int, int]]) -> Clock:
    """The line through ``(media ticks, UTC ticks)`` pairs, in order of media time; at least one.

    The slope is Theil's (pairs half the stretch apart), used only when it shows; the offset is the median, so
    that one wrong stamp moves nothing.
    """
    media = points[0][0]
    slope = _slope(points)
    offsets = sorted(utc - stretched(at - media, slope) for at, utc in points)
    # Stamps are cut off to whole milliseconds: where that alone explains their scatter, the largest is best.
    utc = offsets[-1] if offsets[-1] - offsets[0] <= ticks.PER_MS else median_low(offsets)
    errors = sorted(abs(offset - utc) for offset in offsets)
    nine_tenths = errors[(len(errors) * 9 - 1) // 10]
    return Clock(media, utc, slope, max(1, -(-nine_tenths // ticks.PER_MS)), len(points))


def _slope(points: Sequence[tuple[int, int]]) -> int:
    half = len(points) // 2
    if len(points) < SLOPE_POINTS or points[half][0] <= points[0][0]:
        return 0
    slopes = [
        ((u2 - u1) - (m2 - m1)) * PPB // (m2 - m1)
        for (m1, u1), (m2, u2) in zip(points, points[half:], strict=False)
        if m2 > m1
    ]
    slope = median_low(slopes)
    if abs(slope) > MOST_SLOPE:
        return 0
    length = points[-1][0] - points[0][0]
    media = points[0][0]
    offsets = [utc - stretched(at - media, slope) for at, utc in points]
    middle = median_low(offsets)
    scatter = median_low([abs(offset - middle) for offset in offsets])
    return slope if abs(slope) * length // PPB > max(SLOPE_SHOWS, SCATTERS * scatter) else 0
