"""TRTC's callbacks: each event's phase, what enters an event, the tuple that is its key, signatures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.vendors.events import Event, Phase
from pipeline.vendors.trtc.events import KINDS, check, parse, reply
from tests.vendors.calling import (
    APP,
    NEXT,
    OWN,
    SECRETS,
    STRANGE,
    TASK,
    TRTC_NAME,
    came,
    refusal,
    trtc,
    trtc_signed,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGES = [
    {
        "FileName": f"{TRTC_NAME}.mp4",
        "UserId": "user_01",
        "TrackType": "audio_video",
        "MediaId": "main",
        "StartTimeStamp": 1_622_186_279_145,
        "EndTimeStamp": 1_622_186_282_145,
    },
    {
        "FileName": f"{TRTC_NAME}_1.mp4",
        "UserId": "user_02",
        "TrackType": "audio_video",
        "MediaId": "main",
        "StartTimeStamp": 1_622_186_279_153,
        "EndTimeStamp": 1_622_186_282_153,
    },
]
VOD = {
    "UserId": "user_01",
    "TrackType": "audio_video",
    "MediaId": "main",
    "FileId": "5285890813",
    "VideoUrl": "http://127.0.0.9:1/x",
    "CacheFile": f"{TRTC_NAME}.mp4",
    "StartTimeStamp": 1_622_186_279_153,
    "EndTimeStamp": 1_622_186_282_153,
}
IN_VOD = "The recording is kept in Tencent's VOD: there is nothing in a store to merge."
WEB_FAILED = "The recording of a web page failed."


def read(document: Any) -> Event:
    return parse(written(document), APP)


def no_status(kind: int, words: str = "no status") -> str:
    return f"No page of TRTC's names {words} for the event {kind}."


@pytest.mark.parametrize(
    ("kind", "payload", "phase", "reason"),
    [
        pytest.param(301, {"Status": 0}, Phase.STARTED, "", id="the recorder starts"),
        pytest.param(301, {"Status": 1}, Phase.FAILED, "The recorder did not start.", id="it does not"),
        pytest.param(302, {"LeaveCode": 0}, Phase.STOPPED, "", id="the recorder stops"),
        pytest.param(302, {"LeaveCode": 99}, Phase.STOPPED, "", id="nobody is left"),
        pytest.param(303, {"Status": 0}, Phase.OTHER, "", id="the upload starts"),
        pytest.param(303, {"Status": 1}, Phase.FAILED, "The upload did not start.", id="the upload fails"),
        pytest.param(304, {"FileList": f"{TRTC_NAME}_audio.m3u8"}, Phase.OTHER, "", id="a playlist"),
        pytest.param(305, {"Status": 0}, Phase.READY, "", id="all is uploaded"),
        pytest.param(305, {"LeaveCode": 0}, Phase.READY, "", id="all is uploaded, as the table has it"),
        pytest.param(
            305,
            {"Status": 1},
            Phase.PARTIAL,
            "At least one file is still at the recorder and comes later.",
            id="something is stuck",
        ),
        pytest.param(305, {"Status": 2}, Phase.READY, "", id="what was stuck came"),
        pytest.param(305, {"Status": 3}, Phase.UNKNOWN, no_status(305, "the status 3"), id="no such status"),
        pytest.param(305, {}, Phase.UNKNOWN, no_status(305), id="no status"),
        pytest.param(306, {"Status": 0}, Phase.OTHER, "", id="a fail-over"),
        pytest.param(
            307,
            {"FileName": f"{TRTC_NAME}_audio.m3u8", "UserId": "user_01", "BeginTimeStamp": "1622186279145"},
            Phase.OTHER,
            "",
            id="a first slice",
        ),
        pytest.param(
            308,
            {"Code": "x", "Message": "y"},
            Phase.FAILED,
            "The recorder told an error of its upload.",
            id="an error of the upload",
        ),
        pytest.param(309, {"Url": "http://127.0.0.9:1/"}, Phase.OTHER, "", id="a picture is not there"),
        pytest.param(
            310,
            {"Status": 0, "FileMessage": MESSAGES},
            Phase.SETTLING,
            "A finished file is in the store, and no event tells which is the last.",
            id="a finished file",
        ),
        pytest.param(
            310,
            {"Status": 1},
            Phase.PARTIAL,
            "At least one finished file is still at the recorder and comes later.",
            id="a finished file is stuck",
        ),
        pytest.param(
            310,
            {"Status": 2},
            Phase.FAILED,
            "The recorder could not make a finished file.",
            id="no finished file",
        ),
        pytest.param(311, {"Status": 0, "TencentVod": VOD}, Phase.KEPT, IN_VOD, id="VOD has it"),
        pytest.param(
            311, {"Status": 1, "Errmsg": "xxx", "TencentVod": VOD}, Phase.KEPT, IN_VOD, id="VOD waits for it"
        ),
        pytest.param(311, {"Status": 2, "Errmsg": "xxx"}, Phase.KEPT, IN_VOD, id="VOD lost it"),
        pytest.param(312, {"Status": 0}, Phase.KEPT, IN_VOD, id="VOD is done"),
        pytest.param(312, {"Status": 1}, Phase.KEPT, IN_VOD, id="VOD ended abnormally"),
        pytest.param(399, {}, Phase.UNKNOWN, "No page of TRTC's names the event 399 of the group 3.", id="?"),
        pytest.param(801, {"Status": 1, "EventMessage": "Success"}, Phase.STARTED, "", id="a web page"),
        pytest.param(801, {"Status": 2}, Phase.FAILED, WEB_FAILED, id="a web page does not start"),
        pytest.param(801, {"Status": 3}, Phase.OTHER, "", id="a web page broke, and goes on"),
        pytest.param(801, {"Status": 4}, Phase.OTHER, "", id="a web page moved, and goes on"),
        pytest.param(801, {"Status": 5}, Phase.FAILED, WEB_FAILED, id="a web page broke for good"),
        pytest.param(801, {"Status": 9}, Phase.UNKNOWN, no_status(801, "the status 9"), id="a web page?"),
        pytest.param(802, {"Status": 1}, Phase.STOPPED, "", id="a web page stops"),
        pytest.param(803, {"Status": 2}, Phase.OTHER, "", id="a web page pauses"),
        pytest.param(804, {"Status": 1}, Phase.OTHER, "", id="a web page was too long"),
    ],
)
def test_an_event_has_its_phase(kind: int, payload: dict[str, Any], phase: Phase, reason: str) -> None:
    event = read(trtc(kind, group=8 if kind > 800 else 3, **payload))
    assert (event.phase, event.reason, event.kind, event.task) == (phase, reason, str(kind), TASK)


def test_every_event_of_the_pages_is_in_the_table() -> None:
    """The table above is read back: nothing is known that is not tested."""
    (table,) = test_an_event_has_its_phase.pytestmark
    assert {case.values[0] for case in table.args[1]} - {399} == KINDS


@pytest.mark.parametrize(("group", "kind"), [(1, 103), (2, 204), (4, 401)])
def test_events_of_rooms_of_media_and_of_relays_are_of_no_recording(group: int, kind: int) -> None:
    event = read(
        {"EventGroupId": group, "EventType": kind, "EventInfo": {"RoomId": 12345, "EventTs": 1608441737}}
    )
    assert (event.phase, event.task, event.room) == (Phase.OTHER, "", "12345")


def test_an_event_holds_what_was_told() -> None:
    assert read(trtc(310, Status=0, FileList=[f"{TRTC_NAME}.mp4"], FileMessage=MESSAGES[:1])) == Event(
        vendor="trtc",
        app=APP,
        key=json.dumps([TASK, 310, 1_768_908_670_757, 0, f"{TRTC_NAME}.mp4"], separators=(",", ":")),
        task=TASK,
        kind="310",
        phase=Phase.SETTLING,
        at_ms=1_768_908_670_757,
        room="20015",
        user="user_01",
        files=(f"{TRTC_NAME}.mp4",),
        reason="A finished file is in the store, and no event tells which is the last.",
    )


def test_several_files_are_of_several_people() -> None:
    event = read(trtc(310, Status=0, FileMessage=MESSAGES))
    assert (event.user, event.people, event.files) == (
        "",
        ("user_01", "user_02"),
        (f"{TRTC_NAME}.mp4", f"{TRTC_NAME}_1.mp4"),
    )


@pytest.mark.parametrize(
    "info",
    [
        pytest.param({"RoomId": 20015}, id="a room's number"),
        pytest.param({"EventTs": 1768908670}, id="seconds as a number"),
        pytest.param({"EventMsTs": "1768908670757"}, id="milliseconds as a text"),
        pytest.param({"UserId": ""}, id="no robot"),
    ],
)
def test_numbers_and_texts_mean_the_same(info: dict[str, Any]) -> None:
    assert read(trtc(305, Status=0, info=info)) == read(trtc(305, Status="0"))


def test_seconds_stand_in_for_milliseconds_in_older_versions() -> None:
    assert read(trtc(305, Status=0, info={"EventMsTs": None})).at_ms == 1_768_908_670_000


@pytest.mark.parametrize(
    ("other", "same"),
    [
        pytest.param(lambda d: d | {"CallbackTs": 1}, True, id="sent again"),
        pytest.param(lambda _: trtc(305, Status=2), False, id="another status"),
        pytest.param(lambda _: trtc(310, Status=1), False, id="another type"),
        pytest.param(lambda _: trtc(305, Status=1, info={"EventMsTs": 1_768_908_670_758}), False, id="later"),
        pytest.param(lambda _: trtc(305, Status=1, info={"TaskId": "other"}), False, id="another task"),
        pytest.param(lambda _: trtc(305, Status=1, FileName="a"), False, id="another file"),
        pytest.param(lambda _: trtc(305, Status=1, FileId="a"), False, id="another media"),
    ],
)
def test_what_tells_news_from_a_second_delivery(
    other: Callable[[dict[str, Any]], dict[str, Any]],
    same: bool,  # noqa: FBT001 - a column of the table
) -> None:
    stuck = trtc(305, Status=1)
    assert (read(other(stuck)).key == read(stuck).key) is same


def test_two_finished_files_of_one_moment_are_two_pieces_of_news() -> None:
    keys = {read(trtc(310, Status=0, FileMessage=[message])).key for message in MESSAGES}
    assert len(keys) == 2


def test_events_of_rooms_of_one_moment_are_told_apart_by_their_people() -> None:
    info = {"RoomId": 5, "EventMsTs": 1_608_441_737_000}
    keys = {
        read({"EventGroupId": 1, "EventType": 103, "EventInfo": info | {"UserId": user}}).key
        for user in ("ann", "bob")
    }
    assert len(keys) == 2


@pytest.mark.parametrize(("more", "hashed"), [(0, False), (1, True)], ids=["400", "401"])
def test_a_key_is_as_long_as_four_hundred(more: int, hashed: bool) -> None:  # noqa: FBT001 - as above
    plain = len(read(trtc(304, FileList="a")).key) - 1
    key = read(trtc(304, FileList="a" * (400 - plain + more))).key
    assert len(key) == (64 if hashed else 400)


def test_a_key_of_many_files_is_short() -> None:
    names = [f"{TRTC_NAME}_{number}.mp4" for number in range(500)]
    one, other = (read(trtc(310, Status=0, FileList=some)) for some in (names, names[1:]))
    assert (len(one.key), one.key == other.key) == (64, False)


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        pytest.param(f"{TRTC_NAME}_audio.m3u8", True, id="a playlist"),
        pytest.param("20055501_1042317788.m3u8", True, id="a mix"),
        pytest.param(f"{TASK}/{TRTC_NAME}.mp4", True, id="in its folder"),
        pytest.param("xxxx1.mp4", False, id="the page's placeholder"),
        pytest.param(f"../{TRTC_NAME}.mp4", False, id="up"),
        pytest.param(f"a/./{TRTC_NAME}.mp4", False, id="of no folder"),
        pytest.param(f"{TRTC_NAME}.mp4\n", False, id="of two lines"),
        pytest.param(f"{TRTC_NAME}_audio_20260120113037408.ts.part", False, id="a temporary file"),
        pytest.param("endpoint=http://127.0.0.9:1", False, id="an address"),
    ],
)
def test_only_names_of_a_recorder_become_files(name: str, taken: bool) -> None:  # noqa: FBT001 - as above
    assert read(trtc(304, FileList=name)).files == ((name,) if taken else ())


ROOM = "1 to 64 letters, digits, spaces and punctuation without slashes"
USER = "1 to 256 printable characters without slashes"
AN_ID = "an id of 1 to 256 letters, digits, '+', '-', '_' and '.'"
WHOLE = "a whole number from 0 to 10000000000"
WHEN = "a whole number from 1000000000000 to 253402300799999"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("EventGroupId", None, f"EventGroupId has to be {WHOLE} and is missing."),
        ("EventType", "3o5", f"EventType has to be {WHOLE}."),
        ("EventType", 10**30, f"EventType has to be {WHOLE}."),
        ("EventType", 305.0, f"EventType has to be {WHOLE}."),
        ("EventType", "0305", f"EventType has to be {WHOLE}."),
        ("EventInfo", None, "EventInfo has to be an object and is missing."),
        ("EventInfo", "{}", "EventInfo has to be an object."),
        ("EventInfo.TaskId", None, f"EventInfo.TaskId has to be {AN_ID} and is missing."),
        ("EventInfo.TaskId", "", f"EventInfo.TaskId has to be {AN_ID}."),
        ("EventInfo.TaskId", "..", f"EventInfo.TaskId has to be {AN_ID}."),
        ("EventInfo.TaskId", "a/b", f"EventInfo.TaskId has to be {AN_ID}."),
        ("EventInfo.TaskId", "a" * 257, f"EventInfo.TaskId has to be {AN_ID}."),
        ("EventInfo.TaskId", 5, f"EventInfo.TaskId has to be {AN_ID}."),
        ("EventInfo.RoomId", "../../etc/passwd", f"EventInfo.RoomId has to be {ROOM}."),
        ("EventInfo.RoomId", ".", f"EventInfo.RoomId has to be {ROOM}."),
        ("EventInfo.RoomId", "a\nb", f"EventInfo.RoomId has to be {ROOM}."),
        ("EventInfo.RoomId", "\ud800", f"EventInfo.RoomId has to be {ROOM}."),
        ("EventInfo.RoomId", ["a"], "EventInfo.RoomId has to be a whole number from 0 to 4294967296."),
        ("EventInfo.RoomId", -1, "EventInfo.RoomId has to be a whole number from 0 to 4294967296."),
        ("EventInfo.RoomId", False, "EventInfo.RoomId has to be a whole number from 0 to 4294967296."),
        ("EventInfo.EventMsTs", "soon", f"EventInfo.EventMsTs has to be {WHEN}."),
        ("EventInfo.EventMsTs", 1768908670, f"EventInfo.EventMsTs has to be {WHEN}."),
        ("EventInfo.Payload", [], "EventInfo.Payload has to be an object."),
        ("EventInfo.Payload.Status", "ok", f"EventInfo.Payload.Status has to be {WHOLE}."),
        ("EventInfo.Payload.Status", -1, f"EventInfo.Payload.Status has to be {WHOLE}."),
        (
            "EventInfo.Payload.FileList",
            {"a": 1},
            "EventInfo.Payload.FileList has to be a list of at most 1000.",
        ),
        ("EventInfo.Payload.FileList", ["a", 1], "EventInfo.Payload.FileList[1] has to be a text."),
        ("EventInfo.Payload.FileMessage", [1], "EventInfo.Payload.FileMessage[0] has to be an object."),
        (
            "EventInfo.Payload.FileMessage",
            [{"UserId": "a/../b"}],
            f"EventInfo.Payload.FileMessage[0].UserId has to be {USER}.",
        ),
        ("EventInfo.Payload.TencentVod", "x", "EventInfo.Payload.TencentVod has to be an object."),
    ],
)
def test_a_field_that_is_malformed_is_named(path: str, value: Any, said: str) -> None:
    document = trtc(310, Status=0)
    *parents, name = path.split(".")
    inside: Any = document
    for parent in parents:
        inside = inside[parent]
    inside[name] = value
    if value is None:
        del inside[name]
    assert refusal(lambda: read(document)) == (400, said)


def test_a_time_has_to_be_told() -> None:
    said = "EventInfo.EventTs has to be a whole number from 1000000000 to 253402300799 and is missing."
    assert refusal(lambda: read(trtc(305, info={"EventMsTs": None, "EventTs": None}))) == (400, said)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"", "The body is not JSON: Expecting value, line 1.", id="nothing"),
        pytest.param(b"\xff\xfe", "The body is not UTF-8.", id="no text"),
        pytest.param(b"[]", "The body is not a JSON object.", id="a list"),
        pytest.param(b"{'a': 1}", None, id="no JSON"),
        pytest.param(b'{"EventType":NaN}', "The body has NaN, which is no number of JSON.", id="no number"),
        pytest.param(
            b'{"EventType":305,"EventType":301}',
            "The body has an object with two fields 'EventType'.",
            id="a field twice",
        ),
        pytest.param(
            b'{"a":' * 5000, "The body has more than 16 objects and lists in each other.", id="too deep"
        ),
    ],
)
def test_a_body_that_is_no_object_is_refused(body: bytes, said: str | None) -> None:
    status, sentence = refusal(lambda: parse(body, APP))
    assert status == 400
    assert said in {None, sentence}


BODY = written(trtc(305, Status=0))
WRONG = (401, "The signature is not that of any secret which is known for this app.")


def test_the_page_s_own_signature_is_right() -> None:
    body = (
        b'{\n\t"EventGroupId":\t2,\n\t"EventType":\t204,\n\t"CallbackTs":\t1664209748188,\n\t"EventInfo":\t{\n'
        b'\t\t"RoomId":\t8489,\n\t\t"EventTs":\t1664209748,\n\t\t"EventMsTs":\t1664209748180,\n'
        b'\t\t"UserId":\t"user_85034614",\n\t\t"Reason":\t0\n\t}\n}'
    )
    headers = {"Sign": "kkoFeO3Oh2ZHnjtg8tEAQhtXK16/KI05W3BQff8IvGA=", "SdkAppId": APP}
    assert check(came(body, headers), {APP: (b"123654",)}) == APP
    assert parse(body, APP).phase is Phase.OTHER


@pytest.mark.parametrize("secret", [OWN, NEXT], ids=["the one", "the next"])
def test_either_secret_of_an_app_is_right(secret: bytes) -> None:
    assert check(came(BODY, trtc_signed(BODY, secret)), SECRETS) == APP


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        pytest.param(
            {"SdkAppId": APP}, (401, "Sign is missing: this address takes signed callbacks only."), id="-"
        ),
        pytest.param(
            {"Sign": trtc_signed(BODY)["Sign"]},
            (401, "SdkAppId is missing: this address takes signed callbacks only."),
            id="no app",
        ),
        pytest.param(trtc_signed(BODY, STRANGE), WRONG, id="a stranger's secret"),
        pytest.param(trtc_signed(BODY, b"of-another-app"), WRONG, id="another app's secret"),
        pytest.param(trtc_signed(BODY, OWN, "1400000002"), WRONG, id="for another app"),
        pytest.param(trtc_signed(BODY, OWN, "1400000009"), WRONG, id="for an app that nobody knows"),
        pytest.param(
            trtc_signed(BODY, b"a secret that nobody has", "1400000009"), WRONG, id="the secret of nobody"
        ),
        pytest.param(trtc_signed(json.dumps(trtc(305, Status=0)).encode()), WRONG, id="of other spaces"),
        pytest.param(trtc_signed(BODY) | {"Sign": "\xe9"}, WRONG, id="no ASCII"),
    ],
)
def test_any_other_signature_is_refused(headers: dict[str, str], told: tuple[int, str]) -> None:
    assert refusal(lambda: check(came(BODY, headers), SECRETS)) == told


def test_the_reply_is_the_page_s() -> None:
    assert reply(read(trtc(305, Status=0))) == b'{"code":0}'
