"""``python -m tests.worker.chunk_launcher``: a worker whose jobs make composites in small shares, struck.

What happens where is one JSON document in the environment; see `Strike`. Else nothing differs from what users
start, but that pieces, and shares of them, are a few seconds long.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from unittest.mock import patch

from pipeline.cli.streams import complain
from pipeline.cli.worker import _stops
from pipeline.job import compose_json, divide, run, spread
from pipeline.layout.composite import ComposeOptions
from pipeline.steps import compose, publish
from pipeline.steps.pieces import Workshop
from pipeline.steps.stock import InFolder, InStore, Stock
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from pipeline.worker.shift import child, retry
from pipeline.worker.shift.inside import main as inside
from pipeline.worker.shift.loop import Worker
from pipeline.worker.shift.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.worker.queue.engine import Engine

VARIABLE = "RECPIPE_TEST_CHUNKS"
INSIDE = ("-m", "tests.worker.chunk_launcher", "inside")
PIECE_MS, SHARE_MS = 4_000, 8_000
PAUSE_MS = 10
PLACES: dict[str, tuple[Any, str]] = {
    "planned": (spread, "spread"),
    "begun": (Stock, "begin"),
    "piece": (compose, "_piece"),
    "finished": (Workshop, "finish"),
    "put": (Stock, "put"),
    "sent in folder": (InFolder, "send"),
    "sent in store": (InStore, "send"),
    "fetched": (Stock, "fetch"),
    "joined": (compose, "join"),
    "published": (publish, "publish"),
    "named": (publish, "finish"),
    "told": (run, "tell_done"),
    "cleared": (Stock, "clear"),
}
"""Acts of a job's process."""
How = Literal["", "kill", "kill the worker", "fail", "wait"]


@dataclass(frozen=True, slots=True)
class Strike:
    """What happens to processes of jobs.

    Attributes:
        how: the process is killed, or its worker; it fails for good; it waits for a file ``go``, which lies
            beside the mark.
        where: one of `PLACES`.
        behind: behind that act, and not before it.
        mark: files of this name, and a number, are made when it happens.
        first: so many of such acts pass before.
        times: to so many processes.
    """

    how: How = ""
    where: str = ""
    behind: bool = False
    mark: str = ""
    first: int = 0
    times: int = 1

    def environ(self) -> dict[str, str]:
        """For a worker whose processes are to be struck."""
        return {VARIABLE: json.dumps(asdict(self))}

    def strike(self) -> None:
        """Do it, if it is the turn of this act."""
        number = _next(Path(self.mark))
        if not self.first <= number < self.first + self.times:
            return
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.how == "kill the worker":
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)  # the kernel ends us with it
        elif self.how == "fail":
            raise OSError(5, "the disk is broken", "slice.ts")
        while self.how == "wait" and not Path(self.mark).with_name("go").exists():
            time.sleep(0.01)


def _next(mark: Path) -> int:
    """How many such acts there were, of all processes."""
    number = 0
    while True:
        try:
            mark.with_suffix(f".{number}").open("x").close()
        except FileExistsError:
            number += 1
        else:
            return number


@contextmanager
def small() -> Iterator[None]:
    """Composites of jobs are made in small pieces."""
    with (
        patch.object(compose_json, "ComposeOptions", partial(ComposeOptions, chunk_ms=PIECE_MS)),
        patch.object(divide, "LEAST_MS", SHARE_MS),
        patch.object(divide, "MOST_MS", SHARE_MS),
    ):
        yield


def _struck(usual: Callable[..., Any], strike: Strike) -> Callable[..., Any]:
    @wraps(usual)
    def act(*given: Any, **named: Any) -> Any:
        if not strike.behind:
            strike.strike()
        made = usual(*given, **named)
        if strike.behind:
            strike.strike()
        return made

    return act


def _inside(arguments: list[str]) -> None:
    strike = Strike(**json.loads(os.environ[VARIABLE]))
    with small(), ExitStack() as stack:
        if strike.how:
            where, name = PLACES[strike.where]
            stack.enter_context(patch.object(where, name, _struck(getattr(where, name), strike)))
        inside(arguments)


def _opened(queue: str, lease_ms: int) -> Engine:
    if queue.startswith("postgres:"):
        from pipeline.worker.queue.open import open_engine

        return open_engine(queue)
    return SqliteEngine(Path(queue), lease_ms=lease_ms)


def _worker(queue: str, lease_ms: str, config: str) -> None:
    engine = _opened(queue, int(lease_ms))
    rules = Rules(grace_ms=0, lease_ms=int(lease_ms), poll_ms=50, config=config or None)
    with (
        _stops() as stops,
        patch.object(child, "INSIDE", INSIDE),
        patch.object(retry, "FIRST_PAUSE_MS", PAUSE_MS),
    ):
        Worker(engine, rules, tell=lambda said: complain([str(said)]), stops=stops).run()
    engine.close()


if __name__ == "__main__":
    _worker(*sys.argv[2:]) if sys.argv[1] == "worker" else _inside(sys.argv[2:])
