"""TRTC's playlist tags: the start and size of each slice, the picture size, whose playlist it is.

Source: https://trtc.io/document/45169 and real playlists of 2026; TARGETDURATION is no bound there.
"""

from __future__ import annotations

import re

from pipeline.vendors import playlists
from pipeline.vendors.base import Playlist, Segment
from pipeline.vendors.trtc.names import parse

_FILE_ATTR = re.compile(r"(\d{13}),(\d{1,15})", re.ASCII)
_PICTURE = re.compile(r"(?:.*\s)?WIDTH:([1-9]\d{0,4})\s+HEIGHT:([1-9]\d{0,4})(?:\s.*)?", re.ASCII)
_START = re.compile(r"\d{13}", re.ASCII)


def read_playlist(text: str, key: str) -> Playlist:
    """The playlist in ``text``; ``key`` is for messages. Raises `PlaylistError`, `UnsafeUriError`."""
    notes = playlists.Notes()
    return playlists.read(text, key, TrtcDialect(notes), notes, parse)


class TrtcDialect:
    """The ``EXT-X-TRTC`` tags of one playlist."""

    mark = "#EXT-X-TRTC-"

    def __init__(self, notes: playlists.Notes) -> None:
        self.start_ms: int | None = None
        self.user_id: str | None = None
        self._notes = notes
        self._attributes: tuple[int, int] | None = None
        self._width: int | None = None
        self._height: int | None = None

    def tag(self, name: str, value: str) -> None:
        """Take one of the four tags read here; others are ignored. Raises ValueError with what is odd."""
        if name == "FILE-ATTR":
            self._file_attributes(value)
        elif name == "VIDEO-METADATA":
            self._picture(value)
        elif name == "START-REC-TIME":
            self._start(value)
        elif name == "USER-ID":
            self._user(value)

    def segment(self, uri: str, duration_us: int | None, *, discontinuity: bool) -> Segment:
        """The slice with the FILE-ATTR before it and the picture size so far."""
        start_ms, size = self._attributes or (None, None)
        self._attributes = None
        return Segment(
            uri=uri,
            duration_us=duration_us,
            start_ms=start_ms,
            size=size,
            discontinuity=discontinuity,
            width=self._width,
            height=self._height,
        )

    def finish(self) -> None:
        """Note a FILE-ATTR whose slice did not come."""
        if self._attributes is not None:
            start_ms, size = self._attributes
            self._notes.add("a FILE-ATTR has no slice after it", f"{start_ms},{size}")

    def _file_attributes(self, value: str) -> None:
        found = _FILE_ATTR.fullmatch(value)
        if found is None:
            raise ValueError("a FILE-ATTR is not 13 digits of milliseconds and a size, and is left out")
        if self._attributes is not None:
            self._notes.add("several FILE-ATTR stand before one slice, the last one counts", value)
        self._attributes = (int(found[1]), int(found[2]))

    def _picture(self, value: str) -> None:
        found = _PICTURE.fullmatch(value)
        if found is None:
            raise ValueError("a VIDEO-METADATA has no width and height and is left out")
        self._width, self._height = int(found[1]), int(found[2])

    def _start(self, value: str) -> None:
        if not _START.fullmatch(value):
            raise ValueError("a START-REC-TIME is not 13 digits of milliseconds and is left out")
        if self.start_ms not in {None, int(value)}:
            raise ValueError("a second START-REC-TIME differs from the first and is left out")
        self.start_ms = int(value)

    def _user(self, value: str) -> None:
        if not value or not value.isprintable():
            raise ValueError("a USER-ID is no printable text and is left out")
        if self.user_id not in {None, value}:
            raise ValueError("a second USER-ID differs from the first and is left out")
        self.user_id = value
