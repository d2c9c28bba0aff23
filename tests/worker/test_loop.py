"""The loop in this process, with real processes of jobs: what hangs, waits, is cancelled, finds no queue."""

from __future__ import annotations

import json
import os
import resource
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import BusyError, DeniedError, EngineBusyError, RecpipeError
from pipeline.job.spec_json import parse_job
from pipeline.job.tell import tell_failed
from pipeline.journal.here import utc_ms
from pipeline.worker.queue.jobs import Needs, Order, State
from pipeline.worker.queue.schedule import Window
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from pipeline.worker.shift import child, retry
from pipeline.worker.shift.loop import Worker
from pipeline.worker.shift.machine import machine
from pipeline.worker.shift.rules import Rules
from pipeline.worker.shift.words import LIMITS_MS, Bounds, Step
from tests.documents import ROOT
from tests.job.jobs import Told, document
from tests.merge.merging import tree
from tests.notify.receiver import receiver
from tests.worker import launcher
from tests.worker.calls import NAMES, PATIENCE_S, Calls
from tests.worker.launcher import Strike

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.demo.made import Made
    from pipeline.worker.queue.jobs import Again, Claim, Ended, Parted

RULES = Rules(drain=True, poll_ms=20, lease_ms=60_000)


@dataclass(slots=True)
class Here:
    """A queue, and a worker on it in this process.

    Attributes:
        calls: the jobs.
        patch: undone when the test ends.
        said: what the worker told.
    """

    calls: Calls
    patch: pytest.MonkeyPatch
    said: list[str] = field(default_factory=list)

    def strike(self, how: launcher.How, *, always: bool = False, below: bool = False) -> None:
        """Have processes of jobs struck."""
        struck = Strike(how, str(self.calls.home / "mark"), always, below)
        self.patch.setattr(child, "INSIDE", launcher.INSIDE)
        for name, value in struck.environ().items():
            self.patch.setenv(name, value)

    def work(self, rules: Rules = RULES, has: Callable[[], Needs] | None = None) -> None:
        """Until there is nothing more to do."""
        self.worker(rules, has).run()

    def worker(self, rules: Rules = RULES, has: Callable[[], Needs] | None = None) -> Worker:
        """One that has not begun."""
        return Worker(self.calls.engine, rules, tell=lambda said: self.said.append(str(said)), has=has)

    def told(self, words: str) -> list[str]:
        """Sentences with these words."""
        return [each for each in self.said if words in each]


@pytest.fixture
def here(made: Callable[[str], Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Here]:
    engine = SqliteEngine(tmp_path / "queue.db")
    monkeypatch.setattr(retry, "FIRST_PAUSE_MS", launcher.PAUSE_MS)
    yield Here(Calls(made, tmp_path, engine, Strike("", "")), monkeypatch)
    engine.close()


def ended(here: Here, number: int) -> Ended:
    end = here.calls.job(number).end
    assert end is not None
    return end


def works_off(here: Here, rules: Rules = RULES) -> None:
    """Workers come and go, as what failed waits a moment."""
    while not here.calls.all_ended():
        here.work(rules)


@pytest.mark.parametrize(
    "below",
    [pytest.param(False, id="the job's own"), pytest.param(True, id="one that it forked and waits for")],
)
def test_a_process_that_stands_still_is_ended_and_the_job_tried_again(here: Here, *, below: bool) -> None:
    here.strike("stop", below=below)
    number = here.calls.submit(jobs=2)
    works_off(here, replace(RULES, limits_ms={**LIMITS_MS, Step.COPYING: 5_000, Step.ENDING: 5_000}))
    here.calls.assert_done(number, attempts=2)
    assert len(here.told("nothing moved for too long")) == 1


def test_processor_time_has_an_end_and_who_uses_it_up_is_not_tried_again(here: Here) -> None:
    here.strike("spin", always=True)
    number = here.calls.submit()
    here.work(replace(RULES, bounds=Bounds(cpu_s=2, nice=1)))
    assert "processor time" in ended(here, number).sentence
    assert (here.calls.job(number).state, here.calls.job(number).attempts) == (State.DEAD, 1)


def test_a_worker_may_have_more_than_a_thousand_descriptors(here: Here) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    number = here.calls.submit()
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        while stack.enter_context(Path(os.devnull).open("rb")).fileno() < 1024:
            pass
        here.work()
    here.calls.assert_done(number, attempts=1)


def test_what_was_said_of_late_jobs_is_remembered_while_they_are_there(here: Here) -> None:
    here.calls.engine.submit(Order("late", "no job", deadline_ms=1))
    worker = here.worker(replace(RULES, look_ms=1))
    worker._look()
    worker._look()
    assert (len(here.told("has passed")), len(worker._warned)) == (1, 1)
    worker.run()
    worker._look()
    assert (len(here.told("has passed")), len(worker._warned)) == (1, 0)


def test_memory_has_an_end(here: Here) -> None:
    here.strike("fill")
    number = here.calls.submit()
    works_off(here, replace(RULES, bounds=Bounds(memory=launcher.FILLED)))
    here.calls.assert_done(number, attempts=2)
    assert len(here.told("the end of the memory")) == 1


def test_a_job_that_is_cancelled_while_it_runs_ends_and_leaves_nothing(here: Here) -> None:
    here.strike("wait")
    number = here.calls.submit()

    def cancel() -> Needs:
        if (here.calls.home / "mark").exists():
            here.calls.engine.cancel(number)
        return machine()

    here.work(replace(RULES, look_ms=50, lease_ms=4_000), has=cancel)
    assert here.calls.job(number).state is State.CANCELLED
    assert "cancelled" in ended(here, number).sentence
    assert not any(name.endswith(".mp4") for name in tree(here.calls.home / "done"))


def test_a_recording_that_is_not_complete_gives_its_process_to_other_jobs(here: Here) -> None:
    waits = here.calls.submit(NAMES[0], settle="1h", settle_limit="2h")
    other = here.calls.submit(NAMES[1])
    here.work()
    here.calls.assert_done(other, attempts=1)
    job = here.calls.job(waits)
    assert (job.state, job.attempts) == (State.WAITING, 0)
    assert job.sentence.startswith("waiting for")
    assert tree(here.calls.home / "done" / f"{NAMES[0]}@0") == {}


class Shaky(SqliteEngine):
    """A queue that is away each time at first."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.away = {"claim": 3, "beat": 2, "end": 2}

    def _maybe(self, what: str) -> None:
        self.away[what] -= 1
        if self.away[what] >= 0:
            raise EngineBusyError("the queue is away")

    def claim(self, worker: str, room: Needs) -> Claim | None:
        self._maybe("claim")
        return super().claim(worker, room)

    def beat(self, claim: Claim, progress: int = -1) -> bool:
        self._maybe("beat")
        return super().beat(claim, progress)

    def end(self, claim: Claim, how: Ended | Again | Parted) -> None:
        self._maybe("end")
        super().end(claim, how)


def test_a_queue_that_is_away_for_a_while_costs_no_job_and_no_attempt(here: Here) -> None:
    here.calls.engine = Shaky(here.calls.home / "queue.db")
    number = here.calls.submit()
    here.work()
    here.calls.engine.close()
    here.calls.assert_done(number, attempts=1)
    assert len(here.told("the queue is away")) in {1, 2, 3}


def test_nothing_begins_outside_of_the_windows(here: Here) -> None:
    number = here.calls.submit()
    hour = utc_ms() // 3_600_000 % 24
    closed = Window.parse(f"{(hour + 5) % 24:02}:00-{(hour + 6) % 24:02}:00 UTC")
    here.work(replace(RULES, windows=(closed,)))
    assert here.calls.job(number).attempts == 0
    always = (Window.parse("00:00-12:00 UTC"), Window.parse("12:00-24:00 UTC"))
    here.work(replace(RULES, windows=always))
    here.calls.assert_done(number, attempts=1)


def test_somebody_is_warned_once_of_a_job_that_will_be_late(here: Here) -> None:
    later = utc_ms() + 3_600_000
    order = Order("late", "{}", not_before_ms=later, deadline_ms=later)
    here.calls.engine.submit(order)
    here.calls.submit()
    here.work(replace(RULES, look_ms=1))
    assert len(here.told("its deadline")) == 1


def test_a_job_that_was_begun_too_often_is_not_begun_again(here: Here) -> None:
    number = here.calls.submit()
    here.patch.setattr(retry, "MOST_ATTEMPTS", 0)
    here.work()
    assert "never ended" in ended(here, number).sentence
    assert not (here.calls.home / "done").exists()


SMALL, LARGE = Needs(cores=1, memory=1, disk=1), Needs(cores=64, memory=1 << 50, disk=1 << 50)


@dataclass(slots=True)
class Watcher:
    """What a machine has, and how many jobs were let in at the same time.

    Attributes:
        has: what the machine has.
        enough: is called when so many are let in.
    """

    has: Needs
    enough: Callable[[int], object]
    worker: Worker | None = None
    most: int = 0

    def __call__(self) -> Needs:
        if self.worker is not None:
            let_in = sum(each.let_in for each in self.worker._running.values())
            self.most = max(self.most, let_in)
            self.enough(let_in)
        return self.has


def test_jobs_that_are_larger_than_the_machine_run_one_after_another_and_may_wait(here: Here) -> None:
    numbers = [here.calls.submit(name) for name in NAMES]
    watcher = Watcher(SMALL, lambda _: None)
    limits = {**LIMITS_MS, Step.ASKING: 1_500}
    watcher.worker = here.worker(replace(RULES, concurrency=4, look_ms=1, limits_ms=limits), watcher)
    watcher.worker.run()
    assert watcher.most == 1
    assert not here.told("nothing moved")
    for number in numbers:
        here.calls.assert_done(number, attempts=1)


def test_jobs_that_fit_run_at_the_same_time(here: Here) -> None:
    here.strike("wait", always=True)
    numbers = [here.calls.submit(name) for name in NAMES[:2]]
    late = utc_ms() + PATIENCE_S * 1000

    def cancel(let_in: int) -> None:
        if let_in == len(numbers) or utc_ms() > late:
            for number in numbers:
                here.calls.engine.cancel(number)

    watcher = Watcher(LARGE, cancel)
    watcher.worker = here.worker(replace(RULES, concurrency=2, look_ms=1, lease_ms=4_000), watcher)
    watcher.worker.run()
    assert watcher.most == len(numbers)


@pytest.mark.parametrize(
    ("error", "last", "told"),
    [
        pytest.param(BusyError("busy"), False, 0, id="what another attempt may mend is not told"),
        pytest.param(BusyError("busy"), True, 1, id="of the last attempt it is"),
        pytest.param(DeniedError("denied"), False, 1, id="what no attempt mends is told at once"),
    ],
)
def test_receivers_are_told_of_a_failure_when_nobody_tries_again(
    error: RecpipeError, *, last: bool, told: int
) -> None:
    with receiver() as hook:
        job = parse_job(json.dumps(document("source", "place", hook.url)), "job.json", ROOT)
        tell_failed(job, replace(Told().edges, last=last), error)
        assert len(hook.seen.deliveries) == told
