"""When a slice began: the sources of its stamp, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import ticks

if TYPE_CHECKING:
    from pipeline.vendors.base import Name, Playlist, Segment


NAMES_IN_UTC = frozenset({"agora"})
"""Vendors whose names are in UTC for certain (Agora, "Manage recorded files")."""
QUARTER_HOUR_MS = 900_000
SAME_MOMENT = 5 * ticks.TICKS
"""A tag and a name of one slice differ by less, apart from a time zone: delays on the way of up to 3 s."""


def hours_off(segment: Segment, name: Name | None) -> int:
    """Milliseconds by which a slice's tag is in a local time and not in UTC, judged by its name; mostly 0.

    Time zones are whole quarters of an hour off UTC, the nearest half an hour.
    """
    if segment.start_ms is None or name is None or name.stamp_ms is None or name.vendor not in NAMES_IN_UTC:
        return 0
    off = segment.start_ms - name.stamp_ms
    zone = round(off / QUARTER_HOUR_MS) * QUARTER_HOUR_MS
    return zone if abs(zone) > QUARTER_HOUR_MS and ticks.from_ms(abs(off - zone)) <= SAME_MOMENT else 0


def stamp_of(
    segment: Segment, name: Name | None, playlist: Playlist, first: int | None
) -> tuple[int | None, str]:
    """UTC ms of a slice: its own tag, else the playlist's start plus the steps of the names, else the name.

    Where the playlist has a start, names count only for their differences from ``first``, the stamp in its
    first name: old TRTC names are in local time and carry a year that is not true (TRTC, 1.4).
    """
    stamp = name.stamp_ms if name is not None else None
    if segment.start_ms is not None:
        return segment.start_ms - hours_off(segment, name), "tag"
    if playlist.start_ms is None or stamp is None or first is None:
        return stamp, "name"
    return playlist.start_ms + stamp - first, "tag"
