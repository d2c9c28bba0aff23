"""Agora on-premise recording SDK: names and event files; it writes no playlists."""

from __future__ import annotations

from pipeline.vendors.agora_onpremise.names import OnPremiseName, parse
from pipeline.vendors.agora_onpremise.playlists import read_playlist

__all__ = ["OnPremiseName", "parse", "read_playlist"]
