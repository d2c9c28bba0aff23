"""Users as stretches of seconds, and shots as lines of text.

A user is a line: ``ann v 0-20 25-40 a 0-41`` sends pictures from 0 up to 20 s and again from 25 s, and sound
up to 41 s; ``ann:screen v 5-9`` shares a screen. Times are multiples of 0.2 s, which are whole pictures of
1/15 s and whole milliseconds. What follows a stretch after a ``/`` are tags of `tests.model.slicing`:
``v 0-20/size=320x240/extinf=21``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pipeline.layout.canvas import Canvas
from pipeline.layout.composing import Composing
from pipeline.layout.looks import Looks
from pipeline.layout.stage import Face, staged
from pipeline.layout.streams import SCREEN
from pipeline.model import ticks
from pipeline.model.timeline import arrange
from pipeline.vendors.layouts import Wish
from tests.model.slicing import T0, pictures, sound, user

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.layout.stage import Role, Shot, Turn
    from pipeline.layout.streams import Streams, Who
    from pipeline.model.timeline import UserTime

CANVAS = Canvas(640, 360)


def sender(line: str) -> UserTime:
    """The user that a line describes, on UTC."""
    name, *words = line.split()
    uid, _, source = name.partition(":")
    stretches: dict[str, list[str]] = {"v": [], "a": []}
    medium = ""
    for word in words:
        if word in stretches:
            medium = word
            continue
        times, *tags = word.split("/")
        first, last = times.split("-")
        span = Fraction(last) - Fraction(first)
        stretches[medium].append(f"{first} {first} {span} START {' '.join(tags)}")
    tracks = [
        make(*stretches[letter]) for letter, make in (("v", pictures), ("a", sound)) if stretches[letter]
    ]
    found = arrange(user(*tracks, uid=uid, source=source or "camera"))
    assert found is not None
    return found


def senders(*lines: str) -> tuple[UserTime, ...]:
    return tuple(sender(line) for line in lines)


def at(second: float | str | Fraction) -> int:
    """UTC ticks."""
    moment = T0 + Fraction(str(second)) * ticks.TICKS
    assert moment.denominator == 1
    return int(moment)


def asked(
    layout: str = "grid",
    vendor: str = "",
    *,
    canvas: Canvas = CANVAS,
    streams: Streams | None = None,
    main: Who | None = None,
    **looks: Any,
) -> Composing:
    """A composite, as the layout ``grid`` of nobody where nothing else is said."""
    composing = Composing(canvas, Wish(layout, vendor), main=main, looks=Looks(**looks))
    return (
        composing
        if streams is None
        else Composing(canvas, Wish(layout, vendor), streams=streams, main=main, looks=Looks(**looks))
    )


def shots(
    composing: Composing,
    *lines: str,
    start: float = 0,
    end: float = 1000,
    turns: Sequence[Turn] = (),
) -> tuple[Shot, ...]:
    """The shots of users from a second to another."""
    return staged(senders(*lines), composing, at(start), at(end), turns)


def told(found: Sequence[Shot]) -> list[str]:
    """``second: who face, ...`` of each shot.

    People stand in the order of joining, in parentheses who has no region, with a star who has more of the
    canvas than any other; the face is left out where the picture is live.
    """
    return [f"{second(shot.start)}: {', '.join(_told(shot)) or 'nobody'}" for shot in found]


def second(utc: int) -> str:
    """Seconds from the beginning."""
    return f"{float(Fraction(utc - T0, ticks.TICKS)):.6g}"


def named(role: Role) -> str:
    """Whose it is and what it shows."""
    name = f"{role.uid}:{role.source}" if role.source == SCREEN else role.uid
    face = "" if role.face is Face.LIVE else f" {role.image.ref if role.image else role.face}"
    return f"{name}{face}"


def _told(shot: Shot) -> list[str]:
    areas = {region.seat: region.w * region.h for region in shot.scene.regions}
    largest = [seat for seat, area in areas.items() if area == max(areas.values())]
    out = []
    for number, role in enumerate(shot.roles):
        star = "*" if len(areas) > 1 and largest == [number] else ""
        out.append(f"{star}{named(role)}" if number in areas else f"({named(role)})")
    return out
