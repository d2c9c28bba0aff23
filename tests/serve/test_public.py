"""A real `recpipe serve`: what it takes, what it refuses, that a body makes it do nothing else."""

from __future__ import annotations

import json
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.worker.queue.jobs import State
from pipeline.worker.serve.listening import MOST_CONNECTIONS
from pipeline.worker.serve.public.app import MOST_AT_ONCE
from tests.serve import callbacks
from tests.serve.callbacks import APP, AT_MS, SECRET, Post, event, stored, trtc
from tests.serve.served import PATIENCE_S, WHOLE, Canary, configured, send, serving, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serve.served import Serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("serve")
    configured(folder)
    with serving(folder) as running:
        yield running


def kept(served: Serving) -> int:
    with closing(sqlite3.connect(served.folder / "inbox.db")) as db:
        return int(db.execute("SELECT count(*) FROM events").fetchone()[0])


def test_a_recording_that_ended_makes_one_job_however_often_that_is_told(served: Serving) -> None:
    post = trtc(event(305, task="once"))
    assert [served.post(post).body for _ in range(3)] == [b'{"code":0}'] * 3
    job = served.made("once")
    document = json.loads(job.order.document)
    assert document["source"] == "calls:meeting/once"
    assert document["targets"][0]["place"].startswith("vod:2026-11-22/once_")
    assert job.state is State.WAITING
    assert job.order.vendor == "trtc"


TAKEN = [
    pytest.param(callbacks.agora(31, {"msgName": "uploaded", "status": 0, "fileList": []}), id="Agora"),
    pytest.param(callbacks.volcengine(RecordFileList=[]), id="Volcengine"),
    pytest.param(stored("a/b/20055501_room7__UserId_s_YW5u__UserId_e_main_audio.m3u8"), id="a store"),
]


@pytest.mark.parametrize("post", TAKEN)
def test_each_vendor_s_callback_is_kept_and_answered(served: Serving, post: Post) -> None:
    before = kept(served)
    assert served.post(post).status == 200
    assert kept(served) == before + 1
    assert served.post(post).status == 200
    assert kept(served) == before + 1


def test_tuicallkit_is_signed_in_the_url_and_answered_as_its_page_says(served: Serving) -> None:
    at = str(int(time.time()))
    sign = sha256((SECRET + at).encode()).hexdigest()
    inside = json.loads(event(301, task="kit"))
    body = {"CallId": "c1", "Callback": inside, "CallbackCommand": "Call.CallbackAfterRecordChanged"}
    post = Post(
        f"/tuicallkit?SdkAppid={APP}&Sign={sign}&RequestTime={at}",
        json.dumps(body | {"EventTime": AT_MS}).encode(),
    )
    assert served.post(post).body == b'{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}'
    assert served.post(replace(post, path=post.path.replace(sign, "0" * 64))).status == 401


OTHER = "another secret"
GOOD = event(305, task="refused")
REFUSED = [
    pytest.param(Post("/trtc", GOOD), 401, id="no signature"),
    pytest.param(trtc(GOOD, secret=OTHER), 401, id="a signature by another secret"),
    pytest.param(replace(trtc(GOOD), body=GOOD + b" "), 401, id="a body that was changed by one space"),
    pytest.param(trtc(GOOD, app="1"), 401, id="another app"),
    pytest.param(trtc(b"{"), 400, id="no JSON"),
    pytest.param(trtc(b""), 400, id="nothing"),
    pytest.param(trtc(b"\xff\xfe"), 400, id="no UTF-8"),
    pytest.param(trtc(b"[" * 100_000), 400, id="lists in lists without end"),
    pytest.param(trtc(event(305, room="../../etc")), 400, id="a room that leaves its folder"),
    pytest.param(trtc(event(305, task="../x")), 400, id="a task that leaves its folder"),
    pytest.param(trtc(b" " * (10 << 20)), 413, id="10 MB"),
    pytest.param(replace(stored("a.m3u8"), headers={}), 401, id="no token"),
    pytest.param(stored("a.m3u8", token=OTHER), 401, id="another token"),
    pytest.param(Post("/", GOOD), 404, id="no route"),
    pytest.param(Post("/trtc/", GOOD), 404, id="a route with a slash"),
    pytest.param(Post("/metrics", b""), 404, id="a route of the other listener"),
    pytest.param(Post("/jobs", b"{}"), 404, id="a job from outside"),
]


@pytest.mark.parametrize(("post", "status"), REFUSED)
def test_what_is_not_right_is_refused_and_leaves_nothing(served: Serving, post: Post, status: int) -> None:
    before = kept(served)
    answer = served.post(post)
    assert answer.status == status
    assert list(json.loads(answer.body)) == ["error"]
    assert kept(served) == before
    assert served.of("refused") == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_callbacks_are_sent_by_post_only(served: Serving, method: str) -> None:
    status, head, _ = raw(served, f"{method} /trtc HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert status == 405
    assert b"allow: POST" in head


def raw(served: Serving, *parts: bytes, pause_s: float = 0) -> tuple[int, bytes, bytes]:
    """Bytes as they are, and the whole answer; status 0 where the connection was closed without one."""
    with socket.create_connection(("127.0.0.1", served.port), PATIENCE_S) as there:
        for part in parts:
            there.sendall(part)
            time.sleep(pause_s)
        answer = b""
        while b"\r\n\r\n" not in answer and (data := there.recv(1 << 16)):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]) if head else 0, head, body


CHUNKED = b"POST /trtc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_body_without_a_length_is_cut_off_where_it_is_too_large(served: Serving) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    assert raw(served, CHUNKED + chunk * 17 + b"0\r\n\r\n")[0] == 413


def test_a_length_that_lies_is_refused(served: Serving) -> None:
    for length in (b"-1", b"1e3", b"99999999999999999999999"):
        status, _, _ = raw(
            served, b"POST /trtc HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n"
        )
        assert status in {400, 413}


def test_slow_bodies_and_slow_heads_are_ended_and_hold_nobody_up(served: Serving) -> None:
    """All of them at once, so that the test waits once."""
    slow = [b"POST /trtc HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", CHUNKED + b"1\r\n{\r\n"]
    endless = [b"", b"POST /trtc HT", b"POST /trtc HTTP/1.1\r\nHost: x\r\nX: "]
    sockets = [socket.create_connection(("127.0.0.1", served.port), PATIENCE_S) for _ in (*slow, *endless)]
    for there, text in zip(sockets, (*slow, *endless), strict=True):
        there.sendall(text)
    assert served.post(trtc(event(301, task="beside"))).status == 200
    answers = [there.recv(1 << 16) for there in sockets]
    for there in sockets:
        there.close()
    assert [answer.split(b" ")[1] for answer in answers[: len(slow)]] == [b"408"] * len(slow)
    assert answers[len(slow) :] == [b""] * len(endless)


def test_nothing_that_a_body_names_is_ever_connected_to(served: Serving) -> None:
    here, there = Canary("127.0.0.1"), Canary("127.0.0.9")
    names: dict[str, Any] = {
        "endpoint": f"http://127.0.0.9:{there.port}",
        "notify": [{"url": f"http://127.0.0.1:{here.port}/", "secret_env": ["SERVE_SECRET"]}],
        "source": f"http://127.0.0.9:{there.port}/",
        "targets": [{"place": f"s3://127.0.0.9:{there.port}/x"}],
        "VideoUrl": f"http://127.0.0.1:{here.port}/v.mp4",
    }
    body = json.loads(event(305, task="canary", **names))
    assert served.post(trtc(json.dumps(body | names).encode())).status == 200
    job = served.made("canary")
    assert set(json.loads(job.order.document)) == {"version", "source", "targets", "folder"}
    assert "127.0.0" not in job.order.document
    assert served.post(trtc(json.dumps(names).encode())).status == 400
    assert (here.met, there.met) == (0, 0)
    here.close()
    there.close()


def test_an_event_of_a_kind_that_nobody_knows_is_taken_and_starts_nothing(served: Serving) -> None:
    assert served.post(trtc(event(399, task="strange"))).status == 200
    assert served.post(trtc(event(311, task="vod", TencentVod={"FileId": "1"}))).status == 200
    until(lambda: became(served, "vod") != "")
    assert "no job" in became(served, "vod")
    assert "VOD" in became(served, "vod")
    assert served.of("strange") + served.of("/vod") == []


def became(served: Serving, task: str) -> str:
    with closing(sqlite3.connect(served.folder / "inbox.db")) as db:
        found = db.execute("SELECT became FROM tasks WHERE recording = ?", (task,)).fetchone()
    return str(found[0]) if found else ""


LOCKS = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
"""


def test_what_cannot_be_kept_is_503_and_is_taken_when_it_comes_again(served: Serving) -> None:
    post = trtc(event(301, task="locked out"[:6]))
    with subprocess.Popen(
        [sys.executable, "-c", LOCKS, str(served.folder / "inbox.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as locker:
        assert locker.stdout is not None
        assert locker.stdout.readline() == "locked\n"
        assert served.post(post).status == 503
        locker.communicate("\n")
    before = kept(served)
    assert served.post(post).status == 200
    assert kept(served) in {before, before + 1}  # it may have been kept right behind the answer
    assert served.post(post).status == 200


def test_connections_over_a_number_are_closed_and_the_others_are_not(served: Serving) -> None:
    idle = [socket.create_connection(("127.0.0.1", served.port), PATIENCE_S) for _ in range(MOST_CONNECTIONS)]
    more = [socket.create_connection(("127.0.0.1", served.port), PATIENCE_S) for _ in range(20)]
    until(lambda: len(select.select(more, [], [], 0)[0]) >= 19)
    assert select.select(idle[20:], [], [], 0)[0] == []
    for there in (*idle, *more):
        there.close()
    until(lambda: succeeds(served))


def succeeds(served: Serving) -> bool:
    try:
        return served.post(trtc(event(301, task="after"))).status == 200
    except OSError:
        return False


def test_requests_over_a_number_are_told_to_come_again(served: Serving) -> None:
    begun = b"POST /trtc HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
    slow = [socket.create_connection(("127.0.0.1", served.port), PATIENCE_S) for _ in range(MOST_AT_ONCE)]
    for there in slow:
        there.sendall(begun)
    until(lambda: served.post(trtc(event(301, task="busy"))).status == 503)
    for there in slow:
        there.close()
    until(lambda: succeeds(served))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_lets_it_answer_what_has_come_and_end(tmp_path: Path, number: signal.Signals) -> None:
    configured(tmp_path)
    with serving(tmp_path) as running:
        body = event(305)
        post = trtc(body)
        head = "".join(f"{name}: {value}\r\n" for name, value in post.headers.items())
        with socket.create_connection(("127.0.0.1", running.port), PATIENCE_S) as there:
            there.sendall(
                f"POST /trtc HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode()
            )
            there.sendall(body[:9])
            time.sleep(0.2)
            running.process.send_signal(number)
            time.sleep(0.2)
            there.sendall(body[9:])
            assert there.recv(1 << 16).startswith(b"HTTP/1.1 200")
        running.process.communicate(timeout=PATIENCE_S)
        assert running.process.returncode == 0
        assert kept(running) == 1


def test_a_route_without_a_secret_is_off(tmp_path: Path) -> None:
    configured(tmp_path, WHOLE.replace('route = "agora"', 'route = "trtc"'))
    with serving(tmp_path) as running:
        assert send(running.port, callbacks.agora(31, {})).status == 404
        assert send(running.port, trtc(event(301))).status == 200
