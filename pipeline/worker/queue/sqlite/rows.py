"""SQL, and the values that go into it and come out of it.

A job is one row. Its lease is over when its boot is another one, or when its time has come; until somebody
takes it then, it is still its worker's, which may go on. Whoever takes it counts the token up.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.worker.queue import columns
from pipeline.worker.queue.jobs import State

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from pipeline.worker.queue.jobs import Ended, Job, Order

SUBMIT = """
INSERT INTO jobs (key, document, priority, not_before_ms, deadline_ms, cores, memory, disk, vendor,
  state, submitted_ms, parent)
VALUES (:key, :document, :priority, :not_before_ms, :deadline_ms, :cores, :memory, :disk, :vendor,
  'waiting', :utc_ms, :parent)"""

OF_KEY = """
SELECT id FROM jobs WHERE key = :key AND (id > :newest OR state IN ('waiting', 'running'))
ORDER BY id DESC LIMIT 1"""

NEXT = """
SELECT id, state FROM jobs WHERE state IN ('waiting', 'running')
  AND CASE state WHEN 'waiting' THEN not_before_ms <= :utc_ms
      ELSE NOT (lease_boot = :boot AND lease_until_ms > :since_ms) END
  AND (unwanted OR cores <= :cores AND memory <= :memory AND disk <= :disk)
  AND (parts = 0 OR NOT EXISTS (SELECT 1 FROM jobs AS part
      WHERE part.parent > 0 AND part.parent = jobs.id AND part.state IN ('waiting', 'running')))
ORDER BY priority DESC, deadline_ms = 0, deadline_ms, id LIMIT 1"""
"""The order is that of the index ``jobs_next``, so nothing is sorted. One that a dead worker left and nobody
wants is told whether it fits or not: it is not to be done, but to be dropped."""

TAKE = """
UPDATE jobs SET state = 'running', token = token + 1, attempts = attempts + 1, worker = :worker,
  started_ms = :utc_ms, progress = -1, lease_boot = :boot, lease_until_ms = :until_ms
WHERE id = :id"""

KEEP = """
UPDATE jobs SET lease_boot = :boot, lease_until_ms = :until_ms,
  progress = CASE WHEN :progress < 0 THEN progress ELSE :progress END
WHERE id = :id AND token = :token AND state = 'running'"""

END = """
UPDATE jobs SET state = :state, code = :code, sentence = :sentence, summary = :summary, ended_ms = :utc_ms,
  progress = -1, unwanted = 0
WHERE id = :id AND token = :token AND state = 'running'"""

AGAIN = """
UPDATE jobs SET state = 'waiting', not_before_ms = :not_before_ms, sentence = :sentence, progress = -1,
  attempts = attempts - :uncounted
WHERE id = :id AND token = :token AND state = 'running' AND NOT unwanted"""

PART = """
UPDATE jobs SET state = 'waiting', sentence = :sentence, progress = -1, attempts = attempts - :uncounted,
  parts = :parts
WHERE id = :id AND token = :token AND state = 'running' AND NOT unwanted"""

WANT_NO_MORE = "UPDATE jobs SET unwanted = 1 WHERE id = :id AND state = 'running'"

DROP = """
UPDATE jobs SET state = 'cancelled', code = :code, sentence = :sentence, summary = '', ended_ms = :utc_ms,
  progress = -1, unwanted = 0
WHERE id = :id AND (state = 'waiting'
  OR state = 'running' AND NOT (lease_boot = :boot AND lease_until_ms > :since_ms))"""

DROP_PARTS = """
UPDATE jobs SET state = 'cancelled', code = :code, sentence = :sentence, summary = '', ended_ms = :utc_ms,
  progress = -1, unwanted = 0
WHERE parent > 0 AND parent = :parent AND (state = 'waiting'
  OR state = 'running' AND NOT (lease_boot = :boot AND lease_until_ms > :since_ms))"""

WANT_NO_PARTS = """
UPDATE jobs SET unwanted = 1 WHERE parent > 0 AND parent = :parent AND state = 'running'"""

FORGET_PARTS = """
DELETE FROM jobs WHERE parent > 0 AND parent = :id AND state NOT IN ('waiting', 'running')"""

DROP_OF_THE_DEAD = """
UPDATE jobs SET state = 'cancelled', code = :code, sentence = :sentence, summary = '', ended_ms = :utc_ms,
  progress = -1, unwanted = 0
WHERE unwanted AND state = 'running' AND NOT (lease_boot = :boot AND lease_until_ms > :since_ms)"""

RETRY = """
UPDATE jobs SET state = 'waiting', attempts = 0, started_ms = 0, ended_ms = 0, code = 0, sentence = '',
  summary = '', unwanted = 0
WHERE id = :id AND state NOT IN ('waiting', 'running')"""

ONE = "SELECT * FROM jobs WHERE id = :id"

ALL = """
SELECT * FROM jobs WHERE id < :before AND state IN (SELECT value FROM json_each(:states))
ORDER BY id DESC LIMIT :most"""

ALL_OPEN = """
SELECT * FROM jobs WHERE id IN (
    SELECT id FROM jobs INDEXED BY jobs_next WHERE state IN ('waiting', 'running')
      AND state IN (SELECT value FROM json_each(:states)) AND id < :before
    ORDER BY id DESC LIMIT :most)
ORDER BY id DESC"""
"""As `ALL`, of jobs that have not ended: found in the index ``jobs_next``, however many have ended."""

ALL_OF_KEY = """
SELECT * FROM jobs WHERE key = :key AND id < :before AND state IN (SELECT value FROM json_each(:states))
ORDER BY id DESC LIMIT :most"""

ENDED_SINCE = """
SELECT * FROM jobs WHERE ended_ms > 0 AND ended_ms >= :since_ms ORDER BY ended_ms, id LIMIT :most"""

STANDING = "SELECT state, vendor, count(*) AS number FROM jobs GROUP BY vendor, state"

OLDEST = """
SELECT coalesce(min(max(submitted_ms, not_before_ms)), 0) AS at_ms FROM jobs
WHERE state = 'waiting' AND not_before_ms <= :utc_ms
  AND (parts = 0 OR NOT EXISTS (SELECT 1 FROM jobs AS part
      WHERE part.parent > 0 AND part.parent = jobs.id AND part.state IN ('waiting', 'running')))"""

NOTE = """
INSERT INTO notes (job, at_ms, sentence) SELECT id, :utc_ms, :sentence FROM jobs WHERE id = :id"""

OLD_NOTES = """
DELETE FROM notes WHERE job = :id
  AND id <= (SELECT id FROM notes WHERE job = :id ORDER BY id DESC LIMIT 1 OFFSET :kept)"""

NOTES = "SELECT at_ms, sentence FROM notes WHERE job = :id ORDER BY id"

ALL_OF_PARENT = """
SELECT * FROM jobs WHERE parent > 0 AND parent = :parent AND key IN (:key, CASE :key WHEN '' THEN key END)
  AND id < :before AND state IN (SELECT value FROM json_each(:states))
ORDER BY id DESC LIMIT :most"""

PURGE = """
DELETE FROM jobs WHERE ended_ms > 0 AND ended_ms < :before_ms
  AND state IN (SELECT value FROM json_each(:states))
  AND NOT EXISTS (SELECT 1 FROM jobs AS whole
      WHERE whole.id = jobs.parent AND whole.state IN ('waiting', 'running'))"""


def order_values(order: Order, parent: int = 0) -> dict[str, Any]:
    """For `SUBMIT`."""
    return {
        "parent": parent,
        "key": text(order.key),
        "document": text(order.document),
        "priority": order.priority,
        "not_before_ms": order.not_before_ms,
        "deadline_ms": order.deadline_ms,
        "vendor": text(order.vendor),
        **columns.needs_values(order.needs),
    }


def end_values(end: Ended) -> dict[str, Any]:
    """For `END`, and but for the state, for `DROP`."""
    return {
        "state": str(end.state),
        "code": end.code,
        "sentence": text(end.sentence),
        "summary": text(end.summary),
    }


def states_value(states: Iterable[State]) -> str:
    """For ``json_each``."""
    return json.dumps(sorted(states))


def text(words: str) -> str:
    r"""Halves of characters, as names of files that are no UTF-8 have them, as ``\udcff``: SQLite takes none.

    In a JSON document that is the same document.
    """
    return words.encode("utf-8", "backslashreplace").decode("utf-8")


def job_of(row: sqlite3.Row) -> Job:
    """A row of `ONE` or `ALL`."""
    return columns.job_of(row, State(row["state"]))
