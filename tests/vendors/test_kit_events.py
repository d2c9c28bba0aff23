"""TUICallKit's and the live kit's callbacks: what is wrapped, the end of a call, the signature in the URL."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.vendors.events import Event, Phase
from pipeline.vendors.trtc import events as plain
from pipeline.vendors.trtc.kit_events import CALL, ENDED, LIVE, check, parse, reply
from tests.vendors.calling import (
    APP,
    NEXT,
    NOW_MS,
    OWN,
    SECRETS,
    STRANGE,
    came,
    kit_signed,
    refusal,
    trtc,
    written,
)

CALL_ID = "f6273604-3806-4abb-bc7e-090cd9208ee6"
PAGE: dict[str, Any] = {
    "CallId": CALL_ID,
    "Callback": {
        "EventGroupId": 3,
        "EventType": 301,
        "CallbackTs": 1774425607091,
        "EventInfo": {
            "RoomId": "1280586498",
            "EventTs": 1774425607,
            "UserId": "callkit_1500099430_record_1280586498",
            "TaskId": "-nHuqHlU7islZCDCjMne7HY2TJoU1NbbDkHjVoK-yqHu8ZWQndibQJtEhvB6ShqolkmNmnxz7AE.",
            "Payload": {"Status": 0},
            "EventMsTs": 1774425607077,
        },
        "KitType": 2,
    },
    "CallbackCommand": CALL,
    "EventTime": 1774425607149,
}
CALL_ENDED: dict[str, Any] = {
    "CallbackCommand": ENDED,
    "CallRecord": {
        "CallId": "055662e1-bc8a-469c-a334-1126c8c17d58",
        "Caller_Account": "10001",
        "MediaType": "Audio",
        "CallType": "SingleCall",
        "StartTime": 1741231146,
        "EndTime": 1741231296,
        "AcceptTime": 0,
        "CallResult": "NotAnswer",
        "CalleeList_Account": ["10001", "user2"],
        "RoomId": "roomid-1434",
        "RoomIdType": 2,
    },
    "EventTime": 1703589922780,
}


def read(document: Any) -> Event:
    return parse(written(document), APP)


def test_the_event_of_a_call_is_trtc_s_with_the_call_beside_it() -> None:
    inner = plain.parse(written(PAGE["Callback"]), APP)
    event = read(PAGE)
    assert (event.call, event.phase, event.room) == (CALL_ID, Phase.STARTED, "1280586498")
    assert (event.vendor, event.key, event.task) == ("trtc", inner.key, inner.task)


@pytest.mark.parametrize(
    ("kind", "phase"), [(301, Phase.STARTED), (305, Phase.READY), (311, Phase.KEPT), (312, Phase.KEPT)]
)
def test_the_event_of_a_live_stream_is_flat(kind: int, phase: Phase) -> None:
    document = trtc(kind, Status=0)
    event = read(document | {"CallbackCommand": LIVE})
    assert event == plain.parse(written(document), APP)
    assert event.phase is phase


def test_the_end_of_a_call_joins_its_room_and_its_people() -> None:
    assert read(CALL_ENDED) == Event(
        vendor="trtc",
        app=APP,
        key=f'["{ENDED}","055662e1-bc8a-469c-a334-1126c8c17d58",1703589922780]',
        task="",
        kind=ENDED,
        phase=Phase.OTHER,
        at_ms=1703589922780,
        room="roomid-1434",
        user="10001",
        people=("user2",),
        call="055662e1-bc8a-469c-a334-1126c8c17d58",
    )


def test_the_end_of_a_call_may_have_a_number_for_a_room_and_seconds_for_a_time() -> None:
    record = CALL_ENDED["CallRecord"] | {"RoomId": 1434}
    event = read({"CallbackCommand": ENDED, "CallRecord": record})
    assert (event.room, event.at_ms) == ("1434", 1741231296000)


def test_another_command_is_unknown() -> None:
    event = read({"CallbackCommand": "Call.CallbackAfterStartCall", "EventTime": 1703589922780})
    assert (event.phase, event.task, event.kind) == (Phase.UNKNOWN, "", "Call.CallbackAfterStartCall")
    assert event.reason.startswith("The command Call.CallbackAfterStartCall tells nothing")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        pytest.param(
            {},
            "CallbackCommand has to be a command such as Call.CallbackAfterEndCall and is missing.",
            id="-",
        ),
        pytest.param(
            {"CallbackCommand": "../x"},
            "CallbackCommand has to be a command such as Call.CallbackAfterEndCall.",
            id="a command of no form",
        ),
        pytest.param(
            {"CallbackCommand": CALL}, "Callback has to be an object and is missing.", id="nothing in it"
        ),
        pytest.param(
            PAGE | {"CallId": "a/b"},
            "CallId has to be an id of 1 to 128 visible characters without slashes.",
            id="a call of no form",
        ),
        pytest.param(
            PAGE | {"Callback": trtc(305, info={"RoomId": "../a"})},
            (
                "Callback.EventInfo.RoomId has to be "
                "1 to 64 letters, digits, spaces and punctuation without slashes."
            ),
            id="a room of no form",
        ),
        pytest.param(
            {"CallbackCommand": ENDED, "CallRecord": {"CallId": "a", "CalleeList_Account": ["a", "b/c"]}},
            "CallRecord.EndTime has to be a whole number from 1000000000 to 253402300799 and is missing.",
            id="no time",
        ),
        pytest.param(
            CALL_ENDED | {"CallRecord": {"CallId": "a", "CalleeList_Account": ["a", "b/c"]}},
            "CallRecord.CalleeList_Account[1] has to be 1 to 256 printable characters without slashes.",
            id="a person of no form",
        ),
        pytest.param(
            {"CallbackCommand": "Call.Other", "EventTime": "x"},
            "EventTime has to be a whole number from 1000000000000 to 253402300799999.",
            id="no time of an unknown command",
        ),
    ],
)
def test_what_is_malformed_is_named(document: Any, said: str) -> None:
    assert refusal(lambda: read(document)) == (400, said)


WRONG = (401, "The signature is not that of any secret which is known for this app.")
AWAY = (401, "RequestTime is more than a minute away from the clock here.")
GOOD = kit_signed(CALL)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(GOOD, id="as the pages have it"),
        pytest.param(kit_signed(CALL, NEXT), id="the next token"),
        pytest.param(GOOD.replace("SdkAppid", "SdkAppId"), id="the live kit's spelling"),
        pytest.param(f"{GOOD}&SdkAppId={APP}", id="both spellings, the same app"),
        pytest.param(kit_signed(CALL, at_ms=NOW_MS - 60_000), id="a minute ago"),
        pytest.param(kit_signed(CALL, at_ms=NOW_MS + 60_000), id="in a minute"),
        pytest.param("=".join((GOOD[:-65], GOOD[-64:].upper())), id="capital letters"),
    ],
)
def test_a_right_signature_tells_the_app(query: str) -> None:
    assert check(came(b"{}", query=query), SECRETS) == APP


@pytest.mark.parametrize(
    ("query", "told"),
    [
        pytest.param(
            f"SdkAppid={APP}",
            (401, "Sign or RequestTime in the URL is missing: this address takes signed callbacks only."),
            id="none",
        ),
        *(
            pytest.param(
                "&".join(part for part in GOOD.split("&") if not part.startswith(name)),
                (401, "Sign or RequestTime in the URL is missing: this address takes signed callbacks only."),
                id=f"no {name}",
            )
            for name in ("Sign", "RequestTime")
        ),
        pytest.param(
            GOOD.replace("SdkAppid", "App"),
            (401, "One SdkAppid in the URL is missing: this address takes signed callbacks only."),
            id="no app",
        ),
        pytest.param(
            f"{GOOD}&SdkAppId=1400000002",
            (401, "One SdkAppid in the URL is missing: this address takes signed callbacks only."),
            id="two apps",
        ),
        pytest.param(
            f"{GOOD}&Sign=0", (401, "The argument Sign came 2 times, expected it once."), id="two signatures"
        ),
        pytest.param(kit_signed(CALL, STRANGE), WRONG, id="a stranger's token"),
        pytest.param(kit_signed(CALL, OWN, "1400000002"), WRONG, id="for another app"),
        pytest.param(kit_signed(CALL, OWN, "1400000009"), WRONG, id="for an app that nobody knows"),
        pytest.param(GOOD.replace("RequestTime=1", "RequestTime=2"), WRONG, id="another time"),
        pytest.param(kit_signed(CALL, at_ms=NOW_MS - 61_000), AWAY, id="more than a minute ago"),
        pytest.param(kit_signed(CALL, at_ms=NOW_MS + 61_000), AWAY, id="in more than a minute"),
        pytest.param(kit_signed(CALL, at_ms=0), AWAY, id="no time"),
        pytest.param(
            "&".join(f"a{n}=1" for n in range(40)) + f"&{GOOD}",
            (401, "Sign or RequestTime in the URL is missing: this address takes signed callbacks only."),
            id="more arguments than anybody sends",
        ),
    ],
)
def test_any_other_signature_is_refused(query: str, told: tuple[int, str]) -> None:
    assert refusal(lambda: check(came(b"{}", query=query), SECRETS)) == told


def test_the_reply_is_the_page_s() -> None:
    assert reply(read(PAGE)) == b'{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}'
