"""`recpipe compose`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipeline.cli import composing, wishes
from pipeline.cli.app import Command
from pipeline.cli.merge import CODES
from pipeline.cli.merge import answer as merged
from pipeline.cli.plan import answer as planned
from pipeline.cli.scenes import scene
from pipeline.cli.streams import complain
from pipeline.errors import CommandError

MOST_USERS = 100


@click.command(
    "compose",
    cls=Command,
    short_help="the whole call in one picture and one mix; or a scene of it",
    codes=CODES,
)
@click.argument("source", required=False)
@click.option("-o", "--output", "out", metavar="DEST", help="A folder, a store, or a file in one of them.")
@composing.options
@click.option("--plan", "only_plan", is_flag=True, help="Say what would be made, and write nothing.")
@click.option(
    "--preview",
    type=click.IntRange(1, MOST_USERS),
    metavar="N",
    help="Only the scene of N users, without a SOURCE; into -o FILE.png.",
)
@click.option("--at", metavar="T", help="Only the scene at a moment: UTC, or h:mm:ss from the beginning.")
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
@wishes.config
@wishes.task
@wishes.jobs
@wishes.accept_loss
@wishes.settle
@wishes.overwrite
@wishes.as_json
def command(*, out: str | None, overwrite: bool, as_json: bool, only_plan: bool, **values: Any) -> int:
    """Put everybody into one picture and one mix, as a cloud would have while recording.

    With --preview or --at only a scene is told, and drawn into a PNG: who is where on the canvas, and what
    is inferred because no page of the cloud tells it. With inferred numbers a composite is approximate.
    """
    task, settling = wishes.known_task(values), wishes.settling(values)
    if values["preview"] is not None or values["at"] is not None:
        place = None if out is None else Path(out)
        return scene(values, place, task, overwrite=overwrite).tell(as_json=as_json)
    if values["source"] is None or (out is None) != only_plan:
        raise CommandError("give SOURCE and -o DEST, SOURCE and --plan, SOURCE and --at T, or --preview N.")
    if values["aspects"] or values["sharing"]:
        raise CommandError("--aspect and --sharing are of --preview; a recording tells both.")
    place_of, values["name"] = composing.into(out or "", values["name"])
    wanted, notes = composing.compose_options(values)
    if out is not None and wanted.composing is not None:
        composing.check_ending(out, pictures=wanted.composing.encoding is not None)
    complain([f"recpipe: {note}" for note in notes])
    shared: dict[str, Any] = {name: values[name] for name in ("jobs", "accept_loss", "config")}
    if only_plan:
        return planned(values["source"], wanted, task=task, **shared).tell(as_json=as_json)
    done = merged(
        values["source"],
        place_of,
        wanted,
        overwrite=overwrite,
        task=task,
        settling=settling,
        doing="composing",
        **shared,
    )
    return done.tell(as_json=as_json)
