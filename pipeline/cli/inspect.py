"""`recpipe inspect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.cli import wishes
from pipeline.cli.answer import Answer
from pipeline.cli.app import Command
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path


def answer(source: Path) -> Answer:
    """Who was there when, and what is missing."""
    from pipeline import api
    from pipeline.report.inspected import inspection_document, inspection_lines

    found = api.inspect(source)
    return Answer(lambda: inspection_document(found), lambda screen: inspection_lines(found, screen))


@click.command(
    "inspect",
    cls=Command,
    short_help="who was there, when, in which codecs; what is missing",
    codes=(ExitCode.NO_RECORDING, ExitCode.INPUT),
)
@wishes.source
@wishes.as_json
def command(*, source: Path, as_json: bool) -> int:
    """Tell who was there, when, in which codecs, and where nothing is.

    Reads playlists and both ends of every slice; writes nothing. Times are UTC.
    """
    return answer(source).tell(as_json=as_json)
