"""When a slice began: the sources of its stamp, best first."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.model import ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.vendors.base import Name, Playlist, Segment


NAMES_IN_UTC = frozenset({"agora"})
"""Vendors whose names are in UTC for certain (Agora, "Manage recorded files")."""
QUARTER_HOUR_MS = 900_000
SAME_MOMENT = 5 * ticks.TICKS
"""A tag and a name of one slice differ by less, apart from a time zone: delays on the way of up to 3 s."""


COUNT = "count"
"""Where the stamp of a slice is from that only follows another one."""
STAMP_FEW = frozenset({"volcengine"})
"""Vendors that stamp whole recordings and no slices: a slice without a stamp goes on after the one before."""


def hours_off(segment: Segment, name: Name | None) -> int:
    """Milliseconds by which a slice's tag is in a local time and not in UTC, judged by its name; mostly 0.

    Time zones are whole quarters of an hour off UTC, the nearest half an hour.
    """
    if segment.start_ms is None or name is None or name.stamp_ms is None or name.vendor not in NAMES_IN_UTC:
        return 0
    off = segment.start_ms - name.stamp_ms
    zone = round(off / QUARTER_HOUR_MS) * QUARTER_HOUR_MS
    return zone if abs(zone) > QUARTER_HOUR_MS and ticks.from_ms(abs(off - zone)) <= SAME_MOMENT else 0


def stamps_of(playlist: Playlist, names: Sequence[Name | None], index: Name) -> list[tuple[int | None, str]]:
    """UTC ms of each slice of a playlist and where it is from; None where nothing tells it.

    Args:
        playlist: what ``index`` holds.
        names: of its slices; None for one that is no name of the vendor.
        index: the playlist's own name.
    """
    if index.vendor in STAMP_FEW:
        return _few(playlist, names, index)
    first = next((name.stamp_ms for name in names if name is not None), None)
    return [
        _stamp(segment, name, playlist, first) for segment, name in zip(playlist.segments, names, strict=True)
    ]


def _stamp(
    segment: Segment, name: Name | None, playlist: Playlist, first: int | None
) -> tuple[int | None, str]:
    """The slice's own tag, else the playlist's start plus the steps of the names, else the name.

    Where the playlist has a start, names count only for their differences from ``first``, the stamp in its
    first name: old TRTC names are in local time and carry a year that is not true (TRTC, 1.4).
    """
    stamp = name.stamp_ms if name is not None else None
    if segment.start_ms is not None:
        return segment.start_ms - hours_off(segment, name), "tag"
    if playlist.start_ms is None or stamp is None or first is None:
        return stamp, "name"
    return playlist.start_ms + stamp - first, "tag"


def _few(playlist: Playlist, names: Sequence[Name | None], index: Name) -> list[tuple[int | None, str]]:
    """Tags, names that rise from slice to slice, and for the first the playlist's name; others are counted.

    Names that do not rise tell when the recording began and not when their slice did. What is counted stands
    in the order of the playlist; its time is known when the slices before it were looked at.
    """
    told = [name.stamp_ms for name in names if name is not None and name.stamp_ms is not None]
    rise = 1 < len(told) == len(names) and all(a < b for a, b in pairwise(told))
    out: list[tuple[int | None, str]] = []
    after = index.stamp_ms
    for number, segment in enumerate(playlist.segments):
        at, source = after or 0, COUNT
        if segment.start_ms is not None:
            at, source = segment.start_ms, "tag"
        elif rise:
            at, source = told[number], "name"
        elif not number and after is not None:
            at, source = after, "name"
        out.append((at, source))
        after = at + max(1, (segment.duration_us or 0) // 1000)
    return out
