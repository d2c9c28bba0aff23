"""`recpipe worker`."""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from pipeline.cli import wishes
from pipeline.cli.app import Command
from pipeline.cli.streams import complain
from pipeline.errors import ExitCode
from pipeline.model.durations import duration_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from pipeline.worker.shift.diary import Said

CPU_S = 86_400
LEAST_MEMORY = 4 << 30
"""Of address space: libraries are mapped in whole, of which a small part is ever read."""
NICE = 5


@contextmanager
def _stops() -> Iterator[Callable[[], int]]:
    """How often SIGTERM or SIGINT has arrived, instead of an exception: a worker stops when its jobs have."""
    came = 0

    def count(_number: int, _frame: FrameType | None) -> None:
        nonlocal came
        came += 1

    both = (signal.SIGTERM, signal.SIGINT)
    heeded = [number for number in both if signal.getsignal(number) is not signal.SIG_IGN]  # nohup, "&"
    before = {number: signal.signal(number, count) for number in heeded}
    try:
        yield lambda: came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _text(said: Said) -> None:
    complain([f"recpipe: {said}"])


def _json(said: Said) -> None:
    complain([json.dumps(said.document())])


@click.command(
    "worker", cls=Command, short_help="jobs of a queue, one after another", codes=(ExitCode.OUTPUT,)
)
@wishes.engine
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1024),
    default=1,
    show_default=True,
    metavar="N",
    help="How many jobs at once, as far as the machine has room.",
)
@click.option(
    "--window",
    "windows",
    multiple=True,
    metavar="WINDOW",
    help="Jobs begin only then: '22:00-06:00 Asia/Shanghai'; may be given again.  [default: at any time]",
)
@click.option(
    "--grace",
    default="60s",
    show_default=True,
    metavar="DURATION",
    help="Let jobs go on for so long after SIGTERM or SIGINT; then they are handed back to the queue.",
)
@click.option(
    "--drain",
    is_flag=True,
    help="End when no job may begin any more; those that a dead worker left may a minute later.",
)
@click.option(
    "--log",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A sentence a line on stderr, or a JSON object a line with the job and its recording.",
)
@wishes.config
def command(
    *,
    engine: str,
    concurrency: int,
    windows: tuple[str, ...],
    grace: str,
    drain: bool,
    form: str,
    config: str | None,
) -> int:
    """Do the jobs of a queue: each in a process of its own, again later where that may help.

    Losses are no reason to try again; what fails for good is set aside with the reason. SIGTERM lets jobs go
    on for the time of --grace, the second one does not; then the exit code is 0.
    """
    from pipeline.worker.queue.open import open_engine
    from pipeline.worker.queue.schedule import Window
    from pipeline.worker.shift.loop import Worker
    from pipeline.worker.shift.machine import machine
    from pipeline.worker.shift.rules import Rules
    from pipeline.worker.shift.words import Bounds

    rules = Rules(
        concurrency=concurrency,
        windows=tuple(map(Window.parse, windows)),
        grace_ms=duration_ms(grace),
        drain=drain,
        config=config,
        bounds=Bounds(max(LEAST_MEMORY, machine().memory), CPU_S, NICE),
    )
    queue = open_engine(engine)
    try:
        with _stops() as stops:
            Worker(queue, rules, tell=_json if form == "json" else _text, stops=stops).run()
    finally:
        queue.close()
    return ExitCode.GOOD
