"""What a vendor's callback says of a recording, as values: a delivery, the event in it, why it was refused.

A vendor's grammar is a module with `Grammar`'s functions (`pipeline.vendors.callbacks` lists them). It first
holds the signature against the bytes as they came, then reads them; every field is held to the vendor's
grammar before it enters an `Event`. Nothing here opens a file, asks a clock or a network. What several events
of one task mean together is in `pipeline.vendors.tasks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BAD_REQUEST = 400
UNAUTHORIZED = 401
MOST_QUERIED = 32


class Phase(StrEnum):
    """What an event says of its recording."""

    STARTED = "started"
    STOPPED = "stopped"  # the recorder left, files may be on their way
    PARTIAL = "partial"  # uploaded, but something is stuck and comes later
    SETTLING = "settling"  # files are in the store, and nothing will say which is the last
    READY = "ready"  # all of it is in the store
    FAILED = "failed"
    KEPT = "kept"  # in the vendor's own VOD storage, which starts no job
    OTHER = "other"  # known, of no consequence
    UNKNOWN = "unknown"  # a type that no page names


class Refused(ValueError):  # noqa: N818 - what became of a delivery, not a fault of ours
    """A delivery that is not taken; the text is one sentence for the sender.

    ``status`` is 401 where the signature is missing or wrong, and 400 where the body is malformed.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule of a vendor makes of an event; ``reason`` as in `Event`."""

    phase: Phase
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One piece of news about a recording.

    Attributes:
        vendor: folder name of the vendor: ``agora``, ``trtc``, ``volcengine``; ``s3`` for a store's events.
        app: SdkAppId or AppId; for Agora the name under which the secret is kept that signed it.
        key: the same for all deliveries of this news and for no other, within vendor and app; ASCII.
        task: sid or TaskId; empty where it belongs to no task.
        kind: the vendor's own word or number.
        phase: what it says of the recording.
        at_ms: UTC milliseconds of the event.
        room: channel name or room id in plain text; empty where it is not told.
        user: whose file or stream it is, in plain text; empty where it is not told, or everybody's.
        files: playlists or objects that it names and the vendor's grammar of names accepts, as they are told.
        reason: a sentence for KEPT, FAILED, PARTIAL, SETTLING and UNKNOWN; empty otherwise.
        people: everybody else whom it names, in plain text: of its files, or of a call.
        call: CallId of TUICallKit; empty elsewhere.
        scope: the room, of a vendor whose TaskIds are told apart by their rooms; empty elsewhere.
    """

    vendor: str
    app: str
    key: str
    task: str
    kind: str
    phase: Phase
    at_ms: int
    room: str = ""
    user: str = ""
    files: tuple[str, ...] = ()
    reason: str = ""
    people: tuple[str, ...] = ()
    call: str = ""
    scope: str = ""

    @property
    def recording(self) -> str:
        """What tells its recording from all others of the vendor and the app; empty where it is of none."""
        return f"{self.scope}/{self.task}" if self.scope and self.task else self.task


@dataclass(frozen=True, slots=True)
class Delivery:
    """A POST as it came; made by `delivery`.

    Attributes:
        body: every byte of it.
        headers: names in lower case, with all values that came.
        query: arguments of the URL, as they are written, with all values that came.
        at_ms: UTC milliseconds when it came; only TUICallKit's signature looks at it.
    """

    body: bytes
    headers: Mapping[str, tuple[str, ...]]
    query: Mapping[str, tuple[str, ...]]
    at_ms: int

    def header(self, name: str) -> str:
        """The value of a header, by its name in lower case; empty where there is none.

        Raises:
            Refused: it came more than once (401): which of them would be meant?
        """
        return _only(self.headers.get(name, ()), f"The header {name}")

    def argument(self, name: str) -> str:
        """The value of an argument of the URL; empty where there is none. Raises as `header` does."""
        return _only(self.query.get(name, ()), f"The argument {name}")


def delivery(body: bytes, headers: Iterable[tuple[bytes, bytes]], query: bytes, at_ms: int) -> Delivery:
    """A delivery from what an ASGI server hands over: ``scope["headers"]`` and ``scope["query_string"]``."""
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_QUERIED)
    except ValueError:
        pairs = []  # too many of them: none is looked at
    named = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]
    return Delivery(body, _gathered(named), _gathered(pairs), at_ms)


class Grammar(Protocol):
    """What a vendor's module of callbacks offers; the module is the value."""

    VENDOR: str

    def check(self, came: Delivery, secrets: Mapping[str, tuple[bytes, ...]]) -> str:
        """Holds the signature against the bytes that came.

        Args:
            came: the delivery.
            secrets: by app, one or two each; Agora's under any name, because its callbacks name no app.

        Returns:
            The app whose secret signed it.

        Raises:
            Refused: 401.
        """

    def parse(self, body: bytes, app: str) -> Event:
        """The event in a body whose signature was right; raises `Refused` (400)."""

    def reply(self, event: Event) -> bytes:
        """The JSON body of the 200 that the vendor wants."""


def _only(values: tuple[str, ...], what: str) -> str:
    if len(values) > 1:
        raise Refused(UNAUTHORIZED, f"{what} came {len(values)} times, expected it once.")
    return values[0] if values else ""


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return found
