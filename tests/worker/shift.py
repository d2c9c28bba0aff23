"""``python -m tests.worker.shift``: a worker in a process of its own that does nothing with its jobs.

What has returned is told line by line on standard output, so that a test knows what was promised before the
process died. Its orders are one JSON document, see `Shift`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import LostError
from pipeline.worker.queue.jobs import Ended, Needs, Order, State
from pipeline.worker.queue.sqlite.boot import this_machine
from pipeline.worker.queue.sqlite.engine import SqliteEngine

if TYPE_CHECKING:
    from pipeline.worker.queue.jobs import Claim
    from pipeline.worker.queue.sqlite.boot import Clock, Instant

ROOT = Path(__file__).parents[2]
ROOM = Needs(cores=1)


@dataclass(frozen=True, slots=True)
class Shift:
    """What a worker is to do.

    Attributes:
        path: of the queue.
        worker: its name.
        task: ``work`` until there is nothing, ``submit`` for ever, or ``hold`` one job until a line comes.
        ahead_ms: by how much its clocks are ahead.
        strike: before which of the statements to SQLite, from 1, a signal comes; 0 for none.
        signal: which one.
    """

    path: str
    worker: str
    task: str
    ahead_ms: int = 0
    strike: int = 0
    signal: int = int(signal.SIGKILL)

    def start(self) -> subprocess.Popen[str]:
        """In a new process, its standard input and output open."""
        return subprocess.Popen(
            [sys.executable, "-m", "tests.worker.shift", json.dumps(asdict(self))],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


def ahead(ms: int) -> Clock:
    """This machine's clocks some time from now."""
    now = this_machine()

    def later() -> Instant:
        seen = now()
        return replace(seen, utc_ms=seen.utc_ms + ms, since_ms=seen.since_ms + ms)

    return later


def tell(*words: object) -> None:
    """At once, in one write."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def strike(engine: SqliteEngine, at: int, with_signal: int) -> None:
    """Before a statement begins (sqlite3_trace_v2)."""
    seen = 0

    def count(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == at:
            os.kill(os.getpid(), with_signal)

    engine._connections.mine().set_trace_callback(count)


def do(engine: SqliteEngine, claim: Claim) -> None:
    """The least that a worker does with a job: it goes on after it was lost, as one that is broken would."""
    which = (claim.job.id, claim.token)
    try:
        engine.beat(claim, 500)
        tell("beat", *which)
    except LostError:
        tell("beat-lost", *which)
    try:
        engine.end(claim, Ended(State.DONE, 0, f"by {claim.worker}"))
        tell("end", *which)
    except LostError:
        tell("end-lost", *which)


def main(shift: Shift) -> None:
    engine = SqliteEngine(Path(shift.path), clock=ahead(shift.ahead_ms))
    if shift.strike:
        strike(engine, shift.strike, shift.signal)
    number = 0
    while shift.task == "submit":
        number += 1
        tell("submitted", engine.submit(Order(f"{shift.worker}/{number}", "{}")).id, 0)
    while claim := engine.claim(shift.worker, ROOM):
        tell("claim", claim.job.id, claim.token)
        if shift.task == "hold":
            sys.stdin.readline()
        do(engine, claim)
    engine.close()


if __name__ == "__main__":
    main(Shift(**json.loads(sys.argv[1])))
