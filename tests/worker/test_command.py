"""``recpipe worker`` as it is typed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipeline.worker.queue.jobs import Order, State
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from tests.cli.running import run
from tests.documents import ROOT
from tests.worker.calls import NAMES, PATIENCE_S, Calls
from tests.worker.launcher import Strike

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.demo.made import Made
    from tests.servers.postgres import Postgres


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pipeline", "worker", *arguments]


def test_a_queue_is_worked_off(made: Callable[[str], Made], tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / "queue.db")
    calls = Calls(made, tmp_path, engine, Strike("", ""))
    numbers = [calls.submit(name) for name in NAMES[:2]]
    said = run("worker", "--engine", f"sqlite:{tmp_path / 'queue.db'}", "--concurrency", "2", "--drain")
    assert (said.code, said.out) == (0, "")
    for number in numbers:
        calls.assert_done(number, attempts=1)
        assert f"job {number}: done" in said.err
    engine.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_worker_without_jobs_waits_for_them_until_it_is_stopped(
    tmp_path: Path, number: signal.Signals
) -> None:
    with subprocess.Popen(
        command("--engine", "sqlite:queue.db"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as worker:
        engine = SqliteEngine(tmp_path / "queue.db")
        bad = engine.submit(Order("no job", "{}")).id
        assert worker.stderr is not None
        while "dead" not in (line := worker.stderr.readline()):
            assert line
        worker.send_signal(number)
        worker.communicate(timeout=PATIENCE_S)
        assert worker.returncode == 0
        job = engine.job(bad)
        assert job is not None
        assert job.state is State.DEAD
        engine.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("--engine", "queue.db"), "sqlite:PATH", id="a queue without its kind"),
        pytest.param(("--engine", "sqlite:"), "sqlite:PATH", id="a queue without a place"),
        pytest.param(("--engine", "redis:secret@host"), "postgres:DSN", id="a queue of another kind"),
        pytest.param(
            ("--engine", "sqlite:q.db", "--window", "night"), "no window", id="a window that is none"
        ),
        pytest.param(("--engine", "sqlite:q.db", "--grace", "soon"), "no duration", id="a time that is none"),
        pytest.param(("--engine", "sqlite:q.db", "--concurrency", "0"), "1<=x", id="no job at once"),
    ],
)
def test_what_is_wrong_is_said_before_anything_begins(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = run("worker", *arguments)
    assert said.code == 2
    assert words in said.err
    assert "secret" not in said.err
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_lets_nobody_in_ends_the_worker(
    postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "of nobody")
    said = run("worker", "--engine", f"postgres:{postgres_server.dsn('postgres')}")
    assert (said.code, said.out) == (6, "")
    assert "does not let us in" in said.err
