"""Events of a store: what AWS and MinIO post, which objects are a recorder's, and what is refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus

import pytest

from pipeline.vendors.events import Event, Phase
from pipeline.vendors.stored_events import parse, reply
from tests.vendors.calling import SID, TASK, TRTC_NAME, refusal, written

KEY = f"math/room 1/{SID}_QA_Room__uid_s_207__uid_e_audio.m3u8"


def record(key: str = KEY, **changed: Any) -> dict[str, Any]:
    """A record as AWS writes it; the key is encoded as forms are."""
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-01-20T03:31:40.123Z",
        "eventName": "ObjectCreated:CompleteMultipartUpload",
        "userIdentity": {"principalId": "EXAMPLE"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "testConfigRule",
            "bucket": {"name": "recordings", "arn": "arn:aws:s3:::recordings"},
            "object": {
                "key": quote_plus(key),
                "size": 1024,
                "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                "sequencer": "0A1B2C3D4E5F678901",
            },
        },
        **changed,
    }


def minio(key: str = KEY) -> dict[str, Any]:
    """The same as MinIO posts it."""
    return {
        "EventName": "s3:ObjectCreated:Put",
        "Key": f"recordings/{key}",
        "Records": [record(key, eventName="s3:ObjectCreated:Put", eventSource="minio:s3")],
    }


def read(*records: dict[str, Any]) -> tuple[Event, ...]:
    return parse(written({"Records": list(records)}))


def test_an_event_holds_what_was_told() -> None:
    assert read(record()) == (
        Event(
            vendor="s3",
            app="",
            key=read(record())[0].key,
            task=f"recordings/math/room 1/{SID}_QA_Room",
            kind="ObjectCreated:CompleteMultipartUpload",
            phase=Phase.SETTLING,
            at_ms=1_768_879_900_123,
            user="207",
            files=(KEY,),
            reason="A store does not know the last file of a recording.",
        ),
    )


def test_minio_says_the_same() -> None:
    (event,) = parse(written(minio()))
    assert (event.kind, event.files, event.phase) == ("ObjectCreated:Put", (KEY,), Phase.SETTLING)


@pytest.mark.parametrize(
    ("key", "phase"),
    [
        pytest.param(f"{SID}_QA_Room.m3u8", Phase.SETTLING, id="a playlist"),
        pytest.param(f"{SID}_QA_Room__uid_s_207__uid_e_av.mpd", Phase.SETTLING, id="an MPD"),
        pytest.param(f"{SID}_QA_Room_0.mp4", Phase.SETTLING, id="a finished file"),
        pytest.param(f"meeting/{TASK}/{TRTC_NAME}_audio.m3u8", Phase.SETTLING, id="in TRTC's folder"),
        pytest.param(
            "d/task_room_ann_C_1700000000000_000061_Ab12Cd34.mp4", Phase.SETTLING, id="Volcengine's"
        ),
        pytest.param(f"{SID}_QA_Room_20190611073246073.ts", Phase.OTHER, id="a slice"),
        pytest.param(
            f"{SID}_QA_Room__uid_s_7__uid_e_video_20190611073246073.jpg", Phase.OTHER, id="a picture"
        ),
        pytest.param("100_20190611073246073_av.mp4", None, id="an output of ours"),
        pytest.param("manifest.json", None, id="no recorder's"),
        pytest.param("math/", None, id="a folder"),
        pytest.param(f"../{SID}_QA_Room.m3u8", None, id="up"),
        pytest.param(f"a//{SID}_QA_Room.m3u8", None, id="in a folder without a name"),
    ],
)
def test_files_that_can_be_merged_are_a_reason_and_slices_one_to_wait(key: str, phase: Phase | None) -> None:
    found = read(record(key))
    assert [event.phase for event in found] == ([] if phase is None else [phase])
    assert all(event.files == ((key,) if phase is Phase.SETTLING else ()) for event in found)


def test_a_removed_file_is_no_reason() -> None:
    (event,) = read(record(eventName="ObjectRemoved:Delete"))
    assert (event.phase, event.files) == (Phase.OTHER, ())


def test_files_of_one_recording_in_one_folder_are_of_one_task() -> None:
    keys = [f"a/{SID}_r{end}" for end in (".m3u8", "_0.mp4", "_20190611073246073.ts")]
    assert len({event.task for event in read(*map(record, keys))}) == 1
    assert len({event.task for event in read(record(keys[0]), record(keys[0].replace("a/", "b/")))}) == 2


def test_an_object_written_twice_is_news_twice_and_an_event_delivered_twice_is_not() -> None:
    again = record()
    again["s3"]["object"]["sequencer"] = "0A1B2C3D4E5F678902"
    keys = [event.key for event in read(record(), again, record(eventSource="x"))]
    assert (keys[0] == keys[2], keys[0] == keys[1]) == (True, False)


def test_a_key_of_other_letters_is_decoded() -> None:
    (event,) = read(record(f"数学 + 1/{SID}_r.m3u8"))
    assert event.files == (f"数学 + 1/{SID}_r.m3u8",)


def test_bytes_that_are_no_utf_8_are_no_key() -> None:
    changed = record()
    changed["s3"]["object"]["key"] = f"%ff/{SID}_r.m3u8"
    assert read(changed) == ()


def test_the_store_s_test_holds_no_event() -> None:
    body = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2026-01-20T03:31:40.123Z",
        "Bucket": "b",
    }
    assert parse(written(body)) == ()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        pytest.param({}, "Records has to be a list of events and is missing.", id="nothing"),
        pytest.param({"Records": {}}, "Records has to be a list of at most 1000.", id="no list"),
        pytest.param({"Records": [1]}, "Records[0] has to be an object.", id="a number"),
        pytest.param(
            {"Records": [record(eventTime="x")]},
            "Records[0].eventTime has to be a time by RFC 3339.",
            id="a time",
        ),
        pytest.param(
            {"Records": [record(), record(eventName=7)]},
            "Records[1].eventName has to be the name of an event of a store.",
            id="a name",
        ),
        pytest.param({"Records": [record(s3=7)]}, "Records[0].s3 has to be an object.", id="no object"),
        pytest.param(
            {"Records": [record(s3={"bucket": {"name": "../a"}, "object": {}})]},
            "Records[0].s3.bucket.name has to be the name of a bucket.",
            id="a bucket",
        ),
        pytest.param(
            {"Records": [record(s3={"bucket": {"name": "abc"}, "object": {"key": "a\u0000"}})]},
            "Records[0].s3.object.key has to be the key of an object, URL-encoded.",
            id="a key",
        ),
    ],
)
def test_a_field_that_is_malformed_is_named(document: Any, said: str) -> None:
    assert refusal(lambda: parse(written(document))) == (400, said)


def test_the_reply_is_json() -> None:
    assert reply() == b"{}"
