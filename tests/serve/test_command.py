"""``recpipe serve`` as it is typed: both listeners, and what is wrong said before anything begins."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pipeline.vendors.events import delivery
from tests.cli.running import run
from tests.documents import ROOT
from tests.serve.callbacks import Post, event, trtc
from tests.serve.rooms import room
from tests.serve.served import PATIENCE_S, STORES, WHOLE, configured, send, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serve.served import Serving
    from tests.servers.postgres import Postgres


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("command")
    configured(folder)
    with serving(folder) as running:
        yield running


def asked(port: int, path: str) -> tuple[int, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as client:
        client.request("GET", path)
        answer = client.getresponse()
        return answer.status, answer.read().decode()


def test_the_operations_listener_tells_what_the_public_one_has_heard(served: Serving) -> None:
    for body, secret in ((event(305, task="told"), ""), (event(305, task="told"), ""), (b"{}", "not it")):
        served.post(trtc(body, **({"secret": secret} if secret else {})))
    served.made("told")
    metrics = asked(served.operations, "/metrics")[1]
    for outcome in ("new", "duplicate", "401"):
        assert f'recpipe_callbacks_total{{outcome="{outcome}",route="trtc"}} 1.0' in metrics
    assert "told" in asked(served.operations, "/")[1]
    assert asked(served.operations, "/ready")[0] == 200
    listed = json.loads(asked(served.operations, "/jobs")[1])
    assert [job["source"] for job in listed["jobs"] if "told" in job["source"]] == ["calls:meeting/told"]


def test_neither_listener_has_the_routes_of_the_other(served: Serving) -> None:
    for path in ("/", "/metrics", "/health", "/ready", "/jobs", "/openapi.json"):
        assert asked(served.port, path)[0] == 404
    assert send(served.operations, trtc(event(305, task="inside"))).status == 404
    posted = {"version": 1, "source": "calls:meeting/x", "targets": [{"place": "vod:x"}]}
    assert send(served.port, Post("/jobs", json.dumps(posted).encode())).status == 404
    assert send(served.operations, Post("/jobs", json.dumps(posted).encode())).status == 403


def test_without_an_app_there_is_no_route(tmp_path: Path) -> None:
    configured(tmp_path, "")
    with serving(tmp_path) as running:
        assert send(running.port, trtc(event(305))).status == 404
        assert asked(running.operations, "/health")[0] == 200


def test_events_that_waited_while_nobody_looked_at_them_become_jobs_when_somebody_serves(
    tmp_path: Path,
) -> None:
    with room(tmp_path) as here:
        post = trtc(event(305, task="waited"))
        headers = [(name.encode(), value.encode()) for name, value in post.headers.items()]
        assert here.intake.take("trtc", delivery(post.body, headers, b"", 0)).status == 200
        assert here.jobs() == []
    with serving(tmp_path) as running:
        running.made("waited")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("--listen", "8080"), "expected HOST:PORT", id="a port alone"),
        pytest.param(("--listen", "127.0.0.1:70000"), "expected HOST:PORT", id="a port that is none"),
        pytest.param(("--inbox", f"{'a' * 300}.db"), "cannot be kept there", id="no name of a file"),
        pytest.param(("--listen", "192.0.2.1:0"), "nothing can listen at", id="another machine's address"),
        pytest.param(("--operations", "0.0.0.0:0"), "has no token", id="operations for everybody"),
        pytest.param(("--inbox", "no/inbox.db"), "no folder", id="an inbox without a folder"),
        pytest.param(("--config", "no.toml"), "is not there", id="settings that are not there"),
        pytest.param(("--engine", "q.db"), "sqlite:PATH", id="a queue without its kind"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_served(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERVE_SECRET", "a secret")
    configured(tmp_path)
    usual = ("--engine", "sqlite:q.db", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0")
    said = run("serve", *usual, *arguments)
    assert said.code in {2, 6}
    assert words in said.err
    assert said.out == ""


def test_an_address_that_is_taken_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        said = run("serve", "--engine", "sqlite:q.db", "--listen", f"127.0.0.1:{other.getsockname()[1]}")
    assert said.code == 2
    assert "Address already in use" in said.err


def test_without_the_extra_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['uvicorn'] = None; from pipeline.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "serve", "--engine", "sqlite:q.db"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "serve needs uvicorn: install it with pip install 'recpipe[serve]'." in done.stderr


def test_no_other_command_pays_for_the_server() -> None:
    code = (
        "import sys; from pipeline.cli import app, serve, worker;"
        "print([name for name in ('starlette', 'uvicorn', 'prometheus_client') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_secrets_that_are_not_there_are_said_all_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    configured(tmp_path, WHOLE.replace("env:SERVE_SECRET", "env:NOT_THERE", 1))
    monkeypatch.delenv("SERVE_SECRET", raising=False)
    said = run("serve", "--engine", "sqlite:q.db")
    assert said.code == 2
    assert "NOT_THERE is not set" in said.err
    assert said.err.count("SERVE_SECRET is not set") == 1


def test_a_database_that_lets_nobody_in_ends_it_at_once(
    postgres_server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PGPASSWORD", "of nobody")
    configured(tmp_path, STORES)
    said = run("serve", "--engine", f"postgres:{postgres_server.dsn('postgres')}", "--listen", "127.0.0.1:0")
    assert (said.code, said.out) == (6, "")
    assert "does not let us in" in said.err
