"""One job of each recording: in any order, with duplicates, late news, kills, and several hosts."""

from __future__ import annotations

import json
import random
import signal
from contextlib import ExitStack, closing
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import CommandError, EngineBusyError
from pipeline.vendors.events import delivery
from pipeline.worker.queue.jobs import Again, Ended, Order, State, Submitted
from pipeline.worker.queue.orders import key_of
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from pipeline.worker.serve.inbox.rules import QUIET_MS
from pipeline.worker.serve.public.intake import GOOD, UNAVAILABLE
from tests.serve.callbacks import AT_MS, ended, event, trtc
from tests.serve.launcher import Turn
from tests.serve.rooms import Clock, Room, room
from tests.serve.served import APPS, JOB, STORES, configured, serving, until
from tests.worker.contract import ROOM
from tests.worker.postgres_queue import Kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipeline.worker.queue.jobs import Job
    from tests.servers.postgres import Postgres

HOUR_MS = 3_600_000


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as made:
        yield made


def work(here: Room, how: Ended | Again | None = None) -> None:
    """A worker does the next job."""
    claim = here.engine.claim("w", ROOM)
    assert claim is not None
    if how is not None:
        here.engine.end(claim, how)


DONE = Ended(State.DONE, 0)


@pytest.mark.parametrize("seed", range(100))
def test_events_in_any_order_and_any_number_make_the_same_one_job(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - an order of events, no secret
    bodies = ended() + chance.choices(ended(), k=6)
    chance.shuffle(bodies)
    with room(tmp_path) as here:
        here.take(*bodies, turns=chance.random() < 0.7)
        here.pass_ms(QUIET_MS)
        job = here.job()
        document = json.loads(job.order.document)
        assert document["source"] == "calls:meeting/abc"
        assert document["targets"][0]["place"].startswith("vod:2026-11-22/abc_")
        assert job.order.key == key_of(job.order.document, "a test")
        assert here.became().startswith("trtc: job 1")
        assert sum(here.counts.numbers().values()) == len(bodies)
        assert here.counts.numbers()["trtc", "new"] == 6


@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["the part first", "all of it first"])
def test_a_part_and_then_all_of_it_make_one_complete_job_in_both_orders(
    here: Room, order: tuple[int, int]
) -> None:
    for status in order:
        here.take(event(305, status, at_ms=AT_MS + status))
    assert here.job().order.not_before_ms == 0
    here.pass_ms(7 * HOUR_MS)
    assert here.job().state is State.WAITING


def test_a_part_waits_as_long_as_its_job_would_and_is_taken_as_it_is_then(here: Room) -> None:
    here.take(event(305, 1))
    assert here.jobs() == []
    assert "waits" in here.became()
    here.pass_ms(6 * HOUR_MS - 1)
    assert here.jobs() == []
    here.pass_ms(1)
    assert here.job().state is State.WAITING


def test_files_without_a_last_one_make_a_job_when_no_more_came_for_a_while(here: Room) -> None:
    files = [body for body in ended() if json.loads(body)["EventType"] == 310]
    for number in range(3):
        here.take(files[0].replace(b"YW5u", f"YW5{number}".encode()))
        here.pass_ms(QUIET_MS - 1)
        assert here.jobs() == []
    here.pass_ms(1)
    assert here.job().state is State.WAITING


def test_what_came_long_after_the_job_began_makes_another_one_of_the_same_once_that_has_ended(
    here: Room,
) -> None:
    here.take(event(305, 1))
    here.pass_ms(6 * HOUR_MS)
    work(here)
    late = event(305, 2, at_ms=here.clock.utc_ms + 120_000)
    here.pass_ms(150_000)
    here.take(late, late)
    assert len(here.jobs()) == 1
    (running,) = here.jobs()
    assert "may miss" in here.became()
    claim = here.engine.claim("other", ROOM)
    assert claim is not None  # the lease of the first is over by this clock
    here.engine.end(claim, DONE)
    here.pass_ms(15 * 60_000)
    assert len(here.jobs()) == 1  # the attempt that ended began behind the news
    assert here.jobs()[0].id == running.id


def test_what_came_late_for_a_job_that_is_done_makes_another_one(here: Room) -> None:
    here.take(event(305, 1))
    here.pass_ms(6 * HOUR_MS)
    work(here, DONE)
    late = event(305, 2, at_ms=here.clock.utc_ms + 120_000)
    here.pass_ms(150_000)
    here.take(late, late)
    second, first = here.jobs()
    assert second.order.document == first.order.document
    assert second.order.key.startswith(first.order.key + "+")
    work(here, DONE)
    here.take(late)
    here.pass_ms(HOUR_MS)
    assert len(here.jobs()) == 2


@pytest.mark.parametrize(("how", "jobs"), [(Ended(State.DEAD, 3), 2), (DONE, 1)])
def test_what_comes_at_once_is_another_job_only_where_the_first_one_could_not_be_done(
    here: Room, how: Ended, jobs: int
) -> None:
    here.take(event(305, 1))
    here.pass_ms(6 * HOUR_MS)
    work(here, how)
    at_once = event(305, 2, at_ms=here.clock.utc_ms + 8_000)
    here.pass_ms(9_000)
    here.take(at_once, at_once)
    assert len(here.jobs()) == jobs


def test_what_somebody_cancelled_is_not_made_by_what_comes_late(here: Room) -> None:
    here.take(event(305, 1))
    here.pass_ms(6 * HOUR_MS)
    work(here, Ended(State.CANCELLED, 130))
    here.pass_ms(300_000)
    here.take(event(305, 2, at_ms=here.clock.utc_ms))
    assert here.job().state is State.CANCELLED


@pytest.mark.parametrize(("how", "jobs"), [(Ended(State.DEAD, 3), 2), (DONE, 1)])
def test_what_comes_at_once_while_the_first_job_runs_is_not_lost_either(
    here: Room, how: Ended, jobs: int
) -> None:
    here.take(event(305, 1))
    here.pass_ms(6 * HOUR_MS)
    claim = here.engine.claim("w", ROOM)
    assert claim is not None
    at_once = event(305, 2, at_ms=here.clock.utc_ms + 8_000)
    here.pass_ms(9_000)
    here.take(at_once, at_once)
    here.engine.end(claim, how)
    here.pass_ms(HOUR_MS)
    assert len(here.jobs()) == jobs


def test_a_job_that_the_queue_refuses_holds_no_other_up(here: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = here.engine.submit

    def refusing(order: Order, *, newest: int | None = None) -> Submitted:
        if "first" in order.document:
            raise CommandError("the queue cannot keep this order.")
        return submit(order, newest=newest)

    monkeypatch.setattr(here.engine, "submit", refusing)
    here.take(event(305, 2, task="first"), event(305, 2, task="second"), turns=False)
    assert "second" in here.job().order.document
    assert "cannot keep this order" in {each.task: each.became for each in here.inbox.latest()}["first"]
    monkeypatch.undo()
    here.pass_ms(HOUR_MS)
    assert len(here.jobs()) == 2


@pytest.mark.parametrize("how", [DONE, Ended(State.DEAD, 4, "poison"), Ended(State.CANCELLED, 130)])
def test_a_job_that_has_ended_is_not_made_again_by_what_was_known_before(here: Room, how: Ended) -> None:
    here.take(*ended())
    work(here, how)
    here.take(event(302, at_ms=AT_MS + 1), event(310, at_ms=AT_MS + 2), event(305, 2, at_ms=AT_MS + 3))
    here.pass_ms(HOUR_MS)
    assert here.job().state is how.state


def test_who_submitted_the_same_by_hand_is_not_surprised(here: Room) -> None:
    here.take(*ended())
    document = here.job().order.document
    assert here.engine.submit(Order(key_of(document, "by hand"), document)).new is False


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(event(311, TencentVod={"FileId": "1"}), "no job", id="in the vendor's VOD"),
        pytest.param(event(301, 1), "no job: The recorder did not start", id="nothing was recorded"),
        pytest.param(event(301), "nothing to do yet", id="still recorded"),
    ],
)
def test_why_there_is_no_job_is_written_down(here: Room, body: bytes, words: str) -> None:
    here.take(body)
    assert here.jobs() == []
    assert words in here.became()


def test_without_a_rule_there_is_no_job(tmp_path: Path) -> None:
    with room(tmp_path, text=STORES + APPS) as here:
        here.take(*ended())
        assert here.jobs() == []
        assert here.became() == "no rule of recpipe.toml takes it."


def test_two_rules_make_two_jobs(tmp_path: Path) -> None:
    rules = "".join(
        f'\n[[serve.rules]]\nname = "{name}"\nvendor = "trtc"\n{JOB.replace("{day}", name)}\n'
        for name in "ab"
    )
    with room(tmp_path, text=STORES + APPS + rules) as here:
        here.take(*ended(), *ended())
        assert len(here.jobs()) == 2


def test_what_a_rule_needs_and_no_event_tells_is_said(tmp_path: Path) -> None:
    rule = f'\n[[serve.rules]]\nname = "a"\nvendor = "trtc"\n{JOB.replace("{day}", "{user}")}\n'
    with room(tmp_path, text=STORES + APPS + rule) as here:
        here.take(event(305))
        assert here.jobs() == []
        assert "tells no user" in here.became()


def test_what_a_rule_needs_may_be_told_in_any_order(tmp_path: Path) -> None:
    rule = f'\n[[serve.rules]]\nname = "a"\nvendor = "trtc"\n{JOB.replace("{day}", "{user}")}\n'
    told = event(
        307,
        FileName="20055501_room7__UserId_s_YW5u__UserId_e_main_audio.m3u8",
        UserId="ann",
        TrackType="audio",
    )
    for number, bodies in enumerate(([event(305), told], [told, event(305)])):
        folder = tmp_path / str(number)
        folder.mkdir()
        with room(folder, text=STORES + APPS + rule) as here:
            here.take(*bodies)
            assert json.loads(here.job().order.document)["targets"][0]["place"].startswith("vod:ann/")


def test_a_task_that_cannot_be_looked_at_keeps_no_other_from_it(
    here: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = SqliteEngine.submit

    def poisoned(self: SqliteEngine, order: Order, **newest: Any) -> object:
        if "poison" in order.document:
            raise ZeroDivisionError
        return usual(self, order, **newest)

    monkeypatch.setattr(SqliteEngine, "submit", poisoned)
    here.take(event(305, task="poison"), event(305, task="good"), turns=False)
    assert "good" in here.job().order.document
    assert any("ZeroDivisionError" in said for said in here.told)


def test_while_the_queue_is_away_events_are_kept_and_wait(
    here: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> object:
        raise EngineBusyError("it is away.")

    with monkeypatch.context() as patched:
        patched.setattr(SqliteEngine, "submit", away)
        with pytest.raises(EngineBusyError):
            here.take(event(305))
    here.dispatcher.turn()
    assert here.job().state is State.WAITING


def test_a_full_disk_is_told_as_later_and_nothing_is_lost(here: Room) -> None:
    db = here.inbox._connections.mine()
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages}")
    tasks, taken = [f"t{number}" for number in range(100)], []
    for task in tasks:
        if status(here, task) != GOOD:
            break
        taken.append(task)
    assert len(taken) < len(tasks)
    assert status(here, task) == UNAVAILABLE
    db.execute("PRAGMA max_page_count = 100000")
    assert status(here, task) == GOOD
    here.pass_ms(0)
    assert len(here.jobs()) == len(taken) + 1


def status(here: Room, task: str) -> int:
    post = trtc(event(305, task=task, room="r" * 60))
    headers = [(name.encode(), value.encode()) for name, value in post.headers.items()]
    return here.intake.take("trtc", delivery(post.body, headers, b"", 0)).status


def test_two_hosts_that_hear_of_the_same_make_one_job(tmp_path: Path) -> None:
    clock = Clock()
    with room(tmp_path, clock=clock) as one, room(tmp_path, name="other.db", clock=clock) as other:
        one.take(event(305, 1))
        other.take(event(305, 2, at_ms=AT_MS + 5), event(302))
        work(one, DONE)
        one.pass_ms(7 * HOUR_MS)
        other.pass_ms(0)
        assert one.job().state is State.DONE
        assert one.became() == other.became() == "trtc: job 1."


def test_what_another_host_made_between_our_look_and_our_order_is_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    with room(tmp_path, clock=clock) as one, room(tmp_path, name="other.db", clock=clock) as other:
        look = other.engine.jobs

        def looked(*args: Any, **which: Any) -> Sequence[Job]:
            before = look(*args, **which)
            if which.get("key") and not before:
                one.take(*ended())
                one.pass_ms(0)
                work(one, DONE)
            return before

        monkeypatch.setattr(other.engine, "jobs", looked)
        other.take(*ended())
        other.pass_ms(0)
        assert one.job().state is State.DONE
        assert one.became() == other.became() == "trtc: job 1."


def test_the_same_holds_for_a_queue_in_postgresql(tmp_path: Path, postgres_server: Postgres) -> None:
    clock = Clock()
    with ExitStack() as closing:
        queue = Kept(postgres_server, closing)
        queue.pass_ms(clock.utc_ms - queue.utc_ms)
        one = closing.enter_context(room(tmp_path, clock=clock, engine=queue.engine))
        other = closing.enter_context(room(tmp_path, name="other.db", clock=clock, engine=queue.beside()))
        one.take(event(305, 1), event(302))
        other.take(*ended(), *ended())
        one.take(event(305, 2, at_ms=AT_MS + 5))
        work(one, DONE)
        one.take(event(305, 2, at_ms=AT_MS + 6))
        other.take(event(305, 1), event(305, 2, at_ms=AT_MS + 5))
        assert one.job().state is State.DONE
        assert one.became() == other.became()


@pytest.mark.parametrize(
    ("first", "step"),
    [(1, 3), pytest.param(2, 3, marks=pytest.mark.soak), pytest.param(3, 3, marks=pytest.mark.soak)],
)
def test_killed_before_any_statement_it_goes_on_where_it_was_and_makes_one_job(
    first: int, step: int, tmp_path: Path
) -> None:
    """All points between keep, submit and mark; who was not told 200 sends again."""
    bodies = (event(305, 1).decode(), event(305, 2, at_ms=AT_MS + 5).decode())
    for point in count(first, step):
        folder = tmp_path / str(point)
        folder.mkdir()
        configured(folder)
        done = Turn(str(folder), bodies, point).run()
        taken = done.stdout.split()
        assert set(taken) <= {"200"}, done
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        with room(folder) as here:
            assert here.inbox.counts()[0] >= len(taken)
            here.take(*(body.encode() for body in bodies[len(taken) :]))
            here.pass_ms(7 * HOUR_MS)
            assert here.job().state is State.WAITING
            assert here.became() == "trtc: job 1."
    assert point > 20


@pytest.mark.parametrize(
    "seed", [0, pytest.param(1, marks=pytest.mark.soak), pytest.param(2, marks=pytest.mark.soak)]
)
def test_a_process_that_serves_and_is_killed_loses_nothing_that_it_answered(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - moments of kills, no secrets
    configured(tmp_path)
    tasks = [f"t{number}" for number in range(12)]
    open_ = list(tasks)
    while open_:
        with serving(tmp_path) as running:
            for _ in range(chance.randint(1, 8)):
                if open_ and running.post(trtc(event(305, task=open_[0]))).status == 200:
                    open_.pop(0)
            running.process.kill()
    with serving(tmp_path) as running, closing(SqliteEngine(tmp_path / "queue.db")) as engine:
        until(lambda: len(engine.jobs()) >= len(tasks))
        sources = [json.loads(job.order.document)["source"] for job in engine.jobs()]
        assert sorted(sources) == sorted(f"calls:meeting/{task}" for task in tasks)
        assert running.process.poll() is None


def test_two_processes_that_serve_one_queue_make_one_job(tmp_path: Path) -> None:
    configured(tmp_path)
    with (
        serving(tmp_path, "--inbox", str(tmp_path / "one.db")) as one,
        serving(tmp_path, "--inbox", str(tmp_path / "two.db")) as two,
    ):
        for number in range(20):
            for running in (one, two):
                assert running.post(trtc(event(305, task=f"t{number}"))).status == 200
        until(lambda: len(one.jobs()) >= 20)
        one.made("t19")
        two.post(trtc(event(305, task="last")))
        two.made("last")
        assert len(one.jobs()) == 21
