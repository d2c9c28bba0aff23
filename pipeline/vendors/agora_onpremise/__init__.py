"""Agora on-premise recording SDK: names and event files; it writes no playlists."""

from __future__ import annotations

from typing import NoReturn

from pipeline.errors import PlaylistError
from pipeline.vendors.agora_onpremise.names import OnPremiseName, parse

__all__ = ["OnPremiseName", "parse", "read_playlist"]


def read_playlist(_text: str, key: str) -> NoReturn:
    """Raises `PlaylistError`: what this SDK recorded when is in its event files."""
    raise PlaylistError(
        f"{key!r} cannot be a playlist of the Agora on-premise SDK, which writes none: take it away"
    )
