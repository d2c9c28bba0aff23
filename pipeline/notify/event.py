"""The event: what a receiver is told, under which id, and how it is signed. Nothing is sent here.

Signatures are made as receivers know them from others: HMAC-SHA256 (RFC 2104) over the time of sending, a
full stop and the body, in hexadecimal digits, with the scheme's version in front; one for each secret while
secrets are changed. https://docs.stripe.com/webhooks#verify-manually, https://www.standardwebhooks.com.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pipeline.model.summary import Summary  # noqa: TC001 - pydantic reads the annotations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model.summary import State

VERSION = 1
ID = "Recpipe-Event-Id"
TIMESTAMP = "Recpipe-Timestamp"
SIGNATURE = "Recpipe-Signature"
SCHEME = "v1"


@dataclass(frozen=True, slots=True)
class Event:
    """What became of a job; the same value has the same id and the same bytes, whoever sends it.

    Attributes:
        id: by which a receiver knows an event that it has taken already; see `event_id`.
        job: the key of the job.
        summary: what became of its recording.
    """

    id: str
    job: str
    summary: Summary
    version: int = VERSION

    @classmethod
    def of(cls, job: str, summary: Summary) -> Event:
        """The event of a job's summary."""
        inputs = summary.recording.inputs_sha256 if summary.recording is not None else ""
        return cls(event_id(job, inputs, summary.state), job, summary)

    def body(self) -> bytes:
        """The document in JSON, ASCII: what is signed and sent, byte for byte."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode("ascii")


def event_id(job: str, inputs_sha256: str, state: State) -> str:
    """32 hexadecimal digits that are the same for the same job, inputs and state.

    Args:
        job: the key of the job.
        inputs_sha256: the fingerprint of its inputs; empty where it failed before they were known.
        state: how it ended.

    Raises:
        ValueError: a NUL in a part, by which two events could have one id.
    """
    parts = (job, inputs_sha256, str(state))
    if any("\0" in part for part in parts):
        raise ValueError("the key of a job and the fingerprint of its inputs hold no NUL")
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def signature(secret: bytes, timestamp: int, body: bytes) -> str:
    """The signature of a body that is sent at a time in UTC seconds: ``v1=`` and 64 hexadecimal digits.

    >>> signature(b"a secret of the two", 1772442000, b"{}")
    'v1=cf525b61bd62427d7102d90d0cbf87cba8904b10f9498276f83338a4b4a55fff'
    """
    return f"{SCHEME}={hmac.new(secret, b'%d.%s' % (timestamp, body), hashlib.sha256).hexdigest()}"


def headers(event: Event, body: bytes, timestamp: int, secrets: Sequence[bytes]) -> dict[str, str]:
    """What goes with a body at a time in UTC seconds: the event's id, the time, a signature per secret."""
    return {
        "Content-Type": "application/json",
        ID: event.id,
        TIMESTAMP: str(timestamp),
        SIGNATURE: ",".join(signature(secret, timestamp, body) for secret in secrets),
    }


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document, generated from the types."""
    from pydantic import TypeAdapter  # 0.1 s that a merge does not need

    document = TypeAdapter(Event).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}
