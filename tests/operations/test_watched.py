"""Jobs that ended are counted once, however often and late they are seen."""

from __future__ import annotations

import json

import pytest

from pipeline.worker.queue.jobs import Ended, Order, State
from pipeline.worker.serve.operations import watched
from pipeline.worker.serve.operations.watched import Watched
from tests.worker.clocks import Hands
from tests.worker.contract import PARTS, taken
from tests.worker.model import Model


@pytest.fixture
def model() -> Model:
    return Model(Hands())


def end(model: Model, key: str, code: int = 0) -> None:
    model.submit(Order(key, "{}"))
    model.end(taken(model), Ended(State.DONE, code))


def number(watching: Watched) -> int:
    return sum(watching.sums().ended.values())


def test_what_ended_before_is_not_counted_and_what_ends_later_once(model: Model) -> None:
    end(model, "before")
    model.hands.pass_ms(1)
    watching = Watched(model, model.hands.utc_ms)
    assert number(watching) == 0
    for at in range(5):
        end(model, str(at))
        end(model, f"{at} too", code=1)
        assert number(watching) == number(watching) == 2 * (at + 1)
        model.hands.pass_ms(watched.OVERLAP_MS // 3)
    assert watching.sums().ended == {("done", 0, ""): 5, ("done", 1, ""): 5}


def test_an_end_that_is_seen_late_is_counted(model: Model) -> None:
    watching = Watched(model, model.hands.utc_ms)
    model.hands.pass_ms(10)
    end(model, "late")
    (late,) = model.by_number.values()
    del model.by_number[late.id]
    model.hands.pass_ms(watched.OVERLAP_MS - 1)
    end(model, "soon")
    assert number(watching) == 1
    model.by_number[late.id] = late
    assert number(watching) == number(watching) == 2


def test_one_that_is_tried_again_ends_twice(model: Model) -> None:
    watching = Watched(model, model.hands.utc_ms)
    end(model, "a")
    assert number(watching) == 1
    model.hands.pass_ms(5)
    model.retry(1)
    model.end(taken(model), Ended(State.DEAD, 4))
    assert number(watching) == 2
    assert watching.sums().ended == {("done", 0, ""): 1, ("dead", 4, ""): 1}


def test_parts_are_counted_with_their_whole(model: Model) -> None:
    watching = Watched(model, model.hands.utc_ms)
    model.submit(Order("whole", "{}"))
    model.end(taken(model), PARTS)
    for _ in PARTS.orders:
        model.end(taken(model), Ended(State.DONE, 0))
    assert number(watching) == 0
    model.end(taken(model), Ended(State.DONE, 0))
    assert number(watching) == 1


@pytest.mark.parametrize("spread_ms", [0, 1], ids=["at once", "one after another"])
def test_more_ends_than_a_page_has_are_all_counted(
    model: Model, monkeypatch: pytest.MonkeyPatch, spread_ms: int
) -> None:
    monkeypatch.setattr(watched, "MOST", 7)
    watching = Watched(model, model.hands.utc_ms)
    for at in range(7 if not spread_ms else 30):
        end(model, str(at))
        model.hands.pass_ms(spread_ms)
    assert number(watching) == number(watching) == (7 if not spread_ms else 30)


def test_how_many_times_faster_it_was_than_its_recording(model: Model) -> None:
    watching = Watched(model, model.hands.utc_ms)
    output = {"size": 1, "utc_zero_ms": 0, "duration_ms": 60_000}
    for took_ms in (60_000, 6_000, 60, 10):
        model.submit(Order(str(took_ms), "{}"))
        claim = taken(model)
        model.hands.pass_ms(took_ms)
        model.end(claim, Ended(State.DONE, 0, "", json.dumps({"recordings": [{"outputs": [output]}]})))
    sums = watching.sums()
    assert sums.times == [1, 0, 1, 0, 0, 0, 1, 1]
    assert sums.times_in_all == 1 + 10 + 1000 + 6000
    assert (sums.media_ms[""], sums.work_ms[""]) == (240_000, 66_070)
