"""Volcengine's playlists: no tag of the vendor's own is documented, so only what HLS itself says is read.

The names of its TS slices are not documented either: what a playlist lists counts, whatever it is called.
"""

from __future__ import annotations

from pipeline.vendors import playlists
from pipeline.vendors.base import Playlist, Segment
from pipeline.vendors.volcengine.names import parse


def read_playlist(text: str, key: str) -> Playlist:
    """The playlist in ``text``; ``key`` is for messages. Raises `PlaylistError`, `UnsafeUriError`."""
    return playlists.read(text, key, VolcengineDialect(), playlists.Notes(), parse)


class VolcengineDialect:
    """No tags."""

    mark = "\n"  # no line begins with it

    def __init__(self) -> None:
        self.start_ms: int | None = None
        self.user_id: str | None = None

    def tag(self, name: str, value: str) -> None:
        """Never called: no line begins with `mark`."""

    def segment(self, uri: str, duration_us: int | None, *, discontinuity: bool) -> Segment:
        """The slice as HLS tells it; its UTC is not known."""
        return Segment(uri=uri, duration_us=duration_us, discontinuity=discontinuity)

    def finish(self) -> None:
        """Nothing waits for a slice."""
