"""Who is there at one time of a recording, as seats in the order of joining."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.layout.scene import Seat
from pipeline.layout.streams import SCREEN
from pipeline.model.shapes import stretches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model.shapes import Stretch
    from pipeline.model.timeline import UserTime

QUARTERS = (90, 270)


def seats_at(times: Sequence[UserTime], at: int) -> tuple[Seat, ...]:
    """The users whose stay holds a moment, by when that stay began.

    A shared screen is a seat of its own while it shows pictures, the last of them to the end of its slice.
    The aspect is that of the pictures shown then, before a camera's first that of its first, after they
    ended that of the last; of who never sends any, that of a seat.

    Args:
        times: users on UTC.
        at: UTC ticks.
    """
    there = [
        (start, time.uid, time.source, seat_of(time, stretches(time.video) if time.video else (), at))
        for time in times
        for start, end in time.sessions
        if start <= at < end and (time.source != SCREEN or _shows(time, at))
    ]
    return tuple(seat for *_, seat in sorted(there, key=lambda entry: entry[:3]))


def _shows(time: UserTime, at: int) -> bool:
    runs = time.video.runs if time.video else ()
    return any(run.start <= at < run.listed_end for run in runs)


def seat_of(time: UserTime, found: Sequence[Stretch], at: int) -> Seat:
    """Somebody as a seat, with the aspect of what he shows then.

    Args:
        time: his.
        found: the shapes of his pictures; none of who sends none.
        at: UTC ticks.
    """
    screen = time.source == SCREEN
    if not found:
        return Seat(time.uid, screen=screen)
    shape = next((s.shape for s in reversed(found) if s.start <= at), found[0].shape)
    width, height = shape.width, shape.height
    if shape.clockwise in QUARTERS:
        width, height = height, width
    return Seat(time.uid, width, height, screen=screen)
