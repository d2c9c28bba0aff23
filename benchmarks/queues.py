"""The rows of the queue: rates in and out, how soon another worker takes over, what one makes in an hour."""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.api import processors
from pipeline.worker.queue.jobs import Ended, Needs, Order, State
from pipeline.worker.queue.open import open_engine
from tests.servers import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.worker.queue.engine import Engine

JOBS = 2000
ROOM = Needs(1, 1 << 40, 1 << 40)
DONE = Ended(State.DONE, 0)
PATIENCE_S = 300
CORES = processors()
_LONG = (
    '{{"version": 1, "source": "{source}", "targets": [{{"place": "{place}"}}], "outputs": {outputs},'
    ' "limits": {{"settle": "0", "settle_limit": "0"}}}}'
)
COPIES = '{"kind": "merge"}'
COMPOSITE = '{"kind": "compose", "composite": {"size": "1280x720"}}'


@dataclass(frozen=True, slots=True)
class Bench:
    """What the rows need.

    Attributes:
        place: a folder for queues and outputs.
        runs: of each row.
        recpipe: the command.
    """

    place: Path
    runs: int
    recpipe: str

    def rates(self) -> None:
        """Orders that are kept, and claims that are ended, by one client that waits for each."""
        with self._queues() as queues:
            for name, address in queues:
                engine = open_engine(address)
                taken = [_rates(engine, run) for run in range(self.runs)]
                engine.close()
                kept, ended = (statistics.median(each) for each in zip(*taken, strict=True))
                print(f"{f'queue in {name}, submitted':<44} {kept:>8.0f} a second", flush=True)
                print(f"{f'queue in {name}, claimed and ended':<44} {ended:>8.0f} a second", flush=True)

    def takeover(self, source: Path) -> None:
        """Seconds from a worker's SIGKILL in the middle of a job to the claim of another worker."""
        with self._queues() as queues:
            for name, address in queues:
                taken = [self._taken_over(address, source, run) for run in range(self.runs)]
                print(
                    f"{f'takeover, queue in {name}':<44} {statistics.median(taken):>8.1f} s after the kill",
                    flush=True,
                )

    def capacity(self, name: str, source: Path, hours: float, jobs: int, outputs: str) -> None:
        """Recordings that a worker with a job for each core makes in an hour, of a queue that is never empty.

        Args:
            name: of the row.
            source: the recording.
            hours: its length.
            jobs: how many are done.
            outputs: of each job, JSON.
        """
        taken = statistics.median(self._worked_off(source, jobs, outputs) for _ in range(self.runs))
        each = jobs / (taken / 3600) / CORES
        print(
            f"{f'{name}, {jobs} jobs':<44} {taken:>8.2f} s   {each:>6.0f} an hour and core,"
            f" {each * hours:.1f} x real time a core",
            flush=True,
        )

    def _worked_off(self, source: Path, jobs: int, outputs: str) -> float:
        queue, place = self.place / "capacity.db", self.place / "made"
        engine = open_engine(f"sqlite:{queue}")
        orders = [_LONG.format(source=source, place=place / str(n), outputs=outputs) for n in range(jobs)]
        numbers = [engine.submit(Order(document, document)).id for document in orders]
        command = [self.recpipe, "worker", "--engine", f"sqlite:{queue}", "--concurrency", str(CORES)]
        begun = time.perf_counter()
        subprocess.run([*command, "--drain"], stderr=subprocess.DEVNULL, check=True)
        taken = time.perf_counter() - begun
        ended = [job for number in numbers if (job := engine.job(number)) and job.state is State.DONE]
        if len(ended) < jobs:
            raise RuntimeError(f"{len(ended)} of {jobs} jobs are done: a benchmark of a failure is none")
        engine.close()
        for path in (queue, *queue.parent.glob(f"{queue.name}-*")):
            path.unlink()
        shutil.rmtree(place)
        return taken

    def _taken_over(self, address: str, source: Path, run: int) -> float:
        engine = open_engine(address)
        place = self.place / f"taken{run}-{address.partition(':')[0]}"
        document = _LONG.format(source=source, place=place, outputs=COMPOSITE)
        number = engine.submit(Order(f"takeover {run}", document)).id
        command = [self.recpipe, "worker", "--engine", address]
        first = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        _until(engine, number, attempts=1, moving=True)
        second = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        first.kill()
        begun = time.perf_counter()
        _until(engine, number, attempts=2)
        taken = time.perf_counter() - begun
        engine.cancel(number)
        second.send_signal(signal.SIGTERM)
        second.send_signal(signal.SIGTERM)
        second.wait(PATIENCE_S)
        first.wait()
        engine.close()
        return taken

    @contextmanager
    def _queues(self) -> Iterator[list[tuple[str, str]]]:
        """A queue of each kind; PostgreSQL brings what it is told to the disk, as users have it."""
        sqlite = self.place / "queue.db"
        sqlite.unlink(missing_ok=True)
        with postgres.postgres(durable=True) as server:
            os.environ["PGPASSWORD"] = server.password
            yield [("SQLite", f"sqlite:{sqlite}"), ("PostgreSQL", f"postgres:{server.dsn(server.emptied())}")]
            del os.environ["PGPASSWORD"]


def _rates(engine: Engine, run: int) -> tuple[float, float]:
    begun = time.perf_counter()
    for number in range(JOBS):
        engine.submit(Order(f"{run} {number}", "{}"))
    kept = time.perf_counter()
    while (claim := engine.claim("benchmark", ROOM)) is not None:
        engine.end(claim, DONE)
    return JOBS / (kept - begun), JOBS / (time.perf_counter() - kept)


def _until(engine: Engine, number: int, *, attempts: int, moving: bool = False) -> None:
    """Wait until a job was begun so often, and has got somewhere."""
    until = time.monotonic() + PATIENCE_S
    while (job := engine.job(number)) is None or job.attempts < attempts or (moving and job.progress < 1):
        if time.monotonic() > until:
            raise RuntimeError(f"job {number} was not begun {attempts} times within {PATIENCE_S} s")
        time.sleep(0.05)
