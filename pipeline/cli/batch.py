"""`recpipe batch`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from pipeline.cli import wishes
from pipeline.cli.answer import Answer
from pipeline.cli.app import Command
from pipeline.cli.boundary import check
from pipeline.cli.progress import counted
from pipeline.cli.run import read
from pipeline.cli.streams import complain
from pipeline.errors import CommandError, ExitCode

if TYPE_CHECKING:
    from pipeline.job.asked import Entry
    from pipeline.job.batch import Progress
    from pipeline.job.spec import Job

CODES = (
    ExitCode.LOSSES,
    ExitCode.NO_RECORDING,
    ExitCode.INPUT,
    ExitCode.VERIFICATION,
    ExitCode.OUTPUT,
    ExitCode.NO_SPACE,
)
SOURCE = "{source}"
STDIN = "-"
WITH_A_JOB = frozenset({"sources", "lists", "job", "config", "parallel", "resume", "state", "as_json"})
"""What can be said beside a job; everything else stands in it."""


def entries(sources: tuple[str, ...], lists: tuple[str, ...]) -> tuple[Entry, ...]:
    """The sources that were typed, then those of the lists.

    Raises:
        CommandError: a list cannot be read, or a line of it is none.
    """
    from pipeline.job.asked import Entry, read_list

    typed = tuple(map(Entry, sources))
    return typed + tuple(entry for name in lists for entry in read_list(_bytes(name), _named(name)))


def _named(name: str) -> str:
    return "standard input" if name == STDIN else name


def _bytes(name: str) -> bytes:
    from pipeline.job.asked import MOST_BYTES

    try:
        if name == STDIN:
            return sys.stdin.buffer.read(MOST_BYTES + 1)
        with Path(name).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise CommandError(
            f"{_named(name)} cannot be read ({error.strerror}): give a file with a source a line."
        ) from error


def template(path: Path) -> Job:
    """The job that is done with each source.

    Raises:
        CommandError: it is none, or it is of one source.
    """
    job = read(path)
    if job.source != SOURCE:
        raise CommandError(
            f'{path} is the job of one source: write "source": "{SOURCE}", which stands for each.'
        )
    return job


def asked(values: dict[str, Any]) -> Job:
    """The job that the options of merge describe."""
    from pipeline.job.spec import Job, JobLimits

    task, settling = wishes.known_task(values), wishes.settling(values)
    limits = JobLimits(values["jobs"], settling, values["accept_loss"], values["overwrite"])
    return Job(SOURCE, values["dest"] or "", wishes.options(values), task, limits=limits)


def answer(
    sources: tuple[Entry, ...],
    job: Job,
    *,
    parallel: int | None,
    resume: bool,
    state: Path | None,
    config: str | None,
) -> Answer:
    """All of them, done."""
    from pipeline import api
    from pipeline.report.batched import batch_document, batch_lines, ended_lines

    with counted("recordings") as say:

        def done(progress: Progress) -> None:
            check()
            say(ended_lines(progress.rows, progress.ended, progress.known), progress.ended, progress.known)

        rows = api.batch(
            sources,
            job,
            parallel=parallel,
            resume=resume,
            state=state,
            done=done,
            telling=lambda sentence: complain([f"recpipe: {sentence}"]),
            config=config,
        )
    from pipeline.model.batch import code_of

    return Answer(lambda: batch_document(rows), lambda _screen: batch_lines(rows), code_of(rows))


@click.command("batch", cls=Command, short_help="many recordings at once, each a job of its own", codes=CODES)
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@wishes.config
@click.option(
    "--list",
    "lists",
    multiple=True,
    metavar="FILE",
    help='More sources, a line each, or {"source": ..., "place": ...}; - is standard input.',
)
@click.option("-o", "--output", "dest", metavar="DEST", help="Where to: a folder for each source below it.")
@click.option(
    "--job", type=wishes.FOLDER, metavar="FILE", help="Do this job with each, in place of -o and its options."
)
@click.option(
    "--parallel",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="How many sources at once.  [default: the number of processors]",
)
@click.option("--resume", is_flag=True, help="Do not look at sources that an earlier batch has finished.")
@click.option(
    "--state",
    type=wishes.FOLDER,
    metavar="FILE",
    help="What remembers them.  [default: .recpipe-batch.jsonl in DEST; for stores in ~/.local/state]",
)
@wishes.wishes
@wishes.task
@click.option(
    "--jobs",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="How many users of a source at once.  [default: the number of processors / --parallel]",
)
@wishes.accept_loss
@wishes.settle
@wishes.overwrite
@wishes.as_json
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    sources: tuple[str, ...],
    lists: tuple[str, ...],
    config: str | None,
    job: Path | None,
    parallel: int | None,
    resume: bool,
    state: Path | None,
    as_json: bool,
    **values: Any,
) -> int:
    """Merge many recordings at once, each in a process of its own, and print a table of what came of each.

    A SOURCE whose recordings lie in folders is done folder by folder. Each goes to a folder of its own below
    DEST, called by the last part of its address and a hash of all of it. What ends one recording ends no
    other; the exit code is the highest of all. docs/jobs.md says more.
    """
    if job is not None:
        _refuse_beside(context)
    wanted = asked(values) if job is None else template(job)
    made = answer(
        entries(sources, lists), wanted, parallel=parallel, resume=resume, state=state, config=config
    )
    return made.tell(as_json=as_json)


def _refuse_beside(context: click.Context) -> None:
    """What stands in a job is not said beside it."""
    for parameter in context.command.params:
        name = parameter.name or ""
        typed = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if typed and name not in WITH_A_JOB:
            raise CommandError(f"{parameter.opts[-1]} stands in the job: leave it out beside --job.")
