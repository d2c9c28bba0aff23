"""Slices that were not looked at, taken to follow those that were: a plan over a store reads few bytes.

Where the listing shows slices that follow one another without a hole or a tag between, the first tells the
codec, and the stamps tell the time. A merge looks at every slice and finds what this cannot.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.slices import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model.slices import Slice

HOLE_MS = 250
"""Between the end of a slice by its playlist and the stamp of the next: more is a gap, as in the timeline."""


def worth_a_look(slices: Sequence[Slice]) -> list[str]:
    """Keys of slices without ends that begin a stretch which the listing shows unbroken.

    Asked again after a look, it names the next slices where those turned out to be unreadable.

    Args:
        slices: of one track, in order.
    """
    return [
        s.key
        for b, s in zip((None, *slices), slices, strict=False)
        if s.state is State.PRESENT and s.ends is None and _begins(b, s)
    ]


def with_assumed(slices: Sequence[Slice]) -> tuple[Slice, ...]:
    """The slices with ends for all that follow one with ends: its codec, PTS by the stamps, no holes."""
    out: list[Slice] = []
    first: Slice | None = None
    for b, s in zip((None, *slices), slices, strict=False):
        first = s if s.ends is not None and (first is None or _begins(b, s)) else first
        if s.ends is None and s.state is State.PRESENT and first is not None and first.ends is not None:
            behind = ticks.from_ms(s.stamp_ms - first.stamp_ms)
            pts = (first.ends.first + behind) % ticks.WRAP
            span = ticks.from_us(s.extinf_us or 0) or first.ends.span
            out.append(replace(s, ends=replace(first.ends, first=pts, span=span, whole=None, cut=None)))
        else:
            out.append(s)
            first = first if s.ends is not None else None
    return _touching(out, assumed={s.key for s in slices if s.ends is None})


def _touching(slices: Sequence[Slice], assumed: set[str]) -> tuple[Slice, ...]:
    """Slices whose media lasts to the next, where that was assumed and not looked at."""
    out = []
    for s, n in zip(slices, (*slices[1:], None), strict=True):
        follows = n is not None and n.key in assumed and not _begins(s, n)
        if s.ends is not None and n is not None and n.ends is not None and follows:
            span = ticks.forward(n.ends.first, s.ends.first)
            out.append(replace(s, ends=replace(s.ends, span=span)))
        else:
            out.append(s)
    return tuple(out)


def _begins(before: Slice | None, now: Slice) -> bool:
    """Whether the listing or a tag says that something may be other than in the slice before."""
    if before is None or before.state is not State.PRESENT or before.extinf_us is None:
        return True
    tagged = now.opens or now.turns or before.turns or now.clockwise != before.clockwise
    other = tagged or now.recorder != before.recorder or now.extinf_us is None or bool(now.follows)
    hole = now.stamp_ms - before.stamp_ms - before.extinf_us // 1000
    return bool(other) or not 0 <= hole + HOLE_MS <= 2 * HOLE_MS
