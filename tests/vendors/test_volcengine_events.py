"""Volcengine's and BytePlus's callbacks: phases, what enters an event, and the signature in the body."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from pipeline.vendors.events import Event, Phase
from pipeline.vendors.volcengine.events import KINDS, check, parse, reply
from tests.vendors.calling import (
    APP,
    NEXT,
    OWN,
    SECRETS,
    STRANGE,
    came,
    refusal,
    volcengine_signature,
    volcengine_signed,
    written,
)

FILE = {
    "ObjectKey": "directory1/directory2/mytask_myroom_user1_C_1700000000000_014400_9f8e7d6c.mp4",
    "Duration": 14_400_000,
    "Size": 123_456,
    "StartTime": 1_700_000_000_000,
    "StreamList": [{"UserId": "user1", "StreamType": 0}],
    "VideoCodec": "h264",
    "AudioCodec": "aac",
    "VideoWidth": 640,
    "VideoHeight": 480,
}
CUT = FILE | {"ObjectKey": "abc/" + "x" * 127 + "~.mp4", "StreamList": [{"UserId": "user2", "StreamType": 1}]}
IN_VOD = {"Vid": "v02d6cg10000", "Duration": 1000, "StartTime": 1_700_000_000_000}
TASK = {"AppId": APP, "BusinessId": "b", "RoomId": "myroom", "TaskId": "mytask"}
VOD = "The recording is kept in Volcengine's VOD: there is nothing in a store to merge."


def read(kind: str, data: Any, **changed: Any) -> Event:
    return parse(written(volcengine_signed(kind, data, **changed)), APP)


@pytest.mark.parametrize(
    ("kind", "data", "phase", "reason"),
    [
        pytest.param("RecordStarted", {"Code": 0, "ErrorMessage": ""}, Phase.STARTED, "", id="it starts"),
        pytest.param("RecordStarted", {}, Phase.STARTED, "", id="it starts, without a code"),
        pytest.param(
            "RecordStarted",
            {"Code": 1, "ErrorMessage": "<b>"},
            Phase.FAILED,
            "The recording did not start, with Volcengine's code 1.",
            id="it does not start",
        ),
        pytest.param("RecordStopped", {"RecordFileList": [FILE, CUT]}, Phase.READY, "", id="all the files"),
        pytest.param(
            "RecordStopped", {"RecordFileList": [FILE], "Code": 5}, Phase.READY, "", id="files, with a code"
        ),
        pytest.param("RecordStopped", {"RecordFileList": []}, Phase.STOPPED, "", id="no file"),
        pytest.param("RecordStopped", {}, Phase.STOPPED, "", id="no list"),
        pytest.param("RecordStopped", {"RecordFileList": [IN_VOD]}, Phase.KEPT, VOD, id="in VOD"),
        pytest.param(
            "RecordStopped",
            {"Code": 1},
            Phase.FAILED,
            "The recording failed, with Volcengine's code 1, and left no file.",
            id="it failed",
        ),
        pytest.param("RecordUploadDone", {}, Phase.READY, "", id="all is uploaded"),
        pytest.param("RecordUploadDone", {"RecordFileList": [FILE]}, Phase.READY, "", id="with the files"),
        pytest.param("RecordUploadDone", {"RecordFileList": [IN_VOD]}, Phase.KEPT, VOD, id="uploaded to VOD"),
        pytest.param(
            "RecordUploadDone",
            {"Code": 7},
            Phase.PARTIAL,
            "The upload ended with Volcengine's code 7.",
            id="uploaded, with a code",
        ),
        pytest.param("UserScreenVideoStreamStart", {}, Phase.OTHER, "", id="a screen is shared"),
        pytest.param("UserScreenVideoStreamStop", {}, Phase.OTHER, "", id="no longer"),
        pytest.param("SnapshotRealTimeData", {}, Phase.OTHER, "", id="a picture"),
        pytest.param(
            "RecordUploadBack",
            {},
            Phase.UNKNOWN,
            "No page of Volcengine's names the event RecordUploadBack.",
            id="no known event",
        ),
    ],
)
def test_an_event_has_its_phase(kind: str, data: dict[str, Any], phase: Phase, reason: str) -> None:
    event = read(kind, TASK | data)
    assert (event.phase, event.reason, event.kind) == (phase, reason, kind)


def test_every_event_of_the_pages_is_in_the_table() -> None:
    """The table above is read back: nothing is known that is not tested."""
    (table,) = test_an_event_has_its_phase.pytestmark
    assert {case.values[0] for case in table.args[1]} - {"RecordUploadBack"} == KINDS


def test_an_event_holds_what_was_told() -> None:
    assert read("RecordStopped", TASK | {"RecordFileList": [FILE, CUT]}) == Event(
        vendor="volcengine",
        app=APP,
        key='["event-1"]',
        task="mytask",
        kind="RecordStopped",
        phase=Phase.READY,
        at_ms=1_768_879_900_123,
        room="myroom",
        files=(FILE["ObjectKey"], CUT["ObjectKey"]),  # type: ignore[arg-type] # both are texts
        people=("user1", "user2"),
        scope="myroom",
    )


def test_one_task_id_in_two_rooms_is_two_recordings() -> None:
    one, other = (read("RecordStopped", TASK | {"RoomId": room}) for room in ("a", "b"))
    assert (one.task == other.task, one.recording, other.recording) == (True, "a/mytask", "b/mytask")


def test_a_public_stream_is_in_no_room() -> None:
    event = read("RecordStopped", {"TaskId": "mytask"})
    assert (event.room, event.recording) == ("", "mytask")


def test_an_event_without_its_task_says_so() -> None:
    """The fields of two of the events are on no page: what comes is taken in, and starts nothing."""
    event = read("RecordUploadDone", {})
    assert (event.phase, event.task, event.recording) == (Phase.UNKNOWN, "", "")
    assert event.reason == "The event RecordUploadDone names no task."


@pytest.mark.parametrize(
    "key", ["../a.mp4", "/a.mp4", "a//b.mp4", "a/./b", "a\\b.mp4", "x" * 1025, "会" * 400], ids=ascii
)
def test_a_key_that_leaves_its_store_is_no_file(key: str) -> None:
    assert read("RecordStopped", TASK | {"RecordFileList": [FILE | {"ObjectKey": key}, FILE]}).files == (
        FILE["ObjectKey"],
    )


@pytest.mark.parametrize(
    ("written_time", "at_ms"),
    [
        ("2026-01-20T03:31:40Z", 1_768_879_900_000),
        ("2026-01-20t03:31:40.1z", 1_768_879_900_100),
        ("2026-01-20T11:31:40.987654321+08:00", 1_768_879_900_987),
        ("2026-01-19T23:01:40-04:30", 1_768_879_900_000),
        ("2016-12-31T23:59:60Z", 1_483_228_799_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("2001-09-09T01:46:40Z", 1_000_000_000_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ],
)
def test_times_are_those_of_rfc_3339(written_time: str, at_ms: int) -> None:
    assert read("RecordStarted", TASK, EventTime=written_time).at_ms == at_ms


@pytest.mark.parametrize(
    "written_time",
    [
        *(
            "",
            "yesterday",
            "2026-01-20",
            "2026-01-20T03:31:40",
            "2026-13-20T03:31:40Z",
            "2023-02-29T00:00:00Z",
        ),
        *("2026-01-20T25:00:00Z", "2026-01-20T03:31:40+25:00", "0001-01-01T00:00:00+23:59"),
        *(
            "2001-09-09T01:46:39.999Z",
            "9999-12-31T23:59:59-23:59",
            "1999-01-01T00:00:00Z",
            "2026-01-20T03:31:40.1234567890Z",
        ),
        "２０２６-01-20T03:31:40Z",  # noqa: RUF001 - digits that are none of ASCII's
    ],
)
def test_any_other_time_is_refused(written_time: str) -> None:
    told = (400, "EventTime has to be a time by RFC 3339.")
    assert refusal(lambda: read("RecordStarted", TASK, EventTime=written_time)) == told


AN_ID = "an id of 1 to 128 letters, digits, '_', '@', '-', '.'"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param("{", "The text in EventData is not JSON: ", id="half"),
        pytest.param("[1]", "The text in EventData is not a JSON object.", id="a list"),
        pytest.param('{"a":1,"a":1}', "The text in EventData has an object with two fields 'a'.", id="twice"),
        pytest.param(
            "[" * 999, "The text in EventData has more than 16 objects and lists in each other.", id="deep"
        ),
        pytest.param(TASK | {"RoomId": "../a"}, f"EventData.RoomId has to be {AN_ID}.", id="a room"),
        pytest.param(TASK | {"RoomId": ".."}, f"EventData.RoomId has to be {AN_ID}.", id="the folder above"),
        pytest.param(TASK | {"TaskId": "a" * 129}, f"EventData.TaskId has to be {AN_ID}.", id="a long task"),
        pytest.param(TASK | {"TaskId": 5}, f"EventData.TaskId has to be {AN_ID}.", id="a number of a task"),
        pytest.param(
            TASK | {"Code": "x"},
            "EventData.Code has to be a whole number from -10000000000 to 10000000000.",
            id="a code",
        ),
        pytest.param(
            TASK | {"RecordFileList": {}},
            "EventData.RecordFileList has to be a list of at most 1000.",
            id="list",
        ),
        pytest.param(
            TASK | {"RecordFileList": [{"ObjectKey": 7}]},
            "EventData.RecordFileList[0].ObjectKey has to be 1 to 4096 printable characters.",
            id="a key that is no text",
        ),
        pytest.param(
            TASK | {"RecordFileList": [{}, {"ObjectKey": "a\nb"}]},
            "EventData.RecordFileList[1].ObjectKey has to be 1 to 4096 printable characters.",
            id="a key of two lines",
        ),
        pytest.param(
            TASK | {"RecordFileList": [{"StreamList": [{}]}]},
            (
                "EventData.RecordFileList[0].StreamList[0].UserId has to be 1 to 256 printable characters "
                "without slashes and is missing."
            ),
            id="a stream of nobody",
        ),
    ],
)
def test_a_field_that_is_malformed_is_named(data: Any, said: str) -> None:
    status, sentence = refusal(lambda: read("RecordStopped", data))
    assert (status, sentence[: len(said)]) == (400, said)


def test_the_event_s_data_has_to_be_a_text() -> None:
    body = written(volcengine_signed("RecordStopped", "") | {"EventData": TASK})
    assert refusal(lambda: parse(body, APP)) == (400, "EventData has to be a text that holds a JSON object.")


@pytest.mark.parametrize("nonce", ["Nonce", "Noce"])
@pytest.mark.parametrize("secret", [OWN, NEXT], ids=["the one", "the next"])
def test_either_secret_is_right_for_volcengine_and_for_byteplus(nonce: str, secret: bytes) -> None:
    body = written(volcengine_signed("RecordStarted", TASK, secret, nonce))
    assert check(came(body), SECRETS) == APP


def test_the_signature_is_of_the_values_as_they_are_sorted() -> None:
    """Written out once, with nothing of the tests' lines."""
    envelope = {
        "AppId": "b",
        "EventData": '{"TaskId":"t"}',
        "EventId": "c",
        "EventTime": "2026",
        "EventType": "RecordStarted",
        "Nonce": "1",
        "Version": "2020-12-01",
    }
    joined = b'12020-12-012026RecordStartedbc{"TaskId":"t"}' + b"~secret"
    body = json.dumps(envelope | {"Signature": hashlib.sha256(joined).hexdigest()}).encode()
    assert check(came(body), {"b": (b"~secret",)}) == "b"


def test_a_nonce_may_be_a_number_and_digits_of_the_signature_capitals() -> None:
    envelope = volcengine_signed("RecordStarted", TASK)
    body = written(envelope | {"Nonce": 4831, "Signature": envelope["Signature"].upper()})
    assert check(came(body), SECRETS) == APP


WRONG = (401, "The signature is not that of any secret which is known for this app.")


@pytest.mark.parametrize(
    ("envelope", "told"),
    [
        pytest.param(
            {"AppId": APP},
            (401, "Signature is missing: this address takes signed callbacks only."),
            id="none",
        ),
        pytest.param(
            volcengine_signed("RecordStarted", TASK) | {"Signature": "0"},
            (400, "Signature has to be 64 hexadecimal digits."),
            id="of no form",
        ),
        pytest.param(volcengine_signed("RecordStarted", TASK, STRANGE), WRONG, id="a stranger's secret"),
        pytest.param(volcengine_signed("RecordStarted", TASK, AppId="1400000002"), WRONG, id="another app's"),
        pytest.param(volcengine_signed("RecordStarted", TASK, AppId="app9"), WRONG, id="nobody's app"),
        *(
            pytest.param(volcengine_signed("RecordStarted", TASK) | {name: "9"}, WRONG, id=f"another {name}")
            for name in ("EventType", "EventData", "EventTime", "EventId", "Version", "Nonce")
        ),
        pytest.param(
            volcengine_signed("RecordStarted", TASK) | {"AppId": "../a"},
            (400, f"AppId has to be {AN_ID}."),
            id="app",
        ),
        pytest.param(
            {"Signature": "0" * 64, "AppId": APP},
            (400, "EventType has to be a text and is missing."),
            id="half",
        ),
    ],
)
def test_any_other_signature_is_refused(envelope: dict[str, Any], told: tuple[int, str]) -> None:
    assert refusal(lambda: check(came(written(envelope)), SECRETS)) == told


def test_what_is_signed_has_no_fields_of_its_own() -> None:
    """The tests sign every field of an envelope; one more changes nothing for the vendor."""
    envelope = volcengine_signed("RecordStarted", TASK)
    assert volcengine_signature(envelope) == envelope["Signature"]
    assert check(came(written(envelope | {"Extra": "x"})), SECRETS) == APP


def test_the_reply_is_json() -> None:
    assert json.loads(reply(read("RecordStarted", TASK))) == {}
