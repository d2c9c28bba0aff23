"""Jobs of composites that are made in shares, the workers that do them, and what must come of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from pipeline.worker.queue.jobs import ENDED, Job, Order, State
from tests.documents import ROOT
from tests.job.jobs import ENVIRON, document, ran
from tests.merge.merging import tree
from tests.worker.chunk_launcher import Strike, small

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.worker.queue.engine import Engine

LEASE_MS = 5_000
PATIENCE_S = 180
COMPOSITE = {"layout": "auto", "size": "640x360", "background": "#204060"}
OUTPUTS = {"kind": "compose", "composite": COMPOSITE}
PIECES, SHARES = 5, 3
"""Of 16 s of a call: four of pictures, 8 s of them to a share, and the sound, which is one by itself."""


def job_of(source: object, place: object, url: str = "", **more: Any) -> dict[str, Any]:
    """A job that makes a composite in shares."""
    limits = {"spread": "0", **more.pop("limits", {})}
    wanted = {"outputs": OUTPUTS, "selection": {"end": "16"}, "limits": limits, **more}
    return document(source, place, url, **wanted)


@dataclass(slots=True)
class Calls:
    """Jobs on one recording.

    Attributes:
        source: the recording.
        wanted: what ``recpipe run`` makes of it.
        home: a new folder.
        engine: the queue.
        queue: its name for a worker.
        lease_ms: of the queue.
        config: the file of stores.
        environ: of workers, besides.
        strike: what happens to processes of jobs.
    """

    source: object
    wanted: dict[str, bytes]
    home: Path
    engine: Engine
    queue: str
    lease_ms: int = LEASE_MS
    config: str = ""
    environ: dict[str, str] = field(default_factory=lambda: dict(ENVIRON))
    strike: Strike = field(default_factory=Strike)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def words(self) -> Path:
        """Of all workers."""
        return self.home / "said"

    @property
    def place(self) -> Path:
        """Of the files, where it is a folder."""
        return self.home / "done"

    def submit(self, url: str = "", **more: Any) -> int:
        """A job whose files go into a folder."""
        return self.submit_as(job_of(self.source, self.place, url, **more))

    def submit_as(self, job: dict[str, Any], **order: Any) -> int:
        """A job."""
        return self.engine.submit(Order("the call", json.dumps(job), **order)).id

    def start(self) -> subprocess.Popen[bytes]:
        """A worker, whose words go into a file."""
        with self.words.open("ab") as words:
            worker = self._started(words)
        self.workers.append(worker)
        return worker

    def _started(self, words: BinaryIO) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.worker.chunk_launcher", "worker"),
                *(self.queue, str(self.lease_ms), self.config),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **self.environ, **self.strike.environ()},
            stderr=words,
        )

    def struck(self, times: int = 1) -> bool:
        """Whether processes were struck so often."""
        return len(list(self.home.glob("mark.*"))) >= self.strike.first + times

    def works_off(self, workers: int = 1) -> str:
        """Workers work until every job has ended, and others come for those that die; what they said."""
        until_s = time.monotonic() + PATIENCE_S
        there = [self.start() for _ in range(workers)]
        while not self.all_ended():
            assert time.monotonic() < until_s, self.words.read_text()
            there = [worker if worker.poll() is None else self.start() for worker in there]
            time.sleep(0.05)
        for worker in there:
            worker.terminate()
            worker.wait(PATIENCE_S)
        return self.words.read_text()

    def close(self) -> None:
        """Nothing that was begun here goes on."""
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.engine.close()

    def all_ended(self) -> bool:
        """Whether every job has."""
        return all(job.state in ENDED for job in self.engine.jobs())

    def job(self, number: int) -> Job:
        """One of them."""
        found = self.engine.job(number)
        assert found is not None
        return found

    def parts(self, number: int) -> list[Job]:
        """The jobs of a job's shares, in their order."""
        return list(reversed(self.engine.jobs(parent=number)))

    def assert_done(self, number: int) -> Job:
        """It is done as ``recpipe run`` does it: its bytes, and nothing else, in its place."""
        job = self.job(number)
        assert job.end is not None
        assert (job.state, job.end.code) == (State.DONE, 0), job.sentence
        assert tree(self.place) == self.wanted
        assert sorted(path.name for path in self.place.iterdir()) == sorted(self.wanted)
        summary = json.loads(job.end.summary)
        assert [each["state"] for each in summary["recordings"]] == ["done"]
        return job


def alone(source: object, place: Path) -> dict[str, bytes]:
    """What ``recpipe run`` makes of a recording."""
    with small():
        (made,) = ran(job_of(source, place))
    assert made.done is not None
    return tree(place)


def until(there: Callable[[], bool]) -> None:
    """Wait for it."""
    end = time.monotonic() + PATIENCE_S
    while not there():
        assert time.monotonic() < end
        time.sleep(0.01)
