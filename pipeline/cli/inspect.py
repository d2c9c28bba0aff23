"""`recpipe inspect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import wishes
from pipeline.cli.answer import Answer
from pipeline.cli.app import Command
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.vendors.volcengine import Task


def answer(source: str | Path, task: Task | None = None, config: str | None = None) -> Answer:
    """Who was there when, and what is missing."""
    from pipeline import api
    from pipeline.report.inspected import inspection_document, inspection_lines

    found = api.inspect(source, task=task, config=config)
    return Answer(lambda: inspection_document(found), lambda screen: inspection_lines(found, screen))


@click.command(
    "inspect",
    cls=Command,
    short_help="who was there, when, in which codecs; what is missing",
    codes=(ExitCode.NO_RECORDING, ExitCode.INPUT, ExitCode.OUTPUT),
)
@wishes.source
@wishes.task
@wishes.as_json
def command(*, source: str, config: str | None, as_json: bool, **values: Any) -> int:
    """Tell who was there, when, in which codecs, and where nothing is.

    Reads playlists and both ends of every slice; writes nothing. Times are UTC.
    """
    return answer(source, wishes.known_task(values), config).tell(as_json=as_json)
