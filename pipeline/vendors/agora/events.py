"""Agora's callbacks: the notifications of the notification center about cloud recordings.

They come unordered, twice, or never. All numbers of events are those of
https://docs.agora.io/en/cloud-recording/reference/rest-api-overview; headers and envelope those of
https://docs.agora.io/en/realtime-media/cloud-recording/build/handle-events/receive-notifications.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from pipeline.vendors.agora.names import parse as parse_name
from pipeline.vendors.bodies import FIRST_MS, LAST_MS, ROOM, USER, WORD, form, is_name, key_of, read_body
from pipeline.vendors.events import Event, Phase, Said
from pipeline.vendors.signatures import is_signed, missing, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.vendors.bodies import Part
    from pipeline.vendors.events import Delivery

VENDOR = "agora"
FIRST, SECOND = "agora-signature", "agora-signature-v2"
REPLY = b'{"code":0}'

_RECORDING = 3  # productId of cloud recording
_SID = form(r"[0-9A-Za-z]{1,64}", "an id of 1 to 64 letters and digits")
_MOST_WHOLE = 10**10
_EVERYBODY = "0"
_FATAL = 5
_WEB_FAILED = {
    3: "the engine did not start",
    4: "the page did not load in time",
    5: "the page could not be opened",
    6: "the recorder failed",
}


def check(came: Delivery, secrets: Mapping[str, tuple[bytes, ...]]) -> str:
    """The app whose secret signed it; Agora's callbacks name none, so all secrets are tried.

    ``Agora-Signature-V2`` (HMAC-SHA256) is what counts where it came, ``Agora-Signature`` (HMAC-SHA1) where
    it came alone: a wrong second one is not made good by a right first one.

    Raises:
        Refused: 401.
    """
    second, first = came.header(SECOND), came.header(FIRST)
    if not second and not first:
        raise missing("Agora-Signature-V2")
    given, made = (second, "sha256") if second else (first, "sha1")

    def sign(secret: bytes) -> str:
        return hmac.new(secret, came.body, made).hexdigest()

    signed = [app for app, known in secrets.items() if is_signed(given, known, sign)]
    if not signed:
        raise wrong()
    return signed[0]


def parse(body: bytes, app: str) -> Event:
    """The event in a body whose signature was right.

    Raises:
        Refused: 400, one sentence that names the field.
    """
    whole = read_body(body)
    notice = whole.text("noticeId", WORD)
    notified = whole.whole("notifyMs", FIRST_MS, LAST_MS)
    product = whole.whole("productId", 0, _MOST_WHOLE)
    kind = whole.whole("eventType", 0, _MOST_WHOLE)
    if product != _RECORDING:  # of another service of Agora's, which counts its events by itself
        return Event(VENDOR, app, key_of(notice, notified), "", str(kind), Phase.OTHER, notified)
    payload = whole.part("payload")
    details = payload.part("details", needed=False)
    said = _said(kind, details)
    files, people = _files_and_people(_listed(details))
    return Event(
        vendor=VENDOR,
        app=app,
        key=key_of(notice, notified),
        task=_sid(whole, payload, needed=said.phase is not Phase.UNKNOWN),
        kind=str(kind),
        phase=said.phase,
        at_ms=payload.whole("sendts", FIRST_MS, LAST_MS, notified),
        room=payload.text("cname", ROOM, ""),
        files=files,
        reason=said.reason,
        people=people,
    )


def reply(event: Event) -> bytes:
    """Any JSON will do; the event changes nothing about it."""
    del event
    return REPLY


def _sid(whole: Part, payload: Part, *, needed: bool) -> str:
    """The recording's id, which some deliveries have beside the payload, too."""
    where = payload if payload.has("sid") or not whole.has("sid") else whole
    return where.text("sid", _SID, None if needed else "")


def _said(kind: int, details: Part) -> Said:
    rule = _RULES.get(kind)
    if rule is None:
        return Said(Phase.UNKNOWN, f"No page of Agora's names the event {kind}.")
    return rule(details) if callable(rule) else Said(rule)


def _error(details: Part) -> Said:
    level = details.whole("errorLevel", 0, _MOST_WHOLE, 0)
    code = details.whole("errorCode", -_MOST_WHOLE, _MOST_WHOLE, 0)
    if level < _FATAL:
        return Said(Phase.OTHER)
    return Said(Phase.FAILED, f"Agora told the fatal error {code}.")


def _exit(details: Part) -> Said:
    """The session's end: after a normal one all that could be uploaded is, if only to Agora's backup."""
    status = details.whole("exitStatus" if details.has("exitStatus") else "leaveStatus", 0, _MOST_WHOLE)
    if status:
        return Said(Phase.FAILED, f"The recording ended abnormally, with Agora's status {status}.")
    return Said(Phase.SETTLING, "The recording service ended, and no event told whether all is in the store.")


def _uploaded(details: Part) -> Said:
    if status := details.whole("status", -_MOST_WHOLE, _MOST_WHOLE, 0):
        return Said(Phase.PARTIAL, f"Agora told the end of the upload with the abnormal status {status}.")
    return Said(Phase.READY)


def _backuped(details: Part) -> Said:
    details.whole("status", -_MOST_WHOLE, _MOST_WHOLE, 0)
    return Said(Phase.PARTIAL, "At least one file is in Agora's backup and comes later.")


def _started(details: Part) -> Said:
    if status := details.whole("status", -_MOST_WHOLE, _MOST_WHOLE, 0):
        return Said(Phase.FAILED, f"The recorder or its upload did not start, with Agora's status {status}.")
    return Said(Phase.STARTED)


def _uploader_started(details: Part) -> Said:
    said = _started(details)
    return said if said.phase is Phase.FAILED else Said(Phase.OTHER)


def _left(details: Part) -> Said:
    if details.whole("leaveCode", 0, _MOST_WHOLE, 1) == 0:
        return Said(Phase.FAILED, "The recorder did not start.")
    return Said(Phase.STOPPED)


def _web_stopped(details: Part) -> Said:
    code = details.whole("code", 0, _MOST_WHOLE, 0)
    if code in _WEB_FAILED:
        return Said(Phase.FAILED, f"The recording of a web page failed: {_WEB_FAILED[code]}.")
    return Said(Phase.STOPPED)


def _kept(details: Part) -> Said:
    del details
    return Said(Phase.KEPT, "The recording is kept in ApsaraVideo VoD: there is nothing in a store to merge.")


_RULES: dict[int, Phase | Callable[[Part], Said]] = {
    1: _error,
    2: Phase.OTHER,  # warnings
    3: Phase.OTHER,  # a call that does not fit the state
    4: Phase.OTHER,  # the first upload of a playlist that is written again many times
    11: _exit,
    12: Phase.OTHER,  # fail-over to another recorder
    13: Phase.OTHER,  # high availability, named on one page only
    30: _uploader_started,
    31: _uploaded,
    32: _backuped,
    33: Phase.OTHER,  # progress, each minute
    40: _started,
    41: _left,
    42: Phase.OTHER,  # slices, mutes, screenshots: the files tell them
    43: Phase.OTHER,
    44: Phase.OTHER,
    45: Phase.OTHER,
    60: _kept,
    61: _kept,
    70: Phase.STARTED,
    71: _web_stopped,
    72: Phase.OTHER,
    73: Phase.OTHER,
    80: Phase.OTHER,  # postponed transcoding, withdrawn
    81: Phase.OTHER,
    90: Phase.OTHER,
    100: Phase.OTHER,
    1001: Phase.OTHER,
}
KINDS = frozenset(_RULES)
"""Every event that a page of Agora's names."""


def _listed(details: Part) -> tuple[tuple[str, str], ...]:
    """The names that an event lists, each with the user id beside it; empty where there is none."""
    if details.has_text("fileList"):
        return tuple((name, "") for name in details.texts("fileList"))
    found = []
    for item in details.parts("fileList"):
        names = item.texts("fileName" if item.has("fileName") else "filename")
        user = item.id("uid", USER, _MOST_WHOLE)
        found += [(name, "" if user == _EVERYBODY else user) for name in names]
    return tuple(found)


def _files_and_people(listed: tuple[tuple[str, str], ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names that are a recorder's, and the users beside any."""
    files = dict.fromkeys(name for name, _ in listed if is_name(parse_name, name))
    people = dict.fromkeys(user for _, user in listed if user)
    return tuple(files), tuple(people)
