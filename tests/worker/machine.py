"""Any acts in any order, on an engine and on the `Model`: both say the same, and the laws hold.

An engine's own tests make a subclass that opens one, and give its ``TestCase`` a name.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from pipeline.errors import CommandError, LostError
from pipeline.worker.queue.engine import LEASE_MS
from pipeline.worker.queue.jobs import ENDED, Again, Claim, Ended, Job, Needs, Order, Parted, State
from tests.worker.clocks import Hands
from tests.worker.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.worker.queue.engine import Engine

BUSY = settings(
    deadline=None, max_examples=60, stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow]
)
DAY_MS = 86_400_000
AWAY = st.sampled_from([0, 1, 1000, LEASE_MS, DAY_MS])
"""From now."""
WORKERS = st.sampled_from(["one", "two", "three"])
NUMBERS = st.integers(1, 9)
ENDS = st.builds(
    Ended, st.sampled_from(sorted(ENDED)), st.sampled_from([0, 1, 4]), st.text("a'ü\n", max_size=3)
)


class Machine(RuleBasedStateMachine):
    """One queue, its clocks, and workers that forget their claims, or come back with them much later."""

    claims = Bundle("claims")

    @initialize()
    def begin(self) -> None:
        self.hands = Hands()
        self.model = Model(self.hands)
        self.engine = self.opened(self.hands)
        self.tokens: dict[int, int] = {}

    @abstractmethod
    def opened(self, hands: Hands) -> Engine:
        """Another engine on the queue of this machine, which is empty at first."""

    def same(self, act: Callable[[Engine], Any]) -> Any:
        said, should = _answer(act, self.engine), _answer(act, self.model)
        assert said == should
        return said

    @rule(
        key=st.sampled_from("abcdef"),
        priority=st.integers(-1, 1),
        deadline=st.none() | AWAY,
        wait=AWAY,
        cores=st.integers(1, 3),
        newest=st.none() | st.just(0) | NUMBERS,
    )
    def submit(
        self, key: str, priority: int, deadline: int | None, wait: int, cores: int, newest: int | None
    ) -> None:
        due = 0 if deadline is None else self.hands.utc_ms + deadline
        order = Order(key, "{}", priority, self.hands.utc_ms + wait, due, Needs(cores))
        self.same(lambda queue: queue.submit(order, newest=newest))

    @rule(target=claims, worker=WORKERS, cores=st.integers(1, 3))
    def claim(self, worker: str, cores: int) -> Any:
        said = self.same(lambda queue: queue.claim(worker, Needs(cores)))
        if not isinstance(said, Claim):
            return multiple()
        assert said.token > self.tokens.get(said.job.id, 0)  # whatever else a model may believe
        self.tokens[said.job.id] = said.token
        return said

    @rule(claim=claims, progress=st.integers(-1, 1000))
    def beat(self, claim: Claim, progress: int) -> None:
        said = self.same(lambda queue: queue.beat(claim, progress))
        assert (said is LostError) or self.tokens[claim.job.id] == claim.token

    @rule(claim=claims, how=ENDS)
    def end(self, claim: Claim, how: Ended) -> None:
        self.same(lambda queue: queue.end(claim, how))

    @rule(claim=claims, wait=AWAY, counts=st.booleans())
    def again(self, claim: Claim, wait: int, *, counts: bool) -> None:
        how = Again(self.hands.utc_ms + wait, "once more", counts)
        self.same(lambda queue: queue.end(claim, how))

    @rule(claim=claims, keys=st.sets(st.sampled_from("pqrs"), min_size=1), counts=st.booleans())
    def part(self, claim: Claim, keys: set[str], *, counts: bool) -> None:
        orders = tuple(Order(f"{claim.job.id}{key}", "{}") for key in sorted(keys))
        self.same(lambda queue: queue.end(claim, Parted(orders, "parted", counts)))

    @rule(number=NUMBERS)
    def cancel(self, number: int) -> None:
        self.same(lambda queue: queue.cancel(number))

    @rule(number=NUMBERS)
    def retry(self, number: int) -> None:
        self.same(lambda queue: queue.retry(number))

    @rule(ago=AWAY, states=st.sets(st.sampled_from(State)))
    def purge(self, ago: int, states: set[State]) -> None:
        before_ms = self.hands.utc_ms - ago
        self.same(lambda queue: queue.purge(before_ms, states))

    @rule(states=st.sets(st.sampled_from(State)), key=st.sampled_from(["", "a", "b"]), most=st.integers(1, 9))
    def look(self, states: set[State], key: str, most: int) -> None:
        self.same(lambda queue: list(queue.jobs(states, key=key, most=most)))

    @rule(ms=st.sampled_from([1, 1000, LEASE_MS - 1, LEASE_MS, DAY_MS]))
    def time_passes(self, ms: int) -> None:
        self.hands.pass_ms(ms)

    @rule(claim=consumes(claims))
    def a_worker_dies(self, claim: Claim) -> None:
        """Nobody ever says anything about its claim."""

    @rule()
    def the_process_starts_anew(self) -> None:
        self.engine.close()
        self.engine = self.opened(self.hands)

    @invariant()
    def no_job_is_lost_and_no_key_works_twice(self) -> None:
        jobs = list(self.engine.jobs())
        assert jobs == list(self.model.jobs())
        open_keys = [job.order.key for job in jobs if job.state not in ENDED]
        assert len(open_keys) == len(set(open_keys))

    def teardown(self) -> None:
        if not hasattr(self, "engine"):
            return
        self.all_that_is_left_is_done_in_order()
        self.engine.close()

    def all_that_is_left_is_done_in_order(self) -> None:
        """However it was left, and the clock set: long after, everything can be brought to its end."""
        self.hands.pass_ms(999 * DAY_MS)
        done: list[Job] = []
        while claim := self.engine.claim("the last", Needs(cores=3)):
            self.engine.end(claim, Ended(State.DONE, 0))
            done.append(claim.job)
        assert all(job.state in ENDED for job in self.engine.jobs())
        assert len({job.id for job in done}) == len(done)
        whole = [job for job in done if not job.parts]  # what has parts waits for them
        assert whole == sorted(
            whole, key=lambda j: (-j.order.priority, j.order.deadline_ms or float("inf"), j.id)
        )


class OfOneMachine(Machine):
    """For engines whose leases go by the clocks of the machine, not by those of a server."""

    @rule(by=st.sampled_from([-DAY_MS, -1, 1, LEASE_MS, DAY_MS]))
    def somebody_sets_the_clock(self, by: int) -> None:
        self.hands.utc_ms += by

    @rule(since_ms=st.sampled_from([0, 5_000_000, 10**9]))
    def the_machine_starts_anew(self, since_ms: int) -> None:
        self.hands.boot += "'"
        self.hands.since_ms = since_ms


def _answer(act: Callable[[Engine], Any], engine: Engine) -> Any:
    try:
        return act(engine)
    except (LostError, CommandError) as error:
        return type(error)
