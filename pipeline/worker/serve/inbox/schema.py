"""The tables of an inbox, version by version, as `pipeline.worker.queue.sqlite.schema` has those of a queue.

An event is kept once; what it is of is `Event.recording`. A task has a row for what becomes of it, and one
for each rule that made a job of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.worker.queue.sqlite.schema import Kind

if TYPE_CHECKING:
    from pipeline.worker.queue.sqlite.schema import Step

INBOX = Kind("inbox", 0x72637069, "events")
"""``rcpi`` in the head of the file."""

STEPS: tuple[Step, ...] = (
    (
        """
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  vendor TEXT NOT NULL,
  app TEXT NOT NULL,
  key TEXT NOT NULL,
  recording TEXT NOT NULL,
  kept_ms INTEGER NOT NULL,
  event TEXT NOT NULL
)""",
        "CREATE UNIQUE INDEX events_once ON events (vendor, app, key)",
        "CREATE INDEX events_task ON events (vendor, app, recording, id)",
        "CREATE INDEX events_kept ON events (kept_ms)",
        """
CREATE TABLE tasks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  vendor TEXT NOT NULL,
  app TEXT NOT NULL,
  recording TEXT NOT NULL,
  news INTEGER NOT NULL,
  due_ms INTEGER,
  lacks INTEGER NOT NULL DEFAULT 0,
  became TEXT NOT NULL DEFAULT '',
  changed_ms INTEGER NOT NULL
)""",
        "CREATE UNIQUE INDEX tasks_once ON tasks (vendor, app, recording)",
        "CREATE INDEX tasks_due ON tasks (due_ms) WHERE due_ms IS NOT NULL",
        "CREATE INDEX tasks_changed ON tasks (changed_ms)",
        """
CREATE TABLE jobs (
  task INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  rule TEXT NOT NULL,
  job INTEGER NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (task, rule)
)""",
    ),
)
