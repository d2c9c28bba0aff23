"""Workers and the database are killed and stopped in the middle: no job is lost, none is done twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from pipeline.errors import EngineBusyError, LostError
from pipeline.worker.queue.engine import LEASE_MS
from pipeline.worker.queue.jobs import ENDED, State
from pipeline.worker.queue.postgres import statements
from pipeline.worker.queue.postgres.connecting import settle
from pipeline.worker.queue.postgres.engine import PostgresEngine
from pipeline.worker.queue.postgres.session import Session
from tests.worker.contract import DONE, ROOM, kept, order, taken
from tests.worker.postgres_queue import PATH, Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.postgres import Postgres

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60


@pytest.fixture
def queue(postgres_server: Postgres) -> Iterator[Kept]:
    with ExitStack() as closing:
        yield Kept(postgres_server, closing)


class Cut(psycopg.Connection[dict[str, Any]]):
    """A connection whose server is killed at a point: around a statement, or around the commit."""

    server: Postgres
    point: str
    statement: str

    def execute(self, query: Any, params: Any = None, **values: Any) -> psycopg.Cursor[dict[str, Any]]:
        mine = query == self.statement
        if mine and self.point == "before the statement":
            self.server.kill()
        cursor = super().execute(query, params, **values)
        if mine and self.point == "before the commit":
            self.server.kill()
        if mine and self.point == "before the answer to the commit":
            self.point = "the commit"
        return cursor

    @contextmanager
    def transaction(self, *given: Any, **values: Any) -> Iterator[psycopg.Transaction]:
        with super().transaction(*given, **values) as transaction:
            yield transaction
        if self.point == "the commit":
            self.server.kill()
            raise psycopg.OperationalError("the connection is lost")


def cut(queue: Kept, point: str, statement: str) -> PostgresEngine:
    """An engine whose server dies there."""

    def connect() -> psycopg.Connection[dict[str, Any]]:
        connection = Cut.connect(
            queue.dsn, password=queue.server.password, autocommit=True, row_factory=dict_row
        )
        connection.server, connection.point, connection.statement = queue.server, "", ""
        settle(connection, PATH)
        connection.point, connection.statement = point, statement
        return connection

    return PostgresEngine(Session(connect, "the test's"))


points = pytest.mark.parametrize(
    "point", ["before the statement", "before the commit", "before the answer to the commit"]
)


def _died(queue: Kept, act: Callable[[], object]) -> None:
    """The server dies while something is done, and comes back."""
    with pytest.raises(EngineBusyError):
        act()
    queue.server.start()


@points
def test_a_server_killed_in_the_middle_of_a_claim_loses_no_job(queue: Kept, point: str) -> None:
    said = queue.engine.submit(order())
    queue.engine.close()
    dying = cut(queue, point, statements.TAKE)
    _died(queue, lambda: dying.claim("one", ROOM))
    committed = point == "before the answer to the commit"
    assert kept(queue.engine, said.id).state is (State.RUNNING if committed else State.WAITING)
    assert (queue.engine.claim("two", ROOM) is None) is committed
    queue.pass_ms(LEASE_MS)
    claim = taken(queue.engine, "three")
    assert claim.token == 2
    queue.engine.end(claim, DONE)
    assert kept(queue.engine, said.id).end == DONE
    dying.close()


@points
def test_a_server_killed_in_the_middle_of_an_end_ends_the_job_once(queue: Kept, point: str) -> None:
    said = queue.engine.submit(order())
    claim = taken(queue.engine)
    queue.engine.close()
    dying = cut(queue, point, statements.END)
    _died(queue, lambda: dying.end(claim, DONE))
    if point == "before the answer to the commit":
        with pytest.raises(LostError):
            queue.engine.end(claim, DONE)
    else:
        assert kept(queue.engine, said.id) == claim.job
        queue.engine.end(claim, DONE)
    assert kept(queue.engine, said.id).end == DONE
    assert queue.engine.claim("two", ROOM) is None
    dying.close()


@points
def test_a_server_killed_in_the_middle_of_a_submission_keeps_one_job_of_it(queue: Kept, point: str) -> None:
    queue.engine.submit(order("another"))
    queue.engine.close()
    dying = cut(queue, point, statements.KEEP)
    _died(queue, lambda: dying.submit(order()))
    assert queue.engine.submit(order()).new is (point != "before the answer to the commit")
    assert [job.order for job in queue.engine.jobs(key=order().key)] == [order()]
    dying.close()


class Between(psycopg.Connection[dict[str, Any]]):
    """A connection where something happens just before a job's heartbeat is looked at again."""

    happens: Callable[[], object]

    def execute(self, query: Any, params: Any = None, **values: Any) -> psycopg.Cursor[dict[str, Any]]:
        if query == statements.STALLED:
            self.happens()
        return super().execute(query, params, **values)


def test_a_beat_that_comes_while_a_claim_looks_at_the_job_keeps_it(queue: Kept) -> None:
    """What the claim's first look saw is old by then: it sees the state at its beginning."""
    queue.engine.submit(order())
    first = taken(queue.engine)
    queue.pass_ms(LEASE_MS)

    def connect() -> psycopg.Connection[dict[str, Any]]:
        connection = Between.connect(
            queue.dsn, password=queue.server.password, autocommit=True, row_factory=dict_row
        )
        settle(connection, PATH)
        beaten = "UPDATE recpipe.procrastinate_workers SET last_heartbeat = to_timestamp(%s) RETURNING 1"
        connection.happens = lambda: queue.told(beaten, queue.utc_ms / 1000)
        return connection

    second = PostgresEngine(Session(connect, "the test's"))
    assert second.claim("two", ROOM) is None
    second.close()
    queue.engine.end(first, DONE)


class Crew:
    """Worker processes, and their ledgers."""

    def __init__(self, queue: Kept, folder: Path, many: int) -> None:
        self._folder = folder
        settings = {"PATH": os.defpath, "PGPASSWORD": queue.server.password, "PYTHONPATH": str(ROOT)}
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.worker.labour", queue.dsn, str(folder / f"{number}.txt")],
                env=settings,
                cwd=ROOT,
            )
            for number in range(many)
        ]

    def ready(self, number: int) -> bool:
        """It looks for jobs."""
        return (self._folder / f"{number}.txt").exists()

    def ledger(self, number: int) -> list[tuple[str, int, int]]:
        file = self._folder / f"{number}.txt"
        lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return [(what, int(job), int(token)) for what, job, token in lines]

    def told(self) -> list[tuple[str, int, int]]:
        return [line for number in range(len(self.processes)) for line in self.ledger(number)]

    def stop(self) -> None:
        """Let each end by itself."""
        (self._folder / "stop").touch()
        for process in self.processes:
            assert process.wait(PATIENCE_S) in {0, -signal.SIGKILL}

    def kill(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def crew(queue: Kept, tmp_path: Path) -> Iterator[Callable[[int], Crew]]:
    with ExitStack() as closing:

        def hire(many: int) -> Crew:
            hired = Crew(queue, tmp_path, many)
            closing.callback(hired.kill)
            return hired

        yield hire


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, "nothing more happens"
        time.sleep(0.05)


def _ended(queue: Kept) -> bool:
    open_ones = "SELECT count(*) FROM recpipe.procrastinate_jobs WHERE status IN ('todo', 'doing')"
    return int(queue.told(open_ones)) == 0


def _ended_in_time(queue: Kept) -> bool:
    """As `_ended`; if not, the leases of claims that nobody heard of are over."""
    if not _ended(queue):
        queue.pass_ms(LEASE_MS)
        return False
    return True


def test_three_workers_do_each_job_once(queue: Kept, crew: Callable[[int], Crew]) -> None:
    queue.engine.jobs()  # makes the tables
    crewed = crew(3)
    until(lambda: all(crewed.ready(number) for number in range(3)))
    said = [queue.engine.submit(order(str(number))).id for number in range(150)]
    until(lambda: _ended(queue))
    crewed.stop()
    told = Counter(crewed.told())
    assert told == Counter((what, job, 1) for job in said for what in ("claimed", "done"))
    assert sum(bool(crewed.ledger(number)) for number in range(3)) > 1, "one of them did it all"


@pytest.mark.parametrize("fate", [signal.SIGKILL, signal.SIGCONT], ids=["killed", "stopped past its lease"])
def test_the_job_of_a_worker_that_stands_still_is_done_by_another_once(
    queue: Kept, crew: Callable[[int], Crew], fate: signal.Signals
) -> None:
    said = queue.engine.submit(replace(order(), document='{"do": "hang"}'))
    crewed = crew(2)
    until(lambda: bool(crewed.told()))
    (first,) = [number for number in range(2) if crewed.ledger(number)]
    assert kept(queue.engine, said.id).state is State.RUNNING
    queue.pass_ms(LEASE_MS - 1)
    queue.engine.submit(order("beside"))
    until(lambda: kept(queue.engine, said.id + 1).state is State.DONE)
    assert kept(queue.engine, said.id).state is State.RUNNING
    queue.pass_ms(1)
    until(lambda: _ended(queue))
    ended = kept(queue.engine, said.id)
    crewed.processes[first].send_signal(fate)
    if fate is signal.SIGCONT:
        until(lambda: ("lost", said.id, 1) in crewed.ledger(first))
    crewed.stop()
    assert kept(queue.engine, said.id) == ended
    assert (ended.state, ended.token, ended.attempts) == (State.DONE, 2, 2)
    assert [line for line in crewed.told() if line[0] == "done" and line[1] == said.id] == [
        ("done", said.id, 2)
    ]


def test_a_server_killed_again_and_again_under_two_workers_loses_no_job(
    queue: Kept, crew: Callable[[int], Crew]
) -> None:
    said = [queue.engine.submit(order(str(number))).id for number in range(300)]
    crewed = crew(2)
    chance = random.Random(7)  # noqa: S311 - moments, not secrets
    for share in (20, 80, 140, 200):
        until(lambda share=share: len(crewed.told()) > 2 * share)  # type: ignore[misc] # mypy infers no default
        time.sleep(chance.random() / 50)
        queue.server.kill()
        queue.server.start()
    queue.engine.close()
    until(lambda: _ended_in_time(queue))
    crewed.stop()
    jobs = queue.engine.jobs()
    assert sorted(job.id for job in jobs) == said
    assert {job.state for job in jobs} == {State.DONE} <= ENDED
    done = Counter(job for what, job, _ in crewed.told() if what == "done")
    assert max(done.values()) == 1
    # an end whose answer was lost is told as a loss when it is said again
    assert set(said) - set(done) <= {job for what, job, _ in crewed.told() if what == "lost"}
