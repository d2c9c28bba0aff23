"""What becomes of a job after an attempt, as a table; the pauses between attempts as laws."""

from __future__ import annotations

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import (
    BusyError,
    DeniedError,
    ExitCode,
    InputError,
    NoSpaceError,
    OwnedError,
    RecpipeError,
    WorkerKilledError,
)
from pipeline.job.shares import Share
from pipeline.worker.queue.jobs import Again, Ended, Job, Order, Parted, State
from pipeline.worker.shift.ends import end_of
from pipeline.worker.shift.outcomes import outcome_of_error
from pipeline.worker.shift.retry import (
    FIRST_PAUSE_MS,
    LONGEST_PAUSE_MS,
    MOST_ATTEMPTS,
    MOST_DEATHS,
    Outcome,
    decide,
    is_last,
    pause_ms,
    worn_out,
)
from pipeline.worker.shift.rules import Why
from pipeline.worker.shift.words import Apart, Over

NOW = 1_772_442_000_000
BUSY = Outcome(6, "The store was busy.", retryable=True, summary='{"recordings": []}')
DEATH = Outcome(143, "killed", retryable=True, died=True)


def words(how: Ended | Again | Parted) -> str:
    if isinstance(how, Ended):
        return str(how.state)
    if isinstance(how, Parted):
        return "parted"
    return "again" if how.counts else "again, not counted"


ENDS = [
    pytest.param(Outcome(0), 1, "done", id="good is done"),
    pytest.param(Outcome(1), 1, "done", id="losses are done: trying again makes no slice appear"),
    pytest.param(Outcome(1, retryable=True), 1, "done", id="losses are done whatever else is said"),
    pytest.param(Outcome(4, "no slice"), 1, "dead", id="what cannot be used is set aside at once"),
    pytest.param(Outcome(5, "bad"), 1, "dead", id="what fails its verification is set aside"),
    pytest.param(Outcome(70, "bug"), 1, "dead", id="a bug is set aside"),
    pytest.param(BUSY, 1, "again", id="a busy store comes again"),
    pytest.param(BUSY, MOST_ATTEMPTS - 1, "again", id="many times"),
    pytest.param(BUSY, MOST_ATTEMPTS, "dead", id="but not for ever"),
    pytest.param(DEATH, MOST_DEATHS - 1, "again", id="a death comes again"),
    pytest.param(DEATH, MOST_DEATHS, "dead", id="poison is set aside soon"),
    pytest.param(Outcome(143, "spent", died=True), 1, "dead", id="a death that would come again is the last"),
]


@pytest.mark.parametrize(("outcome", "attempts", "wanted"), ENDS)
def test_what_becomes_of_a_job(outcome: Outcome, attempts: int, wanted: str) -> None:
    assert words(decide(outcome, 1, attempts, NOW)) == wanted


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (BusyError("busy"), "again"),
        (OwnedError("owned"), "again"),
        (NoSpaceError("full"), "again"),
        (WorkerKilledError("killed"), "again"),
        (DeniedError("denied"), "dead"),
        (InputError("none"), "dead"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_errors_say_by_themselves_whether_they_come_again(error: RecpipeError, wanted: str) -> None:
    outcome = outcome_of_error(error, "place")
    assert words(decide(outcome, 1, 1, NOW)) == wanted
    assert (outcome.code, outcome.sentence) == (error.exit_code, str(error))


def test_a_job_that_is_set_aside_keeps_its_summary_and_says_how_often_it_was_tried() -> None:
    sentence = f"The store was busy. It was tried {MOST_ATTEMPTS} times."
    assert decide(BUSY, 1, MOST_ATTEMPTS, NOW) == Ended(State.DEAD, 6, sentence, BUSY.summary)


def test_a_job_that_kills_its_workers_is_not_begun_for_ever() -> None:
    assert worn_out(MOST_ATTEMPTS) is None
    end = worn_out(MOST_ATTEMPTS + 1)
    assert end is not None
    assert end.state is State.DEAD


def test_only_the_last_attempt_is_the_last() -> None:
    assert [is_last(attempts) for attempts in (1, MOST_ATTEMPTS - 1, MOST_ATTEMPTS)] == [False, False, True]


@given(job=st.integers(1, 1 << 60), attempts=st.integers(1, 200))
def test_pauses_are_between_half_a_minute_and_an_hour_and_the_same_each_time(job: int, attempts: int) -> None:
    pause = pause_ms(job, attempts)
    assert FIRST_PAUSE_MS <= pause <= LONGEST_PAUSE_MS
    assert pause == pause_ms(job, attempts)


@given(job=st.integers(1, 1 << 60), attempts=st.integers(1, 6))
def test_pauses_grow(job: int, attempts: int) -> None:
    assert pause_ms(job, attempts) < pause_ms(job, attempts + 1)


def test_jobs_that_failed_together_do_not_come_back_together() -> None:
    assert len({pause_ms(job, 1) for job in range(100)}) > 30


APART = Apart((Share("work", "a.mp4", "0123", ("sound",)),), "made by others.", counts=False)
JOB = Job(3, Order("key", "{}"), State.RUNNING, 1, 1, 0)
GOOD, STOPPED = Over(Outcome(0, summary="{}")), Over(None)
OVER = [
    pytest.param(GOOD, None, 0, "done", id="it came to its end"),
    pytest.param(GOOD, Why.STOPPED, 0, "done", id="it came to its end before it was stopped"),
    pytest.param(GOOD, Why.CANCELLED, 0, "done", id="or before it was cancelled"),
    pytest.param(STOPPED, Why.STOPPED, 0, "again, not counted", id="a stopped worker hands it back"),
    pytest.param(None, Why.STOPPED, -signal.SIGKILL, "again, not counted", id="and one who does not hear it"),
    pytest.param(STOPPED, Why.CANCELLED, 0, "cancelled", id="it is not wanted any more"),
    pytest.param(Over(None, apart=APART), None, 0, "parted", id="others make shares of it first"),
    pytest.param(Over(None, apart=APART), Why.STOPPED, 0, "parted", id="or before its worker was stopped"),
    pytest.param(Over(None, 9, "waits"), None, 0, "again, not counted", id="its recording is not complete"),
    pytest.param(STOPPED, None, 0, "again", id="somebody terminated its process"),
    pytest.param(None, Why.HUNG, -signal.SIGKILL, "again", id="it stood still"),
    pytest.param(None, None, -signal.SIGKILL, "again", id="its process was killed"),
    pytest.param(None, None, -signal.SIGXCPU, "dead", id="it had used its time"),
    pytest.param(None, None, int(ExitCode.OUTPUT), "again", id="it heard no more of its worker"),
    pytest.param(None, None, 1, "again", id="it ended without a word"),
]


@pytest.mark.parametrize(("over", "why", "code", "wanted"), OVER)
def test_what_the_end_of_a_process_means(over: Over | None, why: Why | None, code: int, wanted: str) -> None:
    assert words(end_of(over, why, code, "copying", job=JOB, now_ms=NOW)) == wanted


def test_what_waits_comes_again_when_it_said() -> None:
    how = end_of(Over(None, 9_000, "waiting"), None, 0, "beginning", job=JOB, now_ms=NOW)
    assert how == Again(NOW + 9_000, "waiting", counts=False)
