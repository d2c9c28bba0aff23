"""``recpipe submit`` and ``recpipe jobs`` as they are typed, on a queue in a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.cli.jobs import waited
from pipeline.errors import EngineBusyError, NoSpaceError, RecpipeError
from pipeline.worker.queue.jobs import Again, Ended, Order, State
from pipeline.worker.queue.orders import key_of
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from tests.cli.running import good, run
from tests.documents import ROOT
from tests.job.jobs import document
from tests.worker.calls import PATIENCE_S
from tests.worker.contract import DAY_MS, taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.demo.made import Made
    from pipeline.worker.queue.jobs import Job


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteEngine]:
    """The queue ``queue.db`` of the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recording").mkdir()
    engine = SqliteEngine(tmp_path / "queue.db")
    yield engine
    engine.close()


def written(path: Path, **changed: Any) -> Path:
    whole = {"version": 1, "source": "recording", "targets": [{"place": "done"}], **changed}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(whole))
    return path


QUEUE = ("--engine", "sqlite:queue.db")


def only(engine: SqliteEngine) -> Order:
    (job,) = engine.jobs()
    return job.order


@pytest.mark.parametrize("away", [EngineBusyError("it is locked."), NoSpaceError("its disk is full.")])
def test_who_waits_for_a_job_waits_for_a_queue_that_is_away_too(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch, away: RecpipeError
) -> None:
    number = engine.submit(Order("key", "{}")).id
    engine.end(taken(engine), Ended(State.DONE, 0))
    answers: list[Job | RecpipeError | None] = [away, engine.job(number)]

    def answer(_: int) -> Job | None:
        told = answers.pop(0)
        if isinstance(told, RecpipeError):
            raise told
        return told

    monkeypatch.setattr(engine, "job", answer)
    assert [job.id for job in waited(engine, [number]).jobs] == [number]


def test_a_job_is_submitted_and_its_number_told(engine: SqliteEngine, tmp_path: Path) -> None:
    said = good("submit", written(tmp_path / "job.json"), *QUEUE, "--priority", "7")
    assert said.out == f"job 1: {tmp_path}/job.json submitted\n"
    order = only(engine)
    assert (order.priority, order.not_before_ms) == (7, 0)
    told = json.loads(order.document)
    assert told["source"] == str(tmp_path / "recording")
    assert told["targets"] == [{"place": str(tmp_path / "done")}]


def test_submitted_twice_it_is_there_already(engine: SqliteEngine, tmp_path: Path) -> None:
    first = written(tmp_path / "one.json")
    second = tmp_path / "two.json"
    second.write_text(json.dumps({**json.loads(first.read_text()), "outputs": {}, "delete_source": "never"}))
    good("submit", first, *QUEUE)
    said = good("submit", second, *QUEUE)
    assert said.out == f"job 1: {second} is there already, and is waiting\n"
    assert len(engine.jobs()) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"source": "another"},
        {"targets": [{"place": "elsewhere"}]},
        {"outputs": {"by": "session"}},
        {"selection": {"uids": ["ann"]}},
        {"names": "{uid}"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_other_work_has_another_key(engine: SqliteEngine, tmp_path: Path, changed: dict[str, Any]) -> None:
    (tmp_path / "another").mkdir()
    good("submit", written(tmp_path / "one.json"), written(tmp_path / "two.json", **changed), *QUEUE)
    assert len(engine.jobs()) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("calls:a/room7", "calls:a/room7/", id="a prefix with and without its slash"),
        pytest.param("s3://bucket", "s3://bucket/", id="a whole bucket"),
        pytest.param("/srv/calls/room7", "/srv/./calls/x/../room7/", id="a folder"),
    ],
)
def test_the_same_place_is_the_same_work_however_it_is_written(one: str, other: str) -> None:
    keys = {
        key_of(json.dumps({"version": 1, "source": source, "targets": [{"place": place}], **more}), "it")
        for source, place in ((one, other), (other, one))
        for more in ({}, {"outputs": {"kind": "merge"}, "limits": {"settle": "5m"}, "folder": "/x"})
    }
    assert len(keys) == 1


def test_a_key_of_ones_own_counts(engine: SqliteEngine, tmp_path: Path) -> None:
    job = written(tmp_path / "job.json")
    good("submit", job, *QUEUE, "--key", "mine")
    good("submit", job, *QUEUE)
    assert [each.order.key == "mine" for each in engine.jobs()] == [False, True]
    told = good("submit", written(tmp_path / "other.json", names="{uid}"), *QUEUE, "--key", "mine", "--json")
    assert [(each["id"], each["new"]) for each in told.document["jobs"]] == [(1, False)]


def test_a_jobs_own_files_are_those_beside_it_wherever_its_worker_stands(
    engine: SqliteEngine, tmp_path: Path
) -> None:
    image = {"kind": "compose", "composite": {"backdrop": "images/a.png"}}
    good("submit", written(tmp_path / "jobs" / "job.json", outputs=image, folder="own"), *QUEUE)
    told = json.loads(only(engine).document)
    assert told["folder"] == str(tmp_path / "jobs" / "own")
    assert told["source"] == str(tmp_path / "recording")
    assert told["outputs"] == image


@pytest.mark.parametrize(("later", "after"), [((), DAY_MS), (("--not-before", "30d"), 31 * DAY_MS)])
def test_the_deadline_is_a_day_after_a_job_may_begin(
    engine: SqliteEngine, tmp_path: Path, later: tuple[str, ...], after: int
) -> None:
    good("submit", written(tmp_path / "job.json"), *QUEUE, *later)
    (job,) = engine.jobs()
    assert abs(job.order.deadline_ms - job.submitted_ms - after) < PATIENCE_S * 1000


def test_times_are_from_now_or_of_a_clock(engine: SqliteEngine, tmp_path: Path) -> None:
    at = "2027-01-20T22:00:00+08:00"
    good("submit", written(tmp_path / "job.json"), *QUEUE, "--not-before", at, "--deadline", "400d")
    order = only(engine)
    assert order.not_before_ms == 1_800_453_600_000
    job = engine.jobs()[0]
    assert abs(order.deadline_ms - job.submitted_ms - 400 * 86_400_000) < PATIENCE_S * 1000


@pytest.mark.parametrize(
    ("changed", "typed", "words"),
    [
        pytest.param({"source": "nowhere"}, (), "nowhere is no folder", id="a folder that is not there"),
        pytest.param({"source": "calls:room"}, (), "no store 'calls'", id="a store that nobody named"),
        pytest.param(
            {"targets": [{"place": "done"}, {"vod": "main"}]}, (), "no VOD service 'main'", id="a service"
        ),
        pytest.param({"source": "http://a/b"}, (), "is a web address", id="an address of something else"),
        pytest.param({"targets": []}, (), "targets", id="no target"),
        pytest.param({"endpoint": "http://x"}, (), "endpoint: is not known", id="a field that is unknown"),
        pytest.param(
            {},
            ("--not-before", "8h", "--deadline", "1h"),
            "is over before the job may begin",
            id="a deadline that cannot be kept",
        ),
        pytest.param({}, ("--deadline", "soon"), "--deadline 'soon' is no time", id="a time that is none"),
        pytest.param({}, ("--not-before", "1:30:00"), "is no time", id="a time of the recording"),
        pytest.param({}, ("--not-before", "0001-01-01T00:00:00Z"), "from 1970", id="a time long ago"),
        pytest.param({}, ("--key", ""), "--key is empty", id="an empty key"),
        pytest.param({}, ("--key", "a", "job.json"), "one by one", id="a key for two"),
        pytest.param({}, ("--priority", "3000000000"), "--priority", id="a priority too large"),
    ],
)
def test_what_could_not_be_done_is_not_submitted(
    engine: SqliteEngine, tmp_path: Path, changed: dict[str, Any], typed: tuple[str, ...], words: str
) -> None:
    said = run("submit", written(tmp_path / "job.json", **changed), *QUEUE, *typed)
    assert said.code == 2
    assert words in said.err
    assert list(engine.jobs()) == []


def test_all_are_checked_before_the_first_is_submitted(engine: SqliteEngine, tmp_path: Path) -> None:
    said = run("submit", written(tmp_path / "a.json"), written(tmp_path / "b.json", source="no"), *QUEUE)
    assert (said.code, list(engine.jobs())) == (2, [])


def test_whoever_waits_gets_the_jobs_exit_code(
    made: Callable[[str], Made], engine: SqliteEngine, tmp_path: Path
) -> None:
    typed = []
    for name in ("plain-trtc", "missing-slice"):
        job = tmp_path / f"{name}.json"
        job.write_text(json.dumps(document(made(name).place, tmp_path / "done" / name)))
        typed.append(str(job))
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    waiting = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "submit", *typed, *QUEUE, "--wait", "--json"],
        cwd=tmp_path,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    while len(engine.jobs()) < len(typed):
        assert waiting.poll() is None
    worked = subprocess.run(
        [
            sys.executable,
            "-m",
            "pipeline",
            "worker",
            "--engine",
            "sqlite:../queue.db",
            "--drain",
            "--log=json",
        ],
        cwd=elsewhere,
        env=environ,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    out, _ = waiting.communicate(timeout=PATIENCE_S)
    assert waiting.returncode == 1
    assert [(each["state"], each["exit_code"]) for each in json.loads(out)["jobs"]] == [
        ("done", 0),
        ("done", 1),
    ]
    lines = [json.loads(line) for line in worked.stderr.splitlines()]
    begun = [
        (line["job"], line["recording"], line["attempt"]) for line in lines if "begins" in line["sentence"]
    ]
    assert begun == [(n, str(made(name).place), 1) for n, name in ((1, "plain-trtc"), (2, "missing-slice"))]
    assert [note.sentence for note in engine.said(2)] == [
        line["sentence"] for line in lines if line.get("job") == 2
    ]
    assert "done (exit code 1)" in good("jobs", "logs", "2", *QUEUE).out
    assert run("jobs", "wait", "1", "2", *QUEUE).code == 1
    assert good("jobs", "wait", "1", *QUEUE).out.splitlines()[1].split()[:2] == ["1", "done"]


def test_jobs_are_listed_by_state_and_page(engine: SqliteEngine) -> None:
    for key in "abc":
        engine.submit(Order(key, json.dumps({"source": f"calls:{key}"})))
    engine.end(taken(engine), Ended(State.DEAD, 4, "no slice can be read"))
    said = good("jobs", "list", *QUEUE)
    assert [line.split()[0] for line in said.out.splitlines()[1:-1]] == ["3", "2", "1"]
    assert said.out.splitlines()[-1] == "2 waiting, 0 running, 0 done, 1 dead, 0 cancelled"
    told = good("jobs", "list", *QUEUE, "--state", "dead", "--state", "done", "--json").document
    assert [(job["id"], job["source"], job["sentence"]) for job in told["jobs"]] == [
        (1, "calls:a", "no slice can be read")
    ]
    page = good("jobs", "list", *QUEUE, "--most", "1", "--before", "3", "--json").document
    assert [job["id"] for job in page["jobs"]] == [2]
    assert page["counts"] == {"waiting": 2, "running": 0, "done": 0, "dead": 1, "cancelled": 0}


def test_names_of_strangers_steer_no_terminal(engine: SqliteEngine) -> None:
    hostile = "calls:\x1b[31m\u202egnp.exe\n\N{ZERO WIDTH JOINER}"
    engine.submit(Order("k\x1b]0;x\x07", json.dumps({"source": hostile})))
    engine.say(1, [f"waits for {hostile}"])
    engine.end(taken(engine, "host\x1b[2J"), Again(0, hostile))
    for typed in (("list",), ("show", "1"), ("logs", "1")):
        told = good("jobs", *typed, *QUEUE).out
        assert r"\x1b[31m\u202egnp.exe\n\u200d" in told
        assert not {"\x1b", "\u202e", "\u200d", "\x07"} & set(told)
        assert good("jobs", *typed, *QUEUE, "--json").out.isascii()


@pytest.mark.parametrize(
    ("outputs", "pictures", "told"),
    [
        ([{"size": 1_250_000}, {"size": 250_000}], 0, "2 files, 1.5 MB"),
        ([], 3, "3 files, 0 B"),
        ([], 0, None),
    ],
)
def test_a_job_tells_what_it_made(
    engine: SqliteEngine, outputs: list[dict[str, int]], pictures: int, told: str | None
) -> None:
    engine.submit(Order("k", "{}"))
    summary = json.dumps({"recordings": [{"outputs": outputs, "pictures": pictures}]})
    engine.end(taken(engine), Ended(State.DONE, 0, "", summary))
    lines = [line.split(None, 1) for line in good("jobs", "show", "1", *QUEUE).out.splitlines()]
    assert next((line[1].strip() for line in lines if line[0] == "made"), None) == told


def test_a_job_is_shown_with_all_that_is_known_of_it(engine: SqliteEngine) -> None:
    engine.submit(Order("k", json.dumps({"source": "calls:a", "notify": [{"url": "https://h/token"}]}), 3))
    engine.end(taken(engine, "w"), Ended(State.DONE, 1, "a loss", '{"recordings": []}'))
    told = good("jobs", "show", "1", *QUEUE, "--json").document["job"]
    assert (told["state"], told["exit_code"], told["summary"]) == ("done", 1, {"recordings": []})
    assert told["document"]["notify"] == [{"url": "https://h/token"}]
    assert "done, exit code 1" in good("jobs", "show", "1", *QUEUE).out


def test_jobs_are_cancelled_tried_again_and_forgotten(engine: SqliteEngine) -> None:
    for key in "ab":
        engine.submit(Order(key, "{}"))
    claim = taken(engine)
    assert good("jobs", "cancel", "1", "2", *QUEUE).out == "job 1: is being ended\njob 2: cancelled\n"
    assert good("jobs", "cancel", "2", *QUEUE).out == "job 2: had ended, and is cancelled\n"
    assert engine.beat(claim) is True
    assert good("jobs", "retry", "1", "2", *QUEUE).out == (
        "job 1: has not ended, and is running\njob 2: waits again\n"
    )
    engine.end(claim, Ended(State.DONE, 0))
    assert good("jobs", "purge", "--older-than", "1d", *QUEUE).out == "0 jobs forgotten\n"
    assert (
        good("jobs", "purge", "--older-than", "0", "--state", "dead", *QUEUE, "--json").document["purged"]
        == 0
    )
    while good("jobs", "purge", "--older-than", "0", *QUEUE).out != "1 job forgotten\n":
        assert engine.job(1)  # it ended in this very millisecond
    assert engine.job(1) is None


def test_all_that_were_set_aside_are_tried_again_but_those_whose_work_another_does(
    engine: SqliteEngine,
) -> None:
    for _ in range(2):
        engine.submit(Order("twice", "{}"))
        engine.end(taken(engine), Ended(State.DEAD, 6, "the store refused."))
    for key, state in (("dead", State.DEAD), ("done", State.DONE)):
        engine.submit(Order(key, "{}"))
        engine.end(taken(engine), Ended(state, 0))
    said = good("jobs", "retry", "--state", "dead", *QUEUE)
    assert said.out.splitlines() == [
        "job 3: waits again",
        "job 2: waits again",
        "job 1 is not tried again: job 2 does the same.",
    ]
    assert {job.id for job in engine.jobs([State.WAITING])} == {2, 3}
    told = good("jobs", "retry", "--state", "dead", *QUEUE, "--json").document
    assert (told["jobs"], told["left_out"]) == ([], [said.out.splitlines()[-1]])


def test_of_the_jobs_that_late_news_made_of_one_the_last_is_tried_again(engine: SqliteEngine) -> None:
    for key in ("job:x", "job:x+1795331017347", "job:y"):
        engine.submit(Order(key, "{}"))
        engine.end(taken(engine), Ended(State.DEAD, 3))
    assert good("jobs", "retry", "--state", "dead", *QUEUE).out.splitlines() == [
        "job 3: waits again",
        "job 2: waits again",
        "job 1 is not tried again: job 2 does the same.",
    ]
    engine.end(taken(engine), Ended(State.DONE, 0))
    again = good("jobs", "retry", "--state", "dead", *QUEUE)
    assert again.out == "job 1 is not tried again: job 2 does the same.\n", "it is done"
    assert good("jobs", "retry", "--state", "cancelled", *QUEUE).out == "there is none\n"


def test_a_job_whose_work_an_open_one_does_is_left_out_whichever_is_newer(engine: SqliteEngine) -> None:
    for key in ("job:x", "job:x+1795331017347"):
        engine.submit(Order(key, "{}"))
        engine.end(taken(engine), Ended(State.DEAD, 3))
    assert engine.retry(1)
    assert good("jobs", "retry", "--state", "dead", *QUEUE).out == (
        "job 2 is not tried again: job 1 does the same.\n"
    )


def test_a_path_that_is_too_long_for_a_queue_is_told(tmp_path: Path) -> None:
    said = run("jobs", "list", "--engine", f"sqlite:{tmp_path}/{'a' * 300}")
    assert said.code == 6
    assert "recpipe: the queue" in said.err


@pytest.mark.parametrize("typed", [(), ("1", "--state", "dead")], ids=["neither", "both"])
@pytest.mark.usefixtures("engine")
def test_which_jobs_are_tried_again_is_said_in_one_way(typed: tuple[str, ...]) -> None:
    said = run("jobs", "retry", *typed, *QUEUE)
    assert (said.code, "their numbers, or --state" in said.err) == (2, True)


@pytest.mark.parametrize("typed", ["list", "show 1", "logs 1", "wait 1", "retry 1", "cancel 1", "purge"])
def test_whoever_looks_at_a_queue_that_is_not_there_is_told_and_makes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.chdir(tmp_path)
    more = ("--older-than", "1d") if typed == "purge" else ()
    said = run("jobs", *typed.split(), *more, "--engine", "sqlite:typo.db")
    assert (said.code, "there is no queue typo.db" in said.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("typed", ["show", "logs", "wait", "retry", "cancel"])
def test_a_number_that_no_job_has_is_wrong_usage(engine: SqliteEngine, typed: str) -> None:
    assert list(engine.jobs()) == []
    said = run("jobs", typed, "9", *QUEUE)
    assert said.code == 2
    assert "there is no job 9 in this queue" in said.err
