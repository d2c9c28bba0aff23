"""Volcengine's playlists: no tag of the vendor's own is documented, so only what HLS itself says is read.

The names of its TS slices are not documented either: what a playlist lists counts, whatever it is called.
Source for the tag: RFC 8216 4.3.2.6.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.vendors import playlists
from pipeline.vendors.base import Playlist, Segment
from pipeline.vendors.volcengine.names import parse


def read_playlist(text: str, key: str) -> Playlist:
    """The playlist in ``text``; ``key`` is for messages. Raises `PlaylistError`, `UnsafeUriError`."""
    return playlists.read(text, key, VolcengineDialect(), playlists.Notes(), parse)


class VolcengineDialect:
    """The date and time of a slice, should the recorder write it."""

    mark = "#EXT-X-PROGRAM-DATE-TIME"

    def __init__(self) -> None:
        self.start_ms: int | None = None
        self.user_id: str | None = None
        self._at_ms: int | None = None

    def tag(self, name: str, value: str) -> None:  # noqa: ARG002 - the mark is the whole tag
        """Keep the time for the slice behind it; raises ValueError where it is none, or has no zone."""
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            raise ValueError("a tag has an unreadable time")
        self._at_ms = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

    def segment(self, uri: str, duration_us: int | None, *, discontinuity: bool) -> Segment:
        """The slice as HLS tells it."""
        at_ms, self._at_ms = self._at_ms, None
        return Segment(uri=uri, duration_us=duration_us, discontinuity=discontinuity, start_ms=at_ms)

    def finish(self) -> None:
        """A time behind the last slice is nobody's."""
