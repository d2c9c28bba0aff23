"""`recpipe verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.cli import wishes
from pipeline.cli.answer import Answer
from pipeline.cli.app import Command
from pipeline.errors import ExitCode
from pipeline.model.options import Verify

if TYPE_CHECKING:
    from pathlib import Path

CODES = (ExitCode.VERIFICATION, ExitCode.OUTPUT, ExitCode.NO_SPACE)


def answer(path: str | Path, level: Verify, *, config: str | None = None) -> Answer:
    """Whether finished files are still what their manifest says."""
    from pipeline import api
    from pipeline.report.verified import verification_document, verification_lines

    found = api.verify(path, level, config=config)
    return Answer(
        lambda: verification_document(found), lambda _screen: verification_lines(found), found.exit_code
    )


@click.command("verify", cls=Command, short_help="check finished files again", codes=CODES)
@click.argument("path")
@wishes.config
@wishes.level
@wishes.as_json
def command(*, path: str, config: str | None, level: str, as_json: bool) -> int:
    """Check finished files again where they lie: size, hashes, every check that merge makes.

    PATH is a folder that merge has written, a folder of such folders, or one file beside its manifest.json;
    or the same in a store, written as SOURCE is.
    """
    return answer(path, Verify(level), config=config).tell(as_json=as_json)
