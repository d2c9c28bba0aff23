"""Callbacks of Volcengine's and BytePlus's RTC: signature, envelope, and what each event says.

The signature is in the body and covers its fields, so the envelope is read before it can be checked: within
the bounds of `pipeline.vendors.strict_json`, and nothing of it is believed until then. ``EventData`` is a
text that holds JSON again; it is read after.
Sources: https://volcengine.com/docs/6348/69820 and https://docs.byteplus.com/byteplus-rtc/docs/69820
(envelope, signature), /75124 and /75125 (events). No real callback is public.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from pipeline.vendors.bodies import USER, form, is_safe, key_of, read_body
from pipeline.vendors.events import Event, Phase, Said
from pipeline.vendors.signatures import missing, signed_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.vendors.bodies import Part
    from pipeline.vendors.events import Delivery

VENDOR = "volcengine"
REPLY = b"{}"
STARTED, STOPPED, UPLOADED = "RecordStarted", "RecordStopped", "RecordUploadDone"

_ID = form(r"(?!\.{1,2}\Z)[A-Za-z0-9_@\-.]{1,128}", "an id of 1 to 128 letters, digits, '_', '@', '-', '.'")
_EVENT_ID = form(r"[!-~]{1,256}", "1 to 256 visible ASCII characters")
_KIND = form(r"[A-Za-z][A-Za-z0-9_]{0,63}", "a word of letters, digits and '_'")
_SIGNATURE = form(r"[0-9A-Fa-f]{64}", "64 hexadecimal digits")
_VOD_ID = form(r"[!-~]{1,256}", "1 to 256 visible ASCII characters")
_KEY = form(r".{1,4096}", "1 to 4096 printable characters")
_FIELDS = ("EventType", "EventData", "EventTime", "EventId", "AppId", "Version")
_NONCES = ("Nonce", "Noce")  # Volcengine, BytePlus
_OF_NO_RECORDING = frozenset(
    {"UserScreenVideoStreamStart", "UserScreenVideoStreamStop", "SnapshotRealTimeData"}
)
_MOST_WHOLE = 10**10


@dataclass(frozen=True, slots=True)
class _File:
    """One file that an event lists: in a store, by its key, or in VOD, by its id; and whose it is."""

    key: str
    vid: str
    users: tuple[str, ...]


def check(came: Delivery, secrets: Mapping[str, tuple[bytes, ...]]) -> str:
    """The app of ``AppId``, if ``Signature`` is of one of its secrets.

    It is the SHA-256, in hexadecimal digits, of the values of seven fields and the secret, sorted as texts
    and joined.

    Raises:
        Refused: 401; 400 where the body is no envelope.
    """
    whole = read_body(came.body)
    if not whole.has("Signature"):
        raise missing("Signature")
    given = whole.text("Signature", _SIGNATURE)
    app = whole.text("AppId", _ID)
    values = [_signed(whole, name).encode() for name in (*_FIELDS, _nonce(whole))]

    def sign(secret: bytes) -> str:
        return sha256(b"".join(sorted([*values, secret]))).hexdigest()

    return signed_by(app, given.lower(), secrets, sign)


def parse(body: bytes, app: str) -> Event:
    """The event in a body whose signature was right.

    Raises:
        Refused: 400, one sentence that names the field.
    """
    whole = read_body(body)
    kind = whole.text("EventType", _KIND)
    at_ms = whole.moment_ms("EventTime")
    key = key_of(whole.text("EventId", _EVENT_ID))
    if kind in _OF_NO_RECORDING:
        return Event(VENDOR, app, key, "", kind, Phase.OTHER, at_ms)
    data = whole.body("EventData")
    if kind not in _RULES:
        reason = f"No page of Volcengine's names the event {kind}."
        return Event(VENDOR, app, key, "", kind, Phase.UNKNOWN, at_ms, reason=reason)
    files, task, room = _files(data), data.text("TaskId", _ID, ""), data.text("RoomId", _ID, "")
    said = _RULES[kind](data, files)
    if not task:
        said = Said(Phase.UNKNOWN, f"The event {kind} names no task.")
    users = tuple(dict.fromkeys(user for file in files for user in file.users))
    return Event(
        vendor=VENDOR,
        app=app,
        key=key,
        task=task,
        kind=kind,
        phase=said.phase,
        at_ms=at_ms,
        room=room,
        user=users[0] if len(users) == 1 else "",
        files=tuple(dict.fromkeys(file.key for file in files if is_safe(file.key))),
        reason=said.reason,
        people=users if len(users) > 1 else (),
        scope=room,
    )


def reply(event: Event) -> bytes:
    """Nothing is asked for but the status; the event changes nothing about it."""
    del event
    return REPLY


def _nonce(whole: Part) -> str:
    return next((name for name in _NONCES if whole.has(name)), _NONCES[0])


def _signed(whole: Part, name: str) -> str:
    """The text that is signed of a field; a nonce may be written as a number."""
    if not whole.has_text(name) and name in _NONCES:
        return str(whole.whole(name, 0, _MOST_WHOLE))
    return whole.raw(name)


def _files(data: Part) -> list[_File]:
    return [
        _File(
            key=item.text("ObjectKey", _KEY, ""),
            vid=item.text("Vid", _VOD_ID, ""),
            users=tuple(stream.text("UserId", USER) for stream in item.parts("StreamList")),
        )
        for item in data.parts("RecordFileList")
    ]


def _code(data: Part) -> int:
    return data.whole("Code", -_MOST_WHOLE, _MOST_WHOLE, 0)


def _started(data: Part, files: list[_File]) -> Said:
    del files
    if code := _code(data):
        return Said(Phase.FAILED, f"The recording did not start, with Volcengine's code {code}.")
    return Said(Phase.STARTED)


def _stopped(data: Part, files: list[_File]) -> Said:
    """The end, with all the files: their upload is over by then, or nobody could tell their sizes."""
    if any(file.key for file in files):
        return Said(Phase.READY)
    if any(file.vid for file in files):
        return _kept()
    if code := _code(data):
        return Said(Phase.FAILED, f"The recording failed, with Volcengine's code {code}, and left no file.")
    return Said(Phase.STOPPED)


def _uploaded(data: Part, files: list[_File]) -> Said:
    """The end of the upload, whose payload no page shows."""
    if code := _code(data):
        return Said(Phase.PARTIAL, f"The upload ended with Volcengine's code {code}.")
    if files and not any(file.key for file in files) and any(file.vid for file in files):
        return _kept()
    return Said(Phase.READY)


def _kept() -> Said:
    return Said(
        Phase.KEPT, "The recording is kept in Volcengine's VOD: there is nothing in a store to merge."
    )


_RULES = {STARTED: _started, STOPPED: _stopped, UPLOADED: _uploaded}
KINDS = frozenset(_RULES) | _OF_NO_RECORDING
"""Every event that a page, or a public integration, names."""
