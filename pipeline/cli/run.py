"""`recpipe run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import wishes
from pipeline.cli.answer import Answer
from pipeline.cli.app import Command
from pipeline.cli.progress import progress
from pipeline.cli.streams import complain
from pipeline.errors import CommandError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.job.ready import Asked
    from pipeline.job.spec import Job

CODES = (
    ExitCode.LOSSES,
    ExitCode.NO_RECORDING,
    ExitCode.INPUT,
    ExitCode.VERIFICATION,
    ExitCode.OUTPUT,
    ExitCode.NO_SPACE,
)


def read(path: Path) -> Job:
    """The job in a file.

    Raises:
        CommandError: it cannot be read, or is none.
    """
    from pipeline.job.spec_json import parse_job

    return parse_job(text_of(path), str(path), path.parent)


def text_of(path: Path) -> str:
    """The text of a job's file. Raises CommandError where it cannot be read, or is too long for a job."""
    from pipeline.job.spec_json import MOST_BYTES

    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise CommandError(
            f"{path} cannot be read ({error.strerror}): give the file of a job in JSON."
        ) from error
    if len(data) > MOST_BYTES:
        raise CommandError(f"{path} is no job: it has over {MOST_BYTES} bytes.")
    return data.decode("utf-8", "replace")


def answer(job: Job, *, config: str | None) -> Answer:
    """The job, done."""
    from pipeline import api
    from pipeline.report.merged import Merged
    from pipeline.report.ran import Failed, ran_document, ran_lines

    with progress("working") as tell:
        ran = api.run(
            job, progress=tell, config=config, telling=lambda sentence: complain([f"recpipe: {sentence}"])
        )
    told: list[Merged | Failed] = []
    for each in ran:
        if each.done is not None:
            code = each.done.exit_code(accept_loss=job.limits.accept_loss)
            told.append(Merged(each.place, each.done.manifest, each.done.already, code))
        elif each.error is not None:
            told.append(Failed(each.place, each.error))
    code = max(each.code for each in told)
    return Answer(lambda: ran_document(told, code), lambda _screen: ran_lines(told), code)


def checked(job: Job, *, config: str | None) -> Answer:
    """What the job needs, asked for."""
    from pipeline import api

    asked = api.check(job, config=config)
    code = max((each.error.exit_code for each in asked if each.error), default=ExitCode.GOOD)
    return Answer(lambda: _document(asked, code), lambda _screen: _lines(asked), code)


def _document(asked: tuple[Asked, ...], code: ExitCode) -> dict[str, Any]:
    return {
        "version": 1,
        "asked": [{"what": each.what, "problem": str(each.error) if each.error else ""} for each in asked],
        "exit_code": int(code),
    }


def _lines(asked: tuple[Asked, ...]) -> Iterator[str]:
    from pipeline.report.words import visible

    for each in asked:
        yield f"{visible(each.what)}: {visible(str(each.error)) if each.error else 'good'}"


@click.command("run", cls=Command, short_help="a whole job from the bucket to the notice", codes=CODES)
@click.argument("job", type=wishes.FOLDER)
@wishes.config
@click.option("--check", "only_check", is_flag=True, help="Only ask for what the job needs, within seconds.")
@wishes.as_json
def command(*, job: Path, config: str | None, only_check: bool, as_json: bool) -> int:
    """Do the job in the file JOB: wait until the recording is complete, merge, publish, tell.

    It may be stopped anywhere and run again: what is done is kept, what was open is ended. The same job with
    the same slices does nothing; with other slices it makes a new revision. docs/jobs.md says what goes into
    the file.
    """
    spec = read(job)
    made = checked(spec, config=config) if only_check else answer(spec, config=config)
    return made.tell(as_json=as_json)
