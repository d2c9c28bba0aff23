"""What the codec library of this machine can do: its versions and encoders."""

from __future__ import annotations

from dataclasses import dataclass

import av
import av.codec.codec
import av.error

NEEDED = ("h264", "hevc", "aac")
"""Decoders without which outputs cannot be verified."""
ENCODERS = ("libx264", "libx265", "aac")
"""Encoders that the demo recording is made with; merge copies and needs none."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Versions as text; names of the `NEEDED` decoders and `ENCODERS` that are missing."""

    pyav: str
    ffmpeg: str
    missing_decoders: tuple[str, ...]
    missing_encoders: tuple[str, ...]


def capabilities() -> Capabilities:
    """Ask the codec library."""
    return Capabilities(
        pyav=av.__version__,
        ffmpeg=av.ffmpeg_version_info,
        missing_decoders=tuple(name for name in NEEDED if not _has(name, "r")),
        missing_encoders=tuple(name for name in ENCODERS if not _has(name, "w")),
    )


def _has(name: str, mode: str) -> bool:
    try:
        av.Codec(name, "r" if mode == "r" else "w")
    except av.codec.codec.UnknownCodecError:
        return False
    return True
