"""recpipe: cloud call recordings become verified MP4s."""

from __future__ import annotations

__version__ = "0.1.0"
