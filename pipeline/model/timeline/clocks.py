"""Which stretches of PTS read one clock, and the line of each clock."""

from __future__ import annotations

from statistics import median_low
from typing import TYPE_CHECKING

from pipeline.model.clock import SLOPE_POINTS, Clock, fit
from pipeline.model.timeline.links import ROUNDING, SAME_CLOCK

if TYPE_CHECKING:
    from pipeline.model.slices import Medium
    from pipeline.model.timeline.links import Link

MOST_CLOCKS = 50
"""How many clocks back a stretch is compared with: recordings have a few, hostile ones one a slice."""


def clocks_of(chains: dict[Medium, tuple[Link, ...]]) -> tuple[dict[tuple[Medium, int], Clock], bool]:
    """A clock for each stretch of each track; one for several stretches that agree."""
    stretches: dict[tuple[Medium, int], list[tuple[int, int]]] = {}
    for medium, links in chains.items():
        for link in links:
            points = stretches.setdefault((medium, link.stretch), [])
            if not (points and link.piece.follows):  # what was counted from a stamp is no other stamp
                points.append((link.media, link.utc))
    alone = {key: fit(points) for key, points in stretches.items()}
    groups: list[list[tuple[Medium, int]]] = []
    for key in sorted(stretches, key=lambda k: (stretches[k][0][1], k)):
        recent = reversed(groups[-MOST_CLOCKS:])
        home = next((g for g in recent if _agree(alone, stretches, g[0], key)), None)
        if home is None:
            groups.append([key])
        else:
            home.append(key)
    clocks: dict[tuple[Medium, int], Clock] = {}
    shared = False
    for group in groups:
        joint = fit(sorted(point for key in group for point in stretches[key]))
        clocks.update(dict.fromkeys(group, joint))
        shared = shared or len({medium for medium, _ in group}) > 1
    return clocks, shared


def _agree(
    clocks: dict[tuple[Medium, int], Clock],
    stretches: dict[tuple[Medium, int], list[tuple[int, int]]],
    one: tuple[Medium, int],
    other: tuple[Medium, int],
) -> bool:
    """Whether two stretches read the same clock: their lines agree at both ends of the shorter one.

    A stretch of too few stamps has no slope of its own; its stamps must lie on the line of the other.

    Two tracks that each begin at the very same count, though their stamps differ, were each counted from
    their own first packet: that is no shared clock, however near their stamps are.
    """
    points = stretches[other]
    if one[0] is not other[0]:
        (media, utc), (other_media, other_utc) = stretches[one][0], points[0]
        if media == other_media and abs(utc - other_utc) > ROUNDING:
            return False
    more, fewer = sorted((one, other), key=lambda key: -len(stretches[key]))
    line, points = clocks[more], stretches[fewer]
    if len(points) < SLOPE_POINTS:
        return median_low([abs(line.at(media) - utc) for media, utc in points]) <= SAME_CLOCK
    own = clocks[fewer]
    return all(abs(line.at(media) - own.at(media)) <= SAME_CLOCK for media in (points[0][0], points[-1][0]))
