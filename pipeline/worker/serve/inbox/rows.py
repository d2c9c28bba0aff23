"""SQL of an inbox, and the text in which an event lies there."""

from __future__ import annotations

import json
from dataclasses import asdict

from pipeline.vendors.events import Event, Phase

_DECIDES = frozenset({Phase.READY, Phase.PARTIAL, Phase.STOPPED, Phase.FAILED, Phase.KEPT})

KEEP = """
INSERT OR IGNORE INTO events (vendor, app, key, recording, kept_ms, event)
VALUES (:vendor, :app, :key, :recording, :kept_ms, :event)"""

NEWS = """
INSERT INTO tasks (vendor, app, recording, news, due_ms, changed_ms)
VALUES (:vendor, :app, :recording, :news, 0, :kept_ms)
ON CONFLICT (vendor, app, recording) DO UPDATE SET news = :news, changed_ms = :kept_ms,
  due_ms = CASE WHEN :decides OR lacks OR (:settles AND due_ms IS NULL) THEN 0 ELSE due_ms END"""
"""What decides nothing does not have a task looked at: each look reads all of its events, and each slice of a
long call may be one. SQLite 3.24 and later (sqlite.org/lang_upsert.html)."""

DUE = """
SELECT id, vendor, app, recording, news FROM tasks WHERE due_ms IS NOT NULL AND due_ms <= :now_ms
ORDER BY due_ms, id LIMIT :most"""

EVENTS = """
SELECT id, event, kept_ms FROM events WHERE vendor = :vendor AND app = :app AND recording = :recording
ORDER BY id"""

JOBS = "SELECT rule, job, key FROM jobs WHERE task = :task"

MADE = "INSERT OR REPLACE INTO jobs (task, rule, job, key) VALUES (:task, :rule, :job, :key)"

MARK = """
UPDATE tasks SET became = :became, lacks = :lacks, changed_ms = :now_ms,
  due_ms = CASE WHEN news = :news THEN :due_ms ELSE due_ms END
WHERE id = :task"""
"""What came in meanwhile stays due."""

LATEST = """
SELECT vendor, app, recording AS task, became, due_ms, changed_ms FROM tasks
ORDER BY changed_ms DESC, id DESC LIMIT :most"""

OLD_EVENTS = "DELETE FROM events WHERE kept_ms < :before_ms"

OLD_TASKS = """
DELETE FROM tasks WHERE changed_ms < :before_ms AND NOT EXISTS (
  SELECT 1 FROM events WHERE events.vendor = tasks.vendor AND events.app = tasks.app
    AND events.recording = tasks.recording)"""

OLD_JOBS = "DELETE FROM jobs WHERE task NOT IN (SELECT id FROM tasks)"

COUNT = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM tasks WHERE due_ms IS NOT NULL)"


def text_of(event: Event) -> str:
    """The event as it is kept."""
    return json.dumps(asdict(event), ensure_ascii=True, separators=(",", ":"))


def weight_of(event: Event) -> dict[str, bool]:
    """Whether it may change what becomes of its task: at once, or when nothing more is heard."""
    return {"decides": event.phase in _DECIDES, "settles": event.phase is Phase.SETTLING}


def event_of(text: str) -> Event:
    """The event that `text_of` wrote."""
    values = json.loads(text)
    values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return Event(**(values | {"phase": Phase(values["phase"])}))
