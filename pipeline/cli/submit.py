"""`recpipe submit`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import wishes
from pipeline.cli.answer import Answer
from pipeline.cli.app import Command
from pipeline.cli.jobs import opened, waited
from pipeline.cli.streams import complain
from pipeline.errors import CommandError, ExitCode
from pipeline.model import ticks
from pipeline.model.durations import duration_ms
from pipeline.model.options import Moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.worker.queue.engine import Engine
    from pipeline.worker.queue.jobs import Job, Order

CODES = (
    ExitCode.LOSSES,
    ExitCode.NO_RECORDING,
    ExitCode.INPUT,
    ExitCode.VERIFICATION,
    ExitCode.OUTPUT,
    ExitCode.NO_SPACE,
)


@dataclass(frozen=True, slots=True)
class Put:
    """What became of a file: the job of the queue, and whether it is new."""

    file: str
    job: Job
    new: bool


def at_ms(text: str | None, option: str, now_ms: int) -> int:
    """UTC ms of a time that was typed, as a duration from now or as UTC; 0 where none was.

    Raises:
        CommandError: it is neither.
    """
    if text is None:
        return 0
    try:
        return now_ms + duration_ms(text)
    except CommandError:
        pass
    try:
        moment = Moment.parse(text)
    except CommandError:
        moment = None
    if moment is None or not moment.absolute:
        raise CommandError(
            f"{option} {text!r} is no time: give a duration from now, such as 8h, or UTC, such as "
            "2026-01-20T22:00:00Z."
        )
    return ticks.to_ms(moment.at)


def orders(
    files: tuple[Path, ...],
    *,
    key: str | None,
    priority: int,
    not_before_ms: int,
    deadline_ms: int,
    config: str | None,
    local: bool,
) -> list[Order]:
    """What is submitted, checked; nobody is asked for anything.

    Raises:
        CommandError: one of the files is no job that could be done, with all that is wrong with it.
    """
    from pipeline.cli.run import text_of
    from pipeline.job.spec_json import parse_job
    from pipeline.storage.settings import read_settings
    from pipeline.worker.queue.jobs import Order
    from pipeline.worker.queue.orders import anchored, faults_of_places, key_of

    settings, found = read_settings(config, os.environ), []
    for file in files:
        text = anchored(text_of(file), str(file), file.parent, Path.cwd())
        job = parse_job(text, str(file), Path.cwd())
        if faults := faults_of_places(job, settings, os.environ, local=local):
            raise CommandError(f"{file} is not submitted: {'; '.join(faults)}.")
        try:
            found.append(
                Order(
                    key=key or key_of(text, str(file)),
                    document=text,
                    priority=priority,
                    not_before_ms=not_before_ms,
                    deadline_ms=deadline_ms,
                )
            )
        except ValueError as error:
            raise CommandError(f"{file} is not submitted: {error}.") from error
    return found


def put(engine: Engine, files: tuple[Path, ...], found: list[Order]) -> Iterator[Put]:
    """Submit them, one after another."""
    for file, order in zip(files, found, strict=True):
        said = engine.submit(order)
        job = engine.job(said.id)
        if job is None:
            raise CommandError(
                f"job {said.id} of {file} was purged as soon as it was there: submit it again."
            )
        yield Put(str(file), job, said.new)


def _document(told: list[Put], jobs: list[Job], code: int) -> dict[str, Any]:
    from pipeline.worker.queue.telling import job_document

    return {
        "version": 1,
        "jobs": [
            {"file": each.file, "new": each.new, **job_document(job)}
            for each, job in zip(told, jobs, strict=True)
        ],
        "exit_code": code,
    }


def _line(each: Put) -> str:
    from pipeline.report.words import visible

    what = "submitted" if each.new else f"is there already, and is {each.job.state}"
    return f"job {each.job.id}: {visible(each.file)} {what}"


@click.command("submit", cls=Command, short_help="jobs into a queue, for workers to do", codes=CODES)
@click.argument("files", nargs=-1, required=True, type=wishes.FOLDER, metavar="JOB...")
@wishes.engine
@wishes.config
@click.option(
    "--key",
    metavar="KEY",
    help="The same for the same work: while a job of it has not ended, no second one is made.  "
    "[default: of what the job is asked for]",
)
@click.option(
    "--priority",
    type=click.IntRange(-(2**31) + 1, 2**31 - 1),
    default=0,
    show_default=True,
    metavar="N",
    help="Larger comes first.",
)
@click.option("--not-before", metavar="TIME", help="Nobody begins it earlier: 8h from now, or UTC.")
@click.option(
    "--deadline",
    metavar="TIME",
    help="It should be done by then; workers warn before.  [default: 24h after it may begin]",
)
@click.option("--wait", is_flag=True, help="Wait until the jobs have ended; the exit code is the highest.")
@wishes.as_json
def command(
    *,
    files: tuple[Path, ...],
    engine: str,
    config: str | None,
    key: str | None,
    priority: int,
    not_before: str | None,
    deadline: str | None,
    wait: bool,
    as_json: bool,
) -> int:
    """Put the jobs in the files JOB into a queue; the files are those of recpipe run.

    All are checked before the first is submitted. Folders in them become absolute paths, so that a worker may
    stand anywhere.
    """
    from pipeline.journal.here import utc_ms
    from pipeline.worker.queue.schedule import deadline_of

    if key is not None and len(files) > 1:
        raise CommandError("--key is that of one job: submit the files one by one.")
    if key == "":
        raise CommandError("--key is empty: give one, or leave it out.")
    now = utc_ms()
    begin_ms = at_ms(not_before, "--not-before", now)
    found = orders(
        files,
        key=key,
        priority=priority,
        not_before_ms=begin_ms,
        deadline_ms=deadline_of(at_ms(deadline, "--deadline", now), begin_ms, now),
        config=config,
        local=engine.startswith("sqlite:"),
    )
    with opened(engine, make=True) as queue:
        told = []
        for each in put(queue, files, found):
            told.append(each)
            if wait:
                complain([_line(each)])
        if not wait:
            jobs = [each.job for each in told]
            lines = list(map(_line, told))
            return Answer(lambda: _document(told, jobs, 0), lambda _: lines).tell(as_json=as_json)
        ended = waited(queue, [each.job.id for each in told])
    return ended.answer(lambda code: _document(told, list(ended.jobs), code)).tell(as_json=as_json)
