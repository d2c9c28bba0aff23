"""What several events of one task mean: any order, any of them twice, and the same state and decision."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.vendors.agora.events import parse as parse_agora
from pipeline.vendors.events import Event, Phase
from pipeline.vendors.tasks import MOST_NAMED, Task, Told, Wants
from pipeline.vendors.trtc.events import parse as parse_trtc
from pipeline.vendors.volcengine.events import parse as parse_volcengine
from tests.vendors.calling import APP, TASK, TRTC_NAME, agora, trtc, volcengine_signed, written
from tests.vendors.test_agora_events import COMPOSITE, INDIVIDUAL, WEB
from tests.vendors.test_volcengine_events import FILE, IN_VOD
from tests.vendors.test_volcengine_events import TASK as VOLCENGINE_TASK

if TYPE_CHECKING:
    from collections.abc import Sequence

SHUFFLES = 100
STOP_MS = 1_768_908_670_000


def t(kind: int, after_ms: int = 0, **payload: Any) -> Event:
    """An event of TRTC, so many milliseconds after the stop was asked for."""
    info = {"EventMsTs": STOP_MS + after_ms}
    return parse_trtc(written(trtc(kind, info=info, **payload)), APP)


def a(kind: int, after_ms: int = 0, **details: Any) -> Event:
    """An event of Agora, as `t`."""
    document = agora(kind, **details) | {"noticeId": f"n{kind}", "notifyMs": STOP_MS + after_ms}
    document["payload"]["sendts"] = STOP_MS + after_ms
    return parse_agora(written(document), APP)


def v(kind: str, **data: Any) -> Event:
    """An event of Volcengine."""
    return parse_volcengine(written(volcengine_signed(kind, VOLCENGINE_TASK | data, EventId=kind)), APP)


def mp4(user: str, after_ms: int, status: int = 0) -> Event:
    name = f"{TRTC_NAME.replace('dXNlcl8wMQ..', user)}.mp4"
    return t(310, after_ms, Status=status, FileMessage=[{"FileName": name, "UserId": user}])


# As a real recording of two people in HLS and MP4 stopped: 305 before 302, an MP4 2.6 s later for each user.
REAL = (
    t(301, -35_000, Status=0),
    t(303, -34_900, Status=0),
    t(307, -30_000, FileName=f"{TRTC_NAME}_audio.m3u8", UserId="user_01"),
    t(304, -20_000, FileList=f"{TRTC_NAME}_audio.m3u8"),
    t(305, 310, Status=0),
    t(302, 120, LeaveCode=0),
    mp4("dXNlcl8wMQ..", 2600),
    mp4("dXNlcl8wMg..", 2650),
)
IN_STORE = (a(40, -9000, status=0), a(41, 10, leaveCode=16), a(31, 900, status=0, fileList=INDIVIDUAL))
SEQUENCES: dict[str, tuple[Sequence[Event], Wants]] = {
    "nothing but a start": (REAL[:2], Wants.NOTHING),
    "started and stopped, and nothing of the files": ((REAL[0], REAL[5]), Wants.NOTHING),
    "as a real recording of TRTC stopped": (REAL, Wants.JOB),
    "slices stuck": ((t(301, Status=0), t(305, Status=1), t(302)), Wants.WAIT),
    "slices stuck, and then there": ((t(305, Status=1), t(302), t(305, 60_000, Status=2)), Wants.JOB),
    "slices stuck, and finished files there": ((t(305, Status=1), mp4("dXNlcl8wMQ..", 9)), Wants.WAIT),
    "finished files and nothing else": ((t(302), mp4("dXNlcl8wMQ..", 9), mp4("YQ..", 12)), Wants.QUIET),
    "a finished file that could not be made beside slices": (
        (t(305, Status=0), mp4("YQ..", 9, status=2)),
        Wants.JOB,
    ),
    "a finished file that could not be made, and no slices": (
        (t(302), mp4("YQ..", 9, status=2)),
        Wants.NEVER,
    ),
    "an upload that had an error and ended well": ((t(308), t(305, 900, Status=0)), Wants.JOB),
    "an upload that had an error": ((t(302), t(308)), Wants.NEVER),
    "a recorder that did not start": ((t(301, Status=1),), Wants.NEVER),
    "kept in VOD": (
        (t(301, Status=0), t(302), t(311, Status=0), t(311, 5, Status=2), t(312, 9, Status=0)),
        Wants.NEVER,
    ),
    "Agora, in the store": (IN_STORE, Wants.JOB),
    "Agora, the exit before the upload's end": ((*IN_STORE, a(11, 800, exitStatus=0)), Wants.JOB),
    "Agora, in the backup": ((*IN_STORE[:2], a(32, fileList=COMPOSITE), a(11, exitStatus=0)), Wants.WAIT),
    "Agora, in the backup, and then in the store": ((*IN_STORE, a(32, fileList=COMPOSITE)), Wants.JOB),
    "Agora, the end of the upload never heard of": ((*IN_STORE[:2], a(11, exitStatus=0)), Wants.QUIET),
    "Agora, a web page": (
        (a(70), a(71, fileList=WEB), a(33, progress=10000), a(11, exitStatus=0)),
        Wants.QUIET,
    ),
    "Agora, a fail-over": ((a(40), a(11, 5, exitStatus=1), a(12, 9, newUid=7), a(31, 99)), Wants.JOB),
    "Agora, in VOD": ((a(40), a(60), a(61), a(41, leaveCode=2)), Wants.NEVER),
    "Volcengine, with its files": (
        (v("RecordStarted"), v("RecordStopped", RecordFileList=[FILE])),
        Wants.JOB,
    ),
    "Volcengine, without files": ((v("RecordStarted"), v("RecordStopped")), Wants.NOTHING),
    "Volcengine, the upload after the stop": ((v("RecordStopped"), v("RecordUploadDone")), Wants.JOB),
    "Volcengine, in VOD": ((v("RecordStarted"), v("RecordStopped", RecordFileList=[IN_VOD])), Wants.NEVER),
}
every_sequence = pytest.mark.parametrize(("events", "wants"), SEQUENCES.values(), ids=list(SEQUENCES))


@every_sequence
def test_a_sequence_wants_what_it_should(events: Sequence[Event], wants: Wants) -> None:
    task = Task.of(events)
    assert task.wants() is wants
    explained = wants in {Wants.NEVER, Wants.WAIT, Wants.QUIET}
    assert bool(task.reason) is explained


@every_sequence
def test_a_hundred_shuffles_with_duplicates_give_one_task(events: Sequence[Event], wants: Wants) -> None:
    dice = random.Random(7)  # noqa: S311 - an order, not a secret
    for _ in range(SHUFFLES):
        some = [*events, *dice.choices(events, k=dice.randrange(5))]
        dice.shuffle(some)
        task = Task.of(some)
        assert task == Task.of(events)
        assert task.wants() is wants


@pytest.mark.parametrize("order", list(permutations((t(305, Status=1), t(305, 60_000, Status=2), t(302)))))
def test_what_was_stuck_and_came_is_one_complete_job_in_every_order(order: Sequence[Event]) -> None:
    assert Task.of(order).wants() is Wants.JOB


def test_no_event_takes_a_decision_back() -> None:
    """What is uploaded stays so, whatever comes after."""
    task = Task.of(REAL)
    for event in (
        t(305, 99_999, Status=1),
        t(308, 99_999),
        t(311, 99_999, Status=2),
        t(301, 99_999, Status=1),
    ):
        assert task.after(event).wants() is Wants.JOB


def test_a_task_holds_what_its_events_told() -> None:
    assert Task.of(REAL) == Task(
        vendor="trtc",
        app=APP,
        task=TASK,
        told=(
            (Phase.OTHER, Told(STOP_MS - 20_000, "")),
            (Phase.READY, Told(STOP_MS + 310, "")),
            (Phase.SETTLING, Told(STOP_MS + 2650, REAL[-1].reason)),
            (Phase.STARTED, Told(STOP_MS - 35_000, "")),
            (Phase.STOPPED, Told(STOP_MS + 120, "")),
        ),
        first_ms=STOP_MS - 35_000,
        last_ms=STOP_MS + 2650,
        room="20015",
        files=(
            f"{TRTC_NAME}.mp4",
            f"{TRTC_NAME}_audio.m3u8",
            f"{TRTC_NAME.replace('dXNlcl8wMQ..', 'dXNlcl8wMg..')}.mp4",
        ),
        users=("dXNlcl8wMQ..", "dXNlcl8wMg..", "user_01"),
    )


def test_the_reason_is_that_of_the_last_event_of_what_decides() -> None:
    task = Task.of((t(301, 0, Status=1), t(308, 5), a_reason := t(303, 9, Status=1)))
    assert task.reason == a_reason.reason == "The upload did not start."


def test_a_task_of_no_event_wants_nothing() -> None:
    task = Task("trtc", APP, TASK)
    assert (task.wants(), task.reason, task.phases) == (Wants.NOTHING, "", frozenset())


@pytest.mark.parametrize("change", [{"task": "other"}, {"vendor": "agora"}, {"app": "other"}], ids=str)
def test_an_event_of_another_task_is_none_of_it(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="expected an event of the task"):
        Task.of(REAL).after(replace(REAL[0], **change))  # type: ignore[arg-type] # they are texts


def test_an_event_of_no_task_makes_none() -> None:
    with pytest.raises(ValueError, match="expected an event of the task"):
        Task.of([replace(REAL[0], task="")])


def test_no_events_make_no_task() -> None:
    with pytest.raises(ValueError, match="at least one event"):
        Task.of([])


EVENTS = st.builds(
    Event,
    vendor=st.just("trtc"),
    app=st.just(""),
    key=st.just("key"),
    task=st.just("task"),
    kind=st.just("1"),
    phase=st.sampled_from(Phase),
    at_ms=st.integers(1, 5),
    room=st.sampled_from(["", "a", "b"]),
    user=st.sampled_from(["", "ann", "bob"]),
    files=st.lists(st.sampled_from(["x", "y", "z"])).map(tuple),
    reason=st.sampled_from(["", "so", "thus"]),
    call=st.sampled_from(["", "c", "d"]),
    people=st.lists(st.sampled_from(["ann", "cem"])).map(tuple),
)


@given(st.lists(EVENTS, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_no_order_and_no_repetition_changes_a_task(events: list[Event], dice: random.Random) -> None:
    again = [*events, *events[: dice.randrange(len(events) + 1)]]
    dice.shuffle(again)
    assert Task.of(again) == Task.of(events)


@given(st.lists(EVENTS, min_size=1, max_size=8))
def test_what_a_task_wants_is_said_by_its_phases(events: list[Event]) -> None:
    phases = {event.phase for event in events}
    expected = (
        Wants.JOB
        if Phase.READY in phases
        else Wants.WAIT
        if Phase.PARTIAL in phases
        else Wants.QUIET
        if Phase.SETTLING in phases
        else Wants.NEVER
        if phases & {Phase.KEPT, Phase.FAILED}
        else Wants.NOTHING
    )
    assert Task.of(events).wants() is expected


def test_a_task_of_very_many_files_keeps_the_first_by_name_in_any_order() -> None:
    names = [f"{number:05}" for number in range(MOST_NAMED + 50)]
    events = [replace(REAL[0], files=tuple(names[at : at + 7])) for at in range(0, len(names), 7)]
    one, other = Task.of(events), Task.of(events[::-1])
    assert one == other
    assert list(one.files) == names[:MOST_NAMED]
