"""What may run together: laws of admission."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline import api
from pipeline.worker.queue.jobs import Needs
from pipeline.worker.shift.outcomes import needs_of
from pipeline.worker.shift.room import (
    ANYTHING,
    UNPLANNED,
    Asking,
    at_least,
    fits,
    left,
    let_in,
    room_for_next,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.demo.made import Made

MB = 1_000_000
MACHINE = Needs(cores=4, memory=8_000 * MB, disk=100_000 * MB)

needs = st.builds(
    Needs,
    cores=st.integers(0, 6),
    memory=st.integers(0, 12_000).map(lambda n: n * MB),
    disk=st.integers(0, 150_000).map(lambda n: n * MB),
)
askings = st.lists(st.tuples(st.integers(0, 3), needs), max_size=6).map(
    lambda told: [Asking(number, (rank,), each) for number, (rank, each) in enumerate(told)]
)


@given(asking=askings)
def test_whoever_is_let_in_together_fits_or_is_alone(asking: list[Asking]) -> None:
    found = let_in(MACHINE, [], asking)
    taken = [at_least(each.needs) for each in asking if each.id in found]
    room = Needs(sum(n.cores for n in taken), sum(n.memory for n in taken), sum(n.disk for n in taken))
    assert len(found) <= 1 or fits(room, MACHINE)


@given(asking=askings)
def test_somebody_is_always_let_in_where_nobody_works(asking: list[Asking]) -> None:
    assert bool(let_in(MACHINE, [], asking)) is bool(asking)


@given(asking=askings, working=st.lists(needs, max_size=3))
def test_nobody_overtakes_one_who_does_not_fit_yet(asking: list[Asking], working: list[Needs]) -> None:
    in_order = [each.id for each in sorted(asking, key=lambda one: (one.rank, one.id))]
    found = let_in(MACHINE, list(map(at_least, working)), asking)
    assert found == in_order[: len(found)]


@given(large=needs.filter(lambda each: not fits(each, MACHINE)), small=needs)
@example(large=Needs(cores=1, disk=101_000 * MB), small=Needs(cores=1))
def test_a_job_larger_than_the_machine_runs_alone(large: Needs, small: Needs) -> None:
    first, second = Asking(1, (0,), large), Asking(2, (1,), small)
    assert let_in(MACHINE, [], [second, first]) == [1]
    assert let_in(MACHINE, [at_least(small)], [first]) == []


@given(each=st.lists(needs, max_size=5))
def test_nothing_less_than_nothing_is_left(each: list[Needs]) -> None:
    found = left(MACHINE, each)
    assert min(found.cores, found.memory, found.disk) >= 0


@given(running=st.lists(needs, max_size=5))
def test_what_is_claimed_next_fits_beside_what_is(running: list[Needs]) -> None:
    room = room_for_next(MACHINE, running)
    if not running:
        assert room == ANYTHING
    elif room is not None:
        assert fits(UNPLANNED, room)
        assert room == left(MACHINE, map(at_least, running))


def test_there_is_no_room_for_a_next_one_beside_one_that_takes_all() -> None:
    assert room_for_next(MACHINE, [MACHINE]) is None
    assert room_for_next(MACHINE, [Needs(cores=9)]) is None


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_what_a_plan_takes_grows_with_how_much_is_made_at_once(
    made: Callable[[str], Made], jobs: int
) -> None:
    (plan,) = api.plan(made("plain-agora").place)
    found = needs_of(plan, jobs)
    memories = sorted((output.estimate.memory for output in plan.outputs), reverse=True)
    assert len(memories) == 2
    assert found.memory == sum(memories[:jobs])
    assert found.disk >= sum(output.estimate.size for output in plan.outputs)
    assert 1 <= found.cores <= jobs
