"""A queue of small jobs on made recordings, and what ``recpipe run`` makes of the same."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.worker.queue.jobs import ENDED, Job, Order, State
from tests.documents import ROOT
from tests.job.jobs import document, ran
from tests.merge.merging import tree
from tests.worker.launcher import Hired

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.demo.made import Made
    from pipeline.worker.queue.engine import Engine
    from tests.worker.launcher import Strike

NAMES = ("plain-agora", "missing-slice", "plain-trtc", "audio-only")
LEASE_MS = 5_000
PATIENCE_S = 180


@dataclass(slots=True)
class Calls:
    """Jobs, each of a recording of its own, and the workers that a test has begun.

    Attributes:
        made: recordings by the names of fixtures.
        home: a new folder.
        engine: the queue.
        strike: of what happens to the processes of jobs.
        address: of the queue; "" for a file in the folder.
        environ: what the environment of workers has besides.
    """

    made: Callable[[str], Made]
    home: Path
    engine: Engine
    strike: Strike
    address: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    def submit(self, name: str = NAMES[0], number: int = 0, **limits: object) -> int:
        """A job of a recording; of one with several, each has its number."""
        key = f"{name}@{number}"
        text = json.dumps(document(self.made(name).place, self.home / "done" / key, limits=limits))
        return self.engine.submit(Order(key, text)).id

    def start(self, concurrency: int = 1, grace_ms: int = 0) -> subprocess.Popen[str]:
        """A worker that ends when there is nothing more to do."""
        address = self.address or f"sqlite:{self.home / 'queue.db'}"
        worker = subprocess.Popen(
            [sys.executable, *Hired(address, LEASE_MS, concurrency, grace_ms).arguments()],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **self.environ, **self.strike.environ()},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.workers.append(worker)
        return worker

    def struck(self) -> int:
        """The id of the process that was struck, once it was."""
        mark = self.home / "mark"
        until(mark.exists)
        return int(mark.read_text())

    def works_off(self, there: Callable[[], bool] | None = None) -> None:
        """Workers come and go until something is there; every job has ended, if nothing else is said."""
        until_ms = time.monotonic() + PATIENCE_S
        while not (there or self.all_ended)():
            assert time.monotonic() < until_ms
            worker = self.start()
            told = worker.communicate(timeout=PATIENCE_S)[1]
            assert worker.returncode == 0, told
            time.sleep(0.1)

    def all_ended(self) -> bool:
        """Whether every job has."""
        return all(job.state in ENDED for job in self.engine.jobs())

    def job(self, number: int) -> Job:
        """One of them."""
        found = self.engine.job(number)
        assert found is not None
        return found

    def assert_done(self, number: int, attempts: int = 0) -> None:
        """It ended after so many attempts (0 for any), as ``recpipe run`` ends it: its bytes, no others."""
        job = self.job(number)
        name = job.order.key.partition("@")[0]
        (alone,) = ran(document(self.made(name).place, self.home / "alone" / name))
        assert alone.done is not None
        assert job.end is not None
        code = alone.done.exit_code(accept_loss=False)
        assert (job.state, job.end.code) == (State.DONE, code)
        assert attempts in {0, job.attempts}
        assert tree(self.home / "done" / job.order.key) == tree(self.home / "alone" / name)
        summary = json.loads(job.end.summary)
        assert [each["state"] for each in summary["recordings"]] == ["partial" if code else "done"]


def until(there: Callable[[], bool]) -> None:
    """Wait for it."""
    end = time.monotonic() + PATIENCE_S
    while not there():
        assert time.monotonic() < end
        time.sleep(0.01)


def stop(worker: subprocess.Popen[str], queue: Path | None) -> None:
    """Stop a worker by SIGSTOP; not amid a transaction in a file, which nobody else could use then."""
    while True:
        worker.send_signal(signal.SIGSTOP)
        if queue is None:
            return
        with closing(sqlite3.connect(queue, timeout=0.5, isolation_level=None)) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                worker.send_signal(signal.SIGCONT)
            else:
                return


def is_alive(pid: int) -> bool:
    """Whether a process is there and does not only wait to be buried."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123 - a file of the kernel
            return file.read().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False
