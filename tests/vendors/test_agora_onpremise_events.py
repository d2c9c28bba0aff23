"""Event files of the on-premise SDK: real lines, each event, and lines that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.vendors.agora_onpremise import events
from pipeline.vendors.agora_onpremise.events import (
    Closed,
    Created,
    Event,
    Events,
    PictureInfo,
    Rotated,
    SoundInfo,
    read_events,
)
from tests.vendors.laws import patient

SOUND, PICTURES = "0_20190208084418569.aac", "0_20190208084418974.mp4"
REAL = f"""0.000 {SOUND} create
0.404 {PICTURES} create
0.405 {PICTURES} info width=360 height=640 rotation=0
47.294 {PICTURES} close
47.294 {SOUND} close
"""


def test_a_real_file_is_read_in_its_order() -> None:
    assert read_events(REAL) == Events(
        events=(
            Created(0, SOUND),
            Created(404, PICTURES),
            PictureInfo(405, PICTURES, 360, 640, 0),
            Closed(47_294, PICTURES),
            Closed(47_294, SOUND),
        ),
        manual=False,
        notes=(),
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(REAL.replace("\n", "\r\n"), id="CRLF"),
        pytest.param("\ufeff" + REAL, id="a byte order mark"),
        pytest.param(REAL.rstrip("\n"), id="no end of the last line"),
        pytest.param(REAL.replace("\n", "\n\n"), id="blank lines"),
        pytest.param(REAL.replace("\n", " \n"), id="blanks at the ends"),
    ],
)
def test_how_lines_end_does_not_matter(text: str) -> None:
    assert read_events(text) == read_events(REAL)


@pytest.mark.parametrize(
    ("line", "event"),
    [
        pytest.param("1.5 7.aac create", Created(1500, "7.aac"), id="one decimal"),
        pytest.param("12 7.aac close", Closed(12_000, "7.aac"), id="no decimal"),
        pytest.param("0.0005 7.aac create", Created(1, "7.aac"), id="half a millisecond is one"),
        pytest.param("0.00049 7.aac create", Created(0, "7.aac"), id="less is none"),
        pytest.param("1.000 7.aac info channels=2", SoundInfo(1000, "7.aac", 2), id="sound"),
        pytest.param(
            "1.000 7.webm info rotation=270 height=480 width=640",
            PictureInfo(1000, "7.webm", 640, 480, 270),
            id="pictures, in another order",
        ),
        pytest.param("2.000 7.mp4 rotate rotation=90", Rotated(2000, "7.mp4", 90), id="a rotation"),
        pytest.param(
            "3.000 7.mp4 close codecswitch", Closed(3000, "7.mp4", codec_switch=True), id="the codec changes"
        ),
        pytest.param(
            "3.000 7.webm create codecswitch=1", Created(3000, "7.webm", codec_switch=True), id="and did so"
        ),
        pytest.param("3.000 7.mp4 close later", Closed(3000, "7.mp4"), id="another fourth word"),
        pytest.param("3.000 a user.m4a close", Closed(3000, "a user.m4a"), id="a user id with a blank"),
        pytest.param("3.000 7.ts close", Closed(3000, "7.ts"), id="TS"),
    ],
)
def test_a_line_is_an_event(line: str, event: Event) -> None:
    assert read_events(line) == Events((event,), manual=False, notes=())


NO_EVENT = "a line is not <seconds> <file> <event> and is left out"
NO_TURN = "a rotation is no quarter turn and is left out"


@pytest.mark.parametrize(
    ("line", "note"),
    [
        pytest.param("7.aac create", NO_EVENT, id="no time"),
        pytest.param("-1.000 7.aac create", NO_EVENT, id="a time before the start"),
        pytest.param("1,000 7.aac create", NO_EVENT, id="a comma"),
        pytest.param("1e3 7.aac create", NO_EVENT, id="a float of C"),
        pytest.param("\uff11.000 7.aac create", NO_EVENT, id="a digit of another script"),
        pytest.param("1.000 ../7.aac create", NO_EVENT, id="a file in another folder"),
        pytest.param(r"1.000 ..\7.aac create", NO_EVENT, id="a file in another folder of Windows"),
        pytest.param("1.000 7.exe create", NO_EVENT, id="a file that is no media"),
        pytest.param("1.000 7.aac", NO_EVENT, id="no event"),
        pytest.param("47.2", NO_EVENT, id="half a line"),
        pytest.param(
            "1.000 7.aac pause", "an event is not create, info, rotate or close and is left out", id="unknown"
        ),
        pytest.param("1.000 7.mp4 info", "an info has no width and is left out", id="no size"),
        pytest.param(
            "1.000 7.mp4 info width=0 height=1 rotation=0",
            "an info has no width and is left out",
            id="width 0",
        ),
        pytest.param(
            "1.000 7.mp4 info width=1 height=x rotation=0",
            "an info has no height and is left out",
            id="height x",
        ),
        pytest.param(
            "1.000 7.aac info channels=", "an info has no channels and is left out", id="no channels"
        ),
        pytest.param("1.000 7.mp4 info width=1 height=1", NO_TURN, id="no rotation"),
        pytest.param("1.000 7.mp4 rotate rotation=45", NO_TURN, id="an eighth turn"),
    ],
)
def test_a_line_that_is_no_event_is_noted_and_the_others_are_read(line: str, note: str) -> None:
    found = read_events(f"0.000 7.aac create\n{line}\n9.000 7.aac close\n")
    assert found.events == (Created(0, "7.aac"), Closed(9000, "7.aac"))
    assert found.notes == (f"{note}: {line!r}",)


def test_lines_of_one_kind_are_noted_once() -> None:
    assert read_events("a\nb\nc\n").notes == (f"{NO_EVENT}: 'a' and 2 more",)


def test_a_session_that_was_started_by_hand_is_marked() -> None:
    found = read_events(f"new session started\n{REAL}")
    assert found.manual
    assert found.events == read_events(REAL).events
    assert found.notes == ()


def test_no_more_lines_are_read_than_a_recording_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_LINES", 5)
    assert read_events(REAL).notes == ()
    found = read_events(f"{REAL}48.000 {SOUND} create\n")
    assert found.events == read_events(REAL).events
    assert found.notes == (f"only the first 5 lines are read: '48.000 {SOUND} create'",)


@patient
@given(st.text())
def test_any_text_is_read(text: str) -> None:
    found = read_events(text)
    assert bool(found.events or found.notes or found.manual) == bool(text.removeprefix("\ufeff").strip())


@patient
@given(
    st.integers(0, 999_999_999_999),
    st.sampled_from(["create", "close", "rotate rotation=180", "info width=4 height=2 rotation=0"]),
)
def test_every_millisecond_is_read_as_it_was_written(at_ms: int, event: str) -> None:
    (found,) = read_events(f"{at_ms // 1000}.{at_ms % 1000:03d} {PICTURES} {event}").events
    assert (found.at_ms, found.file) == (at_ms, PICTURES)
