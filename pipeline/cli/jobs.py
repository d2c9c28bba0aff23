"""`recpipe jobs`: what is in a queue, and what a person does with it."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import wishes
from pipeline.cli.answer import Answer
from pipeline.cli.app import Command, Commands
from pipeline.cli.boundary import check
from pipeline.errors import CommandError, ExitCode
from pipeline.model.durations import duration_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from pipeline.worker.queue.engine import Engine
    from pipeline.worker.queue.jobs import Job

STATES = ("waiting", "running", "done", "dead", "cancelled")
ENDS = STATES[2:]
MOST = 10_000
LOOK_S = 0.5
"""Between two looks at a job that is waited for."""
QUEUE = (ExitCode.OUTPUT, ExitCode.NO_SPACE)
"""What each of them returns where the queue cannot be used."""
CODES = (
    ExitCode.LOSSES,
    ExitCode.NO_RECORDING,
    ExitCode.INPUT,
    ExitCode.VERIFICATION,
    ExitCode.OUTPUT,
    ExitCode.NO_SPACE,
)


@contextmanager
def opened(address: str, *, make: bool = False) -> Iterator[Engine]:
    """The queue at an address. Raises as `pipeline.worker.queue.open.open_engine`."""
    from pipeline.worker.queue.open import open_engine

    queue = open_engine(address, make=make)
    try:
        yield queue
    finally:
        queue.close()


def found(queue: Engine, number: int) -> Job:
    """A job of the queue. Raises CommandError where there is none."""
    return _there(queue.job(number), number)


def _there(job: Job | None, number: int) -> Job:
    if job is None:
        raise CommandError(f"there is no job {number} in this queue: recpipe jobs list names those that are.")
    return job


@dataclass(frozen=True, slots=True)
class Waited:
    """Jobs that were waited for."""

    jobs: tuple[Job, ...]

    @property
    def code(self) -> ExitCode:
        """The highest of theirs."""
        return ExitCode(max(job.end.code for job in self.jobs if job.end))

    def answer(self, document: Callable[[int], dict[str, Any]]) -> Answer:
        """What is told of them."""
        from pipeline.worker.queue.telling import job_rows

        return Answer(lambda: document(int(self.code)), lambda _: job_rows(self.jobs), self.code)


def waited(queue: Engine, numbers: Sequence[int]) -> Waited:
    """Wait until jobs have ended; a queue that is away is waited for too.

    Raises:
        CommandError: one of them is not there, or not any more.
    """
    from pipeline.worker.queue.engine import AWAY

    ended: dict[int, Job] = {}
    while open_ := [number for number in numbers if number not in ended]:
        check()
        try:
            for number in open_:
                job = found(queue, number)
                if job.end is not None:
                    ended[number] = job
        except AWAY:
            pass
        if len(ended) < len(set(numbers)):
            time.sleep(LOOK_S)
    return Waited(tuple(ended[number] for number in numbers))


def _documents(jobs: Sequence[Job], code: int) -> dict[str, Any]:
    from pipeline.worker.queue.telling import job_document

    return {"version": 1, "jobs": [job_document(job) for job in jobs], "exit_code": code}


@click.group("jobs", cls=Commands, short_help="what is in a queue: look, wait, try again, end", codes=CODES)
def command() -> None:
    """Look at the jobs of a queue, and do something about them; a job is called by its number."""


@command.command("list", cls=Command, codes=QUEUE)
@wishes.engine
@click.option(
    "--state", "states", multiple=True, type=click.Choice(STATES), help="Only such; may be given again."
)
@click.option("--key", default="", metavar="KEY", help="Only those of this key.")
@click.option(
    "--most", type=click.IntRange(1, MOST), default=100, show_default=True, metavar="N", help="No more."
)
@click.option(
    "--before", type=click.IntRange(0), default=0, metavar="N", help="Only those with a smaller number."
)
@wishes.as_json
def list_(*, engine: str, states: tuple[str, ...], key: str, most: int, before: int, as_json: bool) -> int:
    """The jobs, the newest first, and how many there are of each state."""
    from pipeline.worker.queue.jobs import State
    from pipeline.worker.queue.telling import job_rows

    with opened(engine) as queue:
        jobs = queue.jobs([State(state) for state in states], key=key, most=most, before=before)
        counts = {str(state): number for state, number in queue.counts().items()}

    def document() -> dict[str, Any]:
        return {"counts": counts, **_documents(jobs, 0)}

    def lines() -> Iterator[str]:
        if jobs:
            yield from job_rows(jobs)
        yield ", ".join(f"{number:,} {state}" for state, number in counts.items())

    return Answer(document, lambda _: lines()).tell(as_json=as_json)


@command.command("show", cls=Command, codes=QUEUE)
@click.argument("number", type=int)
@wishes.engine
@wishes.as_json
def show(*, number: int, engine: str, as_json: bool) -> int:
    """All about a job: how it stands, what it is asked for, what came of it."""
    from pipeline.worker.queue.telling import job_document, job_lines, note_documents
    from pipeline.worker.shift.chunks.shares import standing

    with opened(engine) as queue:
        job = found(queue, number)
        notes, pieces = queue.said(number), standing(queue, job)

    def document() -> dict[str, Any]:
        return {
            "version": 1,
            "job": {
                **job_document(job),
                "pieces": pieces or None,
                "document": _parsed(job.order.document),
                "log": note_documents(notes),
            },
            "exit_code": 0,
        }

    return Answer(document, lambda _: job_lines(job, pieces)).tell(as_json=as_json)


def _parsed(text: str) -> Any:
    """A job's document; its text where it is no JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


@command.command("logs", cls=Command, codes=QUEUE)
@click.argument("number", type=int)
@wishes.engine
@wishes.as_json
def logs(*, number: int, engine: str, as_json: bool) -> int:
    """What was said of a job, the last 200 sentences."""
    from pipeline.worker.queue.telling import note_documents, note_lines

    with opened(engine) as queue:
        found(queue, number)
        notes = queue.said(number)

    def document() -> dict[str, Any]:
        return {"version": 1, "job": number, "log": note_documents(notes), "exit_code": 0}

    return Answer(document, lambda _: note_lines(notes)).tell(as_json=as_json)


@command.command("wait", cls=Command, codes=CODES)
@click.argument("numbers", type=int, nargs=-1, required=True)
@wishes.engine
@wishes.as_json
def wait(*, numbers: tuple[int, ...], engine: str, as_json: bool) -> int:
    """Wait until jobs have ended; the exit code is the highest of theirs."""
    with opened(engine) as queue:
        ended = waited(queue, numbers)
    return ended.answer(lambda code: _documents(ended.jobs, code)).tell(as_json=as_json)


@command.command("retry", cls=Command, codes=QUEUE)
@click.argument("numbers", type=int, nargs=-1)
@click.option(
    "--state", "states", multiple=True, type=click.Choice(ENDS), help="All such, instead of NUMBERS."
)
@wishes.engine
@wishes.as_json
def retry(*, numbers: tuple[int, ...], states: tuple[str, ...], engine: str, as_json: bool) -> int:
    """Let jobs that have ended wait again, with all their attempts.

    With --state those are left out whose work another job does; shares of a composite come again with it.
    """
    if bool(numbers) == bool(states):
        raise CommandError("say which jobs: their numbers, or --state dead for all that were set aside.")
    with opened(engine) as queue:
        before = [found(queue, number) for number in numbers]
        jobs, lines, left = [], [], []
        for was, newer in [(job, job) for job in before] or _ended(queue, states):
            if newer.id != was.id:
                left.append(f"job {was.id} is not tried again: job {newer.id} does the same.")
                continue
            job = _there(queue.retry(was.id), was.id)
            jobs.append(job)
            lines.append(
                f"job {job.id}: " + ("waits again" if was.end else f"has not ended, and is {job.state}")
            )
    told = [*lines, *left] or ["there is none"]
    return Answer(lambda: {**_documents(jobs, 0), "left_out": left}, lambda _: told).tell(as_json=as_json)


def _ended(queue: Engine, states: Collection[str]) -> list[tuple[Job, Job]]:
    """All jobs that ended so, the newest first, each with the open one or the newest of its work."""
    from pipeline.worker.queue.orders import first_key

    before = 0
    jobs: list[Job] = []
    works: dict[str, Job] = {}
    while page := queue.jobs(most=MOST, before=before):
        before = page[-1].id
        jobs += [job for job in page if not job.parent]
    for job in reversed(jobs):
        before_it = works.get(first_key(job.order.key))
        if job.end is None or before_it is None or before_it.end is not None:
            works[first_key(job.order.key)] = job
    return [(job, works[first_key(job.order.key)]) for job in jobs if job.state in states]


@command.command("cancel", cls=Command, codes=QUEUE)
@click.argument("numbers", type=int, nargs=-1, required=True)
@wishes.engine
@wishes.as_json
def cancel(*, numbers: tuple[int, ...], engine: str, as_json: bool) -> int:
    """End jobs: those that wait at once, those that run as soon as their worker has heard of it."""
    with opened(engine) as queue:
        before = [found(queue, number) for number in numbers]
        jobs = [_there(queue.cancel(number), number) for number in numbers]
    lines = [
        f"job {job.id}: "
        + (f"had ended, and is {job.state}" if was.end else "cancelled" if job.end else "is being ended")
        for was, job in zip(before, jobs, strict=True)
    ]
    return Answer(lambda: _documents(jobs, 0), lambda _: lines).tell(as_json=as_json)


@command.command("purge", cls=Command, codes=QUEUE)
@click.option("--older-than", required=True, metavar="DURATION", help="Ended so long ago, such as 30d.")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(ENDS), help="Only such; may be given again."
)
@wishes.engine
@wishes.as_json
def purge(*, older_than: str, states: tuple[str, ...], engine: str, as_json: bool) -> int:
    """Forget jobs that have ended, and what was said of them; their files stay."""
    from pipeline.journal.here import utc_ms
    from pipeline.report.words import count
    from pipeline.worker.queue.jobs import State

    before_ms = utc_ms() - duration_ms(older_than)
    with opened(engine) as queue:
        gone = queue.purge(before_ms, {State(state) for state in states or ENDS})
    return Answer(
        lambda: {"version": 1, "purged": gone, "exit_code": 0}, lambda _: [f"{count(gone, 'job')} forgotten"]
    ).tell(as_json=as_json)
