"""Many jobs while workers, their jobs' processes and the database are killed by chance: each ends once."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import EngineBusyError
from pipeline.worker.queue.jobs import ENDED, State
from pipeline.worker.queue.open import open_engine
from pipeline.worker.shift.retry import MOST_DEATHS
from tests.worker.calls import NAMES, Calls
from tests.worker.launcher import Strike

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from pipeline.demo.made import Made
    from tests.servers.postgres import Postgres

WORKERS, TOGETHER, PAUSE_S = 2, 2, 0.4
SOME, SHARE, DATABASE = 6, 0.5, 0.2
"""Jobs of the suite, faults for each job, and the part of them that a database takes."""
THOUSAND = 1000
"""Of the soak, or as many as the variable says."""
MANY = int(os.environ.get("RECPIPE_TEST_JOBS", str(THOUSAND)))


@pytest.fixture(params=["sqlite", "postgres"])
def calls(
    made: Callable[[str], Made],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Calls]:
    """A queue of either kind without a job."""
    address, environ = f"sqlite:{tmp_path / 'queue.db'}", {}
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres_server")
        address = f"postgres:{server.dsn(server.emptied())}"
        environ = {"PGPASSWORD": server.password}
        monkeypatch.setenv("PGPASSWORD", server.password)
    engine = open_engine(address)
    calls = Calls(made, tmp_path, engine, Strike("", ""), address, environ)
    try:
        yield calls
    finally:
        for worker in calls.workers:
            if worker.poll() is None:
                worker.kill()
                worker.communicate()
        engine.close()


@pytest.mark.parametrize(
    "jobs",
    [
        pytest.param(SOME, id="some"),
        pytest.param(MANY, id="a thousand", marks=pytest.mark.soak),
    ],
)
def test_every_job_ends_once_whatever_is_killed(
    calls: Calls, request: pytest.FixtureRequest, jobs: int
) -> None:
    """Faults come as jobs end, or a slow machine would have them all at the first jobs."""
    on_server = calls.address.startswith("postgres")
    server: Postgres | None = request.getfixturevalue("postgres_server") if on_server else None
    numbers = [calls.submit(NAMES[number % len(NAMES)], number) for number in range(jobs)]
    random, there = Random(jobs), [calls.start(TOGETHER) for _ in range(WORKERS)]  # noqa: S311 - no secret
    done = ended_now = 0
    while ended_now < jobs:
        for place, worker in enumerate(there):
            if worker.poll() is not None:
                worker.communicate()
                there[place] = calls.start(TOGETHER)
        time.sleep(PAUSE_S)
        if done < SHARE * (ended_now + WORKERS * TOGETHER):
            done += _strike(random, random.choice(there), server)
        ended_now = _ended(calls, ended_now)
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


def _ended(calls: Calls, before: int) -> int:
    """How many jobs have; as many as before while the queue is away."""
    try:
        counts = calls.engine.counts()
    except EngineBusyError:
        return before
    return sum(counts[state] for state in ENDED)


def _strike(random: Random, worker: subprocess.Popen[str], server: Postgres | None) -> bool:
    """Kill or stop a worker, the process of one of its jobs, or the database; whether one was there."""
    if server is not None and random.random() < DATABASE:
        server.kill()
        server.start()
        return True
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
