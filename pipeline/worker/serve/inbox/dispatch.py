"""From tasks that are due to jobs in the queue: once, whoever else hears of the same recording.

The key of an order tells one work from another, in whatever inbox or prefix it was found. What was submitted
and not written down, because we were killed in between, is found by it in the queue.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.errors import CommandError, RecpipeError
from pipeline.job.spec_json import parse_job
from pipeline.report.words import moment
from pipeline.worker.queue.jobs import ENDED, Order, State
from pipeline.worker.queue.orders import key_of, late_key
from pipeline.worker.serve.inbox.filling import Unfilled, values_of
from pipeline.worker.serve.inbox.inbox import Made
from pipeline.worker.serve.inbox.rules import Move, of_task, wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.worker.queue.engine import Engine
    from pipeline.worker.queue.jobs import Job
    from pipeline.worker.serve.inbox.inbox import Due, Inbox
    from pipeline.worker.serve.inbox.rules import Rule, Wanted
    from pipeline.worker.serve.inbox.settings import ServeSettings

LATE_MS = 60_000
"""News that is so much later than the beginning of a job may be of files that it did not see. A job looks at
its recording until nothing has changed for longer than that, and clocks of vendors are nearer than that."""
LOOK_MS = 600_000
"""Until a job that runs is looked at again, of whose recording there is later news."""
FAILED_MS = 600_000
"""Until a task is looked at again that could not be."""

_ROOT = Path("/")
"""Jobs of rules name the folder of their files themselves."""


class _Became(NamedTuple):
    """What became of a task by one rule."""

    sentence: str
    due_ms: int | None = None
    made: Made | None = None
    lacks: bool = False


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Looks at tasks that are due.

    Attributes:
        inbox: where they are.
        engine: where jobs go.
        settings: the rules.
        clock: UTC ms.
        tell: is told a sentence for people.
    """

    inbox: Inbox
    engine: Engine
    settings: ServeSettings
    clock: Callable[[], int]
    tell: Callable[[str], None] = field(default=lambda _: None)

    def turn(self, is_over: Callable[[], bool] = lambda: False) -> int:
        """Look at the tasks that are due now; how many there were.

        Args:
            is_over: asked before each: no more are to be looked at.

        Raises:
            RecpipeError: inbox or queue cannot be reached; what was not looked at stays due.
        """
        tasks = self.inbox.due()
        for due in tasks:
            if is_over():
                break
            self._look(due)
        return len(tasks)

    def _look(self, due: Due) -> None:
        rules = of_task(self.settings.rules, due.task)
        try:
            became = {rule.name: self._by_rule(rule, due) for rule in rules}
        except CommandError as error:  # it is the queue that refuses the job
            self._put_off(due, str(error))
            return
        except RecpipeError:
            raise
        except Exception as error:  # noqa: BLE001 - one task must not keep the others from being looked at
            self._put_off(due, f"a bug ({type(error).__name__}: {error}).")
            return
        sentences = [f"{name}: {each.sentence}." for name, each in became.items() if each.sentence]
        self.inbox.mark(
            due,
            " ".join(sentences) if rules else "no rule of recpipe.toml takes it.",
            due_ms=min((each.due_ms for each in became.values() if each.due_ms is not None), default=None),
            made={name: each.made for name, each in became.items() if each.made is not None},
            lacks=any(each.lacks for each in became.values()),
        )

    def _put_off(self, due: Due, why: str) -> None:
        self.tell(f"task {due.task.task} cannot be looked at: {why}")
        self.inbox.mark(due, f"it cannot be looked at: {why}", due_ms=self.clock() + FAILED_MS, made={})

    def _by_rule(self, rule: Rule, due: Due) -> _Became:
        want = wanted(rule, due.task, heard_ms=due.heard_ms, now_ms=self.clock())
        match want.move:
            case Move.NOTHING:
                return _Became("nothing to do yet")
            case Move.NEVER:
                return _Became(f"no job: {want.why.rstrip('.')}")
            case Move.WAIT:
                return _Became(f"waits: {want.why.rstrip('.')}", want.due_ms)
            case Move.JOB:
                return self._job(rule, due, want)

    def _job(self, rule: Rule, due: Due, want: Wanted) -> _Became:
        before = due.made.get(rule.name)
        if before is not None:
            job = self.engine.job(before.job)
            return _Became(f"job {before.job}") if job is None else self._after(job, rule, want)
        try:
            document = rule.template.filled(values_of(due.task, want.at_ms))
            key = self._checked(document)
        except (Unfilled, CommandError) as error:
            return _Became(f"no job: {str(error).rstrip('.')}", lacks=True)
        same = self.engine.jobs(key=key, most=1)
        return self._after(same[0], rule, want) if same else self._submit(rule, key, document, want)

    def _checked(self, document: str) -> str:
        """The key of a job that may be made; raises CommandError for any other."""
        job = parse_job(document, "what comes of the event", _ROOT)
        for address in (job.source, job.place):
            self.settings.places.checked(address)
        return key_of(document, "what comes of the event")

    def _after(self, job: Job, rule: Rule, want: Wanted) -> _Became:
        """What becomes of news when there is a job: another one only where that cannot have known of them."""
        made = Made(job.id, job.order.key)
        margin_ms = LATE_MS if job.state is State.DONE else 0  # else there may have been no file at all
        began = job.started_ms > 0 and want.at_ms > job.started_ms + margin_ms
        if not began or job.state is State.CANCELLED:
            return _Became(f"job {job.id}", made=made)
        if job.state not in ENDED:
            return _Became(f"job {job.id}, which may miss what came later", self.clock() + LOOK_MS, made)
        key = late_key(job.order.key, want.at_ms)
        return self._submit(rule, key, job.order.document, want)

    def _submit(self, rule: Rule, key: str, document: str, want: Wanted) -> _Became:
        order = Order(
            key,
            document,
            priority=rule.priority,
            deadline_ms=self.clock() + rule.deadline_ms,
            vendor=rule.vendor,
        )
        told = self.engine.submit(order, newest=0)  # nobody had one a moment ago
        if told.new:
            self.tell(f"job {told.id}: {rule.name}, by news of {moment(want.at_ms)}.")
        return _Became(f"job {told.id}", made=Made(told.id, key))
