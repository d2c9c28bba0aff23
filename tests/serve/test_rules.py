"""What a rule wants of a task: by its phases, whatever the order of its events."""

from __future__ import annotations

import pytest

from pipeline.vendors.events import Event, Phase
from pipeline.vendors.tasks import Task, Wants
from pipeline.worker.serve.inbox.filling import Template
from pipeline.worker.serve.inbox.rules import QUIET_MS, USUAL, Move, Rule, of_task, wanted

HEARD_MS, LIMIT_MS = 1_000_000, 6 * 3_600_000


def rule(phases: frozenset[Phase] = USUAL, vendor: str = "trtc", app: str = "") -> Rule:
    return Rule("r", vendor, app, phases, Template("{}"), LIMIT_MS, 86_400_000)


def task(*phases: Phase, app: str = "1", name: str = "t", vendor: str = "trtc") -> Task:
    return Task.of(
        Event(vendor, app, str(number), name, "", phase, 7 + number, reason=f"Because {phase}.")
        for number, phase in enumerate(phases)
    )


@pytest.mark.parametrize(
    ("phases", "move"),
    [
        pytest.param((Phase.STARTED,), Move.NOTHING, id="it is still recorded"),
        pytest.param((Phase.STARTED, Phase.STOPPED), Move.NOTHING, id="files are on their way"),
        pytest.param((Phase.READY,), Move.JOB, id="all is there"),
        pytest.param((Phase.PARTIAL,), Move.WAIT, id="a part is stuck"),
        pytest.param((Phase.PARTIAL, Phase.READY), Move.JOB, id="and came"),
        pytest.param((Phase.READY, Phase.PARTIAL), Move.JOB, id="or came before it was told to be stuck"),
        pytest.param((Phase.SETTLING,), Move.WAIT, id="files without a last one"),
        pytest.param((Phase.KEPT,), Move.NEVER, id="in the vendor's VOD"),
        pytest.param((Phase.FAILED,), Move.NEVER, id="the recorder failed"),
        pytest.param((Phase.FAILED, Phase.READY), Move.JOB, id="it failed, and all there is is there"),
    ],
)
def test_what_a_usual_rule_wants(phases: tuple[Phase, ...], move: Move) -> None:
    found = wanted(rule(), task(*phases), heard_ms=HEARD_MS, now_ms=HEARD_MS)
    assert found.move is move
    usual = {Wants.QUIET: Move.WAIT, Wants.WAIT: Move.WAIT, Wants.JOB: Move.JOB}
    usual |= {Wants.NEVER: Move.NEVER, Wants.NOTHING: Move.NOTHING}
    assert usual[task(*phases).wants()] is move


@pytest.mark.parametrize(("phase", "after_ms"), [(Phase.PARTIAL, LIMIT_MS), (Phase.SETTLING, QUIET_MS)])
def test_who_waits_waits_by_our_clock_and_not_for_ever(phase: Phase, after_ms: int) -> None:
    def at(ms: int) -> tuple[Move, int]:
        found = wanted(rule(), task(phase), heard_ms=HEARD_MS, now_ms=HEARD_MS + ms)
        return found.move, found.due_ms

    assert at(after_ms - 1) == (Move.WAIT, HEARD_MS + after_ms)
    assert at(after_ms)[0] is Move.JOB


@pytest.mark.parametrize("phase", [Phase.STOPPED, Phase.FAILED])
def test_a_rule_may_begin_with_less(phase: Phase) -> None:
    found = wanted(rule(frozenset({phase})), task(Phase.STARTED, phase), heard_ms=HEARD_MS, now_ms=HEARD_MS)
    assert (found.move, found.at_ms) == (Move.JOB, 8)


def test_a_rule_that_does_not_begin_with_parts_does_not_wait_for_them() -> None:
    found = wanted(rule(frozenset({Phase.READY})), task(Phase.PARTIAL), heard_ms=0, now_ms=1 << 60)
    assert found.move is Move.NOTHING


def test_a_rule_takes_its_vendor_and_its_app_and_of_stores_its_bucket() -> None:
    every = {name: rule(vendor=vendor, app=app) for name, vendor, app in (
        ("any", "trtc", ""), ("one", "trtc", "1"), ("two", "trtc", "2"), ("calls", "s3", "calls"),
    )}  # fmt: skip
    assert [every[name] for name in ("any", "one")] == of_task(every, task(Phase.READY))
    stored = task(Phase.SETTLING, app="", name="calls/a/b", vendor="s3")
    assert of_task(every, stored) == [every["calls"]]
    assert of_task(every, task(Phase.SETTLING, app="", name="calls2/a", vendor="s3")) == []
