"""Many jobs while workers and processes of jobs are killed by chance: each ends once, in done or dead."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from pipeline.worker.jobs import State
from pipeline.worker.retry import MOST_DEATHS
from pipeline.worker.sqlite.engine import SqliteEngine
from tests.worker.calls import LEASE_MS, NAMES, Calls
from tests.worker.launcher import Strike

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from pipeline.demo.made import Made

WORKERS, TOGETHER, PAUSE_S = 2, 2, 0.4


@pytest.mark.parametrize(
    ("jobs", "faults"),
    [
        pytest.param(12, 8, id="some"),
        pytest.param(1000, 500, id="a thousand", marks=pytest.mark.soak),
    ],
)
def test_every_job_ends_once_whatever_is_killed(
    made: Callable[[str], Made], tmp_path: Path, jobs: int, faults: int
) -> None:
    engine = SqliteEngine(tmp_path / "queue.db", lease_ms=LEASE_MS)
    calls = Calls(made, tmp_path, engine, Strike("", ""))
    numbers = [calls.submit(NAMES[number % len(NAMES)], number) for number in range(jobs)]
    random, there = Random(jobs), [calls.start(TOGETHER) for _ in range(WORKERS)]  # noqa: S311 - no secret
    done = 0
    while not calls.all_ended():
        for place, worker in enumerate(there):
            if worker.poll() is not None:
                worker.communicate()
                there[place] = calls.start(TOGETHER)
        time.sleep(PAUSE_S)
        if done < faults:
            done += _strike(random, random.choice(there))
    for worker in there:
        worker.communicate()
    assert done
    ended = [calls.job(number) for number in numbers]
    for job in ended:
        if job.state is State.DONE:
            calls.assert_done(job.id)
        else:
            assert job.state is State.DEAD
            assert job.attempts >= MOST_DEATHS
    assert sum(job.state is State.DONE for job in ended) > jobs // 2
    engine.close()


def _strike(random: Random, worker: subprocess.Popen[str]) -> bool:
    """Kill or stop a worker, or kill the process of one of its jobs; whether one was there."""
    with suppress(OSError):
        children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text(encoding="ascii").split()
        if not children:
            return False
        if random.random() < 0.5:
            os.kill(int(random.choice(children)), random.choice([signal.SIGKILL, signal.SIGTERM]))
        else:
            worker.send_signal(random.choice([signal.SIGKILL, signal.SIGTERM]))
        return True
    return False
