"""What is known of a recording task after some of its events, and what is to be done about it.

Vendors send events out of order, twice, or not at all. A `Task` is therefore a fold that does not care: each
of its fields is a greatest, a least or a union, so that the same events in any order, any of them any number
of times, give the same value and the same decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pipeline.vendors.events import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.vendors.events import Event

MOST_NAMED = 1000
"""Files and people that are kept of a task, the first by their names; a hundred users are 300 files."""


class Wants(StrEnum):
    """What is to be done about a task."""

    NOTHING = "nothing"  # nothing yet: it is still recorded
    QUIET = "quiet"  # a job when nothing more was heard for a while: no event tells the last file
    WAIT = "wait"  # a job when READY comes, or at the limit after which what is there has to do
    JOB = "job"  # a job now: everything is in the store
    NEVER = "never"  # no job, for a reason: failed, or kept in the vendor's own VOD storage


# What outranks what: files that are all there are there, whatever else was told.
_RANKS = (
    (Phase.READY, Wants.JOB),
    (Phase.PARTIAL, Wants.WAIT),
    (Phase.SETTLING, Wants.QUIET),
    (Phase.KEPT, Wants.NEVER),
    (Phase.FAILED, Wants.NEVER),
)


@dataclass(frozen=True, slots=True)
class Told:
    """The last event of a phase: ``at_ms`` UTC milliseconds and what it gave as a reason."""

    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class Task:
    """What is known of a task; `of` and `after` make it.

    Attributes:
        vendor: as in its events.
        app: as in its events.
        task: as in its events.
        told: each phase that was heard of with its last event, by the phase's word.
        first_ms: UTC milliseconds of the first event; None before any.
        last_ms: of the last one.
        room: plain text; the first by the alphabet if several were told, empty if none was.
        files: that were named, sorted, at most `MOST_NAMED`.
        users: everybody who was named, sorted, at most `MOST_NAMED`.
        call: as ``room``.
    """

    vendor: str
    app: str
    task: str
    told: tuple[tuple[Phase, Told], ...] = ()
    first_ms: int | None = None
    last_ms: int | None = None
    room: str = ""
    files: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    call: str = ""

    @classmethod
    def of(cls, events: Iterable[Event]) -> Task:
        """The task that some events, at least one, tell of; raises ValueError for none, or for several."""
        listed = list(events)
        if not listed:
            raise ValueError("expected at least one event of a task")
        task = cls(listed[0].vendor, listed[0].app, listed[0].task)
        for event in listed:
            task = task.after(event)
        return task

    def after(self, event: Event) -> Task:
        """What is known after one more event; raises ValueError for one of another task."""
        if (event.vendor, event.app, event.task) != (self.vendor, self.app, self.task) or not self.task:
            raise ValueError(f"expected an event of the task {self.task!r}, not of {event.task!r}")
        told = dict(self.told)
        news = Told(event.at_ms, event.reason)
        told[event.phase] = max(told.get(event.phase, news), news, key=_order)
        return Task(
            vendor=self.vendor,
            app=self.app,
            task=self.task,
            told=tuple(sorted(told.items())),
            first_ms=event.at_ms if self.first_ms is None else min(self.first_ms, event.at_ms),
            last_ms=event.at_ms if self.last_ms is None else max(self.last_ms, event.at_ms),
            room=_least(self.room, event.room),
            files=_both(self.files, event.files),
            users=_both(self.users, (event.user, *event.people)),
            call=_least(self.call, event.call),
        )

    @property
    def phases(self) -> frozenset[Phase]:
        """The phases that were heard of."""
        return frozenset(phase for phase, _ in self.told)

    def wants(self) -> Wants:
        """What is to be done about it."""
        return next((wants for phase, wants in _RANKS if phase in self.phases), Wants.NOTHING)

    @property
    def reason(self) -> str:
        """Why `wants` says so, a sentence; empty where there is nothing to explain."""
        told = dict(self.told)
        return next((told[phase].reason for phase, _ in _RANKS if phase in told), "")


def _order(told: Told) -> tuple[int, str]:
    return told.at_ms, told.reason


def _least(one: str, other: str) -> str:
    return min(filter(None, (one, other)), default="")


def _both(kept: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*kept, *filter(None, more)})[:MOST_NAMED])
