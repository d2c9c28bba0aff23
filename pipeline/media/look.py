"""A look at both ends of a slice, whatever its container; nothing else decides what it is than its bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from pipeline.media import vpx
from pipeline.media.mp4 import ends as mp4
from pipeline.media.opus import RATE, OpusHead
from pipeline.media.ts.peek import Peeker
from pipeline.media.unreadable import NOTHING_OF_IT, Unreadable
from pipeline.media.webm import ebml, ends
from pipeline.media.webm.head import in_ticks
from pipeline.model.slices import NO_PTS, Container, Ends, Format, Medium
from pipeline.model.ticks import WRAP

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.media.vpx import VpxFrame
    from pipeline.media.webm.ends import WebmEnds
    from pipeline.media.webm.head import WebmTrack

_MAGIC = 8
_EBML = ebml.EBML.to_bytes(4, "big")


class Looker:
    """Looks at slices of one recording, asking for the picture size of each set of parameters once.

    Args:
        size_of: width and height in pixels of a codec name and its parameter sets in Annex B form.
    """

    def __init__(self, size_of: Callable[[str, bytes], tuple[int, int]]) -> None:
        self._ts = Peeker(size_of)

    def look(self, file: BinaryIO, size: int, medium: Medium, listed: int = 0) -> Ends | Unreadable:
        """What the ends of a slice say of one medium. Raises OSError when it cannot be read.

        Args:
            file: the slice.
            size: its bytes.
            medium: which track.
            listed: its length in ticks by the playlist; 0 if it is not listed.
        """
        magic = file.read(_MAGIC)
        file.seek(0)
        if mp4.is_mp4(magic):
            return mp4.look(file, size, medium, self._ts.form)
        if not magic.startswith(_EBML):
            return self._ts.look(file, size, medium, listed)
        found = ends.look(file, size)
        if isinstance(found, Unreadable):
            return found
        if (medium is Medium.AUDIO) != (found.track.rate > 0):
            return Unreadable(NOTHING_OF_IT)
        return _webm(found)

    def form(self, codec: str, payload: bytes) -> Format | None:
        """Codec parameters that a packet tells; without ``parameters`` when it tells none."""
        if codec in {"vp8", "vp9"}:
            frame = vpx.read_frame(codec, payload)
            return None if frame is None else _pictures(codec, frame)
        return None if codec == "opus" else self._ts.form(codec, payload)


def _webm(found: WebmEnds) -> Ends:
    track = found.track
    if track.rate:
        form = _opus(track)
    elif found.frame is not None:
        form = _pictures(track.codec, found.frame)
    else:
        form = Format(track.codec, found.width, found.height)
    return Ends(
        first=found.first % WRAP,
        span=found.span,
        step=found.step,
        key=found.key,
        form=form,
        cut=NO_PTS if found.cut else None,
        after=-in_ticks(track.delay_ns),  # a recorder stamps what it receives, whatever is heard of it
        container=Container.WEBM,
    )


def _opus(track: WebmTrack) -> Format:
    """The format of Opus; what an encoder delays and what it was given does not tell two formats apart."""
    head = replace(OpusHead.read(track.private), pre_skip=0, rate=RATE)
    return Format(track.codec, rate=track.rate, channels=track.channels, parameters=head.write().hex())


def _pictures(codec: str, frame: VpxFrame) -> Format:
    """What a sample entry tells of a key frame; other frames tell nothing."""
    if not frame.key:
        return Format(codec)
    across, down = frame.subsampling
    parts = (
        frame.profile,
        frame.bit_depth,
        int(across),
        int(down),
        int(frame.full_range),
        frame.colour_space,
    )
    return Format(codec, frame.width, frame.height, parameters=".".join(map(str, parts)))
