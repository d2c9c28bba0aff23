"""Callbacks as vendors send them: bodies, and headers that sign them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

SECRET = "a secret of the tests"  # noqa: S105 - nobody else's
APP = "20055501"
AT_MS = 1_795_306_000_000
"""Within what an inbox keeps, whenever the tests run until 2027."""


@dataclass(frozen=True, slots=True)
class Post:
    """What is sent."""

    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def trtc(body: bytes, app: str = APP, secret: str = SECRET) -> Post:
    """https://trtc.io/document/54912."""
    sign = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    return Post("/trtc", body, {"SdkAppId": app, "Sign": sign})


def event(
    kind: int,
    status: int = 0,
    *,
    at_ms: int = AT_MS,
    task: str = "abc",
    room: str | int = "room7",
    **payload: Any,
) -> bytes:
    """An event of a recording of TRTC."""
    info: dict[str, Any] = {
        "RoomId": room,
        "EventTs": at_ms // 1000,
        "EventMsTs": at_ms,
        "UserId": "robot",
        "TaskId": task,
    }
    info["Payload"] = {"Status": status, **payload}
    document = {"EventGroupId": 3, "EventType": kind, "CallbackTs": at_ms + 9, "EventInfo": info}
    return json.dumps(document).encode()


def ended(task: str = "abc", at_ms: int = AT_MS) -> list[bytes]:
    """A recording from beginning to end in the order in which it came: 305 before 302, and each MP4 later."""
    file = "20055501_room7__UserId_s_YW5u__UserId_e_main"
    finished = {"UserId": "ann", "TrackType": "audio_video", "MediaId": "main"}
    return [
        event(301, task=task, at_ms=at_ms - 600_000),
        event(303, task=task, at_ms=at_ms - 599_000),
        event(304, task=task, at_ms=at_ms - 590_000, FileList=f"{file}_audio.m3u8"),
        event(305, task=task, at_ms=at_ms),
        event(302, task=task, at_ms=at_ms - 100, LeaveCode=0),
        event(
            310,
            task=task,
            at_ms=at_ms + 2600,
            FileList=[f"{file}.mp4"],
            FileMessage=[
                {"FileName": f"{file}.mp4", **finished, "StartTimeStamp": at_ms, "EndTimeStamp": at_ms}
            ],
        ),
    ]


def agora(kind: int, details: dict[str, Any], *, notice: str = "n1", at_ms: int = AT_MS) -> Post:
    """https://docs.agora.io, notification center."""
    payload = {"cname": "room7", "uid": "1", "sid": "5a8f", "sequence": 1, "sendts": at_ms, "serviceType": 2}
    document = {"noticeId": notice, "productId": 3, "eventType": kind, "notifyMs": at_ms}
    body = json.dumps(document | {"payload": payload | {"details": details}}).encode()
    return Post("/agora", body, {"Agora-Signature-V2": hmac.new(SECRET.encode(), body, "sha256").hexdigest()})


def volcengine(kind: str = "RecordStopped", number: str = "e1", **data: Any) -> Post:
    """https://volcengine.com/docs/6348/69820."""
    inside = {
        "AppId": "v1",
        "BusinessId": "",
        "RoomId": "room7",
        "TaskId": "task7",
        "Code": 0,
        "ErrorMessage": "",
    }
    fields = {
        "EventType": kind,
        "EventData": json.dumps(inside | data),
        "EventTime": "2026-11-22T00:06:40Z",
        "EventId": number,
        "AppId": "v1",
        "Version": "2020-12-01",
        "Nonce": "1234",
    }
    joined = "".join(sorted([*fields.values(), SECRET]))
    fields["Signature"] = hashlib.sha256(joined.encode()).hexdigest()
    return Post("/volcengine", json.dumps(fields).encode())


def stored(key: str, bucket: str = "calls", token: str = SECRET) -> Post:
    """As MinIO posts an event of a bucket."""
    record = {
        "eventVersion": "2.0",
        "eventSource": "minio:s3",
        "eventTime": "2026-11-22T00:06:40.000Z",
        "eventName": "s3:ObjectCreated:Put",
        "s3": {"bucket": {"name": bucket}, "object": {"key": key, "size": 9, "sequencer": "17A1"}},
    }
    body = {"EventName": "s3:ObjectCreated:Put", "Key": f"{bucket}/{key}", "Records": [record]}
    return Post("/s3", json.dumps(body).encode(), {"Authorization": f"Bearer {token}"})
