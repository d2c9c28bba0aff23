"""What a look at a store submits: decisions as a table, then real folders, stores, queues and processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import EngineBusyError
from pipeline.journal.here import utc_ms
from pipeline.vendors.inventory import Object
from pipeline.worker.queue.jobs import Ended, Job, Needs, Order, State, Submitted
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from pipeline.worker.watch import Found, Submission, Verdict, Watch, found_in, keep_looking, verdict
from tests.cli.running import run
from tests.documents import ROOT
from tests.worker.calls import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pipeline.demo.made import Made

NOW, SETTLE = 10_000_000, 300_000
OLD = Found("calls:a/", NOW - SETTLE, 3, 30)
NEWER = Found("calls:a/", NOW - SETTLE + 1, 3, 30)
GREW = Found("calls:a/", NOW - SETTLE, 4, 40)
TIMELESS = Found("calls:a/", 0, 3, 30)


def job(state: State, started_ms: int = NOW - SETTLE) -> Job:
    end = Ended(state, 0) if state in {State.DONE, State.DEAD, State.CANCELLED} else None
    return Job(1, Order("k", "{}"), state, 1, 1, started_ms, started_ms=started_ms, end=end)


@pytest.mark.parametrize(
    ("found", "before", "known", "expected"),
    [
        pytest.param(OLD, None, None, Verdict.NEW, id="at rest and nobody has it"),
        pytest.param(OLD, OLD, None, Verdict.NEW, id="as it was at the last look"),
        pytest.param(NEWER, None, None, Verdict.GROWING, id="a millisecond too young"),
        pytest.param(NEWER, None, job(State.DONE), Verdict.GROWING, id="too young, and there was a job"),
        pytest.param(OLD, GREW, None, Verdict.GROWING, id="other objects than at the last look"),
        pytest.param(TIMELESS, None, None, Verdict.GROWING, id="no times, and the first look"),
        pytest.param(TIMELESS, TIMELESS, None, Verdict.NEW, id="no times, and as it was"),
        pytest.param(OLD, None, job(State.WAITING), Verdict.KNOWN, id="a job waits"),
        pytest.param(OLD, None, job(State.RUNNING, 1), Verdict.KNOWN, id="a job runs, whenever it began"),
        pytest.param(OLD, None, job(State.DONE), Verdict.KNOWN, id="done with all of it"),
        pytest.param(OLD, None, job(State.DEAD), Verdict.KNOWN, id="set aside"),
        pytest.param(OLD, None, job(State.DONE, NOW - SETTLE - 1), Verdict.CHANGED, id="came after it began"),
        pytest.param(OLD, None, job(State.DEAD, 1), Verdict.CHANGED, id="came after it was set aside"),
        pytest.param(OLD, None, job(State.CANCELLED, 1), Verdict.KNOWN, id="somebody did not want it"),
    ],
)
def test_verdicts(found: Found, before: Found | None, known: Job | None, expected: Verdict) -> None:
    assert verdict(found, before, known, NOW, SETTLE) is expected


SID = "0123456789abcdef0123456789abcdef"


def slice_of(folder: str, room: str, ms: int, number: int = 0) -> Object:
    stamp = f"2026030209000{number}250"
    return Object(f"{folder}{SID}_{room}__uid_s_101__uid_e_video_{stamp}.ts", 10, ms)


def test_recordings_are_found_folder_by_folder_or_all_at_once() -> None:
    apart = [slice_of("a/", "room", 5), slice_of("b/c/", "room", 7), slice_of("b/c/", "room", 6, 1)]
    assert list(found_in("calls:x", apart)) == [
        Found("calls:x/a/", 5, 1, 10, "agora"),
        Found("calls:x/b/c/", 7, 2, 20, "agora"),
    ]
    together = [slice_of("", "one", 5), slice_of("", "two", 9)]
    assert list(found_in("calls:x/", together)) == [Found("calls:x/", 9, 2, 20, "agora")]
    assert list(found_in("calls:", [Object("holiday.jpg", 3, 1)])) == []


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[SqliteEngine]:
    engine = SqliteEngine(tmp_path / "queue.db")
    yield engine
    engine.close()


class Store:
    """A listing that a test changes, and the time."""

    def __init__(self, engine: SqliteEngine, now_ms: int) -> None:
        self.objects: list[Object] = []
        self.now_ms = now_ms
        self.engine = engine

    def watch(self, is_over: Callable[[], bool] = lambda: False) -> Watch:
        return Watch(
            self.engine,
            "calls:",
            {"version": 1, "source": "{source}", "targets": [{"place": "vod:{name}/mp4"}]},
            settle_ms=SETTLE,
            listing=lambda: self.objects,
            clock=lambda: self.now_ms,
            is_over=is_over,
        )


def ended(engine: SqliteEngine, state: State = State.DONE) -> None:
    claim = engine.claim("w", Needs(64, 1 << 40, 1 << 40))
    assert claim is not None
    engine.end(claim, Ended(state, 0))


def test_each_recording_is_submitted_once_however_often_and_by_however_many_it_is_looked_for(
    engine: SqliteEngine,
) -> None:
    store = Store(engine, utc_ms())
    store.objects = [slice_of("a/", "room", 5), slice_of("b/", "room", store.now_ms - 1)]
    first, second = store.watch(), store.watch()
    assert list(first.look()) == [Submission(1, "calls:a/", Verdict.NEW)]
    assert [*first.look(), *second.look()] == []
    store.now_ms += SETTLE
    assert list(second.look()) == [Submission(2, "calls:b/", Verdict.NEW)]
    assert list(first.look()) == []
    ended(engine)
    ended(engine)
    assert [*first.look(), *store.watch().look()] == []
    assert {each.order.vendor for each in engine.jobs()} == {"agora"}
    documents = [json.loads(each.order.document) for each in engine.jobs()]
    assert [d["source"] for d in documents] == ["calls:b/", "calls:a/"]
    places = [d["targets"][0]["place"] for d in documents]
    assert all(place.startswith("vod:") and place.endswith("/mp4") for place in places)
    assert len(set(places)) == 2


def test_what_another_host_made_between_the_look_and_the_order_is_not_made_again(
    engine: SqliteEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Store(engine, utc_ms())
    there.objects = [slice_of("a/", "room", 5)]
    here = Store(SqliteEngine(tmp_path / "queue.db"), there.now_ms)
    here.objects = there.objects
    look = here.engine.jobs

    def looked(*args: Any, **which: Any) -> Sequence[Job]:
        before = look(*args, **which)
        if which.get("key"):
            assert len(list(there.watch().look())) == 1
            ended(engine)
        return before

    monkeypatch.setattr(here.engine, "jobs", looked)
    assert list(here.watch().look()) == []
    assert [job.state for job in engine.jobs()] == [State.DONE]


def test_a_look_ends_where_it_is_over(engine: SqliteEngine) -> None:
    store = Store(engine, utc_ms())
    store.objects = [slice_of(f"{name}/", "room", 5) for name in "abcd"]
    made = list(store.watch(lambda: len(engine.jobs()) == 2).look())
    assert len(made) == len(engine.jobs()) == 2


def test_a_look_that_is_over_while_it_reads_the_queue_submits_nothing(engine: SqliteEngine) -> None:
    store = Store(engine, utc_ms())
    store.objects = [slice_of("a/", "room", 5)]
    asked = iter([False])
    assert list(store.watch(lambda: next(asked, True)).look()) == []
    assert engine.jobs() == []


def test_what_was_submitted_is_told_even_if_the_queue_is_away_behind_it(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, over = Store(engine, utc_ms()), Event()
    store.objects = [slice_of("a/", "room", 5), slice_of("b/", "room", 5)]
    submit = engine.submit
    made: list[Submission] = []
    told: list[str] = []

    def once(order: Order, *, newest: int | None = None) -> Submitted:
        if engine.counts()[State.WAITING]:
            over.set()
            raise EngineBusyError("it is locked.")
        return submit(order, newest=newest)

    monkeypatch.setattr(engine, "submit", once)
    keep_looking(store.watch(), 0, over, made.append, told.append)
    assert [each.source for each in made] == ["calls:a/"]
    assert told == ["it is locked."]


def test_what_came_after_a_job_had_begun_is_a_new_job_once_it_is_at_rest(engine: SqliteEngine) -> None:
    store = Store(engine, utc_ms())
    store.objects = [slice_of("a/", "room", 5)]
    watch = store.watch()
    assert len(list(watch.look())) == 1
    ended(engine)
    began = engine.jobs()[0].started_ms
    store.now_ms = began + 10 * SETTLE
    store.objects.append(slice_of("a/", "room", store.now_ms - 1, 1))
    assert list(watch.look()) == [], "it grows"
    store.now_ms += SETTLE
    assert list(watch.look()) == [Submission(2, "calls:a/", Verdict.CHANGED)]
    assert list(watch.look()) == []


def test_what_came_with_old_times_between_two_looks_has_come_all_the_same(engine: SqliteEngine) -> None:
    """As ``rsync -a`` and ``mv`` leave it."""
    store = Store(engine, utc_ms())
    store.objects = [slice_of("a/", "room", 5)]
    watch = store.watch()
    assert len(list(watch.look())) == 1
    ended(engine, State.DEAD)
    store.objects.append(slice_of("a/", "room", 6, 1))
    store.now_ms += SETTLE
    assert list(watch.look()) == [], "it has just come"
    store.now_ms += SETTLE
    assert list(watch.look()) == [Submission(2, "calls:a/", Verdict.CHANGED)]
    assert list(watch.look()) == []


def test_slices_that_a_job_removes_are_no_news(engine: SqliteEngine) -> None:
    store = Store(engine, utc_ms())
    store.objects = [slice_of("a/", "room", 5), slice_of("a/", "room", 6, 1)]
    watch = store.watch()
    assert len(list(watch.look())) == 1
    ended(engine)
    del store.objects[0]
    for _ in range(3):
        store.now_ms += SETTLE
        assert list(watch.look()) == []


def test_a_listing_that_lacks_what_is_there_makes_nothing_come(engine: SqliteEngine) -> None:
    """A disk that is not mounted for a moment."""
    store = Store(engine, utc_ms())
    store.objects = [slice_of("a/", "room", 5)]
    watch = store.watch()
    assert len(list(watch.look())) == 1
    ended(engine)
    whole = store.objects
    for store.objects in (whole, [], whole, whole):
        store.now_ms += SETTLE
        assert list(watch.look()) == []


def recordings(made: Callable[[str], Made], place: Path) -> None:
    for name in ("plain-agora", "plain-trtc"):
        shutil.copytree(made(name).place, place / name)


def template(place: Path, out: Path) -> Path:
    path = place / "job.json"
    document = {"version": 1, "source": "{source}", "targets": [{"place": str(out)}]}
    path.write_text(json.dumps({**document, "limits": {"settle": "0", "settle_limit": "0"}}))
    return path


def test_the_command_submits_what_a_worker_makes(made: Callable[[str], Made], tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    recordings(made, tmp_path / "calls")
    queue = f"sqlite:{tmp_path / 'queue.db'}"
    asked = ("watch", str(tmp_path / "calls"), "--engine", queue, "--settle", "0s", "--once", "--job")
    said = run(*asked, str(template(tmp_path, tmp_path / "out")))
    assert (said.code, said.err) == (0, "")
    assert [line.rpartition(", ")[2] for line in said.out.splitlines()] == ["new", "new"]
    worked = run("worker", "--engine", queue, "--concurrency", "2", "--drain")
    assert worked.code == 0
    assert len(list((tmp_path / "out").glob("*/manifest.json"))) == 2
    again = run(*asked, str(tmp_path / "job.json"))
    assert (again.code, again.out, again.err) == (0, "", "")


def test_it_looks_again_until_it_is_stopped(made: Callable[[str], Made], tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    job = template(tmp_path, tmp_path / "out")
    command = [sys.executable, "-m", "pipeline", "watch", "calls", "--engine", "sqlite:queue.db"]
    with subprocess.Popen(
        [*command, "--settle", "0s", "--every", "1s", "--job", str(job)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as watch:
        assert watch.stdout is not None
        recordings(made, tmp_path / "calls")
        assert sorted(watch.stdout.readline().split("/")[-2] for _ in range(2)) == [
            "plain-agora",
            "plain-trtc",
        ]
        watch.send_signal(signal.SIGTERM)
        rest, _ = watch.communicate(timeout=PATIENCE_S)
    assert (watch.returncode, rest) == (143, "")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nowhere", "--job", "job.json"], 2, "nowhere"),
        (["calls", "--job", "none.json"], 2, "none.json"),
        (["calls", "--job", "one.json"], 2, '"source": "{source}"'),
        (["calls", "--job", "job.json", "--settle", "soon"], 2, "soon"),
    ],
)
def test_what_cannot_be_watched_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "calls").mkdir()
    job = template(tmp_path, tmp_path / "out")
    (tmp_path / "one.json").write_text(job.read_text().replace("{source}", "calls/a"))
    said = run("watch", *arguments, "--engine", "sqlite:queue.db", "--once")
    assert (said.code, said.out) == (code, "")
    assert sentence in said.err
