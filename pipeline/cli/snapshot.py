"""`recpipe snapshot`."""

from __future__ import annotations

from functools import reduce
from typing import Any

import click

from pipeline.cli import wishes
from pipeline.cli.app import Command
from pipeline.cli.merge import CODES, answer
from pipeline.model.durations import short_duration_ms
from pipeline.model.options import Missing, Moment, Screen, Verify
from pipeline.model.snapshots import WIDTHS, Format, SnapshotOptions
from pipeline.vendors.stills import WRITERS, checked

_DECORATORS = (
    click.option(
        "--every",
        metavar="DURATION",
        help="A picture at each UTC time that is a multiple of this, such as 5s or 500ms.",
    ),
    click.option(
        "--at",
        multiple=True,
        metavar="T",
        help="A picture at T: UTC (2026-01-20T11:30:22Z) or h:mm:ss from the beginning; may be given again.",
    ),
    click.option("--uid", "uids", multiple=True, metavar="U", help="Only this user; may be given again."),
    click.option("--start", metavar="T", help="None before T; as --at."),
    click.option("--end", metavar="T", help="None from T on; as --at."),
    click.option(
        "--screen",
        type=click.Choice([str(each) for each in Screen]),
        default=str(Screen.OWN),
        show_default=True,
        help="A shared screen: pictures of its own; before or behind the camera; alone; or none of it.",
    ),
    click.option(
        "--hold", is_flag=True, help="Where a camera is off, take its last picture.  [default: none]"
    ),
    click.option(
        "--nearest-key",
        metavar="DURATION",
        help="Take a key frame that is no farther from the moment, and decode it alone.",
    ),
    click.option(
        "--format",
        "kind",
        type=click.Choice([str(each) for each in Format]),
        default=str(Format.JPEG),
        show_default=True,
        help="What the pictures are.",
    ),
    click.option(
        "--quality",
        type=click.IntRange(1, 95),
        default=85,
        show_default=True,
        metavar="N",
        help="Of JPEG, 1 to 95.",
    ),
    click.option(
        "--width",
        type=click.IntRange(*WIDTHS),
        metavar="PIXELS",
        help="Scale to this width, which is even; the aspect is kept.  [default: as they were sent]",
    ),
    click.option("--sheet", is_flag=True, help="Contact sheets of each user's pictures besides."),
    click.option(
        "--name",
        default="",
        metavar="PATTERN",
        help=f"Names of the files, of {{uid}} {{screen}} {{utc}} {{recording}}; or as {', '.join(WRITERS)}.",
    ),
    click.option(
        "--missing",
        type=click.Choice([str(each) for each in Missing]),
        default=str(Missing.FILL),
        show_default=True,
        help="A listed slice that is not there: go on without it, or fail.",
    ),
    click.option(
        "--verify",
        type=click.Choice([str(each) for each in Verify]),
        default=str(Verify.FULL),
        show_default=True,
        help="full decodes each picture again after it was made.",
    ),
)


def options(values: dict[str, Any]) -> SnapshotOptions:
    """What was typed as a value.

    Raises:
        CommandError: a moment or a duration that is none, no moment at all, or a name that cannot be.
    """
    checked(values["name"])
    start, end, every, nearest = (values[name] for name in ("start", "end", "every", "nearest_key"))
    return SnapshotOptions(
        uids=tuple(dict.fromkeys(values["uids"])),
        screen=Screen(values["screen"]),
        missing=Missing(values["missing"]),
        start=None if start is None else Moment.parse(start),
        end=None if end is None else Moment.parse(end),
        name=values["name"],
        verify=Verify(values["verify"]),
        every_ms=0 if every is None else short_duration_ms(every),
        at=tuple(dict.fromkeys(map(Moment.parse, values["at"]))),
        format=Format(values["kind"]),
        quality=values["quality"],
        width=values["width"],
        hold=values["hold"],
        nearest_ms=0 if nearest is None else short_duration_ms(nearest),
        sheet=values["sheet"],
    )


@click.command("snapshot", cls=Command, short_help="pictures of each user at given moments", codes=CODES)
@wishes.source
@click.option("-o", "--output", "dest", required=True, metavar="DEST", help="Where to: written as SOURCE is.")
@lambda function: reduce(lambda f, decorator: decorator(f), reversed(_DECORATORS), function)
@wishes.task
@wishes.jobs
@wishes.accept_loss
@wishes.settle
@wishes.overwrite
@wishes.as_json
def command(
    *,
    source: str,
    config: str | None,
    dest: str,
    jobs: int | None,
    accept_loss: bool,
    overwrite: bool,
    as_json: bool,
    **values: Any,
) -> int:
    """Take pictures of each user at given moments, check each, and write manifest.json beside them.

    The picture of a moment is the last one that was sent before it; where a camera is off there is none.
    What an earlier run of the same work has taken is kept ("already done").
    """
    task, settling, wanted = wishes.known_task(values), wishes.settling(values), options(values)
    made = answer(
        source,
        dest,
        wanted,
        jobs=jobs,
        overwrite=overwrite,
        accept_loss=accept_loss,
        task=task,
        config=config,
        settling=settling,
        doing="taking pictures",
    )
    return made.tell(as_json=as_json)
