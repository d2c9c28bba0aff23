"""What every engine promises, as tests. An engine's own tests inherit them and say how a queue is opened.

    class TestKept(Contract): ...   # with a fixture `queue`

Clocks are the test's: no test waits for a lease.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import pytest

from pipeline.errors import CommandError, LostError
from pipeline.worker.queue.engine import LEASE_MS
from pipeline.worker.queue.jobs import (
    ENDED,
    UNWANTED,
    Again,
    Claim,
    Ended,
    Job,
    Needs,
    Order,
    Parted,
    State,
    Submitted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.worker.queue.engine import Engine

DAY_MS = 86_400_000
ROOM = Needs(cores=4, memory=1 << 40, disk=1 << 50)
DONE = Ended(State.DONE, 1, "a second of sound is lost", '{"outputs": []}')
DEAD = Ended(State.DEAD, 4, "no slice can be read")
ENDS = [DONE, DEAD, Ended(State.CANCELLED, 130), Ended(State.DONE, 0)]

ends = pytest.mark.parametrize("how", ENDS, ids=lambda how: f"{how.state} with {how.code}")


class Queue(Protocol):
    """A queue that is empty at first, and whose clocks a test moves."""

    @property
    def engine(self) -> Engine:
        """The first one on it."""
        ...

    @property
    def utc_ms(self) -> int:
        """What time it is for all its engines."""
        ...

    def beside(self) -> Engine:
        """Another one on it, as another process would have."""
        ...

    def pass_ms(self, ms: int) -> None:
        """Time passes."""
        ...


def order(key: str = "a call", *, priority: int = 0, not_before_ms: int = 0, deadline_ms: int = 0) -> Order:
    return Order(key, '{"kind": "merge"}', priority, not_before_ms, deadline_ms)


def taken(engine: Engine, worker: str = "one") -> Claim:
    claim = engine.claim(worker, ROOM)
    assert claim is not None
    return claim


def kept(engine: Engine, number: int) -> Job:
    job = engine.job(number)
    assert job is not None
    return job


class Contract:
    """Of submitting, claiming, keeping, ending; `Handling` has what people do."""

    def test_an_order_is_kept_as_it_was_given(self, queue: Queue) -> None:
        whole = Order(
            "agora/通话 '1' %s",
            '{"who": "' + "é\\u0000漢😀\\\\" * 20_000 + '"}',
            priority=-7,
            not_before_ms=queue.utc_ms + 5,
            deadline_ms=queue.utc_ms + DAY_MS,
            needs=Needs(3, 1 << 35, 1 << 42),
        )
        said = queue.engine.submit(whole)
        assert said.new
        assert kept(queue.beside(), said.id) == Job(said.id, whole, State.WAITING, 0, 0, queue.utc_ms)

    def test_a_second_one_of_a_key_is_not_kept_while_the_first_waits_or_runs(self, queue: Queue) -> None:
        first = queue.engine.submit(order(priority=1))
        for beside in (queue.engine, queue.beside()):
            again = beside.submit(order(priority=2))
            assert (again.id, again.new) == (first.id, False)
        taken(queue.engine)
        assert queue.beside().submit(order()).id == first.id
        assert [job.order for job in queue.engine.jobs()] == [order(priority=1)]

    @ends
    def test_a_key_whose_job_has_ended_is_free_again(self, queue: Queue, how: Ended) -> None:
        first = queue.engine.submit(order())
        queue.engine.end(taken(queue.engine), how)
        second = queue.engine.submit(order())
        assert second.new
        assert second.id > first.id

    @ends
    def test_whoever_saw_less_of_a_key_than_there_is_adds_nothing(self, queue: Queue, how: Ended) -> None:
        first = queue.engine.submit(order(), newest=0)
        queue.engine.end(taken(queue.engine), how)
        assert queue.beside().submit(order(), newest=0) == Submitted(first.id, new=False)
        assert queue.beside().submit(order("another call"), newest=0).new
        second = queue.beside().submit(order(), newest=first.id)
        assert second.new
        assert queue.engine.submit(order(), newest=0) == Submitted(second.id, new=False)
        assert queue.engine.submit(order(), newest=second.id) == Submitted(second.id, new=False)

    def test_nothing_is_claimed_of_nothing(self, queue: Queue) -> None:
        assert queue.engine.claim("one", ROOM) is None

    def test_a_claim_says_whose_job_it_is_and_that_it_is_tried(self, queue: Queue) -> None:
        said = queue.engine.submit(order())
        queue.pass_ms(1234)
        claim = taken(queue.engine, "host:7")
        assert claim == Claim(kept(queue.beside(), said.id), claim.token, "host:7")
        assert claim.job.token == claim.token > 0
        assert (claim.job.state, claim.job.worker, claim.job.attempts) == (State.RUNNING, "host:7", 1)
        assert (claim.job.submitted_ms, claim.job.started_ms) == (queue.utc_ms - 1234, queue.utc_ms)
        assert queue.beside().claim("two", ROOM) is None

    def test_a_claim_says_whether_another_worker_was_heard_no_more(self, queue: Queue) -> None:
        queue.engine.submit(order())
        first = taken(queue.engine)
        queue.engine.end(first, Again(0, "put back"))
        second = taken(queue.engine)
        queue.pass_ms(LEASE_MS)
        third = taken(queue.engine, "another")
        assert [claim.taken_over for claim in (first, second, third)] == [False, False, True]

    def test_the_next_is_by_priority_then_deadline_then_age(self, queue: Queue) -> None:
        soon, later = queue.utc_ms + DAY_MS, queue.utc_ms + 2 * DAY_MS
        told = [(0, 0), (0, later), (5, 0), (0, soon), (-3, soon), (5, later), (0, soon), (0, 0), (0, later)]
        for number, (priority, deadline_ms) in enumerate(told):
            queue.engine.submit(order(str(number), priority=priority, deadline_ms=deadline_ms))
        assert [taken(queue.engine).job.order.key for _ in told] == list("523618074")

    @pytest.mark.parametrize("wait_ms", [1, 1000, 3 * DAY_MS, 30 * DAY_MS])
    def test_nobody_begins_before_its_time(self, queue: Queue, wait_ms: int) -> None:
        queue.engine.submit(order(not_before_ms=queue.utc_ms + wait_ms, priority=9))
        queue.pass_ms(wait_ms - 1)
        assert queue.engine.claim("one", ROOM) is None
        queue.pass_ms(1)
        assert taken(queue.engine).job.order.priority == 9

    def test_what_may_not_begin_yet_is_in_nobodys_way(self, queue: Queue) -> None:
        queue.engine.submit(order("tonight", not_before_ms=queue.utc_ms + DAY_MS, priority=9))
        queue.engine.submit(order("now"))
        assert taken(queue.engine).job.order.key == "now"

    @pytest.mark.parametrize("large", [Needs(3, 20, 20), Needs(2, 21, 20), Needs(2, 20, 21)])
    def test_what_does_not_fit_stays_and_the_next_that_does_is_taken(
        self, queue: Queue, large: Needs
    ) -> None:
        queue.engine.submit(replace(order("large", priority=9), needs=large))
        queue.engine.submit(replace(order("small"), needs=Needs(2, 20, 20)))
        room = Needs(2, 20, 20)
        small = queue.engine.claim("one", room)
        assert small is not None
        assert small.job.order.key == "small"
        assert queue.engine.claim("one", room) is None
        assert taken(queue.engine).job.order.needs == large

    def test_a_lease_lasts_to_its_last_moment_and_then_the_job_is_anothers(self, queue: Queue) -> None:
        queue.engine.submit(order())
        first = taken(queue.engine)
        queue.pass_ms(LEASE_MS - 1)
        assert queue.beside().claim("two", ROOM) is None
        queue.pass_ms(1)
        second = taken(queue.beside(), "two")
        assert second.job.id == first.job.id
        assert second.token > first.token
        assert (second.job.worker, second.job.attempts) == ("two", 2)

    def test_a_job_of_the_dead_takes_its_place_in_the_order(self, queue: Queue) -> None:
        for key, priority in (("low", 0), ("high", 9), ("middle", 5)):
            queue.engine.submit(order(key, priority=priority))
        assert taken(queue.engine).job.order.key == "high"
        queue.pass_ms(LEASE_MS)
        keys = [taken(queue.engine).job.order.key for _ in range(3)]
        assert keys == ["high", "middle", "low"]

    def test_beats_keep_a_claim_for_ever(self, queue: Queue) -> None:
        queue.engine.submit(order())
        claim = taken(queue.engine)
        for progress in range(5):
            queue.pass_ms(LEASE_MS - 1)
            assert queue.engine.beat(claim, progress * 100) is False
            assert kept(queue.engine, claim.job.id).progress == progress * 100
            assert queue.beside().claim("two", ROOM) is None
        queue.engine.beat(claim)
        assert kept(queue.engine, claim.job.id).progress == 400

    def test_a_late_beat_keeps_what_nobody_took(self, queue: Queue) -> None:
        queue.engine.submit(order())
        claim = taken(queue.engine)
        queue.pass_ms(50 * LEASE_MS)
        queue.engine.beat(claim)
        assert queue.beside().claim("two", ROOM) is None
        queue.engine.end(claim, DONE)
        assert kept(queue.engine, claim.job.id).end == DONE

    @pytest.mark.parametrize(
        "act",
        [
            lambda engine, claim: engine.beat(claim, 500),
            lambda engine, claim: engine.end(claim, DONE),
            lambda engine, claim: engine.end(claim, DEAD),
            lambda engine, claim: engine.end(claim, Again(0, "once more")),
            lambda engine, claim: engine.end(claim, Again(0, "stopped", counts=False)),
        ],
        ids=["beat", "done", "dead", "again", "handed back"],
    )
    @pytest.mark.parametrize(
        "fate",
        ["taken over", "done by another", "put back by another", "ended by itself", "tried anew", "purged"],
    )
    def test_whoever_lost_a_job_is_told_and_changes_nothing(
        self, queue: Queue, fate: str, act: Callable[[Engine, Claim], object]
    ) -> None:
        queue.engine.submit(order())
        stale = taken(queue.engine)
        if fate in {"taken over", "done by another", "put back by another"}:
            queue.pass_ms(LEASE_MS)
            claim = taken(queue.beside(), "two")
        else:
            claim = stale
        if fate == "put back by another":
            queue.beside().end(claim, Again(0, "later"))
        elif fate != "taken over":
            queue.beside().end(claim, DEAD)
        if fate == "tried anew":
            queue.engine.retry(claim.job.id)
        if fate == "purged":
            queue.pass_ms(1)
            assert queue.engine.purge(queue.utc_ms, ENDED) == 1
        before = queue.engine.jobs()
        with pytest.raises(LostError, match=rf"job {stale.job.id} .*one"):
            act(queue.engine, stale)
        assert queue.engine.jobs() == before

    @ends
    def test_how_a_job_ended_is_kept(self, queue: Queue, how: Ended) -> None:
        queue.engine.submit(order())
        claim = taken(queue.engine)
        queue.engine.beat(claim, 990)
        queue.pass_ms(77)
        queue.engine.end(claim, how)
        ended = replace(claim.job, state=how.state, ended_ms=queue.utc_ms, end=how, sentence=how.sentence)
        assert kept(queue.beside(), claim.job.id) == ended
        queue.pass_ms(LEASE_MS)
        assert queue.engine.claim("two", ROOM) is None

    @pytest.mark.parametrize(("counts", "attempts"), [(True, 1), (False, 0)], ids=["counted", "handed back"])
    def test_again_is_at_its_time_and_counts_as_it_says(
        self, queue: Queue, *, counts: bool, attempts: int
    ) -> None:
        queue.engine.submit(order())
        first = taken(queue.engine)
        queue.engine.beat(first, 300)
        queue.engine.end(first, Again(queue.utc_ms + DAY_MS, "the store was busy", counts=counts))
        waiting = kept(queue.engine, first.job.id)
        assert (waiting.state, waiting.attempts, waiting.progress) == (State.WAITING, attempts, -1)
        assert (waiting.sentence, waiting.end, waiting.ended_ms) == ("the store was busy", None, 0)
        queue.pass_ms(DAY_MS - 1)
        assert queue.engine.claim("two", ROOM) is None
        queue.pass_ms(1)
        second = taken(queue.engine)
        assert second.token > first.token
        assert second.job.attempts == attempts + 1

    def test_words_with_halves_of_characters_do_not_stop_a_job_from_ending(self, queue: Queue) -> None:
        queue.engine.submit(order())
        queue.engine.end(taken(queue.engine), Ended(State.DEAD, 4, "no slice in caf\udce9/"))
        (job,) = queue.engine.jobs()
        assert job.end is not None
        assert job.end.sentence.startswith("no slice in caf")


class Handling:
    """What people do with jobs, promised as in `Contract`."""

    def test_one_that_waits_is_cancelled_at_once(self, queue: Queue) -> None:
        said = queue.engine.submit(order())
        queue.pass_ms(5)
        gone = queue.beside().cancel(said.id)
        assert gone == kept(queue.engine, said.id)
        assert (gone.state, gone.end, gone.ended_ms) == (State.CANCELLED, UNWANTED, queue.utc_ms)
        assert queue.engine.claim("one", ROOM) is None

    @ends
    def test_of_one_that_runs_its_worker_learns_it_and_says_the_end(self, queue: Queue, how: Ended) -> None:
        said = queue.engine.submit(order())
        claim = taken(queue.engine)
        assert queue.engine.beat(claim) is False
        cancelled = queue.beside().cancel(said.id)
        assert cancelled is not None
        assert cancelled.state is State.RUNNING
        assert [queue.engine.beat(claim, 10), queue.engine.beat(claim)] == [True, True]
        queue.engine.end(claim, how)
        assert kept(queue.engine, said.id).end == how

    @pytest.mark.parametrize("counts", [True, False])
    def test_what_nobody_wants_is_not_tried_again(self, queue: Queue, *, counts: bool) -> None:
        said = queue.engine.submit(order())
        claim = taken(queue.engine)
        queue.engine.cancel(said.id)
        queue.engine.end(claim, Again(0, "stopped", counts=counts))
        assert kept(queue.engine, said.id).end == UNWANTED

    @pytest.mark.parametrize("first", ["cancelled, then dead", "dead, then cancelled"])
    def test_what_nobody_wants_of_the_dead_is_never_begun_again(self, queue: Queue, first: str) -> None:
        said = queue.engine.submit(order())
        stale = taken(queue.engine)
        if first == "cancelled, then dead":
            queue.engine.cancel(said.id)
            queue.pass_ms(LEASE_MS)
        else:
            queue.pass_ms(LEASE_MS)
            cancelled = queue.engine.cancel(said.id)
            assert cancelled is not None
            assert cancelled.state is State.CANCELLED
        assert queue.beside().claim("two", ROOM) is None
        job = kept(queue.engine, said.id)
        assert (job.end, job.ended_ms) == (UNWANTED, queue.utc_ms)
        with pytest.raises(LostError):
            queue.engine.beat(stale)

    def test_what_has_ended_is_not_cancelled(self, queue: Queue) -> None:
        queue.engine.submit(order())
        claim = taken(queue.engine)
        queue.engine.end(claim, DONE)
        before = queue.engine.jobs()
        assert [queue.engine.cancel(claim.job.id)] == before
        assert queue.engine.jobs() == before

    @ends
    def test_one_that_has_ended_is_tried_anew(self, queue: Queue, how: Ended) -> None:
        said = queue.engine.submit(order())
        first = taken(queue.engine)
        queue.engine.cancel(said.id)
        queue.engine.end(first, how)
        again = queue.beside().retry(said.id)
        assert again == kept(queue.engine, said.id)
        assert (again.state, again.attempts, again.end, again.ended_ms) == (State.WAITING, 0, None, 0)
        second = taken(queue.engine)
        assert second.token > first.token
        assert second.job.attempts == 1
        assert queue.engine.beat(second) is False  # the old wish to cancel it is forgotten

    def test_one_that_has_not_ended_stays_as_it_is(self, queue: Queue) -> None:
        said = queue.engine.submit(order())
        assert queue.engine.retry(said.id) == kept(queue.engine, said.id)
        claim = taken(queue.engine)
        assert queue.engine.retry(said.id) == claim.job
        assert queue.engine.beat(claim) is False

    @pytest.mark.parametrize("runs", [True, False])
    def test_none_is_tried_anew_beside_another_of_its_key(self, queue: Queue, *, runs: bool) -> None:
        first = queue.engine.submit(order())
        queue.engine.end(taken(queue.engine), DEAD)
        second = queue.engine.submit(order())
        if runs:
            taken(queue.engine)
        before = queue.engine.jobs()
        with pytest.raises(CommandError, match=rf"job {first.id} .* job {second.id} "):
            queue.engine.retry(first.id)
        assert queue.engine.jobs() == before

    @pytest.mark.parametrize("number", [-1, 0, 7, 10**30])
    def test_what_is_not_there_is_none(self, queue: Queue, number: int) -> None:
        queue.engine.submit(order())
        assert queue.engine.job(number) is None
        assert queue.engine.cancel(number) is None
        assert queue.engine.retry(number) is None

    def test_jobs_are_told_the_newest_first_by_state_and_key(self, queue: Queue) -> None:
        for key in "abcd":
            queue.engine.submit(order(key))
        queue.engine.end(taken(queue.engine), DEAD)
        taken(queue.engine)
        queue.engine.submit(order("a"))

        def told(*states: State, key: str = "", most: int = 1000) -> str:
            return "".join(job.order.key for job in queue.beside().jobs(states, key=key, most=most))

        assert told() == "adcba"
        assert told(most=2) == "ad"
        assert told(State.WAITING) == "adc"
        assert told(State.DEAD, State.RUNNING) == "ba"
        assert told(key="a") == "aa"
        assert told(State.DEAD, key="a") == "a"
        assert told(State.DONE) == told(key="nobody") == ""

    def test_what_ended_long_ago_is_forgotten_if_it_ended_so(self, queue: Queue) -> None:
        for how in (DONE, DEAD, DONE):
            queue.engine.submit(order(how.state))
            queue.engine.end(taken(queue.engine), how)
            queue.pass_ms(1000)
        assert queue.engine.purge(queue.utc_ms - 1000, {State.DONE, State.WAITING}) == 1
        assert [job.state for job in queue.engine.jobs()] == [State.DONE, State.DEAD]
        assert queue.engine.purge(queue.utc_ms, set()) == 0
        assert queue.engine.purge(queue.utc_ms, ENDED) == 2
        assert list(queue.engine.jobs()) == []

    def test_what_has_not_ended_is_never_forgotten(self, queue: Queue) -> None:
        queue.engine.submit(order("waits", not_before_ms=queue.utc_ms + 1))
        queue.engine.submit(order("runs"))
        taken(queue.engine)
        queue.pass_ms(LEASE_MS)
        assert queue.engine.purge(queue.utc_ms + DAY_MS, set(State)) == 0
        assert len(queue.engine.jobs()) == 2

    def test_a_number_is_never_used_again(self, queue: Queue) -> None:
        first = queue.engine.submit(order())
        queue.engine.cancel(first.id)
        queue.pass_ms(1)
        queue.engine.purge(queue.utc_ms, ENDED)
        assert queue.engine.submit(order()).id > first.id


PARTS = Parted((Order("part 1", "{}", 5, 0, 9), Order("part 2", "{}", 4)), "in 2 parts")


def parted(queue: Queue) -> tuple[int, int, int]:
    """A job that was parted in two, and its parts."""
    whole = queue.engine.submit(order()).id
    queue.engine.end(taken(queue.engine), PARTS)
    second, first = queue.engine.jobs(parent=whole)
    return whole, first.id, second.id


def states(queue: Queue) -> dict[int, str]:
    """Of all jobs."""
    return {job.id: str(job.state) for job in queue.engine.jobs()}


class Parting:
    """Of jobs that make parts of another one."""

    def test_a_job_waits_for_its_parts_whichever_ends_last(self, queue: Queue) -> None:
        whole, first, second = parted(queue)
        job = kept(queue.beside(), whole)
        assert (job.state, job.parts, job.sentence, job.attempts) == (State.WAITING, 2, "in 2 parts", 0)
        claims = [taken(queue.engine, "one"), taken(queue.beside(), "two")]
        assert [(claim.job.id, claim.job.order, claim.job.parent) for claim in claims] == [
            (first, PARTS.orders[0], whole),
            (second, PARTS.orders[1], whole),
        ]
        for claim in reversed(claims):
            assert queue.engine.claim("three", ROOM) is None
            queue.engine.end(claim, DONE)
        assert taken(queue.engine, "three").job.id == whole
        assert queue.beside().claim("four", ROOM) is None

    def test_a_part_that_is_tried_again_is_waited_for(self, queue: Queue) -> None:
        whole, first, second = parted(queue)
        queue.engine.end(taken(queue.engine), Again(queue.utc_ms + 5, "busy"))
        queue.engine.end(taken(queue.engine), DONE)
        assert queue.engine.claim("one", ROOM) is None
        queue.pass_ms(5)
        claim = taken(queue.engine)
        assert claim.job.id == first
        queue.pass_ms(LEASE_MS)  # its worker dies
        claim = taken(queue.engine)
        assert claim.job.id == first
        queue.engine.end(claim, DONE)
        assert taken(queue.engine).job.id == whole
        assert kept(queue.engine, second).state is State.DONE

    def test_whoever_lost_a_job_parts_nothing(self, queue: Queue) -> None:
        queue.engine.submit(order())
        late = taken(queue.engine)
        queue.pass_ms(LEASE_MS)
        taken(queue.beside(), "two")
        with pytest.raises(LostError):
            queue.engine.end(late, PARTS)
        assert len(queue.engine.jobs()) == 1

    def test_what_nobody_wants_is_not_parted(self, queue: Queue) -> None:
        number = queue.engine.submit(order()).id
        claim = taken(queue.engine)
        queue.engine.cancel(number)
        queue.engine.end(claim, PARTS)
        assert [job.end for job in queue.engine.jobs()] == [UNWANTED]

    @pytest.mark.parametrize("counts", [True, False], ids=["it counts", "it does not"])
    def test_an_attempt_that_was_parted_counts_as_it_says(self, queue: Queue, *, counts: bool) -> None:
        number = queue.engine.submit(order()).id
        queue.engine.end(taken(queue.engine), replace(PARTS, counts=counts))
        assert kept(queue.engine, number).attempts == int(counts)

    def test_who_is_cancelled_is_so_with_all_parts(self, queue: Queue) -> None:
        whole, first, second = parted(queue)
        claim = taken(queue.engine)
        queue.engine.cancel(whole)
        assert states(queue) == {whole: "cancelled", first: "running", second: "cancelled"}
        assert queue.engine.beat(claim)
        queue.engine.end(claim, Again(0, "once more"))
        assert kept(queue.engine, first).end == UNWANTED
        assert queue.engine.claim("one", ROOM) is None

    def test_a_part_that_is_dead_ends_the_others_and_then_its_job_may_tell_it(self, queue: Queue) -> None:
        whole, first, second = parted(queue)
        dying, other = taken(queue.engine), taken(queue.engine)
        queue.engine.end(dying, DEAD)
        assert states(queue) == {whole: "waiting", first: "dead", second: "running"}
        assert queue.engine.beat(other)
        queue.engine.end(other, Ended(State.CANCELLED, 130, "ended"))
        assert taken(queue.engine).job.id == whole
        assert [job.end for job in queue.engine.jobs({State.DEAD}, parent=whole)] == [DEAD]

    def test_parts_that_wait_end_with_the_dead_one(self, queue: Queue) -> None:
        whole, first, second = parted(queue)
        queue.engine.end(taken(queue.engine), DEAD)
        assert states(queue) == {whole: "waiting", first: "dead", second: "cancelled"}
        assert taken(queue.engine).job.id == whole

    def test_who_is_tried_anew_forgets_the_parts_that_have_ended(self, queue: Queue) -> None:
        whole, first, _ = parted(queue)
        runs = taken(queue.engine)
        queue.engine.cancel(whole)
        queue.engine.retry(whole)
        assert states(queue) == {whole: "waiting", first: "running"}
        assert queue.engine.claim("one", ROOM) is None
        queue.engine.end(runs, UNWANTED)
        assert taken(queue.engine).job.id == whole

    def test_nobody_does_to_a_part_what_is_for_its_job(self, queue: Queue) -> None:
        whole, first, _ = parted(queue)
        for act in (queue.engine.cancel, queue.engine.retry):
            with pytest.raises(CommandError, match=rf"job {first} makes a part of job {whole}"):
                act(first)
        assert set(states(queue).values()) == {"waiting"}

    def test_parts_are_told_and_forgotten_with_their_job(self, queue: Queue) -> None:
        whole, first, second = parted(queue)
        for _ in range(2):
            queue.engine.end(taken(queue.engine), DONE)
        queue.pass_ms(1000)
        assert queue.engine.purge(queue.utc_ms, ENDED) == 0
        assert [job.id for job in queue.beside().jobs(parent=whole, most=1)] == [second]
        assert [job.id for job in queue.beside().jobs({State.DONE}, parent=whole, key="part 1")] == [first]
        assert list(queue.engine.jobs({State.DEAD}, parent=whole)) == []
        queue.engine.end(taken(queue.engine), DONE)
        queue.pass_ms(1000)
        assert queue.engine.purge(queue.utc_ms, ENDED) == 3

    def test_what_is_made_already_by_another_is_not_ordered_again(self, queue: Queue) -> None:
        other = queue.engine.submit(order("part 1", priority=-1)).id
        whole = queue.engine.submit(order()).id
        queue.engine.end(taken(queue.engine), PARTS)
        assert [job.order.key for job in queue.engine.jobs(parent=whole)] == ["part 2"]
        assert kept(queue.engine, other).parent == 0
