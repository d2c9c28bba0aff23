"""`recpipe compose`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import wishes
from pipeline.cli.answer import Answer
from pipeline.cli.app import Command
from pipeline.errors import CommandError, ExitCode
from pipeline.layout.canvas import Canvas, Place
from pipeline.layout.scene import Seat
from pipeline.model.options import Moment
from pipeline.vendors.layouts import AUTO, MODES, NAMES, SIZES, TEMPLATES, Wish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.vendors.volcengine import Task

MOST_USERS = 100
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


_LAYOUT = (
    click.option(
        "--layout", type=click.Choice(NAMES), default=AUTO, show_default=True, help="How users are arranged."
    ),
    click.option(
        "--vendor",
        type=click.Choice(list(TEMPLATES)),
        help="Arrange them as this cloud does, in its numbers.",
    ),
    click.option("--size", metavar="WxH", help="Of the canvas.  [default: the cloud's; 1280x720]"),
    click.option(
        "--large",
        type=click.IntRange(1),
        metavar="N",
        help="Which user is large.  [default: as the layout says]",
    ),
    click.option("--large-right", is_flag=True, help="The large one at the right: --layout screen."),
    click.option(
        "--region",
        "regions",
        multiple=True,
        metavar="X,Y,W,H[,Z]",
        help="Of --layout custom, one for each user: fractions of the canvas, or pixels; larger Z in front.",
    ),
)


@click.command(
    "compose",
    cls=Command,
    short_help="who is where on the canvas of a layout, as a picture or as numbers",
    codes=(ExitCode.NO_RECORDING, ExitCode.INPUT, ExitCode.OUTPUT, ExitCode.NO_SPACE),
)
@click.argument("source", required=False)
@click.option(
    "--preview",
    type=click.IntRange(1, MOST_USERS),
    metavar="N",
    help="The scene of N users, without a SOURCE.",
)
@click.option(
    "--at", metavar="T", help="The scene of SOURCE at a moment: UTC, or h:mm:ss from its beginning."
)
@click.option(
    "--aspect",
    "aspects",
    multiple=True,
    metavar="W:H",
    help="Of --preview's users, in turn.  [default: 16:9]",
)
@click.option(
    "--sharing", type=click.IntRange(1), metavar="N", help="Which of --preview's users is a shared screen."
)
@lambda function: reduce(lambda f, decorator: decorator(f), reversed(_LAYOUT), function)
@click.option("-o", "--output", "out", type=wishes.FOLDER, metavar="FILE.png", help="Draw it into this file.")
@click.option("--overwrite", is_flag=True, help="Replace the file.")
@wishes.config
@wishes.task
@wishes.as_json
def command(
    *,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
    **values: Any,
) -> int:
    """Draw the scene of a layout: who is where on the canvas, for N users or at a moment of SOURCE.

    Prints each user's region in pixels, who gets none, and what is inferred because no page of the cloud
    tells it; with inferred numbers a scene is approximate.
    """
    if out is not None and out.suffix.lower() != ".png":
        raise CommandError(f"{out}: pictures are PNG, give a name that ends in .png.")
    canvas, wish = _wish(values)
    return answer(wish, canvas, _seats(values), out, overwrite=overwrite).tell(as_json=as_json)


def _wish(values: dict[str, Any]) -> tuple[Canvas, Wish]:
    """The canvas and the layout that were typed."""
    vendor, large = values["vendor"] or "", values["large"]
    canvas = Canvas.parse(values["size"] or SIZES[vendor].value)
    regions = [canvas.parse_region(text) for text in values["regions"]]
    places = tuple(Place(box, MODES[vendor].value, z) for box, z in regions)
    wish = Wish(
        name=values["layout"],
        vendor=vendor,
        large=None if large is None else large - 1,
        right=values["large_right"],
        places=places,
    )
    return canvas, wish


def _seats(values: dict[str, Any]) -> tuple[Seat, ...]:
    """Users that were invented, or those of a recording."""
    source, at, users = values["source"], values["at"], values["preview"]
    task = wishes.known_task(values)
    if (users is None) == (source is None) or (at is None) != (source is None):
        raise CommandError("give --preview N, or SOURCE and --at T.")
    if users is not None:
        return invented(users, values["aspects"], values["sharing"])
    if values["aspects"] or values["sharing"]:
        raise CommandError("--aspect and --sharing are of --preview; a recording tells both.")
    return Recorded(source, Moment.parse(at), task, values["config"]).seats()
