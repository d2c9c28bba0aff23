"""Which event starts what: rules, and what one of them wants of a task. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from pipeline.vendors.events import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.vendors.tasks import Task
    from pipeline.worker.serve.inbox.filling import Template

USUAL = frozenset({Phase.READY, Phase.PARTIAL, Phase.SETTLING})
"""What starts a job where a rule does not say: files are in the store."""
STARTS = USUAL | {Phase.STOPPED, Phase.FAILED}
"""What may start one."""
QUIET_MS = 300_000
"""After the last news of a task that has no last file."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What starts a job, and which.

    Attributes:
        name: what it is called, for people and for the inbox.
        vendor: as in events.
        app: as in events, of stores the bucket; "" for any.
        phases: any of which starts it.
        template: the job.
        limit_ms: how long the job waits for what is missing, counted from the news that something is.
        deadline_ms: from the news to when the job should be done.
        priority: of the job.
    """

    name: str
    vendor: str
    app: str
    phases: frozenset[Phase]
    template: Template
    limit_ms: int
    deadline_ms: int
    priority: int = 0

    def takes(self, task: Task) -> bool:
        """Whether it is about such tasks; events of stores have a bucket in place of an app."""
        app = task.task.partition("/")[0] if task.vendor == "s3" else task.app
        return task.vendor == self.vendor and self.app in {"", app}


class Move(StrEnum):
    """What a rule wants of a task."""

    NOTHING = "nothing"  # yet
    JOB = "job"
    WAIT = "wait"
    NEVER = "never"


class Wanted(NamedTuple):
    """What a rule wants of a task.

    Attributes:
        move: which of them.
        at_ms: UTC of the news that says so.
        due_ms: UTC until which it waits.
        why: a clause, of those that wait and those that never come.
    """

    move: Move
    at_ms: int = 0
    due_ms: int = 0
    why: str = ""


def wanted(rule: Rule, task: Task, *, heard_ms: int, now_ms: int) -> Wanted:
    """What a rule wants of a task now.

    Times of events are the vendor's and only tell news from news; how long to wait is counted by our clock.

    Args:
        rule: it takes the task.
        task: what its events say.
        heard_ms: UTC when the last of them came in.
        now_ms: UTC.
    """
    told = dict(task.told)
    starts = {phase: told[phase].at_ms for phase in rule.phases if phase in told}
    if Phase.READY in starts:
        return Wanted(Move.JOB, starts[Phase.READY])
    for phase, pause_ms, why in (
        (Phase.PARTIAL, rule.limit_ms, "parts of it are not uploaded yet"),
        (Phase.SETTLING, QUIET_MS, "no event tells which file is the last"),
    ):
        if phase in starts:
            return _until(starts[phase], heard_ms + pause_ms, now_ms, why)
    if Phase.KEPT in told:
        return Wanted(Move.NEVER, why=told[Phase.KEPT].reason)
    if starts:
        return Wanted(Move.JOB, max(starts.values()))
    if Phase.FAILED in told:
        return Wanted(Move.NEVER, why=told[Phase.FAILED].reason)
    return Wanted(Move.NOTHING)


def _until(at_ms: int, due_ms: int, now_ms: int, why: str) -> Wanted:
    if now_ms >= due_ms:
        return Wanted(Move.JOB, at_ms)
    return Wanted(Move.WAIT, at_ms, due_ms, why)


def of_task(rules: Mapping[str, Rule], task: Task) -> list[Rule]:
    """The rules that take a task, in their order."""
    return [rule for rule in rules.values() if rule.takes(task)]
