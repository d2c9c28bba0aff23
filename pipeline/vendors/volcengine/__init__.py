"""Volcengine RTC (BytePlus RTC) cloud recording: names and playlists."""

from __future__ import annotations

from pipeline.vendors.volcengine.names import VolcengineName, parse
from pipeline.vendors.volcengine.playlists import read_playlist
from pipeline.vendors.volcengine.tasks import Task

__all__ = ["Task", "VolcengineName", "parse", "read_playlist"]
