"""What names and rotation tags mean to a merge: whose, which media, which recorder, slice or whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from pipeline.model.slices import Medium, Turned
from pipeline.vendors.base import Content, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.vendors.base import Name, Turn
    from pipeline.vendors.inventory.listing import Named

Who: TypeAlias = tuple[str, str]
"""The uid and the source of a user; the uid is empty for a composite."""

LISTED_BY_EVENTS = frozenset({"agora_onpremise"})
"""Vendors whose recorder writes finished files one after another, as others write slices."""
AT_ONCE_MS = 100
"""A rotation so soon after the stamp of its slice holds from the slice's first picture."""


def who_of(named: Named) -> Who:
    """Whose an object is."""
    return named.name.uid or "", str(named.name.source)


def is_slice(named: Named) -> bool:
    """Whether it is a slice, or a file that stands for one."""
    finished = named.name.kind is Kind.FINISHED and named.name.vendor in LISTED_BY_EVENTS
    return finished or named.name.kind is Kind.SLICE


def is_finished(named: Named) -> bool:
    """Whether it is a file that plays by itself and that no event file lists as a slice."""
    return named.name.kind is Kind.FINISHED and named.name.vendor not in LISTED_BY_EVENTS


def recorder_of(name: Name) -> int:
    """Which recorder wrote it: Agora counts those that took over from 0, TRTC from 1."""
    return 0 if name.failover is None else name.failover + (name.vendor == "agora")


def media_of(content: Content) -> tuple[Medium, ...]:
    """The tracks that an object belongs to."""
    return {
        Content.AUDIO: (Medium.AUDIO,),
        Content.VIDEO: (Medium.VIDEO,),
        Content.BOTH: (Medium.AUDIO, Medium.VIDEO),
    }[content]


def turned(tags: Sequence[Turn], stamp_ms: int, before: int) -> tuple[int, tuple[Turned, ...]]:
    """The rotation that a slice begins with, and those that begin inside it by the times of their tags."""
    clockwise = before
    turns: list[Turned] = []
    for tag in tags:
        after_ms = 0 if tag.at_ms is None else tag.at_ms - stamp_ms
        if after_ms <= AT_ONCE_MS:
            clockwise, turns = tag.clockwise, []
        elif tag.clockwise != (turns[-1].clockwise if turns else clockwise):
            turns.append(Turned(after_ms, tag.clockwise))
    return clockwise, tuple(turns)
