"""Real workers and real processes of jobs: killed, stopped, terminated half-way, and what is there then."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from pipeline.worker.queue.jobs import State
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from tests.merge.merging import tree
from tests.worker.calls import LEASE_MS, NAMES, PATIENCE_S, Calls, is_alive, stop, until
from tests.worker.launcher import Strike

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.demo.made import Made


@pytest.fixture
def calls(made: Callable[[str], Made], tmp_path: Path) -> Iterator[Calls]:
    """A queue without a job; what is struck waits for the test."""
    engine = SqliteEngine(tmp_path / "queue.db", lease_ms=LEASE_MS)
    calls = Calls(made, tmp_path, engine, Strike("wait", str(tmp_path / "mark")))
    try:
        yield calls
    finally:
        for worker in calls.workers:
            worker.kill()
            worker.communicate()
        engine.close()


def test_two_workers_do_every_job_once_and_as_run_does_it(calls: Calls) -> None:
    calls.strike = Strike("", "")
    numbers = [calls.submit(name) for name in NAMES]
    for worker in (calls.start(2), calls.start(1)):
        worker.communicate(timeout=PATIENCE_S)
        assert worker.returncode == 0
    for number in numbers:
        calls.assert_done(number, attempts=1)


def test_when_a_worker_is_killed_its_job_ends_with_it_and_another_does_it(calls: Calls) -> None:
    number, worker = calls.submit(), calls.start()
    inside = calls.struck()
    worker.kill()
    worker.wait()
    until(lambda: not is_alive(inside))
    calls.works_off()
    calls.assert_done(number, attempts=2)


@pytest.mark.parametrize(
    "how",
    [
        pytest.param("kill", id="killed"),
        pytest.param("terminate", id="terminated from outside", marks=pytest.mark.soak),
        pytest.param("leave", id="gone without a word", marks=pytest.mark.soak),
        pytest.param("fill", id="out of memory"),
    ],
)
def test_when_a_job_s_process_dies_the_job_is_tried_again(calls: Calls, how: str) -> None:
    calls.strike = Strike(how, calls.strike.mark)  # type: ignore[arg-type]  # the table has no others
    number = calls.submit()
    calls.works_off()
    calls.assert_done(number, attempts=2)


def test_a_recording_that_kills_whatever_takes_it_is_set_aside_and_the_others_are_done(calls: Calls) -> None:
    calls.strike = Strike("kill", calls.strike.mark, always=True)
    number = calls.submit()
    calls.works_off()
    job = calls.job(number)
    assert (job.state, job.attempts) == (State.DEAD, 3)
    assert job.end is not None
    assert "killed" in job.end.sentence
    assert "3 times" in job.end.sentence
    calls.strike = Strike("", "")
    other = calls.submit(NAMES[1])
    calls.works_off()
    calls.assert_done(other, attempts=1)


def test_a_worker_that_is_stopped_hands_its_job_back_and_it_counts_for_nothing(calls: Calls) -> None:
    number, worker = calls.submit(), calls.start()
    inside = calls.struck()
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=PATIENCE_S)
    assert worker.returncode == 0
    assert not is_alive(inside)
    job = calls.job(number)
    assert (job.state, job.attempts) == (State.WAITING, 0)
    assert "stopped" in job.sentence
    assert [name for name in tree(calls.home / "done") if name.endswith((".mp4", "manifest.json"))] == []
    calls.works_off()
    calls.assert_done(number, attempts=1)


def test_a_job_may_be_finished_while_its_worker_stops(calls: Calls) -> None:
    calls.strike = Strike("stop", calls.strike.mark)
    first, second = calls.submit(), calls.submit(NAMES[1])
    worker = calls.start(grace_ms=PATIENCE_S * 1000)
    inside = calls.struck()
    worker.send_signal(signal.SIGTERM)
    os.kill(inside, signal.SIGCONT)
    worker.communicate(timeout=PATIENCE_S)
    assert worker.returncode == 0
    calls.assert_done(first, attempts=1)
    assert calls.job(second).attempts == 0


def test_the_second_signal_does_not_wait_for_anybody(calls: Calls) -> None:
    number, worker = calls.submit(), calls.start(grace_ms=PATIENCE_S * 1000)
    calls.struck()
    for _ in range(2):
        worker.send_signal(signal.SIGTERM)
        assert worker.stderr is not None
        while "stop" not in (line := worker.stderr.readline()):
            assert line
    worker.communicate(timeout=PATIENCE_S)
    assert (calls.job(number).state, calls.job(number).attempts) == (State.WAITING, 0)


@pytest.mark.parametrize(
    "with_it",
    [
        pytest.param(True, id="with its process", marks=pytest.mark.soak),
        pytest.param(False, id="without its process"),
    ],
)
def test_a_worker_that_slept_past_its_lease_changes_nothing_any_more(calls: Calls, *, with_it: bool) -> None:
    number, slept = calls.submit(), calls.start()
    inside = calls.struck()
    stop(slept, calls.home / "queue.db")
    if with_it:
        os.kill(inside, signal.SIGSTOP)
    else:
        until(lambda: not is_alive(inside))  # it heard no more of its worker
    calls.works_off(lambda: calls.job(number).attempts >= 2)
    if with_it:
        os.kill(inside, signal.SIGCONT)
        until(lambda: not is_alive(inside))
    calls.works_off()
    before, ended = _stamps(calls.home / "done"), calls.job(number)
    slept.send_signal(signal.SIGCONT)
    told = slept.communicate(timeout=PATIENCE_S)[1]
    assert slept.returncode == 0, told
    assert "another worker" in told
    assert _stamps(calls.home / "done") == before
    assert calls.job(number) == ended
    assert ended.state is State.DONE


def _stamps(place: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in place.rglob("*")}
