"""The worker: claims jobs, gives each a process, keeps their leases while they move, ends what has ended.

One thread. A job's lease is kept only while something moves in its process; what stands still is ended, and
what is another's by now is killed before it can be seen. Whatever the queue cannot take now is said again.
"""

from __future__ import annotations

import os
import select
import socket
import time
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from pipeline.errors import LostError
from pipeline.journal.here import utc_ms
from pipeline.worker.queue import schedule
from pipeline.worker.queue.engine import AWAY
from pipeline.worker.queue.jobs import Again, State
from pipeline.worker.shift import room
from pipeline.worker.shift.child import Child
from pipeline.worker.shift.chunks.shares import known
from pipeline.worker.shift.diary import Diary, Said
from pipeline.worker.shift.endings import AGAIN_MS, Endings
from pipeline.worker.shift.ends import end_of
from pipeline.worker.shift.machine import boot_ms, machine
from pipeline.worker.shift.retry import worn_out
from pipeline.worker.shift.rules import Running, Why, task_of
from pipeline.worker.shift.words import Asks, Moved, Over, Step
from pipeline.worker.shift.words import Said as Spoken

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.errors import RecpipeError
    from pipeline.worker.queue.engine import Engine
    from pipeline.worker.queue.jobs import Claim, Ended, Job, Needs, Parted
    from pipeline.worker.shift.rules import Rules
    from pipeline.worker.shift.words import Word

TICK_S = 0.05
"""Between two looks at the processes."""
MOST_LOOKED_AT = 10_000
"""Jobs, when those are looked for that may be late."""


class Worker:
    """One worker.

    Args:
        engine: the queue.
        rules: how it works.
        tell: is told sentences, those about jobs with the job; what is said of a job goes into the queue too.
        stops: how often it was asked to stop: once, and it waits for its jobs; twice, and it does not.
        has: what the machine has.
    """

    def __init__(
        self,
        engine: Engine,
        rules: Rules,
        *,
        tell: Callable[[Said], None],
        stops: Callable[[], int] = lambda: 0,
        has: Callable[[], Needs] | None = None,
    ) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._engine = engine
        self._rules = rules
        self._hears = tell
        self._diary = Diary(engine)
        self._stops = stops
        self._has = has or (lambda: machine(Path(rules.folder)))
        self._machine = self._has()
        self._running: dict[int, Running] = {}
        self._endings = Endings(engine, self._about, self._told_away)
        self._warned: set[tuple[int, schedule.Lateness]] = set()
        self._making_room = self._away = self._drained = False
        self._claim_ms = self._look_ms = 0
        self._grace_ms = 0

    def run(self) -> None:
        """Work until it was asked to stop and has; or, where it drains, until there is nothing more to do."""
        try:
            while not self._done():
                self._tick()
        finally:
            for running in self._running.values():
                running.child.close()
            self._diary.write(at_once=True)

    def _done(self) -> bool:
        idle = not self._running and not self._endings
        return idle and (bool(self._stops()) or (self._rules.drain and self._drained))

    def _tick(self) -> None:
        self._hear()
        now = boot_ms()
        self._stop(now)
        self._reap(now)
        self._let_in()
        self._watch(now)
        self._beat(now)
        self._endings.again(now, stopping=bool(self._stops()))
        self._diary.write()
        if now >= self._look_ms:
            self._look_ms = now + self._rules.look_ms
            self._look()
        if now >= self._claim_ms:
            self._claim()

    def _hear(self) -> None:
        words = select.poll()  # select() takes no descriptor above 1023
        for running in self._running.values():
            words.register(running.child, select.POLLIN)
        words.poll(TICK_S * 1000)
        for running in self._running.values():
            for word in running.child.heard():
                self._take(running, word)
        time.sleep(TICK_S / 5)  # a process that has closed its end is always ready

    def _take(self, running: Running, word: Word) -> None:
        running.moved_ms = boot_ms()
        match word:
            case Moved():
                running.step, running.progress = word.step, word.progress
            case Asks():
                running.asks, running.let_in = True, False
                running.step, running.needs = Step.ASKING, word.needs
            case Spoken():
                self._about(running.claim, word.sentence)
            case Over():
                running.over = word

    def _stop(self, now: int) -> None:
        """Let jobs go on for a while once we were asked to stop, then end them."""
        if not (stops := self._stops()):
            return
        if not self._grace_ms:
            self._grace_ms = now + self._rules.grace_ms
            self._tell(
                f"asked to stop: {len(self._running)} jobs may go on for {self._rules.grace_ms // 1000} s."
            )
        for running in self._running.values():
            if stops > 1 or now >= self._grace_ms or not running.let_in:
                self._ask_to_end(running, Why.STOPPED, now)

    def _ask_to_end(self, running: Running, why: Why, now: int) -> None:
        if running.why is None:
            running.why, running.kill_ms = why, now + self._rules.tidy_ms
            running.child.terminate()

    def _kill(self, running: Running, why: Why) -> None:
        running.why = why
        running.child.kill()

    def _reap(self, now: int) -> None:
        for number, running in list(self._running.items()):
            if running.kill_ms and now >= running.kill_ms:
                running.child.kill()
            if (code := running.child.ended()) is None:
                continue
            for word in running.child.heard():  # what it said last
                self._take(running, word)
            running.child.close()
            del self._running[number]
            self._claim_ms = 0
            if running.why is Why.LOST:
                self._about(
                    running.claim, "it is another worker's by now: what was begun here is left to that one."
                )
                continue
            job, standing = running.claim.job, str(running.step)
            self._end(
                running.claim,
                end_of(running.over, running.why, code, standing, job=job, now_ms=utc_ms()),
                running.kept_ms,
            )

    def _end(self, claim: Claim, how: Ended | Again | Parted, kept_ms: int) -> None:
        self._endings.add(claim, how, now_ms=boot_ms(), until_ms=kept_ms + self._rules.lease_ms)
        self._diary.write(at_once=True)

    def _let_in(self) -> None:
        working = [each.needs for each in self._running.values() if each.let_in]
        asking = [
            room.Asking(number, _rank(each), each.needs)
            for number, each in self._running.items()
            if each.asks and not each.let_in
        ]
        if not asking:
            return
        for number in room.let_in(self._machine, working, asking):
            running = self._running[number]
            running.asks, running.let_in, running.moved_ms = False, True, boot_ms()
            running.child.go()

    def _watch(self, now: int) -> None:
        """End what stands still. Who waits for room need not move."""
        for running in self._running.values():
            if running.asks or running.why is not None:
                continue
            if now - running.moved_ms > self._rules.limits_ms[running.step]:
                self._kill(running, Why.HUNG)

    def _beat(self, now: int) -> None:
        for running in self._running.values():
            if now < running.beat_ms or running.why in {Why.HUNG, Why.LOST}:
                continue
            try:
                unwanted = self._engine.beat(running.claim, running.progress)
            except LostError:
                self._kill(running, Why.LOST)
                continue
            except AWAY as error:
                self._told_away(error)
                running.beat_ms = now + AGAIN_MS
                if now - running.kept_ms > self._rules.lease_ms:
                    self._kill(running, Why.LOST)
                continue
            self._away = False
            running.kept_ms, running.beat_ms = now, now + self._rules.beat_ms
            running.child.keep(now)
            if unwanted:
                self._ask_to_end(running, Why.CANCELLED, now)

    def _look(self) -> None:
        """Tell of jobs that may be late; one that does not fit beside others gets room made for it."""
        self._machine = self._has()
        free = (
            room.room_for_next(self._machine, [each.needs for each in self._running.values()]) or room.NOTHING
        )
        self._making_room, now = False, utc_ms()
        with suppress(*AWAY):
            jobs = self._engine.jobs({State.WAITING, State.RUNNING}, most=MOST_LOOKED_AT)
            self._warned.intersection_update(product((job.id for job in jobs), schedule.Lateness))
            for job in jobs:
                how = schedule.lateness(job, now, self._rules.windows)
                if how is schedule.Lateness.NONE:
                    continue
                if (job.id, how) not in self._warned:
                    self._warned.add((job.id, how))
                    self._say(job, schedule.late_words(job, how, now))
                may_begin = job.state is State.WAITING and job.order.not_before_ms <= now and not job.parts
                self._making_room |= may_begin and not room.fits(room.at_least(job.order.needs), free)

    def _claim(self) -> None:
        """Begin the next job, if there may be one."""
        if self._stops() or len(self._running) >= self._rules.concurrency:
            return
        if any(each.asks for each in self._running.values()) or (self._making_room and self._running):
            return  # somebody waits for room already
        if not schedule.is_open(self._rules.windows, utc_ms()):
            self._claim_ms, self._drained = boot_ms() + self._rules.poll_ms, True
            return
        free = room.room_for_next(self._machine, [each.needs for each in self._running.values()])
        if free is None:
            return
        before = boot_ms()
        try:
            claim = self._engine.claim(self.name, free)
        except AWAY as error:
            self._told_away(error)
            claim = None
        else:
            self._away = False
            self._drained = claim is None
        if claim is None:
            self._claim_ms = boot_ms() + self._rules.poll_ms
        else:
            self._begin(claim, before)

    def _begin(self, claim: Claim, now: int) -> None:
        job, rules = claim.job, self._rules
        if (end := worn_out(job.attempts)) is not None:
            self._end(claim, end, now)
            return
        self._about(claim, f"begins, attempt {job.attempts}.")
        if claim.taken_over:
            self._about(claim, "nothing was heard any more of the worker that had it before.")
        self._diary.write(at_once=True)
        cores = self._machine.cores
        try:
            task = task_of(job, rules, known(self._engine, job), cores=cores, kept_ms=now, now_ms=utc_ms())
            child = Child(task)
        except AWAY as error:
            self._told_away(error)
            self._end(claim, Again(utc_ms(), str(error), counts=False), now)
            return
        except OSError as error:
            sentence = f"no process could be begun ({error.strerror})."
            self._end(claim, Again(utc_ms() + rules.look_ms, sentence, counts=False), now)
            self._claim_ms = boot_ms() + rules.look_ms
            return
        self._running[job.id] = Running(claim, child, now, now, now + rules.beat_ms, job.order.needs)

    def _about(self, claim: Claim, sentence: str) -> None:
        self._say(claim.job, sentence)

    def _say(self, job: Job, sentence: str) -> None:
        self._diary.add(job.id, sentence)
        self._hears(Said(utc_ms(), sentence, self.name, job))

    def _tell(self, sentence: str) -> None:
        self._hears(Said(utc_ms(), sentence, self.name))

    def _told_away(self, error: RecpipeError) -> None:
        """Say that the queue cannot be reached, once."""
        if not self._away:
            self._away = True
            self._tell(str(error))


def _rank(running: Running) -> tuple[int, ...]:
    job = running.claim.job
    return -job.order.priority, schedule.due_ms(job)
