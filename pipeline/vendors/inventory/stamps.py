"""When a slice began: the sources of its stamp, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.vendors.base import Name, Playlist, Segment


def stamp_of(
    segment: Segment, name: Name | None, playlist: Playlist, first: int | None
) -> tuple[int | None, str]:
    """UTC ms of a slice: its own tag, else the playlist's start plus the steps of the names, else the name.

    Where the playlist has a start, names count only for their differences from ``first``, the stamp in its
    first name: old TRTC names are in local time and carry a year that is not true (TRTC, 1.4).
    """
    stamp = name.stamp_ms if name is not None else None
    if segment.start_ms is not None:
        return segment.start_ms, "tag"
    if playlist.start_ms is None or stamp is None or first is None:
        return stamp, "name"
    return playlist.start_ms + stamp - first, "tag"
