"""Callbacks as a vendor sends them: bodies, and signatures by lines that share nothing with those tested."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.vendors.events import Delivery, Event, Refused, delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

APP = "1400000001"
SECRETS = {APP: (b"first-secret", b"second-secret"), "1400000002": (b"of-another-app",)}
OWN, NEXT, STRANGE = b"first-secret", b"second-secret", b"nobody's"
NOW_MS = 1_768_908_700_000
SID = "38f8e3cfdc474cd56fc1ceba380d7e1a"
TASK = "-1oa4BKvpdTIicUK1Ceq9UXTGk+sBP-BxNA9QDukJQp-IlPX4iiyKgi9ofCcUW9v6tgd9lNusC+pkaNLs42b6IciYWI."
TRTC_NAME = "20055501_1042317788__UserId_s_dXNlcl8wMQ..__UserId_e_main"


def hmac_of(kind: str, key: bytes, message: bytes) -> bytes:
    """HMAC as RFC 2104 writes it."""
    padded = (hashlib.new(kind, key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.new(kind, bytes(byte ^ 0x36 for byte in padded) + message).digest()
    return hashlib.new(kind, bytes(byte ^ 0x5C for byte in padded) + inner).digest()


def came(
    body: bytes, headers: Mapping[str, str] | None = None, query: str = "", at_ms: int = NOW_MS
) -> Delivery:
    """A delivery as an ASGI server hands it over."""
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    return delivery(body, pairs, query.encode(), at_ms)


def written(document: Any) -> bytes:
    """A body as TRTC writes it, with tabs."""
    return json.dumps(document, indent="\t").encode()


def agora_signed(body: bytes, secret: bytes = OWN) -> dict[str, str]:
    """Both headers of Agora."""
    return {
        "Agora-Signature": hmac_of("sha1", secret, body).hex(),
        "Agora-Signature-V2": hmac_of("sha256", secret, body).hex(),
    }


def trtc_signed(body: bytes, secret: bytes = OWN, app: str = APP) -> dict[str, str]:
    """Both headers of TRTC."""
    return {"Sign": base64.b64encode(hmac_of("sha256", secret, body)).decode(), "SdkAppId": app}


def kit_signed(command: str, secret: bytes = OWN, app: str = APP, at_ms: int = NOW_MS) -> str:
    """The arguments that the kits add to the URL."""
    at = str(at_ms // 1000)
    sign = hashlib.sha256(secret + at.encode()).hexdigest()
    return (
        f"SdkAppid={app}&CallbackCommand={command}&contenttype=json&ClientIP=127.0.0.1&OptPlatform=RESTAPI"
        f"&RequestTime={at}&Sign={sign}"
    )


def volcengine_signed(
    kind: str, data: Any, secret: bytes = OWN, nonce: str = "Nonce", **changed: Any
) -> dict[str, Any]:
    """An envelope of Volcengine; BytePlus's has ``Noce``."""
    envelope = {
        "EventType": kind,
        "EventData": data if isinstance(data, str) else json.dumps(data),
        "EventTime": "2026-01-20T11:31:40.123456789+08:00",
        "EventId": "event-1",
        "AppId": APP,
        "Version": "2020-12-01",
        nonce: "4831",
        **changed,
    }
    return envelope | {"Signature": volcengine_signature(envelope, secret)}


def volcengine_signature(envelope: dict[str, Any], secret: bytes = OWN) -> str:
    """What Volcengine signs an envelope with."""
    values = [str(value) for name, value in envelope.items() if name != "Signature"]
    return hashlib.sha256("".join(sorted([*values, secret.decode()])).encode()).hexdigest()


def agora(kind: int, **details: Any) -> dict[str, Any]:
    """A notification of Agora about a recording."""
    return {
        "noticeId": "2000001428:4330:107",
        "productId": 3,
        "eventType": kind,
        "notifyMs": 1_768_908_670_123,
        "payload": {
            "cname": "QA_Room",
            "uid": "527841",
            "sid": SID,
            "sequence": 7,
            "sendts": 1_768_908_670_000,
            "serviceType": 2,
            "details": {"msgName": "any", **details},
        },
    }


def trtc(kind: int, group: int = 3, info: Mapping[str, Any] | None = None, **payload: Any) -> dict[str, Any]:
    """An envelope of TRTC."""
    return {
        "EventGroupId": group,
        "EventType": kind,
        "CallbackTs": 1_768_908_670_999,
        "EventInfo": {
            "RoomId": "20015",
            "EventTs": "1768908670",
            "EventMsTs": 1_768_908_670_757,
            "UserId": "robot_1",
            "TaskId": TASK,
            "Payload": payload,
            **(info or {}),
        },
    }


def refusal(ask: Callable[[], object]) -> tuple[int, str]:
    """The status and the sentence with which a delivery is refused."""
    with pytest.raises(Refused) as refused:
        ask()
    assert str(refused.value) == refused.value.sentence
    return refused.value.status, refused.value.sentence


def is_sound(event: Event) -> bool:
    """Whether everything in an event is what its docstring says."""
    texts = (event.vendor, event.app, event.task, event.kind, event.room, event.user, event.call)
    named = (*texts, *event.files, *event.people, event.reason)
    printable = all(character.isprintable() for text in named for character in text)
    inside = all(
        part not in {"", ".", ".."} and "\\" not in part for name in event.files for part in name.split("/")
    )
    flat = all("/" not in text for text in (event.room, event.user, event.call, *event.people))
    short = all(len(text) <= 4096 for text in named) and len(event.key) <= 400 and event.key.isascii()
    return printable and inside and flat and short and bool(event.key) and event.at_ms > 0
