"""Events of a store: which objects of recorders came, as S3 and MinIO post it.

They serve where a vendor sends no callback, or none that arrives. They are not signed: whoever takes them
asks for a token. A store does not know the last file of a recording, so each file that can be merged is a
reason to look for a job when nothing more came for a while, and each slice a reason to wait.
Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html (AWS);
https://min.io/docs/minio/linux/administration/monitoring/publish-events-to-webhook.html (MinIO).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from pipeline.vendors import parse as parse_name
from pipeline.vendors.base import BadNameError, Ignored, Kind
from pipeline.vendors.bodies import form, is_safe, key_of, read_body
from pipeline.vendors.events import BAD_REQUEST, Event, Phase, Refused

if TYPE_CHECKING:
    from pipeline.vendors.base import Name
    from pipeline.vendors.bodies import Part

VENDOR = "s3"
REPLY = b"{}"
CREATED = "ObjectCreated:"

_KIND = form(r"[A-Za-z0-9]{1,64}:[A-Za-z0-9*:]{1,64}|s3:TestEvent", "the name of an event of a store")
_BUCKET = form(r"[a-z0-9][a-z0-9.\-]{1,62}", "the name of a bucket")
_WRITTEN_KEY = form(r".{1,3072}", "the key of an object, URL-encoded")
_SEQUENCER = form(r"[0-9A-Za-z]{0,64}", "letters and digits")
_MERGED = frozenset({Kind.INDEX, Kind.FINISHED})


def parse(body: bytes) -> tuple[Event, ...]:
    """The events in a body, those of objects that no recorder wrote left out; none in a test of the store.

    Raises:
        Refused: 400, one sentence that names the field.
    """
    whole = read_body(body)
    if not whole.has("Records") and not whole.has("Event"):
        raise Refused(BAD_REQUEST, "Records has to be a list of events and is missing.")
    found = (_event(record) for record in whole.parts("Records"))
    return tuple(event for event in found if event is not None)


def reply() -> bytes:
    """Nothing is asked for but the status."""
    return REPLY


def _event(record: Part) -> Event | None:
    kind = record.text("eventName", _KIND).removeprefix("s3:")
    at_ms = record.moment_ms("eventTime")
    inside = record.part("s3")
    bucket = inside.part("bucket").text("name", _BUCKET)
    object_ = inside.part("object")
    key = unquote_plus(object_.text("key", _WRITTEN_KEY), errors="surrogateescape")
    sequencer = object_.text("sequencer", _SEQUENCER, "")
    name = _name(key)
    if name is None:
        return None
    settling = kind.startswith(CREATED) and name.kind in _MERGED
    return Event(
        vendor=VENDOR,
        app="",
        key=key_of(kind, bucket, key, sequencer, at_ms),
        task="/".join(part for part in (bucket, name.prefix, name.recording) if part),
        kind=kind,
        phase=Phase.SETTLING if settling else Phase.OTHER,
        at_ms=at_ms,
        user=name.uid or "",
        files=(key,) if settling else (),
        reason="A store does not know the last file of a recording." if settling else "",
    )


def _name(key: str) -> Name | None:
    """The recorder's name that a key is; None for anything else in the store, our own outputs too."""
    try:
        name = parse_name(key) if is_safe(key) else None
    except BadNameError:
        return None
    return None if isinstance(name, Ignored) else name
