"""Tencent TRTC and TUICallKit recording: names and playlist tags."""

from __future__ import annotations

from pipeline.vendors.trtc.names import TrtcName, parse
from pipeline.vendors.trtc.playlists import read_playlist

__all__ = ["TrtcName", "parse", "read_playlist"]
