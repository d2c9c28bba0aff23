"""Agora on-premise recording SDK: names and event files; it writes no playlists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.vendors.agora_onpremise.names import OnPremiseName, parse

if TYPE_CHECKING:
    from pipeline.vendors.base import Playlist

__all__ = ["OnPremiseName", "parse", "read_playlist"]


def read_playlist(text: str, key: str) -> Playlist:
    """As `pipeline.vendors.agora_onpremise.playlists.read_playlist`, imported when there is an event file."""
    from pipeline.vendors.agora_onpremise import playlists

    return playlists.read_playlist(text, key)
