"""`recpipe merge`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import wishes
from pipeline.cli.answer import Answer
from pipeline.cli.app import Command
from pipeline.cli.progress import progress
from pipeline.cli.streams import complain
from pipeline.errors import ExitCode
from pipeline.model.completeness import AT_ONCE

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.model.completeness import Settling
    from pipeline.model.options import Options
    from pipeline.vendors.volcengine import Task

CODES = (
    ExitCode.LOSSES,
    ExitCode.NO_RECORDING,
    ExitCode.INPUT,
    ExitCode.VERIFICATION,
    ExitCode.OUTPUT,
    ExitCode.NO_SPACE,
)


def answer(
    source: str | Path,
    dest: str | Path,
    options: Options,
    *,
    jobs: int | None,
    overwrite: bool,
    accept_loss: bool,
    task: Task | None = None,
    config: str | None = None,
    settling: Settling = AT_ONCE,
    doing: str = "merging",
) -> Answer:
    """The files, made and verified."""
    from pipeline import api
    from pipeline.report.merged import Merged, merged_document, merged_lines

    with progress(doing) as tell:
        done = api.merge(
            source,
            dest,
            options,
            jobs=jobs,
            overwrite=overwrite,
            progress=tell,
            task=task,
            config=config,
            settling=settling,
            waiting=lambda sentence: complain([f"recpipe: {sentence}"]),
        )
    merged = [
        Merged(str(each.place), each.manifest, each.already, each.exit_code(accept_loss=accept_loss))
        for each in done
    ]
    code = max(each.code for each in merged)
    return Answer(lambda: merged_document(merged, code), lambda _screen: merged_lines(merged), code)


@click.command("merge", cls=Command, short_help="one verified MP4 per user, by packet copy", codes=CODES)
@wishes.source
@click.option("-o", "--output", "dest", required=True, metavar="DEST", help="Where to: written as SOURCE is.")
@wishes.wishes
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
    """Make one MP4 per user by packet copy, verify each, and write manifest.json beside them.

    What an earlier run of the same work has made is kept ("already done"). A source with several recordings
    gets a folder for each below DEST.
    """
    task, settling, wanted = wishes.known_task(values), wishes.settling(values), wishes.options(values)
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
    )
    return made.tell(as_json=as_json)
