"""Progress bars on stderr, where a person watches; elsewhere there is none."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.cli.boundary import check
from pipeline.cli.streams import complain, is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SECONDS_BETWEEN = 0.1


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function to be told (bytes done, bytes in all); it also ends the work when a signal has arrived.

    The bar appears when it is first told: until then, others may write lines.
    """
    if not is_terminal(sys.stderr):
        yield lambda _done, _total: check()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,  # its thread would be copied, locks and all, into the workers
    )
    shown = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal shown
        check()
        bar.start()
        bar.update(task, completed=done, total=total)
        if (now := time.monotonic()) - shown >= SECONDS_BETWEEN:
            shown = now
            bar.refresh()

    task = bar.add_task(what, total=None)
    try:
        yield tell
    finally:
        bar.stop()


@contextmanager
def counted(what: str) -> Iterator[Callable[[Iterable[str], int, int], None]]:
    """A function that writes lines on stderr, and a bar of (things done, things in all) below them."""
    if not is_terminal(sys.stderr):
        yield lambda lines, _done, _total: complain(lines)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,  # as above
    )

    def say(lines: Iterable[str], done: int, total: int) -> None:
        bar.stop()
        complain(lines)
        bar.start()
        bar.update(task, completed=done, total=total, refresh=True)

    task = bar.add_task(what, total=None)
    try:
        yield say
    finally:
        bar.stop()
