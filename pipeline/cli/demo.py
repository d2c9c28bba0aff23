"""`recpipe demo`: a realistic recording, then every command on it as one would type it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import inspect, merge, plan, verify, wishes
from pipeline.cli.answer import Answer
from pipeline.cli.app import Command
from pipeline.cli.boundary import check
from pipeline.cli.streams import put
from pipeline.errors import ExitCode, OutputError
from pipeline.model.options import Options, Verify
from pipeline.report.words import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

VERSION = 1
DEFAULT = "recpipe-demo"


def make(place: Path) -> None:
    """Write the demo recording; the same bytes every time.

    Raises:
        OutputError: the folder cannot be written.
    """
    from pipeline.demo.default import meeting
    from pipeline.demo.recorder import make as record

    try:
        record(meeting(), place)
    except OSError as error:
        raise OutputError(f"{place} cannot be written ({error.strerror}): give demo another DIR.") from error


def steps(recording: Path, merged: Path) -> Iterator[tuple[list[str], Callable[[], Answer]]]:
    """The commands as they are typed, and what each does."""
    source, dest, wanted = str(recording), str(merged), Options()
    yield ["inspect", source], lambda: inspect.answer(recording)
    yield ["plan", source], lambda: plan.answer(recording, wanted, jobs=None, accept_loss=False)
    yield (
        ["merge", source, "-o", dest],
        lambda: merge.answer(recording, merged, wanted, jobs=None, overwrite=False, accept_loss=False),
    )
    yield ["verify", dest], lambda: verify.answer(merged, Verify.FULL)


@click.command(
    "demo",
    cls=Command,
    short_help="a recording of three people, merged and verified",
    codes=(ExitCode.VERIFICATION, ExitCode.OUTPUT, ExitCode.NO_SPACE),
)
@click.argument("folder", metavar="[DIR]", type=wishes.FOLDER, default=DEFAULT)
@wishes.as_json
def command(*, folder: Path, as_json: bool) -> int:
    """Make a recording of three people in DIR (recpipe-demo), then inspect, plan, merge and verify it.

    Every command is printed as one could type it. The pictures show their own UTC time, the sound beeps at
    each full second.
    """
    recording, merged = folder / "recording", folder / "merged"
    if not as_json:
        put([f"Making a recording of three people, 75 seconds, in {visible(str(recording))} ..."])
    make(recording)
    told: list[dict[str, Any]] = []
    code = 0
    for typed, work in steps(recording, merged):
        check()
        if not as_json:
            put(["", f"$ {visible(shlex.join(['recpipe', *typed]))}"])
        answer = work()
        if as_json:
            told.append({"command": ["recpipe", *typed], "exit_code": int(answer.code)})
            code = max(code, int(answer.code))
        else:
            code = max(code, answer.tell(as_json=False))
    files = sorted(str(path) for path in merged.iterdir() if path.suffix == ".mp4")
    document = {"version": VERSION, "commands": told, "files": files, "exit_code": code}
    ending = ["", "Open these:", *(f"  {visible(file)}" for file in files)]
    return Answer(lambda: document, lambda _screen: ending, ExitCode(code)).tell(as_json=as_json)
