"""The engine on SQLite keeps the contract, and what only it promises: its clocks, its file, its refusals."""

from __future__ import annotations

import sqlite3
import stat
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING
from unittest.mock import Mock, patch

import pytest

from pipeline.errors import CommandError, EngineBusyError, LostError, NoSpaceError, OutputError
from pipeline.worker.queue.columns import needs_values
from pipeline.worker.queue.engine import LEASE_MS
from pipeline.worker.queue.jobs import Order, State
from pipeline.worker.queue.sqlite import opening, rows
from pipeline.worker.queue.sqlite.boot import this_machine
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from tests.worker.clocks import Hands
from tests.worker.contract import DAY_MS, DEAD, DONE, ROOM, Contract, Handling, Parting, kept, order, taken
from tests.worker.sqlite_queue import Kept, queue
from tests.worker.watching import Watching

if TYPE_CHECKING:
    from pathlib import Path


__all__ = ["queue"]  # the fixture


class TestSqlite(Contract):
    pass


class TestSqliteHandling(Handling):
    pass


class TestSqliteWatching(Watching):
    pass


class TestSqliteParting(Parting):
    pass


@pytest.mark.parametrize("set_by", [-400 * DAY_MS, -LEASE_MS, LEASE_MS, 400 * DAY_MS])
def test_a_clock_that_is_set_ends_no_lease_and_keeps_none(queue: Kept, set_by: int) -> None:
    queue.engine.submit(order())
    stale = taken(queue.engine)
    queue.hands.utc_ms += set_by
    assert queue.beside().claim("two", ROOM) is None
    assert queue.engine.beat(stale) is False
    queue.hands.since_ms += LEASE_MS
    assert taken(queue.beside(), "two").token > stale.token


@pytest.mark.parametrize("since_ms", [1, 5_000_000, 10**12])
def test_a_lease_of_another_start_of_the_machine_is_over(queue: Kept, since_ms: int) -> None:
    queue.engine.submit(order())
    stale = taken(queue.engine)
    queue.hands.boot = "the next start"
    queue.hands.since_ms = since_ms
    fresh = taken(queue.beside(), "two")
    assert fresh.token > stale.token
    with pytest.raises(LostError):
        queue.engine.end(stale, DONE)
    queue.engine.end(fresh, DONE)


def test_the_clocks_of_this_machine_go_forward_from_one_start() -> None:
    now = this_machine()
    first, second = now(), now()
    assert first.boot == second.boot == this_machine()().boot
    assert first.since_ms <= second.since_ms
    assert first.utc_ms > 1_700_000_000_000


def test_without_a_boot_id_there_is_no_queue(tmp_path: Path) -> None:
    with (
        patch("pipeline.worker.queue.sqlite.boot._BOOT", tmp_path / "no"),
        pytest.raises(CommandError, match="needs Linux"),
    ):
        SqliteEngine(tmp_path / "queue.db")


def test_every_commit_is_forced_to_the_disk(queue: Kept) -> None:
    db = opening.connect(queue.path, 1)
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    db.close()


def test_the_files_are_their_owners_alone(queue: Kept) -> None:
    queue.engine.submit(order())
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in queue.path.parent.iterdir()}
    assert modes == dict.fromkeys(["queue.db", "queue.db-wal", "queue.db-shm"], 0o600)


def test_what_has_not_ended_is_listed_without_reading_what_has(queue: Kept) -> None:
    values = {"states": rows.states_value({State.RUNNING}), "before": 9, "most": 9}
    db = opening.connect(queue.path, 1)
    plan = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {rows.ALL_OPEN}", values)]
    db.close()
    assert "SCAN jobs USING COVERING INDEX jobs_next" in plan
    assert "SCAN jobs" not in plan


@pytest.mark.parametrize(
    ("statement", "indexes"),
    [
        (
            rows.NEXT,
            [
                "SCAN jobs USING COVERING INDEX jobs_next",
                "CORRELATED SCALAR SUBQUERY 1",  # for what has parts
                "SEARCH part USING COVERING INDEX jobs_parent (parent=? AND state=?)",
            ],
        ),
        (rows.DROP_OF_THE_DEAD, ["SCAN jobs USING INDEX jobs_unwanted"]),
        (rows.OF_KEY, ["SEARCH jobs USING INDEX jobs_key (key=?)"]),
    ],
    ids=["next", "unwanted", "key"],
)
def test_no_claim_and_no_order_reads_the_whole_queue(queue: Kept, statement: str, indexes: list[str]) -> None:
    values = asdict(queue.hands()) | {"key": "", "newest": 0} | needs_values(ROOM) | rows.end_values(DEAD)
    db = opening.connect(queue.path, 1)
    plan = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    db.close()
    assert plan == indexes


def test_a_queue_that_is_locked_for_too_long_says_so_and_goes_on_after(queue: Kept) -> None:
    hasty = SqliteEngine(queue.path, clock=queue.hands, patience_s=0.05)
    said = hasty.submit(order())
    with sqlite3.connect(queue.path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        for act in (
            lambda: hasty.submit(order("b")),
            lambda: hasty.claim("one", ROOM),
            lambda: hasty.cancel(said.id),
            lambda: SqliteEngine(queue.path, clock=queue.hands, patience_s=0.05),
        ):
            with pytest.raises(EngineBusyError, match="locked by another process"):
                act()
        assert kept(hasty, said.id).state is State.WAITING  # readers wait for nobody
        other.execute("COMMIT")
    other.close()
    assert hasty.submit(order("b")).new
    hasty.close()


def test_a_full_disk_is_said_and_nothing_of_the_call_is_kept(queue: Kept) -> None:
    queue.engine.submit(order())
    assert isinstance(queue.engine, SqliteEngine)
    db = queue.engine._connections.mine()
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(NoSpaceError, match="no space left for the queue"):
        queue.engine.submit(Order("large", "x" * 1_000_000))
    assert [job.order.key for job in queue.engine.jobs()] == ["a call"]
    assert taken(queue.engine).job.order.key == "a call"


def test_threads_share_an_engine(queue: Kept) -> None:
    def submit(number: int) -> None:
        for each in range(5):
            queue.engine.submit(order(f"{number}/{each}"))

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({job.order.key for job in queue.engine.jobs()}) == 20
    last = threading.Thread(target=submit, args=(9,))
    last.start()
    last.join()
    assert isinstance(queue.engine, SqliteEngine)
    assert len(queue.engine._connections._of) == 2  # of this thread and the last: those before have ended


def test_a_queue_that_was_let_go_is_opened_again(queue: Kept) -> None:
    said = queue.engine.submit(order())
    queue.engine.close()
    assert kept(queue.engine, said.id).order == order()


def test_a_queue_that_was_removed_takes_no_orders(queue: Kept) -> None:
    queue.engine.submit(order())
    for path in list(queue.path.parent.iterdir()):
        path.unlink()
    with pytest.raises(OutputError, match="is gone"):
        queue.engine.submit(order("b"))
    with pytest.raises(OutputError, match="is gone"):
        queue.engine.jobs()


def test_a_queue_that_was_replaced_is_the_new_one_and_nothing_of_it_is_lost(queue: Kept) -> None:
    queue.engine.submit(order("old"))
    for path in list(queue.path.parent.iterdir()):
        path.unlink()
    new = queue.beside()
    new.submit(order("first"))
    queue.engine.submit(order("second"))
    queue.engine.close()
    new.submit(order("third"))
    assert [job.order.key for job in queue.beside().jobs()] == ["third", "second", "first"]


@pytest.mark.parametrize("name", ["a ?b=c&mode=ro#d%41.db", "队列 \udcff.db", "-'\".db"])
def test_a_queue_may_have_any_name(tmp_path: Path, name: str) -> None:
    engine = SqliteEngine(tmp_path / name, clock=Hands())
    engine.submit(order())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, f"{name}-wal", f"{name}-shm"])
    engine.close()


def test_a_call_that_is_interrupted_is_undone_and_in_nobodys_way(queue: Kept) -> None:
    """As by the handler of a signal; the clock is asked inside the transaction."""
    said = queue.engine.submit(order())
    before = queue.engine.jobs()
    assert isinstance(queue.engine, SqliteEngine)
    queue.engine._clock = Mock(side_effect=KeyboardInterrupt)
    for act in (lambda: queue.engine.submit(order("b")), lambda: queue.engine.cancel(said.id)):
        with pytest.raises(KeyboardInterrupt):
            act()
    assert queue.beside().jobs() == before
    assert queue.beside().submit(order("c")).new
    queue.engine._clock = queue.hands
    assert queue.engine.submit(order("d")).new


def test_a_job_that_ended_dead_is_set_aside_with_what_was_said(queue: Kept) -> None:
    queue.engine.submit(order())
    queue.engine.end(taken(queue.engine), DEAD)
    (dead,) = queue.engine.jobs([State.DEAD])
    assert (dead.end, dead.attempts, dead.order) == (DEAD, 1, order())
