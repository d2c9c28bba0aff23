"""``python -m benchmarks.sharing JOB QUEUE WORKERS``: a job of a queue, by workers of one processor each."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from pipeline.worker.queue.jobs import ENDED, Order, State
from pipeline.worker.queue.sqlite.engine import SqliteEngine

POLL_S = 0.05


def main(job: str, queue: str, workers: str) -> int:
    """Submit the job, start the workers, end them when it has ended."""
    engine = SqliteEngine(Path(queue))
    number = engine.submit(Order("the call", Path(job).read_text(encoding="utf-8"))).id
    processors = sorted(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "pipeline", "worker", "--engine", f"sqlite:{queue}", "--grace", "0"]
    with Path(queue).with_suffix(".log").open("ab") as log:
        there = [
            subprocess.Popen(
                command,
                stderr=log,
                preexec_fn=partial(os.sched_setaffinity, 0, {processors[n % len(processors)]}),  # noqa: PLW1509 - there are no threads
            )
            for n in range(int(workers))
        ]
        while (found := engine.job(number)) is not None and found.state not in ENDED:
            time.sleep(POLL_S)
        for worker in there:
            worker.terminate()
            worker.wait()
    engine.close()
    return int(found is None or found.state is not State.DONE)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
