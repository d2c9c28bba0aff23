"""Scenes of `recpipe compose`: who is where for so many users, or at one moment of a recording."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline.cli.answer import Answer
from pipeline.errors import CommandError
from pipeline.layout.canvas import Canvas, Place
from pipeline.layout.scene import Seat
from pipeline.model.options import Moment
from pipeline.vendors.layouts import MODES, SIZES, Wish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.vendors.volcengine import Task

MOST_ASPECT = 10_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """The users of a recording at a moment."""

    source: str
    at: Moment
    task: Task | None = None
    config: str | None = None

    def seats(self) -> tuple[Seat, ...]:
        """Who is there."""
        from pipeline import api

        return api.seats(self.source, self.at, task=self.task, config=self.config)


def answer(wish: Wish, canvas: Canvas, seats: Sequence[Seat], out: Path | None, *, overwrite: bool) -> Answer:
    """Who is where, drawn into a file where one is wanted."""
    from pipeline.report.scenes import scene_document, scene_lines, scene_png

    scene = wish.scene(canvas, seats)
    if out is not None:
        from pipeline.steps.draw import draw

        draw(out, scene_png(scene), overwrite=overwrite)
    return Answer(lambda: scene_document(scene), lambda _screen: scene_lines(scene))


def scene(values: dict[str, Any], out: Path | None, task: Task | None, *, overwrite: bool) -> Answer:
    """The scene that was typed.

    Raises:
        CommandError: it is none.
    """
    if out is not None and out.suffix.lower() != ".png":
        raise CommandError(f"{out}: pictures of scenes are PNG, give a name that ends in .png.")
    canvas, wish = _wish(values)
    seats = _seats(values, task)
    if values["large"] is not None:
        wish = replace(wish, large=_index(values["large"], seats))
    return answer(wish, canvas, seats, out, overwrite=overwrite)


def _index(text: str, seats: Sequence[Seat]) -> int:
    """Who is large: the number of a user, or his id."""
    if text.isascii() and text.isdigit() and 1 <= int(text) <= len(seats):
        return int(text) - 1
    found = next((n for n, seat in enumerate(seats) if seat.name == text), None)
    if found is None:
        raise CommandError(f"user {text} cannot be large: there are {len(seats)}.")
    return found


def invented(users: int, aspects: Sequence[str], sharing: int | None) -> tuple[Seat, ...]:
    """So many users of these aspects, one after another.

    Raises:
        CommandError: an aspect is none, or the one who shares his screen is not among them.
    """
    if sharing is not None and sharing > users:
        raise CommandError(f"--sharing {sharing}: there are only {users} users.")
    sizes = [_aspect(text) for text in aspects] or [(16, 9)]
    return tuple(Seat(str(n + 1), *sizes[n % len(sizes)], screen=n + 1 == sharing) for n in range(users))


def _aspect(text: str) -> tuple[int, int]:
    width, colon, height = text.partition(":")
    sides = [int(side) if side.isascii() and side.isdigit() else 0 for side in (width, height)]
    if not colon or not all(0 < side <= MOST_ASPECT for side in sides):
        raise CommandError(f"an aspect is WIDTH:HEIGHT, such as 16:9, not {text!r}.")
    return sides[0], sides[1]


def _wish(values: dict[str, Any]) -> tuple[Canvas, Wish]:
    """The canvas and the layout that were typed."""
    vendor = values["vendor"] or ""
    canvas = Canvas.parse(values["size"] or SIZES[vendor].value)
    regions = [canvas.parse_region(text) for text in values["regions"]]
    places = tuple(Place(box, MODES[vendor].value, z) for box, z in regions)
    return canvas, Wish(values["layout"], vendor, right=values["large_right"], places=places)


def _seats(values: dict[str, Any], task: Task | None) -> tuple[Seat, ...]:
    """Users that were invented, or those of a recording."""
    source, at, users = values["source"], values["at"], values["preview"]
    if (users is None) == (source is None) or (at is None) != (source is None):
        raise CommandError("give --preview N, or SOURCE and --at T.")
    if users is not None:
        return invented(users, values["aspects"], values["sharing"])
    if values["aspects"] or values["sharing"]:
        raise CommandError("--aspect and --sharing are of --preview; a recording tells both.")
    return Recorded(source, Moment.parse(at), task, values["config"]).seats()
