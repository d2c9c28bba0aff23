"""Agora cloud recording: names and playlist tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.vendors.agora.names import AgoraName, parse
from pipeline.vendors.agora.playlists import read_m3u8

if TYPE_CHECKING:
    from pipeline.vendors.base import Playlist

__all__ = ["AgoraName", "parse", "read_playlist"]


def read_playlist(text: str, key: str) -> Playlist:
    """The M3U8 or, by the end of ``key``, MPD in ``text``. Raises `PlaylistError`, `UnsafeUriError`."""
    if key.lower().endswith(".mpd"):
        from pipeline.vendors.agora.mpd import read_mpd  # of web senders alone

        return read_mpd(text, key)
    return read_m3u8(text, key)
