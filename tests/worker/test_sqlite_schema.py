"""Databases of every version that was released open; no step is done twice, or by halves."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import CommandError
from pipeline.worker.queue.jobs import Ended, Job, Needs, Order, State
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from pipeline.worker.queue.sqlite.opening import connect, in_sentences, prepare_place
from pipeline.worker.queue.sqlite.schema import STEPS
from tests.worker.clocks import Hands
from tests.worker.contract import taken

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.worker.queue.sqlite.schema import Step

VERSION_1 = """
PRAGMA journal_mode = WAL;
PRAGMA application_id = 1919119473;
PRAGMA user_version = 1;
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, document TEXT NOT NULL,
  priority INTEGER NOT NULL, not_before_ms INTEGER NOT NULL, deadline_ms INTEGER NOT NULL,
  cores INTEGER NOT NULL, memory INTEGER NOT NULL, disk INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'dead', 'cancelled')),
  attempts INTEGER NOT NULL DEFAULT 0, token INTEGER NOT NULL DEFAULT 0,
  submitted_ms INTEGER NOT NULL, started_ms INTEGER NOT NULL DEFAULT 0, ended_ms INTEGER NOT NULL DEFAULT 0,
  worker TEXT NOT NULL DEFAULT '', progress INTEGER NOT NULL DEFAULT -1,
  unwanted INTEGER NOT NULL DEFAULT 0,
  lease_boot TEXT NOT NULL DEFAULT '', lease_until_ms INTEGER NOT NULL DEFAULT 0,
  code INTEGER NOT NULL DEFAULT 0, sentence TEXT NOT NULL DEFAULT '', summary TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX jobs_once ON jobs (key) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_next ON jobs (priority DESC, deadline_ms = 0, deadline_ms, id,
  state, not_before_ms, unwanted, lease_boot, lease_until_ms, cores, memory, disk)
  WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_unwanted ON jobs (id) WHERE unwanted;
CREATE INDEX jobs_key ON jobs (key, id);
CREATE INDEX jobs_ended ON jobs (ended_ms) WHERE ended_ms > 0;
INSERT INTO jobs (id, key, document, priority, not_before_ms, deadline_ms, cores, memory, disk, state,
  attempts, token, submitted_ms, started_ms, ended_ms, worker, code, sentence, summary)
VALUES (3, 'a', '{}', 2, 7, 8, 1, 0, 0, 'dead', 5, 6, 100, 200, 300, 'w', 4, 'no slice', '{"a": 1}');
INSERT INTO jobs (id, key, document, priority, not_before_ms, deadline_ms, cores, memory, disk, state,
  attempts, token, submitted_ms, started_ms, worker, progress, lease_boot, lease_until_ms)
VALUES (4, 'b', '{}', 0, 0, 0, 2, 3, 4, 'running', 1, 9, 101, 201, 'v', 500, 'an earlier start', 99999999);
"""
"""As the first version wrote it; never to be edited."""

COLOUR: Step = ("ALTER TABLE jobs ADD COLUMN colour TEXT NOT NULL DEFAULT 'green'",)
HALF: Step = ("ALTER TABLE jobs ADD COLUMN colour TEXT", "DELETE FROM jobs", "SELECT * FROM nothing")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A queue of version 1."""
    db = sqlite3.connect(tmp_path / "queue.db")
    db.executescript(VERSION_1)
    db.close()
    return tmp_path / "queue.db"


def shape(path: Path) -> dict[str, object]:
    """Columns of the table, and the indexes, but for white space."""
    db = sqlite3.connect(path)
    columns = db.execute(
        "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('jobs')"
    ).fetchall()
    indexes = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name").fetchall()
    marks = [db.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")]
    db.close()
    return {"columns": columns, "marks": marks} | {name: sql.split() for name, sql in indexes}


def colours(path: Path) -> list[str]:
    db = connect(path, 5, (*STEPS, COLOUR))
    found = [row["colour"] for row in db.execute("SELECT colour FROM jobs")]
    db.close()
    return found


def test_a_queue_of_version_1_opens_with_all_that_is_in_it(old: Path) -> None:
    engine = SqliteEngine(old, clock=Hands())
    dead, running = Ended(State.DEAD, 4, "no slice", '{"a": 1}'), State.RUNNING
    assert engine.job(3) == Job(
        3, Order("a", "{}", 2, 7, 8), State.DEAD, 5, 6, 100, 200, 300, "w", -1, dead, "no slice"
    )
    assert engine.job(4) == Job(
        4, Order("b", "{}", needs=Needs(2, 3, 4)), running, 1, 9, 101, 201, 0, "v", 500
    )
    assert taken(engine).token == 10
    engine.close()


def test_a_new_queue_is_what_one_of_version_1_becomes(old: Path, tmp_path: Path) -> None:
    for path in (old, tmp_path / "new.db"):
        SqliteEngine(path, clock=Hands()).close()
    assert shape(old) == shape(tmp_path / "new.db")


def test_a_step_that_follows_is_done_once_and_keeps_the_rows(old: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(colours, [old] * 4))
    assert found == [["green", "green"]] * 4


def test_an_empty_file_becomes_one_queue_whoever_opens_it_at_once(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(lambda _: SqliteEngine(path, clock=Hands()), range(8)))
    said = {engine.submit(Order("a", "{}")).id for engine in engines}
    for engine in engines:
        engine.close()
    assert said == {1}


def test_a_step_that_fails_leaves_the_version_before_whole(old: Path) -> None:
    before = shape(old)
    with pytest.raises(sqlite3.OperationalError, match="nothing"):
        connect(old, 5, (*STEPS, COLOUR[:0], HALF))
    assert shape(old) == before
    engine = SqliteEngine(old, clock=Hands())
    assert len(engine.jobs()) == 2
    engine.close()


def test_a_queue_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    prepare_place(path)
    connect(path, 5, (*STEPS, COLOUR)).close()
    before = path.read_bytes()
    newer = f"newer recpipe .version {len(STEPS) + 1}, this one knows {len(STEPS)}"
    with pytest.raises(CommandError, match=newer), in_sentences(path):
        connect(path, 5)
    assert path.read_bytes() == before
