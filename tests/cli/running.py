"""Running the command in this process, through its error boundary, with everything it says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from pipeline.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path

WIDTH = "80"


@dataclass(frozen=True)
class Said:
    """What a command returned and printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        return found


def run(*arguments: str | Path) -> Said:
    """Run ``recpipe`` with arguments."""
    typed = [str(argument) for argument in arguments]
    result = CliRunner(env={"COLUMNS": WIDTH, "RECPIPE_DEBUG": ""}).invoke(app, typed)
    return Said(result.exit_code, result.stdout, result.stderr)


def good(*arguments: str | Path) -> Said:
    """As `run`, for a command that must succeed and say nothing on stderr."""
    said = run(*arguments)
    assert (said.code, said.err) == (0, ""), said
    return said
