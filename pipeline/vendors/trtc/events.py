"""TRTC's callbacks about cloud recordings: signature, envelope, and what each event says.

At a recording's end they come out of order: 305 before 302, and one 310 for each MP4 some seconds later, the
last of which nothing marks. What TUICallKit and the live kit wrap around them is in `kit_events`.
Sources: https://trtc.io/document/54914 (events), https://trtc.io/document/54912 (signature).
"""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING

from pipeline.vendors.bodies import FIRST_MS, LAST_MS, ROOM, USER, form, is_name, key_of, read_body
from pipeline.vendors.events import Event, Phase, Said
from pipeline.vendors.signatures import missing, signed_by
from pipeline.vendors.trtc.names import parse as parse_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.vendors.bodies import Part
    from pipeline.vendors.events import Delivery

VENDOR = "trtc"
SIGN, APP = "sign", "sdkappid"
REPLY = b'{"code":0}'
MOST_ROOM = 2**32

_TASK = form(
    r"(?=[+.\-_]*[A-Za-z0-9])[A-Za-z0-9+.\-_]{1,256}",
    "an id of 1 to 256 letters, digits, '+', '-', '_' and '.'",
)
_TOLD = form(r".{1,2048}", "1 to 2048 printable characters")
_LAST_S = LAST_MS // 1000
_MOST_WHOLE = 10**10
_GROUPS = frozenset({1, 2, 4})  # events of rooms, of media, of relays to CDNs: no recording
_NO_STATUS = -1


def check(came: Delivery, secrets: Mapping[str, tuple[bytes, ...]]) -> str:
    """The app of the header ``SdkAppId``, if the header ``Sign`` is of one of its secrets.

    ``Sign`` is the base64 of HMAC-SHA256 over the body as it came, tabs and line ends included.

    Raises:
        Refused: 401.
    """
    given, app = came.header(SIGN), came.header(APP)
    if not given:
        raise missing("Sign")
    if not app:
        raise missing("SdkAppId")

    def sign(secret: bytes) -> str:
        return base64.b64encode(hmac.digest(secret, came.body, "sha256")).decode("ascii")

    return signed_by(app, given, secrets, sign)


def parse(body: bytes, app: str) -> Event:
    """The event in a body whose signature was right.

    Raises:
        Refused: 400, one sentence that names the field.
    """
    return read_event(read_body(body), app)


def reply(event: Event) -> bytes:
    """What the page asks for; the event changes nothing about it."""
    del event
    return REPLY


def read_event(envelope: Part, app: str, call: str = "") -> Event:
    """The event in an envelope; raises `Refused` (400). ``call`` is the CallId that a kit wraps around it."""
    group = envelope.whole("EventGroupId", 0, _MOST_WHOLE)
    kind = envelope.whole("EventType", 0, _MOST_WHOLE)
    info = envelope.part("EventInfo")
    payload = info.part("Payload", needed=False)
    said = _said(group, kind, payload)
    task = info.text("TaskId", _TASK, None if kind in _RULES and group not in _GROUPS else "")
    at_ms = _at_ms(info)
    names, people = _names_and_people(payload)
    owner = people[0] if len(people) == 1 else ""
    room = info.id("RoomId", ROOM, MOST_ROOM)
    whose = () if task else (room, info.text("UserId", USER, ""))
    return Event(
        vendor=VENDOR,
        app=app,
        key=key_of(task, kind, at_ms, _status(payload), *names, *whose),
        task=task,
        kind=str(kind),
        phase=said.phase,
        at_ms=at_ms,
        room=room,
        user=owner,
        files=tuple(name for name in names if is_name(parse_name, name)),
        reason=said.reason,
        people=() if owner else people,
        call=call,
    )


def _at_ms(info: Part) -> int:
    """``EventMsTs``, or the whole seconds of older versions."""
    if info.has("EventMsTs"):
        return info.whole("EventMsTs", FIRST_MS, LAST_MS)
    return info.whole("EventTs", FIRST_MS // 1000, _LAST_S) * 1000


def _status(payload: Part) -> int:
    """``Status``; the table of 305 calls it ``LeaveCode``, real bodies have ``Status``."""
    name = "Status" if payload.has("Status") else "LeaveCode"
    return payload.whole(name, 0, _MOST_WHOLE, _NO_STATUS)


def _said(group: int, kind: int, payload: Part) -> Said:
    if group in _GROUPS:
        return Said(Phase.OTHER)
    rule = _RULES.get(kind)
    if rule is None:
        return Said(Phase.UNKNOWN, f"No page of TRTC's names the event {kind} of the group {group}.")
    if not callable(rule):
        return Said(rule)
    status = _status(payload)
    said = rule(status)
    if said is None:
        words = "no status" if status == _NO_STATUS else f"the status {status}"
        return Said(Phase.UNKNOWN, f"No page of TRTC's names {words} for the event {kind}.")
    return said


def _recorder(status: int) -> Said | None:
    return {0: Said(Phase.STARTED), 1: Said(Phase.FAILED, "The recorder did not start.")}.get(status)


def _upload_start(status: int) -> Said | None:
    return {0: Said(Phase.OTHER), 1: Said(Phase.FAILED, "The upload did not start.")}.get(status)


def _upload_stop(status: int) -> Said | None:
    """The end of the upload of slices; 2 is news after 1, whichever comes first."""
    ready = Said(Phase.READY)
    partial = Said(Phase.PARTIAL, "At least one file is still at the recorder and comes later.")
    return {0: ready, 1: partial, 2: ready}.get(status)


def _upload_error(status: int) -> Said:
    del status  # it has a Code and a Message instead
    return Said(Phase.FAILED, "The recorder told an error of its upload.")


def _finished_file(status: int) -> Said | None:
    """One MP4 or AAC; there are several of a recording, and nothing tells the last."""
    return {
        0: Said(Phase.SETTLING, "A finished file is in the store, and no event tells which is the last."),
        1: Said(Phase.PARTIAL, "At least one finished file is still at the recorder and comes later."),
        2: Said(Phase.FAILED, "The recorder could not make a finished file."),
    }.get(status)


def _kept(status: int) -> Said:
    del status  # in VOD or not, nothing of it comes into a store
    return Said(Phase.KEPT, "The recording is kept in Tencent's VOD: there is nothing in a store to merge.")


def _web(status: int) -> Said | None:
    """A recording of a web page; it handles 3 and 4 by itself."""
    failed = Said(Phase.FAILED, "The recording of a web page failed.")
    other = Said(Phase.OTHER)
    return {1: Said(Phase.STARTED), 2: failed, 3: other, 4: other, 5: failed}.get(status)


_RULES: dict[int, Phase | Callable[[int], Said | None]] = {
    301: _recorder,
    302: Phase.STOPPED,
    303: _upload_start,
    304: Phase.OTHER,  # the first upload of a playlist
    305: _upload_stop,
    306: Phase.OTHER,  # fail-over to another recorder
    307: Phase.OTHER,  # the first slice of a playlist
    308: _upload_error,
    309: Phase.OTHER,  # a picture for the background could not be loaded
    310: _finished_file,
    311: _kept,
    312: _kept,
    801: _web,
    802: Phase.STOPPED,
    803: Phase.OTHER,
    804: Phase.OTHER,
}
KINDS = frozenset(_RULES)
"""Every event of a recording that a page of TRTC's names."""


def _names_and_people(payload: Part) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Every file or media that a payload names, whatever it looks like, and whose they are; sorted."""
    vod = payload.part("TencentVod", needed=False)
    messages = payload.parts("FileMessage")
    names = [*payload.texts("FileList")]
    names += [part.text("FileName", _TOLD, "") for part in (payload, *messages)]
    names += [part.text(field, _TOLD, "") for part in (payload, vod) for field in ("FileId", "CacheFile")]
    people = [part.text("UserId", USER, "") for part in (payload, vod, *messages)]
    return tuple(sorted({*names} - {""})), tuple(sorted({*people} - {""}))
