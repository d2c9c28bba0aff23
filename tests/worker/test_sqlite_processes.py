"""Real workers on one file: at once, killed at every point, stopped and woken too late."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import EngineBusyError, LostError
from pipeline.worker.queue.engine import LEASE_MS
from pipeline.worker.queue.jobs import Again, Claim, Ended, Order, State
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from tests.worker.contract import ROOM, kept, taken
from tests.worker.shift import Shift, ahead

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

SURELY_S = 60
LATER = LEASE_MS + 5000


@dataclass(frozen=True, slots=True)
class Told:
    """A line of a worker: what had returned, of which job, with which token."""

    what: str
    job: int
    token: int


def told(text: str) -> list[Told]:
    """Whole lines only: the last one may be cut by a kill."""
    lines = [line.split() for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return [Told(what, int(job), int(token)) for what, job, token in lines]


@contextmanager
def started(*shifts: Shift) -> Iterator[list[subprocess.Popen[str]]]:
    """Workers, none of which outlives the test."""
    processes = [shift.start() for shift in shifts]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            rest(process)
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()


def head(process: subprocess.Popen[str], lines: int) -> str:
    """The first of what it says, as it comes."""
    assert process.stdout is not None
    return "".join(process.stdout.readline() for _ in range(lines))


def rest(process: subprocess.Popen[str]) -> str:
    """What else it says until it ends; `Popen.communicate` would leave out what `head` read ahead."""
    assert process.stdout is not None
    said = process.stdout.read()
    process.wait(SURELY_S)
    return said


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.db"


@contextmanager
def opened(path: Path, ahead_ms: int = 0, patience_s: float = 10) -> Iterator[SqliteEngine]:
    with closing(SqliteEngine(path, clock=ahead(ahead_ms), patience_s=patience_s)) as engine:
        yield engine


def filled(path: Path, jobs: int) -> None:
    with opened(path) as engine:
        for number in range(jobs):
            engine.submit(Order(str(number), "{}"))


def test_three_workers_do_500_jobs_each_once(path: Path) -> None:
    filled(path, 500)
    with started(*(Shift(str(path), name, "work") for name in ("one", "two", "three"))) as workers:
        lines = [told(rest(worker)) for worker in workers]
        assert [worker.returncode for worker in workers] == [0, 0, 0]
    ended = Counter(line.job for worker in lines for line in worker if line.what == "end")
    assert ended == Counter(range(1, 501))
    with opened(path) as engine:
        jobs = engine.jobs()
    assert {(job.state, job.attempts, job.token) for job in jobs} == {(State.DONE, 1, 1)}


def test_a_worker_killed_before_any_statement_loses_the_job_to_the_next_and_nothing_else(
    tmp_path: Path,
) -> None:
    """All points between the statements of claim, beat, end and the claim that finds nothing."""
    for point in count(1):
        path = tmp_path / f"{point}.db"
        filled(path, 1)
        with started(Shift(str(path), "killed", "work", strike=point)) as (worker,):
            lines = told(rest(worker))
        if worker.returncode == 0:
            break
        assert worker.returncode == -signal.SIGKILL
        _after_a_kill(path, [line.what for line in lines])
    assert point > 12


def _after_a_kill(path: Path, said: list[str]) -> None:
    with opened(path) as engine:
        left = kept(engine, 1)
        if left.state is State.WAITING:
            assert said == []
        if left.state is State.RUNNING:
            assert engine.claim("too early", ROOM) is None
    if "end" in said:
        assert left.state is State.DONE
    stale = Claim(left, left.token, "killed")
    with opened(path, LATER) as engine:
        if left.state is not State.DONE:
            fresh = taken(engine, "next")
            assert fresh.token > left.token
            _stale(engine, stale)
            engine.end(fresh, Ended(State.DONE, 0, "by next"))
        _stale(engine, stale)
        assert engine.claim("next", ROOM) is None
        assert kept(engine, 1).state is State.DONE


def _stale(engine: SqliteEngine, claim: Claim) -> None:
    """It says so, and changes nothing."""
    before = engine.jobs()
    with pytest.raises(LostError):
        engine.beat(claim, 999)
    for how in (Ended(State.DEAD, 4), Again(0, "")):
        with pytest.raises(LostError):
            engine.end(claim, how)
    assert engine.jobs() == before


@pytest.mark.parametrize("seed", range(3))
def test_however_workers_are_killed_each_job_is_done_once(path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # moments of kills, no secrets
    filled(path, 150)
    lines: list[Told] = []
    kills = 0
    for generation in count():
        with started(Shift(str(path), f"w{generation}", "work", generation * LATER)) as (worker,):
            if generation < 8:
                first = head(worker, chance.randint(1, 40))
                worker.kill()
                lines += told(first + rest(worker))
                kills += 1
            else:
                lines += told(rest(worker))
                assert worker.returncode == 0
                break
    ends = Counter(line.job for line in lines if line.what == "end")
    assert set(ends.values()) == {1}
    assert not [line for line in lines if line.what.endswith("lost")]
    with opened(path) as engine:
        jobs = engine.jobs()
    assert {job.state for job in jobs} == {State.DONE}
    assert 0 <= sum(job.attempts for job in jobs) - 150 <= kills
    assert 150 - len(ends) <= kills  # those were done, and the worker killed before it could say so
    tokens = Counter((line.job, line.token) for line in lines if line.what == "claim")
    assert set(tokens.values()) == {1}


@pytest.mark.parametrize("seed", range(3))
def test_what_submit_said_is_there_after_a_kill(path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # as above
    with started(*(Shift(str(path), name, "submit") for name in ("one", "two"))) as submitters:
        first = [head(process, chance.randint(1, 60)) for process in submitters]
        for process in submitters:
            process.kill()
        texts = [begun + rest(process) for begun, process in zip(first, submitters, strict=True)]
    said = [line.job for text in texts for line in told(text)]
    with opened(path) as engine:
        there = {job.id for job in engine.jobs(most=1_000_000)}
    assert len(set(said)) == len(said) >= 2
    assert set(said) <= there
    assert len(there) - len(said) <= 2


def test_a_worker_that_slept_past_its_lease_is_told_so_and_changes_nothing(path: Path) -> None:
    filled(path, 1)
    with started(Shift(str(path), "sleeper", "hold")) as (sleeper,):
        (claimed,) = told(head(sleeper, 1))
        os.kill(sleeper.pid, signal.SIGSTOP)
        with opened(path, LATER) as engine:
            fresh = taken(engine, "next")
            assert fresh.token > claimed.token
            engine.end(fresh, Ended(State.DONE, 0, "by next"))
            before = engine.jobs()
            os.kill(sleeper.pid, signal.SIGCONT)
            assert sleeper.stdin is not None
            sleeper.stdin.close()
            assert [line.what for line in told(rest(sleeper))] == ["beat-lost", "end-lost"]
            assert engine.jobs() == before


@pytest.mark.parametrize("then", [signal.SIGCONT, signal.SIGKILL], ids=["goes on", "is killed"])
def test_one_that_stops_amid_a_transaction_holds_the_others_up_until_it_goes_on_or_dies(
    path: Path, then: signal.Signals
) -> None:
    filled(path, 1)
    stop = Shift(str(path), "sleeper", "hold", strike=6, signal=int(signal.SIGSTOP))  # at COMMIT of the claim
    with opened(path, patience_s=0.2) as engine, started(stop) as (sleeper,):
        os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED | os.WNOWAIT)
        with pytest.raises(EngineBusyError):
            engine.claim("next", ROOM)
        assert kept(engine, 1).state is State.WAITING
        os.kill(sleeper.pid, then)
        if then is signal.SIGCONT:
            assert told(head(sleeper, 1)) == [Told("claim", 1, 1)]
            assert engine.claim("next", ROOM) is None
        else:
            sleeper.wait()
            assert taken(engine, "next").token == 1
    with opened(path, LATER) as engine:
        assert taken(engine, "last").token == 2
