"""The engine on PostgreSQL keeps the contract; what only it promises: tables, limits, lost connections."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from procrastinate.schema import SchemaManager

from pipeline.errors import CommandError, DeniedError, EngineBusyError, LostError
from pipeline.worker.queue.engine import LEASE_MS
from pipeline.worker.queue.jobs import Again, Ended, State
from pipeline.worker.queue.postgres import connecting, schema, statements
from pipeline.worker.queue.postgres.engine import PostgresEngine
from pipeline.worker.queue.postgres.session import Session
from tests.worker.contract import DONE, ROOM, Contract, Handling, Parting, kept, order, taken
from tests.worker.postgres_queue import Kept, opened
from tests.worker.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.worker.queue.jobs import Order
    from tests.servers.postgres import Postgres

OUTSIDE = "it was ended with Procrastinate's own tools."
CANCELS = "SELECT 1 FROM recpipe.procrastinate_cancel_job_v1(%s, false, false)"
FAILS = "SELECT 1 FROM recpipe.procrastinate_finish_job_v1(%s, 'failed', false)"
SUCCEEDS = "SELECT 1 FROM recpipe.procrastinate_finish_job_v1(%s, 'succeeded', false)"
TERMINATED = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def queue(postgres_server: Postgres) -> Iterator[Kept]:
    with ExitStack() as closing:
        yield Kept(postgres_server, closing)


class TestPostgres(Contract):
    pass


class TestPostgresHandling(Handling):
    pass


class TestPostgresWatching(Watching):
    pass


class TestPostgresParting(Parting):
    pass


def test_a_job_is_procrastinates_and_its_events_tell_what_became_of_it(queue: Kept) -> None:
    said = queue.engine.submit(order("a key"))
    taken(queue.engine)
    queue.pass_ms(LEASE_MS)
    queue.engine.end(taken(queue.engine, "two"), DONE)
    told = queue.told(
        "SELECT (queue_name, task_name, queueing_lock, status, args, worker_id)::text"
        " FROM recpipe.procrastinate_jobs"
    )
    assert (
        told
        == """(recpipe,run,"a key",succeeded,"{""document"": ""{\\\\""kind\\\\"": \\\\""merge\\\\""}""}",)"""
    )
    events = queue.told(
        "SELECT array_agg(type::text ORDER BY id) FROM recpipe.procrastinate_events WHERE job_id = %s",
        said.id,
    )
    assert events == ["deferred", "started", "deferred_for_retry", "started", "succeeded"]
    assert queue.told("SELECT count(*) FROM recpipe.procrastinate_workers") == 0


@pytest.mark.parametrize(
    ("act", "end"),
    [
        (
            CANCELS,
            Ended(State.CANCELLED, 130, OUTSIDE),
        ),
        (
            FAILS,
            Ended(State.DEAD, 143, OUTSIDE),
        ),
        (
            SUCCEEDS,
            Ended(State.DONE, 0, OUTSIDE),
        ),
    ],
    ids=["cancelled", "failed", "succeeded"],
)
def test_what_procrastinates_own_tools_have_ended_has_ended(queue: Kept, act: str, end: Ended) -> None:
    number = queue.engine.submit(order()).id
    if end.state is not State.CANCELLED:
        taken(queue.engine)
    queue.told(act, number)
    job = kept(queue.engine, number)
    assert (job.state, job.end, job.sentence) == (end.state, end, OUTSIDE)


def test_each_claim_has_a_heartbeat_of_its_own(queue: Kept) -> None:
    """A worker with one hung child loses that job, and no other."""
    for key in ("hangs", "moves"):
        queue.engine.submit(order(key))
    hangs, moves = taken(queue.engine), taken(queue.engine)
    queue.pass_ms(LEASE_MS - 1)
    queue.engine.beat(moves)
    queue.pass_ms(1)
    assert taken(queue.beside(), "two").job.order.key == "hangs"
    assert queue.beside().claim("two", ROOM) is None
    queue.engine.end(moves, DONE)
    with pytest.raises(LostError):
        queue.engine.end(hangs, DONE)


def test_a_claim_whose_heartbeat_somebody_pruned_is_anothers_to_take(queue: Kept) -> None:
    queue.engine.submit(order())
    stale = taken(queue.engine)
    queue.told("SELECT count(*) FROM recpipe.procrastinate_prune_stalled_workers_v1(-1e9)")
    with pytest.raises(LostError):
        queue.engine.beat(stale)
    assert taken(queue.beside(), "two").token > stale.token


def test_keys_that_no_index_takes_are_kept_apart(queue: Kept) -> None:
    long = "漢" * 100_000
    said = [queue.engine.submit(order(long + end)) for end in ("a", "b", "a")]
    assert [one.new for one in said] == [True, True, False]
    assert said[2].id == said[0].id
    assert kept(queue.engine, said[1].id).order.key == long + "b"


@pytest.mark.parametrize(
    "wrong",
    [
        order("a\0b"),
        order("caf\udce9"),
        replace(order(), document='{"a": "\0"}'),
        replace(order(), document='{"a": "\udce9"}'),
    ],
    ids=["key", "half a key", "document", "half a document"],
)
def test_an_order_that_cannot_be_kept_is_refused_and_no_other_is_hurt(queue: Kept, wrong: Order) -> None:
    with pytest.raises(CommandError, match=r"[.]$"):
        queue.engine.submit(wrong)
    assert queue.engine.jobs() == []
    assert queue.engine.submit(order()).new


def test_nothing_of_words_stops_an_attempt_from_ending(queue: Kept) -> None:
    queue.engine.submit(order())
    claim = taken(queue.engine, "caf\udce9\0")
    queue.engine.end(claim, Again(0, "a\0b"))
    assert kept(queue.engine, claim.job.id).sentence == "a\\x00b"
    queue.engine.end(taken(queue.engine), Ended(State.DEAD, 4, "", "\0\udce9"))
    end = kept(queue.engine, claim.job.id).end
    assert end == Ended(State.DEAD, 4, "", "\\x00\\udce9")


def test_a_lost_connection_is_told_and_the_next_call_makes_another(queue: Kept) -> None:
    queue.engine.submit(order())
    claim = taken(queue.engine)
    assert queue.told(TERMINATED) == 1
    with pytest.raises(EngineBusyError, match=r"the test's .*[.]$"):
        queue.engine.beat(claim)
    assert queue.engine.beat(claim) is False
    queue.engine.end(claim, DONE)


def test_what_is_locked_for_too_long_is_busy(queue: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.engine.submit(order())
    monkeypatch.setattr(connecting, "PATIENCE_S", 1)
    beside = queue.beside()
    with queue.hands() as hands, hands.transaction():
        hands.execute("LOCK TABLE recpipe.recpipe_jobs")
        with pytest.raises(EngineBusyError, match="statement timeout"):
            beside.jobs()
    assert len(beside.jobs()) == 1


def test_each_commit_waits_for_the_disk_whatever_the_database_says(queue: Kept) -> None:
    with queue.hands() as hands:
        hands.execute("ALTER DATABASE tests SET synchronous_commit = off")
    with queue.hands() as hands, opened(queue.dsn, queue.server.password) as ours:
        shown = [one.execute("SHOW synchronous_commit").fetchone() for one in (hands, ours)]
    assert shown == [{"synchronous_commit": "off"}, {"synchronous_commit": "on"}]


def test_hosts_that_open_an_empty_database_at_once_make_its_tables_once(queue: Kept) -> None:
    engines = [queue.beside() for _ in range(6)]
    wrong: list[BaseException] = []

    def submit(engine: PostgresEngine) -> None:
        try:
            engine.submit(order())
        except BaseException as error:  # noqa: BLE001 - it is shown below
            wrong.append(error)

    threads = [threading.Thread(target=submit, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(queue.engine.jobs()) == 1


def test_threads_that_share_one_engine_take_each_job_once(queue: Kept) -> None:
    said = [queue.engine.submit(order(str(number))).id for number in range(40)]
    claimed: list[int] = []

    def work() -> None:
        while claim := queue.engine.claim("one", ROOM):
            claimed.append(claim.job.id)
            queue.engine.end(claim, DONE)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == said


def test_the_next_of_many_is_found_without_sorting_them(queue: Kept) -> None:
    for number in range(300):
        queue.engine.submit(order(str(number)))
    asked = {"lease_ms": LEASE_MS, "cores": 1, "memory": 0, "disk": 0}
    with opened(queue.dsn, queue.server.password) as connection:
        plan = str(connection.execute("EXPLAIN " + statements.NEXT, asked).fetchall())
    assert "using recpipe_jobs_next" in plan
    assert "Sort" not in plan


def test_anothers_procrastinate_in_the_same_database_is_left_alone(queue: Kept) -> None:
    with queue.hands() as hands:
        hands.execute(SchemaManager.get_schema())
    queue.engine.submit(order())
    assert queue.told("SELECT count(*) FROM public.procrastinate_jobs") == 0


def test_procrastinates_tables_are_brought_up_when_the_library_is_newer(queue: Kept) -> None:
    """Made by its migrations, as an older one would have left them."""
    files = schema.migrations()
    (last,) = [at for at, file in enumerate(files) if file.stem.startswith("03.00.00_50")]
    with opened(queue.dsn, queue.server.password) as old:
        old.execute("CREATE SCHEMA recpipe")
        for file in files[: last + 1]:
            old.execute(file.read_bytes())
        old.execute(schema._OURS)
        old.execute("INSERT INTO recpipe_schema VALUES (%s, %s)", (schema.FIRST, files[last].stem))
    queue.engine.submit(order())
    first = taken(queue.engine)
    queue.pass_ms(LEASE_MS)
    queue.engine.end(taken(queue.engine, "two"), DONE)
    assert kept(queue.engine, first.job.id).end == DONE
    assert queue.told("SELECT procrastinate FROM recpipe.recpipe_schema") == files[-1].stem


VERSION_1 = """
ALTER TABLE recpipe.recpipe_jobs DROP COLUMN parent, DROP COLUMN parts, DROP COLUMN vendor;
DROP INDEX recpipe.recpipe_jobs_ended;
DROP TABLE recpipe.recpipe_notes;
UPDATE recpipe.recpipe_schema SET version = 1;
"""
"""What later versions have added is taken away."""


def test_a_queue_of_version_1_opens_with_all_that_is_in_it(queue: Kept) -> None:
    number = queue.engine.submit(order()).id
    shape = queue.told(SHAPE)
    with queue.hands() as hands:
        hands.execute(VERSION_1)
    assert kept(queue.beside(), number).parent == 0
    assert queue.told(SHAPE) == shape


SHAPE = """
SELECT jsonb_build_array(
  (SELECT jsonb_agg(jsonb_build_array(column_name, data_type, column_default, is_nullable)
     ORDER BY column_name) FROM information_schema.columns WHERE table_name = 'recpipe_jobs'),
  (SELECT jsonb_agg(indexdef ORDER BY indexname) FROM pg_indexes WHERE tablename = 'recpipe_jobs'))
"""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE recpipe.recpipe_schema SET version = version + 1 RETURNING 1", "upgrade recpipe"),
        ("UPDATE recpipe.recpipe_schema SET procrastinate = '99.00' RETURNING 1", "upgrade procrastinate"),
        ("DELETE FROM recpipe.recpipe_schema RETURNING 1", "is empty"),
    ],
)
def test_tables_of_another_version_are_refused(queue: Kept, change: str, words: str) -> None:
    queue.engine.submit(order())
    queue.told(change)
    with pytest.raises(CommandError, match=rf"{words}.*[.]$"):
        queue.beside().jobs()


def test_a_role_without_rights_is_told_which(queue: Kept) -> None:
    with queue.hands() as hands:
        hands.execute("CREATE ROLE nobody LOGIN PASSWORD 'of nobody'")
    dsn = queue.dsn.replace("//recpipe@", "//nobody@")
    engine = PostgresEngine(Session(lambda: opened(dsn, "of nobody"), "the test's"))
    with pytest.raises(DeniedError, match=r"the test's denies it: .*Grant the role CREATE"):
        engine.jobs()
    engine.close()
