"""`recpipe watch`."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from pipeline.cli import wishes
from pipeline.cli.app import Command
from pipeline.cli.batch import template
from pipeline.cli.run import text_of
from pipeline.cli.streams import complain
from pipeline.errors import CommandError, ExitCode
from pipeline.model.durations import duration_ms

if TYPE_CHECKING:
    from pipeline.worker.watch import Submission


@click.command(
    "watch",
    cls=Command,
    short_help="submits recordings that nobody announced",
    codes=(ExitCode.INPUT, ExitCode.OUTPUT),
)
@click.argument("store", metavar="STORE")
@click.option("--engine", required=True, metavar="QUEUE", help="Where jobs go: sqlite:PATH or postgres:DSN.")
@click.option(
    "--job",
    required=True,
    type=wishes.FOLDER,
    metavar="FILE",
    help='The job of each recording, with "source": "{source}"; its place gets a folder for each.',
)
@click.option(
    "--settle",
    default="5m",
    show_default=True,
    metavar="DURATION",
    help="A recording to which nothing came for so long is finished.",
)
@click.option(
    "--every", default="10m", show_default=True, metavar="DURATION", help="Look again after so long."
)
@click.option(
    "--deadline",
    default="24h",
    show_default=True,
    metavar="DURATION",
    help="Jobs should be done so long after they were submitted.",
)
@click.option("--once", is_flag=True, help="Look once, and end.")
@wishes.task
@wishes.config
def command(
    *,
    store: str,
    engine: str,
    job: Path,
    settle: str,
    every: str,
    deadline: str,
    once: bool,
    config: str | None,
    **values: str | None,
) -> int:
    """Look for finished recordings in STORE, and submit a job for each that has none yet.

    STORE is written as SOURCE is elsewhere. A recording whose job has ended is submitted again only when
    something came to it after that job had begun. Between two looks nothing is remembered that matters:
    watch may be stopped and begun at any time, and several may look at one store.
    """
    import os

    from pipeline.journal.here import utc_ms
    from pipeline.sources.open import open_source
    from pipeline.worker.queue.open import open_engine
    from pipeline.worker.queue.orders import anchored, anchored_address
    from pipeline.worker.watch import LEAST_EVERY_MS, Watch, keep_looking

    every_ms = duration_ms(every)
    if every_ms < LEAST_EVERY_MS:
        raise CommandError("--every: expected 1s or more.")
    template(job)
    here, task = Path.cwd(), wishes.known_task(values)
    form = json.loads(anchored(text_of(job), str(job), job.parent, here))
    store = anchored_address(store, here)
    queue = open_engine(engine)
    try:
        watch = Watch(
            queue,
            store,
            form,
            settle_ms=duration_ms(settle),
            listing=lambda: open_source(store, task, config, os.environ).objects(),
            clock=utc_ms,
            task=task,
            deadline_ms=duration_ms(deadline),
        )
        if once:
            for each in watch.look():
                _made(each)
            return ExitCode.GOOD
        every_s = every_ms / 1000
        keep_looking(watch, every_s, Event(), _made, lambda said: complain([f"recpipe: {said}"]))
        raise AssertionError("only a signal or an error ends it")
    finally:
        queue.close()


def _made(made: Submission) -> None:
    from pipeline.report.words import visible

    click.echo(f"job {made.id}: {visible(made.source)}, {made.why}")
