"""Agora cloud recording: names and playlist tags."""

from __future__ import annotations

from pipeline.vendors.agora.names import AgoraName, parse
from pipeline.vendors.agora.playlists import read_playlist

__all__ = ["AgoraName", "parse", "read_playlist"]
