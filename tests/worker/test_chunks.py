"""Composites of a queue in shares: as ``recpipe run`` makes them, by whomever, and whatever is lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.worker.queue.jobs import State
from pipeline.worker.queue.schedule import due_ms
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from pipeline.worker.shift.chunks.documents import share_of
from pipeline.worker.shift.chunks.shares import standing
from tests.compose.pieces import CALL
from tests.documents import ROOT
from tests.notify.receiver import receiver
from tests.worker.chunk_calls import LEASE_MS, PIECES, SHARES, Calls, alone, job_of, until
from tests.worker.chunk_launcher import How, Strike

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.demo.made import Made
    from pipeline.job.shares import Share
    from pipeline.worker.queue.jobs import Job


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(parse(CALL), tmp_path_factory.mktemp("chunks") / "source")


@pytest.fixture(scope="module")
def wanted(call: Made, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return alone(call.place, tmp_path_factory.mktemp("chunks") / "alone")


@pytest.fixture
def calls(call: Made, wanted: dict[str, bytes], tmp_path: Path) -> Iterator[Calls]:
    engine = SqliteEngine(tmp_path / "queue.db", lease_ms=LEASE_MS)
    calls = Calls(call.place, wanted, tmp_path, engine, str(tmp_path / "queue.db"))
    yield calls
    calls.close()


def test_two_workers_make_a_call_together(calls: Calls) -> None:
    number = calls.submit()
    calls.works_off(2)
    job = calls.assert_done(number)
    assert job.attempts == 1
    parts = calls.parts(number)
    assert [part.state for part in parts] == [State.DONE] * SHARES
    assert len({part.worker for part in parts}) == 2


def test_shares_have_the_priority_and_the_deadline_of_their_job(calls: Calls) -> None:
    calls.strike = Strike("wait", "piece", mark=str(calls.home / "mark"), times=9)
    number = calls.submit_as(job_of(calls.source, calls.place), priority=3, vendor="trtc")
    calls.start()
    until(calls.struck)
    job, parts = calls.job(number), calls.parts(number)
    assert (job.state, job.attempts, job.parts) == (State.WAITING, 0, SHARES)
    assert job.sentence == f"its pieces ({PIECES}) are made by other jobs ({SHARES})."
    told = f"0 of {PIECES} pieces are made"
    assert standing(calls.engine, job) == told
    show = [
        sys.executable,
        "-m",
        "pipeline",
        "jobs",
        "show",
        str(number),
        "--engine",
        f"sqlite:{calls.queue}",
    ]
    shown = subprocess.run(show, capture_output=True, text=True, check=True, cwd=ROOT)
    assert f"{SHARES}: {told}" in shown.stdout
    orders = {(p.order.priority, p.order.deadline_ms, p.order.vendor) for p in parts}
    assert orders == {(3, due_ms(job), "trtc")}
    (calls.home / "go").touch()
    calls.works_off()
    calls.assert_done(number)


KILLS = [
    pytest.param("planned", 0, id="before it knows whether it is long", marks=pytest.mark.soak),
    pytest.param("begun", 0, id="before anything is written", marks=pytest.mark.soak),
    pytest.param("begun behind", 0, id="when nobody was asked for any piece", marks=pytest.mark.soak),
    pytest.param("piece", 0, id="before the sound", marks=pytest.mark.soak),
    pytest.param("finished", 2, id="when a piece is made, and has no name", marks=pytest.mark.soak),
    pytest.param("put", 1, id="when a piece has a note, and nobody else reaches it", marks=pytest.mark.soak),
    pytest.param(
        "sent in folder behind", 2, id="when others reach a piece, and not its note", marks=pytest.mark.soak
    ),
    pytest.param("put behind", PIECES - 1, id="when the last piece is there", marks=pytest.mark.soak),
    pytest.param("fetched", 3, id="while the pieces are brought together", marks=pytest.mark.soak),
    pytest.param("joined", 0, id="before they are joined", marks=pytest.mark.soak),
    pytest.param(
        "joined behind", 0, id="when they are joined, and nothing is verified", marks=pytest.mark.soak
    ),
    pytest.param("published", 0, id="when all is verified", marks=pytest.mark.soak),
    pytest.param("named", 0, id="when the manifest has no name", marks=pytest.mark.soak),
    pytest.param("told", 0, id="when the file is there, and nobody was told"),
    pytest.param("told behind", 0, id="when all were told", marks=pytest.mark.soak),
    pytest.param("cleared", 0, id="while the pieces are there, and the file too", marks=pytest.mark.soak),
]


WORKERS = [
    pytest.param("begun behind", 0, id="when nobody was asked for any", marks=pytest.mark.soak),
    pytest.param("put behind", PIECES - 1, id="when the last piece is there"),
    pytest.param("joined", 0, id="before they are joined", marks=pytest.mark.soak),
    pytest.param("told behind", 0, id="when all were told", marks=pytest.mark.soak),
]


@pytest.mark.parametrize(("where", "first"), KILLS)
def test_whatever_process_is_killed_it_is_done_once(calls: Calls, where: str, first: int) -> None:
    _is_done_once(calls, "kill", where, first)


@pytest.mark.parametrize(("where", "first"), WORKERS)
def test_whatever_worker_is_killed_it_is_done_once(calls: Calls, where: str, first: int) -> None:
    _is_done_once(calls, "kill the worker", where, first)


def _is_done_once(calls: Calls, how: How, where: str, first: int) -> None:
    place, mark = where.removesuffix(" behind"), str(calls.home / "mark")
    calls.strike = Strike(how, place, mark=mark, first=first, behind=place != where)
    with receiver() as hook:
        number = calls.submit(hook.url)
        calls.works_off(2)
        assert calls.struck()
        calls.assert_done(number)
        told = {delivery.id for delivery in hook.seen.deliveries}
    assert len(told) == 1
    assert all(part.state is State.DONE for part in calls.parts(number))


def test_the_last_two_that_end_at_once_are_joined_once(calls: Calls) -> None:
    calls.strike = Strike("wait", "put", behind=True, mark=str(calls.home / "mark"), first=1, times=PIECES)
    number = calls.submit()
    for _ in range(SHARES - 1):
        calls.start()
    until(lambda: calls.struck(SHARES - 1))  # the sound is done, all others wait
    (calls.home / "go").touch()
    said = calls.works_off(2)
    assert calls.assert_done(number).attempts == 1
    assert said.count(f"job {number}: begins") == len(["to ask for shares", "to join them"])


def test_who_is_cancelled_in_the_middle_ends_with_all_shares_and_may_be_tried_again(calls: Calls) -> None:
    calls.strike = Strike("wait", "put", behind=True, mark=str(calls.home / "mark"), first=1, times=9)
    number = calls.submit()
    worker = calls.start()
    until(calls.struck)
    assert standing(calls.engine, calls.job(number)).startswith("1 of ")
    calls.engine.cancel(number)
    until(calls.all_ended)
    worker.terminate()
    worker.wait()
    assert calls.job(number).state is State.CANCELLED
    ends = [part.state for part in calls.parts(number)]
    assert ends == [State.DONE, *[State.CANCELLED] * (SHARES - 1)]
    calls.strike = Strike()
    before = _pieces(calls)
    assert before
    calls.engine.retry(number)
    calls.works_off()
    calls.assert_done(number)
    names = [name for part in calls.parts(number) for name in _names(part)]
    assert sorted([*before, *names]) == ["00000", "00001", "00002", "00003", "sound"]


def test_a_share_that_cannot_be_made_ends_the_job_with_its_reason_and_others_are_kept(calls: Calls) -> None:
    calls.strike = Strike("fail", "piece", mark=str(calls.home / "mark"), first=2, times=99)
    with receiver() as hook:
        number = calls.submit(hook.url)
        calls.works_off()
        _ended_as_its_share(calls, number, hook.seen.deliveries[0].body)
        calls.strike = Strike()
        calls.engine.retry(number)
        calls.works_off()
        assert len(hook.seen.deliveries) == len(["failed", "done"])
    calls.assert_done(number)
    assert [_names(part) for part in calls.parts(number)] == [["00001", "00002"], ["00003"]]


def _ended_as_its_share(calls: Calls, number: int, told: bytes) -> None:
    job = calls.job(number)
    (dead,) = [part for part in calls.parts(number) if part.state is State.DEAD]
    assert job.end is not None
    assert dead.end is not None
    assert (job.state, job.end.code, job.sentence) == (State.DEAD, dead.end.code, dead.sentence)
    assert "slice.ts cannot be read" in job.sentence
    assert json.loads(told)["summary"]["state"] == "failed"
    assert "slice.ts cannot be read" in told.decode()
    assert _pieces(calls) == ["00000", "sound"]


def test_pieces_that_are_not_what_they_were_are_made_anew(calls: Calls) -> None:
    calls.strike = Strike("wait", "fetched", mark=str(calls.home / "mark"))
    number = calls.submit()
    calls.start()
    until(calls.struck)
    _of(calls, "00000-*.mp4").unlink()
    cut_off = _of(calls, "00001-*.mp4")
    cut_off.write_bytes(cut_off.read_bytes()[:-100])
    anothers = _of(calls, "00002.json")
    anothers.write_text(anothers.read_text().replace('"of": "', '"of": "0'))
    _of(calls, "sound.json").unlink()
    (calls.home / "go").touch()
    calls.works_off()
    assert calls.assert_done(number).attempts == 1


def _of(calls: Calls, name: str) -> Path:
    (found,) = calls.place.glob(f".recpipe/*/pieces/*-{name}")
    return found


def test_what_changed_meanwhile_is_begun_anew(calls: Calls, tmp_path: Path) -> None:
    calls.source = shutil.copytree(str(calls.source), tmp_path / "growing")
    (lost,) = Path(calls.source).glob("*YmVu*video*0006750.ts")
    kept_back = lost.rename(tmp_path / "kept back")
    calls.strike = Strike("wait", "piece", mark=str(calls.home / "mark"), times=1)
    number = calls.submit()
    calls.start()
    until(calls.struck)
    kept_back.rename(lost)
    (calls.home / "go").touch()
    said = calls.works_off()
    assert "planned otherwise by now" in said
    job = calls.assert_done(number)
    assert job.attempts == 2
    identities = {share.identity for part in calls.parts(number) for share in _shares(part)}
    assert len(identities) == 2


def test_short_composites_and_those_of_no_queue_are_made_as_ever(calls: Calls) -> None:
    number = calls.submit(limits={"spread": "17s"})
    calls.works_off()
    assert calls.assert_done(number).parts == 0


def _shares(part: Job) -> list[Share]:
    found = share_of(part.order.document)
    assert found is not None
    return [found[1]]


def _names(part: Job) -> list[str]:
    return [name for share in _shares(part) for name in share.names]


def _pieces(calls: Calls) -> list[str]:
    """Those that are finished where all reach them."""
    notes = calls.place.glob(".recpipe/*/pieces/*.json")
    return sorted(note.stem.partition("-")[2] for note in notes)
