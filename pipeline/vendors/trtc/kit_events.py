"""What TUICallKit and the live kit wrap around TRTC's events, and the end of a call.

The kits' callbacks are those of Tencent's chat: the app and the signature are arguments of the URL, and the
signature covers the time of the request and not its body. Sources: https://trtc.io/document/80345 (recordings
of calls), https://trtc.io/document/78428 (of live streams), https://trtc.io/document/64412 (signature).
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from pipeline.vendors.bodies import FIRST_MS, LAST_MS, ROOM, USER, form, key_of, read_body
from pipeline.vendors.events import UNAUTHORIZED, Event, Phase, Refused
from pipeline.vendors.signatures import missing, signed_by
from pipeline.vendors.trtc.events import MOST_ROOM, VENDOR, read_event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.vendors.bodies import Part
    from pipeline.vendors.events import Delivery

__all__ = ["VENDOR", "check", "parse", "reply"]

CALL, LIVE, ENDED = (
    "Call.CallbackAfterRecordChanged",
    "Follow.CallbackAfterCloudRecordingChanged",
    "Call.CallbackAfterEndCall",
)
REPLY = b'{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}'
MOST_AWAY_MS = 60_000

_APPS = ("SdkAppid", "SdkAppId")  # the pages of the two kits spell it differently
_COMMAND = form(r"[A-Za-z]{1,64}\.[A-Za-z]{1,128}", "a command such as Call.CallbackAfterEndCall")
_CALL_ID = form(r"[!-.0-~]{1,128}", "an id of 1 to 128 visible characters without slashes")
_SECONDS = form(r"[1-9]\d{9}", "seconds")


def check(came: Delivery, secrets: Mapping[str, tuple[bytes, ...]]) -> str:
    """The app of the URL, if ``Sign`` there is the SHA-256 of one of its tokens and ``RequestTime``.

    Requests of more than a minute ago, or to come, are refused: the body is not signed, and whoever overhears
    one URL could send anything for as long as it is taken.

    Raises:
        Refused: 401.
    """
    given, at = came.argument("Sign"), came.argument("RequestTime")
    if not given or not at:
        raise missing("Sign or RequestTime in the URL")
    apps = {came.argument(name) for name in _APPS} - {""}
    if len(apps) != 1:
        raise missing("One SdkAppid in the URL")

    def sign(token: bytes) -> str:
        return sha256(token + at.encode()).hexdigest()

    app = signed_by(apps.pop(), given.lower(), secrets, sign)
    if not _SECONDS.takes(at) or abs(int(at) * 1000 - came.at_ms) > MOST_AWAY_MS:
        raise Refused(UNAUTHORIZED, "RequestTime is more than a minute away from the clock here.")
    return app


def parse(body: bytes, app: str) -> Event:
    """The event in a body whose signature was right.

    Raises:
        Refused: 400, one sentence that names the field.
    """
    whole = read_body(body)
    command = whole.text("CallbackCommand", _COMMAND)
    if command == CALL:
        return read_event(whole.part("Callback"), app, whole.text("CallId", _CALL_ID, ""))
    if command == LIVE:
        return read_event(whole, app)
    if command == ENDED:
        return _ended(whole, app)
    at_ms = whole.whole("EventTime", FIRST_MS, LAST_MS)
    reason = f"The command {command} tells nothing of a recording that a page here knows."
    return Event(VENDOR, app, key_of(command, at_ms), "", command, Phase.UNKNOWN, at_ms, reason=reason)


def reply(event: Event) -> bytes:
    """What the page asks for; the event changes nothing about it."""
    del event
    return REPLY


def _ended(whole: Part, app: str) -> Event:
    """The end of a call: which room it was in, and who took part. It belongs to no task of a recorder."""
    record = whole.part("CallRecord")
    call = record.text("CallId", _CALL_ID)
    at_ms = (
        whole.whole("EventTime", FIRST_MS, LAST_MS)
        if whole.has("EventTime")
        else record.whole("EndTime", FIRST_MS // 1000, LAST_MS // 1000) * 1000
    )
    caller = record.text("Caller_Account", USER, "")
    people = dict.fromkeys(record.forms("CalleeList_Account", USER))
    people.pop(caller, None)
    return Event(
        vendor=VENDOR,
        app=app,
        key=key_of(ENDED, call, at_ms),
        task="",
        kind=ENDED,
        phase=Phase.OTHER,
        at_ms=at_ms,
        room=record.id("RoomId", ROOM, MOST_ROOM),
        user=caller,
        people=tuple(people),
        call=call,
    )
