"""``python -m tests.worker.launcher``: a worker, or the process of a job, that is struck where a test says.

The strike is one JSON document in the environment; see `Strike`. Else nothing differs from what users start.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from unittest.mock import patch

from pipeline.cli.streams import complain
from pipeline.cli.worker import _stops
from pipeline.steps import render
from pipeline.worker.queue.open import open_engine
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from pipeline.worker.shift import child, retry
from pipeline.worker.shift.inside import Inside
from pipeline.worker.shift.inside import main as inside
from pipeline.worker.shift.loop import Worker
from pipeline.worker.shift.rules import Rules
from pipeline.worker.shift.words import Bounds
from tests.kill import launcher as circumstances
from tests.worker.shift import ahead

if TYPE_CHECKING:
    from pipeline.worker.queue.engine import Engine

VARIABLE = "RECPIPE_TEST_STRIKE"
INSIDE = ("-m", "tests.worker.launcher", "inside")
PAUSE_MS = 10
"""Before what failed is tried again."""
FILLED = 3 << 30
"""Bytes that a process takes at once, and may not."""
How = Literal["", "kill", "stop", "wait", "terminate", "spin", "fill", "leave", "hold"]


@dataclass(frozen=True, slots=True)
class Strike:
    """What happens to a process of a job in the middle of its copying.

    Attributes:
        how: it is killed or stopped by a signal, waits until it is told to end, is terminated from outside,
            computes for ever, takes all memory, leaves without a word, or is held until a file with the name
            of the mark and ``.go`` is there; "" for nothing.
        mark: a file that gets the process id when it happens.
        always: to each process that comes so far; else only to the first.
        below: to a process that the job has forked.
    """

    how: How
    mark: str
    always: bool = False
    below: bool = False

    def environ(self) -> dict[str, str]:
        """For a process that is to be struck, or whose processes are."""
        return {VARIABLE: json.dumps(asdict(self))}

    def strike(self, heed: object) -> None:
        """Do it."""
        mark = Path(self.mark)
        if not self.how or (mark.exists() and not self.always):
            return
        fresh = mark.with_suffix(f".{os.getpid()}")  # two processes of a job may be here at once
        fresh.write_text(str(os.getpid()))
        fresh.rename(mark)
        signals = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP, "terminate": signal.SIGTERM}
        if self.how in signals:
            os.kill(os.getpid(), signals[self.how])
        elif self.how == "leave":
            os._exit(9)
        elif self.how == "fill":
            bytearray(FILLED)
        if self.how == "hold":
            while not mark.with_suffix(".go").exists():
                time.sleep(0.01)
        while self.how in {"wait", "spin"}:
            if self.how == "wait":
                time.sleep(0.01)
            assert callable(heed)
            heed()


def _inside(arguments: list[str]) -> None:
    told = Strike(**json.loads(os.environ[VARIABLE]))
    usual, usual_below = Inside._progress, render._advance

    def struck(self: Inside, count: int) -> None:
        usual(self, count)
        if count and not told.below:
            told.strike(lambda: usual(self, 1))

    def struck_below(count: int) -> None:
        usual_below(count)
        if told.below:
            told.strike(None)

    with ExitStack() as patches:
        if circumstances.VARIABLE in os.environ:
            circumstances.arrange(circumstances.Circumstances.told(), patches)
        patches.enter_context(patch.object(Inside, "_progress", struck))
        patches.enter_context(patch.object(render, "_advance", struck_below))
        inside(arguments)


@dataclass(frozen=True, slots=True)
class Hired:
    """A worker that ends when there is nothing more to do.

    Attributes:
        queue: its address, as users give it.
        lease_ms: of its claims.
        concurrency: jobs at once.
        grace_ms: for which its jobs may go on when it is stopped.
        ahead_ms: by how much its clocks are ahead: claims look so much older to it.
        config: the file that names stores; "" for none.
    """

    queue: str
    lease_ms: int
    concurrency: int = 1
    grace_ms: int = 0
    ahead_ms: int = 0
    config: str = ""

    def arguments(self) -> list[str]:
        """To be started by."""
        return ["-m", "tests.worker.launcher", "worker", json.dumps(asdict(self))]

    def opened(self, patches: ExitStack) -> Engine:
        """Its queue; in PostgreSQL, who claims says how old a claim is that is nobody's."""
        kind, _, place = self.queue.partition(":")
        if kind == "sqlite":
            return SqliteEngine(Path(place), clock=ahead(self.ahead_ms), lease_ms=self.lease_ms)
        over_ms = max(1, self.lease_ms - self.ahead_ms)
        patches.enter_context(patch("pipeline.worker.queue.postgres.engine.LEASE_MS", over_ms))
        return open_engine(self.queue)

    def work(self) -> None:
        """Until it is stopped, or nothing is left."""
        rules = Rules(
            concurrency=self.concurrency,
            grace_ms=self.grace_ms,
            drain=True,
            config=self.config or None,
            lease_ms=self.lease_ms,
            poll_ms=50,
            bounds=Bounds(memory=FILLED),
        )
        with ExitStack() as patches:
            stops = patches.enter_context(_stops())
            patches.enter_context(patch.object(child, "INSIDE", INSIDE))
            patches.enter_context(patch.object(retry, "FIRST_PAUSE_MS", PAUSE_MS))
            engine = self.opened(patches)
            Worker(engine, rules, tell=lambda said: complain([str(said)]), stops=stops).run()
            engine.close()


if __name__ == "__main__":
    Hired(**json.loads(sys.argv[2])).work() if sys.argv[1] == "worker" else _inside(sys.argv[2:])
