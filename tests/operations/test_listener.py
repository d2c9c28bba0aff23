"""The operations listener over real sockets: each status by a table, the queue behind it in a file."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import sqlite3
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.job.spec_json import MOST_BYTES
from pipeline.worker.queue.jobs import Ended, Order, State
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from tests.operations.listener import ALLOWED, Listener, Orders, listening, written
from tests.worker.contract import taken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JOB: dict[str, Any] = {"version": 1, "source": "calls:live/room7", "targets": [{"place": "out:room7"}]}
TOKEN = "0123456789abcdef-the-token"  # noqa: S105 - of the test's own listener
HOSTILE = "<script>document.title='x'</script>\u202e\x1b[31m\"'&" + "é" * 10_000
SUMMARY = {
    "recordings": [
        {
            "recording": {"vendor": "agora"},
            "outputs": [
                {"size": 1000, "utc_zero_ms": 5_000, "duration_ms": 60_000},
                {"size": 500, "utc_zero_ms": 6_000, "duration_ms": 60_000},
            ],
            "losses": [{"what": "…", "count": 3, "ms": 1500}],
            "lost_ms": 1500,
        }
    ]
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("operations")


@pytest.fixture(scope="module")
def engine(home: Path) -> Iterator[SqliteEngine]:
    engine = SqliteEngine(home / "queue.db")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def here(home: Path, engine: SqliteEngine) -> Iterator[Listener]:
    """One on the loopback, without a token."""
    assert engine.counts()
    config = written(home, 'hosts = ["Recpipe.internal"]\n' + ALLOWED)
    with listening(Orders(f"sqlite:{home / 'queue.db'}", str(config))) as there:
        yield there


@pytest.fixture(scope="module")
def secured(home: Path, engine: SqliteEngine) -> Iterator[Listener]:
    """One with a token."""
    assert engine.counts()
    folder = home / "secured"
    folder.mkdir()
    config = written(folder, 'bearer_env = "OPS"\n' + ALLOWED)
    with listening(Orders(f"sqlite:{home / 'queue.db'}", str(config)), OPS=TOKEN) as there:
        yield there


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        pytest.param(("/nowhere",), 404, "no such page", id="a page that is none"),
        pytest.param(("/jobs/",), 404, "no such page", id="a slash too much"),
        pytest.param(("/jobs/999999",), 404, "no such job", id="a job that is none"),
        pytest.param(("/jobs/0",), 404, "no such job", id="the number 0"),
        pytest.param(("/jobs/-1",), 404, "no such job", id="a number below 0"),
        pytest.param(("/jobs/1e3",), 404, "no such job", id="no number"),
        pytest.param(("/jobs/%D9%A1",), 404, "no such job", id="a digit of another script"),
        pytest.param(("/jobs/" + "9" * 19,), 404, "no such job", id="a number that no queue has"),
        pytest.param(("/jobs/1/x",), 404, "no such page", id="something below a job"),
        pytest.param(("/jobs?state=lost",), 400, "state 'lost' is none", id="a state that is none"),
        pytest.param(("/jobs?most=0",), 400, "most is '0'", id="no job at all"),
        pytest.param(("/jobs?most=1001",), 400, "most is '1001'", id="too many"),
        pytest.param(("/jobs?before=x",), 400, "before is 'x'", id="no number before"),
        pytest.param(("/jobs?most=1&most=2",), 400, "given twice", id="a parameter twice"),
        pytest.param(("/jobs?colour=1",), 400, "'colour' is not known", id="an unknown parameter"),
        pytest.param(("/jobs", "DELETE"), 405, "not asked in this way", id="another method"),
        pytest.param(("/", "POST", {}), 405, "not asked in this way", id="a page that takes nothing"),
        pytest.param(
            ("/jobs", "POST", b"{}", {"Content-Type": "text/plain"}), 415, "application/json", id="text"
        ),
        pytest.param(("/jobs", "POST", b"{}"), 415, "application/json", id="a body of no kind"),
        pytest.param(("/jobs", "POST", {}), 400, "version: is missing", id="no job"),
        pytest.param(
            ("/jobs", "POST", b"\xff", {"Content-Type": "application/json"}), 400, "UTF-8", id="no text"
        ),
        pytest.param(
            ("/jobs", "POST", b"{", {"Content-Type": "application/json; charset=utf-8"}),
            400,
            "no JSON",
            id="half",
        ),
        pytest.param(
            ("/jobs", "POST", {**JOB, "endpoint": "http://127.0.0.9:1"}),
            400,
            "endpoint: is not known",
            id="endpoint",
        ),
        pytest.param(("/jobs?priority=x", "POST", JOB), 400, "priority is 'x'", id="a priority that is none"),
        pytest.param(("/jobs?priority=3000000000", "POST", JOB), 400, "priority", id="a priority too large"),
        pytest.param(("/jobs?deadline_ms=-1", "POST", JOB), 400, "deadline_ms", id="a deadline before time"),
        pytest.param(
            ("/jobs?not_before_ms=" + "9" * 18, "POST", JOB), 400, "not_before_ms", id="a late begin"
        ),
        pytest.param(("/jobs?key=", "POST", JOB), 400, "key has 0", id="an empty key"),
        pytest.param(("/jobs?key=a%0Ab", "POST", JOB), 400, "key has characters", id="a key of two lines"),
        pytest.param(("/jobs?key=" + "k" * 201, "POST", JOB), 400, "key has 201", id="a long key"),
        pytest.param(("/jobs", "POST", {**JOB, "source": "/etc"}), 403, "outside the root", id="a folder"),
        pytest.param(
            ("/jobs", "POST", {**JOB, "notify": [{"url": "http://127.0.0.1:1"}]}),
            403,
            "receiver",
            id="notify",
        ),
        pytest.param(
            ("/jobs", "GET", None, {"Host": "evil.example"}), 403, "another name", id="another name"
        ),
        pytest.param(
            ("/", "GET", None, {"Host": "127.0.0.1.evil.example"}), 403, "another name", id="rebinding"
        ),
        pytest.param(("/", "GET", None, {"Host": ""}), 403, "another name", id="no name"),
        pytest.param(
            ("/jobs", "POST", JOB, {"Origin": "http://evil.example"}), 403, "another site", id="a site"
        ),
        pytest.param(
            ("/jobs", "POST", JOB, {"Origin": "null"}), 403, "another site", id="a site without a name"
        ),
        pytest.param(
            ("/jobs", "POST", JOB, {"Sec-Fetch-Site": "cross-site"}),
            403,
            "another site",
            id="a browser says so",
        ),
        pytest.param(
            ("/jobs", "POST", b" " * (MOST_BYTES + 1), {"Content-Type": "application/json"}),
            413,
            "at most",
            id="too large",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_one_sentence(
    here: Listener, engine: SqliteEngine, asked: tuple[Any, ...], status: int, words: str
) -> None:
    before = engine.counts()
    answer = here.ask(*asked)
    assert answer.status == status
    assert words in answer.error
    assert engine.counts() == before
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["content-security-policy"].startswith("default-src 'none';")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9", "[::1]:80", "LOCALHOST", "recpipe.internal:80"])
def test_whoever_asks_by_a_name_of_this_machine_is_answered(here: Listener, host: str) -> None:
    assert here.ask("/jobs", headers={"Host": host}).status == 200


def test_a_job_is_due_a_day_after_it_may_begin(here: Listener, engine: SqliteEngine) -> None:
    said = here.post({**JOB, "source": "calls:live/later"}, "?not_before_ms=1900000000000")
    job = engine.job(said.document["id"])
    assert job is not None
    assert job.order.deadline_ms == 1_900_000_000_000 + 86_400_000


def test_a_job_is_made_once(here: Listener, engine: SqliteEngine) -> None:
    first = here.post(JOB, "?priority=5&deadline_ms=1900000000000")
    assert first.status == 201
    number = first.document["id"]
    assert first.headers["location"] == f"/jobs/{number}"
    again = here.post({**JOB, "source": "calls:live/room7/", "limits": {"settle": "5m"}})
    assert (again.status, again.document["id"], again.document["new"]) == (200, number, False)
    job = engine.job(number)
    assert job is not None
    assert (job.order.priority, job.order.deadline_ms) == (5, 1_900_000_000_000)
    assert here.post(JOB, "?key=mine").status == 201
    engine.say(number, ["it waits"])
    told = here.ask(f"/jobs/{number}").document
    assert (told["state"], told["source"], told["log"][0]["sentence"]) == (
        "waiting",
        "calls:live/room7",
        "it waits",
    )


def test_a_folder_below_the_root_may_be_given(here: Listener, home: Path) -> None:
    said = here.post({**JOB, "source": "recordings/a", "targets": [{"place": "done"}]}).document
    assert said["job"]["source"] == str(home / "root" / "recordings" / "a")
    assert said["job"]["place"] == str(home / "root" / "done")


def test_jobs_are_told_page_by_page_without_their_receivers(here: Listener, engine: SqliteEngine) -> None:
    for number in range(5):
        document = {**JOB, "notify": [{"url": "https://hooks.example.com/secret-path"}]}
        engine.submit(replace(Order("k", json.dumps(document)), key=f"page {number}"))
    told, before = [], 0
    while True:
        answer = here.ask(f"/jobs?state=waiting&state=dead&most=2&before={before}")
        assert "secret-path" not in answer.data.decode()
        page = answer.document
        told += [job["id"] for job in page["jobs"]]
        if page["before"] is None:
            break
        before = page["before"]
    assert told == [job.id for job in engine.jobs({State.WAITING, State.DEAD})]
    assert here.ask("/jobs?key=page%203").document["jobs"][0]["key"] == "page 3"


def test_results_are_counted_once_for_prometheus(here: Listener, engine: SqliteEngine) -> None:
    def told() -> dict[str, float]:
        answer = here.ask("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        lines = [line for line in answer.data.decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    before = told()
    for job in engine.jobs({State.WAITING}):
        engine.cancel(job.id)
    number = engine.submit(Order("measured", "{}", vendor="")).id
    claim = taken(engine)
    assert claim.job.id == number
    engine.end(claim, Ended(State.DONE, 1, "", json.dumps(SUMMARY)))
    engine.submit(Order("waits", "{}", vendor="trtc"))
    after = told()
    assert told()['recpipe_output_bytes_total{vendor="agora"}'] == 1500
    assert after['recpipe_jobs_ended_total{exit_code="1",state="done",vendor="agora"}'] == 1
    assert after['recpipe_losses_total{vendor="agora"}'] == 3
    assert after['recpipe_lost_seconds_total{vendor="agora"}'] == 1.5
    assert after['recpipe_retries_total{vendor="agora"}'] == 0
    assert after['recpipe_media_seconds_total{vendor="agora"}'] == 61
    assert after["recpipe_times_real_time_count"] == before.get("recpipe_times_real_time_count", 0) + 1
    assert after['recpipe_jobs{state="waiting",vendor="trtc"}'] == 1
    assert after["recpipe_oldest_waiting_seconds"] >= 0
    assert 'recpipe_output_bytes_total{vendor="agora"}' not in before


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        (None, 401),
        ("Bearer wrong", 401),
        ("Bearer", 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        (f"Token {TOKEN}", 401),
        ("Basic !!!", 401),
        (f"Basic {base64.b64encode(b'any:wrong').decode()}", 401),
        (f"Basic {base64.b64encode(TOKEN.encode()).decode()}", 401),
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        (f"Basic {base64.b64encode(f'any:{TOKEN}'.encode()).decode()}", 200),
    ],
)
@pytest.mark.parametrize("path", ["/", "/metrics", "/jobs", "/openapi.json", "/jobs/1", "/nowhere"])
def test_a_token_is_asked_for_everywhere(
    secured: Listener, path: str, shown: str | None, status: int
) -> None:
    headers = {"Host": "recpipe.example", **({"Authorization": shown} if shown else {})}
    answer = secured.ask(path, headers=headers)
    if status == 401:
        assert (answer.status, answer.error) == (401, "the token of this listener is missing or wrong.")
        assert "Bearer" in answer.headers["www-authenticate"]
    else:
        assert answer.status in {200, 404}


def test_a_job_is_not_posted_without_the_token(secured: Listener, engine: SqliteEngine) -> None:
    before = engine.counts()
    assert secured.post(JOB).status == 401
    assert secured.post(JOB, Authorization=f"Bearer {TOKEN}", Origin="http://evil.example").status == 403
    assert engine.counts() == before


def test_whoever_restarts_containers_needs_no_token(secured: Listener) -> None:
    assert secured.ask("/health", headers={"Host": "10.0.0.7"}).document == {"status": "alive"}
    assert secured.ask("/ready", headers={"Host": "10.0.0.7"}).document == {"status": "ready"}


def test_a_queue_that_is_locked_is_told_and_nothing_is_lost(
    here: Listener, engine: SqliteEngine, home: Path
) -> None:
    before = engine.counts()
    db = sqlite3.connect(home / "queue.db", isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    try:
        answer = here.post({**JOB, "source": "calls:live/locked"})
        assert answer.status == 503
        assert "locked" in answer.error
        assert answer.headers["retry-after"]
    finally:
        db.execute("ROLLBACK")
        db.close()
    assert engine.counts() == before
    assert here.post({**JOB, "source": "calls:live/locked"}).status == 201


def test_a_queue_that_is_gone_is_not_ready_and_the_process_is_alive(tmp_path: Path) -> None:
    SqliteEngine(tmp_path / "queue.db").close()
    with listening(Orders(f"sqlite:{tmp_path / 'queue.db'}", str(written(tmp_path)))) as there:
        assert there.ask("/ready").status == 200
        for file in tmp_path.glob("queue.db*"):
            file.unlink()
        assert there.ask("/ready").status == 503
        assert "is gone" in there.ask("/jobs").error
        assert there.ask("/health").status == 200


def test_a_listener_that_is_killed_has_kept_what_it_said_it_has(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / "queue.db")
    said = []
    for each in range(3):
        orders = Orders(f"sqlite:{tmp_path / 'queue.db'}", str(written(tmp_path, ALLOWED)))
        with listening(orders) as there:
            said.append(there.post({**JOB, "source": f"calls:live/{each}"}).document["id"])
            os.kill(there.process.pid, signal.SIGKILL)
    assert [job.id for job in engine.jobs()] == said[::-1]
    engine.close()


def test_a_body_that_ends_early_makes_no_job(here: Listener, engine: SqliteEngine) -> None:
    before = engine.counts()
    with socket.create_connection(("127.0.0.1", here.port)) as sender:
        sender.sendall(
            b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000\r\n\r\n" + json.dumps(JOB).encode()
        )
    time.sleep(0.1)
    assert here.ask("/health").status == 200
    assert engine.counts() == before


def test_names_of_strangers_are_shown_and_obeyed_by_nobody(here: Listener, engine: SqliteEngine) -> None:
    for job in engine.jobs({State.WAITING}):
        engine.cancel(job.id)
    for key in ("dead", "runs", "waits"):
        engine.submit(Order(f"{key} {HOSTILE[:60]}", json.dumps({"source": f"calls:{key} {HOSTILE}"}), 9))
        if key != "waits":
            claim = taken(engine, f"worker {HOSTILE}")
        if key == "dead":
            engine.end(claim, Ended(State.DEAD, 4, f"no slice of {HOSTILE}"))
    engine.beat(claim, 304)
    answer = here.ask("/")
    text = answer.data.decode()
    assert answer.status == 200
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 5
    assert not {"\u202e", "\x1b"} & set(text)
    assert "\\u202e\\x1b[31m" in text
    assert "30.4%" in text
    assert len(text) < 60_000
    assert here.ask("/jobs").data.isascii()
