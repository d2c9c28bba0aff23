"""What every vendor's folder offers: names parsed once at the border, and playlists as values.

A vendor is a module with ``parse(key) -> Name | Ignored`` (raises `BadNameError`) and
``read_playlist(text, key) -> Playlist`` (raises `pipeline.errors.PlaylistError`). Nothing here opens a file.
Stamps are read and written by `pipeline.model.stamps` (``utc_ms``, ``stamp17``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class BadNameError(ValueError):
    """A key that is no name of this vendor; the text says what was expected, and ends in the key."""

    def __init__(self, key: str, expected: str) -> None:
        super().__init__(f"{expected}: {key!r}")
        self.key = key
        self.expected = expected


class Kind(StrEnum):
    """What an object of a recording is."""

    INDEX = "index"  # M3U8 or MPD
    SLICE = "slice"  # TS or WebM
    FINISHED = "finished"  # plays by itself: MP4, FLV, M4A, MP3, AAC, and what the on-premise SDK writes
    SNAPSHOT = "snapshot"  # JPG
    EVENTS = "events"  # on-premise text file of events


class Content(StrEnum):
    """What media an object holds."""

    AUDIO = "audio"
    VIDEO = "video"
    BOTH = "av"


class Source(StrEnum):
    """What the user sent: the camera (with the microphone) or a shared screen."""

    CAMERA = "camera"
    SCREEN = "screen"


class Name(Protocol):
    """A parsed key; ``str(name)`` writes the same key back."""

    @property
    def vendor(self) -> str:
        """Folder name of the vendor: ``agora``, ``agora_onpremise``, ``trtc``, ``volcengine``."""

    @property
    def prefix(self) -> str:
        """Everything before the last ``/`` of the key, without it; empty at top level."""

    @property
    def kind(self) -> Kind:
        """What the object is."""

    @property
    def recording(self) -> str:
        """One task in one room: same for all objects of a recording inside one prefix, fail-over included."""

    @property
    def uid(self) -> str | None:
        """The user id in plain text; None for composites."""

    @property
    def content(self) -> Content:
        """What media it holds; composites hold both."""

    @property
    def source(self) -> Source:
        """Camera or screen."""

    @property
    def stamp_ms(self) -> int | None:
        """UTC milliseconds of the time in the name; None where the name has none."""

    @property
    def failover(self) -> int | None:
        """Number in the fail-over prefix (``bak<n>_``, ``ha<n>_``); None for the first recorder."""

    @property
    def version(self) -> int | None:
        """Index of a re-uploaded playlist (larger = newer); None for the plain one."""

    @property
    def index(self) -> int | None:
        """Number of a part of what was cut; where the first part is 0 (Agora) or has none (TRTC), as written.

        None where the name has none: Volcengine and on-premise parts are in the order of their stamps.
        """

    @property
    def extension(self) -> str:
        """Lower-case, without the dot; empty where the name has none (Volcengine VOD)."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was odd about it and how it was read, a sentence each."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A key that is known and no input: our or the vendor's own output, a temporary file."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A rotation tag: from ``at_ms`` (UTC; None if the tag has no time) on, pictures are turned.

    ``clockwise`` is the quarter turn that makes the picture upright: 0, 90, 180 or 270 degrees.
    """

    clockwise: int
    at_ms: int | None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """One slice line of a playlist with all that its tags say.

    Attributes:
        uri: bare file name, already checked against leaving the folder.
        duration_us: EXTINF in microseconds; None when the line is missing or unreadable.
        start_ms: UTC of the first media by tag (Agora START TIME, TRTC FILE-ATTR); None if untagged.
        size: bytes by the vendor's tag; None if untagged.
        starts: a START event stands before it: the stream began or came back.
        discontinuity: EXT-X-DISCONTINUITY stands before it.
        content: AUDIO or VIDEO where a tag says so (combined indexes list both); None otherwise.
        turns: rotation tags before it, in order.
        width: coded width in pixels by the last size tag before it (sticky); None if never tagged.
        height: as width.
    """

    uri: str
    duration_us: int | None = None
    start_ms: int | None = None
    size: int | None = None
    starts: bool = False
    discontinuity: bool = False
    content: Content | None = None
    turns: tuple[Turn, ...] = ()
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist as it really came.

    Attributes:
        segments: in the order of the file.
        ended: EXT-X-ENDLIST was there.
        start_ms: UTC of the track's first media by a playlist tag (TRTC START-REC-TIME); None if untagged.
        user_id: plain user id by tag (TRTC USER-ID); None if untagged.
        notes: what was odd and how it was read, a sentence each.
    """

    segments: tuple[Segment, ...]
    ended: bool
    start_ms: int | None = None
    user_id: str | None = None
    notes: tuple[str, ...] = ()
