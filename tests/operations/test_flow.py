"""A job that is posted to a real `recpipe serve` is done by a real worker, and both tell of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.worker.queue.open import open_engine
from tests.documents import ROOT
from tests.operations.listener import TIMEOUT_S, Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.demo.made import Made
    from tests.servers.postgres import Postgres

TOKEN = "0123456789abcdef0123"  # noqa: S105 - of the test's own listener
ASKED = {"Authorization": f"Bearer {TOKEN}"}


@contextmanager
def serving(folder: Path, queue: str, **environ: str) -> Iterator[Listener]:
    """Its operations listener."""
    command = [sys.executable, "-m", "pipeline", "serve", "--engine", queue]
    with subprocess.Popen(
        [*command, "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPS": TOKEN, **environ},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            told = dict(process.stdout.readline().split() for _ in range(2))
            yield Listener(int(told["operations"].rpartition(":")[2]), process)
        finally:
            process.terminate()
            process.wait(TIMEOUT_S)


@pytest.fixture
def folder(made: Callable[[str], Made], tmp_path: Path) -> Path:
    """With recpipe.toml, and the recording ``call`` below its root."""
    shutil.copytree(made("missing-slice").place, tmp_path / "root" / "call")
    (tmp_path / "recpipe.toml").write_text('[operations]\nbearer_env = "OPS"\nroot = "root"\n')
    return tmp_path


@pytest.fixture(params=["sqlite", "postgres"])
def queue(
    request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, dict[str, str]]:
    """An address of an empty queue, and what finds its password."""
    if request.param == "sqlite":
        return f"sqlite:{folder / 'queue.db'}", {}
    server: Postgres = request.getfixturevalue("postgres_server")
    (folder / "password").write_text(server.password)
    found = {"RECPIPE_PG_PASSWORD_FILE": str(folder / "password")}
    monkeypatch.setenv(*next(iter(found.items())))
    return f"postgres:{server.dsn(server.emptied())}", found


def test_a_job_goes_from_a_request_to_the_metrics(folder: Path, queue: tuple[str, dict[str, str]]) -> None:
    address, environ = queue
    job = {
        "version": 1,
        "source": "call",
        "targets": [{"place": "done"}],
        "limits": {"settle": "0", "settle_limit": "0"},
    }
    with serving(folder, address, **environ) as there:
        assert there.ask("/jobs").status == 401
        said = there.post(job, **ASKED)
        assert said.status == 201
        again = there.post(job, **ASKED)
        assert (again.status, again.document["id"]) == (200, said.document["id"])
        subprocess.run(
            [sys.executable, "-m", "pipeline", "worker", "--engine", address, "--drain"],
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
            check=True,
            timeout=TIMEOUT_S * 3,
            capture_output=True,
        )
        told = there.ask(f"/jobs/{said.document['id']}", headers=ASKED).document
        assert (told["state"], told["exit_code"], told["attempts"]) == ("done", 1, 1)
        assert any("begins" in note["sentence"] for note in told["log"])
        size = sum(path.stat().st_size for path in (folder / "root" / "done").glob("*.mp4"))
        metrics = there.ask("/metrics", headers=ASKED).data.decode()
        (counted,) = re.findall(
            r'^recpipe_output_bytes_total\{vendor="(\w+)"\} (\S+)$', metrics, re.MULTILINE
        )
        assert (counted[0], float(counted[1])) == ("agora", size)
        assert re.search(r'^recpipe_losses_total\{vendor="agora"\} [1-9]', metrics, re.MULTILINE)
        assert "recpipe_times_real_time_count 1.0" in metrics
        assert "<b>1</b> done" in there.ask("/", headers=ASKED).data.decode()


def test_a_database_that_stands_still_is_not_ready_until_it_goes_on(
    folder: Path, postgres_server: Postgres
) -> None:
    """Each connection has a process of the server's; all of them are stopped."""
    address = f"postgres:{postgres_server.dsn(postgres_server.emptied())}"
    with serving(folder, address, PGPASSWORD=postgres_server.password) as there:
        assert there.ask("/ready").status == 200
        assert postgres_server.process is not None
        number = postgres_server.process.pid
        children = Path(f"/proc/{number}/task/{number}/children").read_text()
        group = [number, *map(int, children.split())]
        for pid in group:
            os.kill(pid, signal.SIGSTOP)
        try:
            answer = there.ask("/ready")
            assert (answer.status, answer.headers["retry-after"]) == (503, "5")
            assert there.ask("/health").status == 200
            metrics = there.ask("/metrics", headers=ASKED)
            assert metrics.status == 200
            page = there.ask("/", headers=ASKED)
            assert (page.status, page.headers["retry-after"]) == (503, "5")
            assert page.headers["content-type"].startswith("text/html")
            assert "again later" in page.data.decode().lower()
            assert 'http-equiv="refresh"' in page.data.decode()
            assert "recpipe_queue_up 0.0" in metrics.data.decode()
            assert "recpipe_jobs{" not in metrics.data.decode()
        finally:
            for pid in group:
                os.kill(pid, signal.SIGCONT)
        while there.ask("/ready").status != 200:
            pass
        assert "recpipe_queue_up 1.0" in there.ask("/metrics", headers=ASKED).data.decode()


def test_a_job_that_was_posted_is_an_order_of_the_queue(folder: Path) -> None:
    address = f"sqlite:{folder / 'queue.db'}"
    with serving(folder, address) as there:
        query = "?priority=-3&not_before_ms=1900000000000&deadline_ms=1900000009000&key=mine"
        assert (
            there.post({"version": 1, "source": "call", "targets": [{"place": "o"}]}, query, **ASKED).status
            == 201
        )
    engine = open_engine(address)
    (job,) = engine.jobs()
    engine.close()
    order = job.order
    assert (order.key, order.priority) == ("mine", -3)
    assert (order.not_before_ms, order.deadline_ms) == (1_900_000_000_000, 1_900_000_009_000)
    assert json.loads(order.document)["source"] == str(folder / "root" / "call")
