"""``python -m tests.worker.launcher``: a worker, or the process of a job, that is struck where a test says.

The strike is one JSON document in the environment; see `Strike`. Else nothing differs from what users start.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from unittest.mock import patch

from pipeline.cli.streams import complain
from pipeline.cli.worker import _stops
from pipeline.steps import render
from pipeline.worker import child, retry
from pipeline.worker.inside import Inside
from pipeline.worker.inside import main as inside
from pipeline.worker.loop import Worker
from pipeline.worker.rules import Rules
from pipeline.worker.sqlite.engine import SqliteEngine
from pipeline.worker.words import Bounds

VARIABLE = "RECPIPE_TEST_STRIKE"
INSIDE = ("-m", "tests.worker.launcher", "inside")
PAUSE_MS = 10
"""Before what failed is tried again."""
FILLED = 3 << 30
"""Bytes that a process takes at once, and may not."""
How = Literal["", "kill", "stop", "wait", "terminate", "spin", "fill", "leave"]


@dataclass(frozen=True, slots=True)
class Strike:
    """What happens to a process of a job in the middle of its copying.

    Attributes:
        how: it is killed or stopped by a signal, waits until it is told to end, is terminated from outside,
            computes for ever, takes all memory, or leaves without a word; "" for nothing.
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
        mark.with_suffix(".new").write_text(str(os.getpid()))
        mark.with_suffix(".new").rename(mark)
        signals = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP, "terminate": signal.SIGTERM}
        if self.how in signals:
            os.kill(os.getpid(), signals[self.how])
        elif self.how == "leave":
            os._exit(9)
        elif self.how == "fill":
            bytearray(FILLED)
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
        if not told.below:
            told.strike(lambda: usual(self, 1))

    def struck_below(count: int) -> None:
        usual_below(count)
        if told.below:
            told.strike(None)

    with patch.object(Inside, "_progress", struck), patch.object(render, "_advance", struck_below):
        inside(arguments)


def _worker(path: str, lease_ms: str, concurrency: str, grace_ms: str) -> None:
    engine = SqliteEngine(Path(path), lease_ms=int(lease_ms))
    rules = Rules(
        concurrency=int(concurrency),
        grace_ms=int(grace_ms),
        drain=True,
        lease_ms=int(lease_ms),
        poll_ms=50,
        bounds=Bounds(memory=FILLED),
    )
    with (
        _stops() as stops,
        patch.object(child, "INSIDE", INSIDE),
        patch.object(retry, "FIRST_PAUSE_MS", PAUSE_MS),
    ):
        Worker(engine, rules, tell=lambda said: complain([str(said)]), stops=stops).run()
    engine.close()


if __name__ == "__main__":
    _worker(*sys.argv[2:]) if sys.argv[1] == "worker" else _inside(sys.argv[2:])
