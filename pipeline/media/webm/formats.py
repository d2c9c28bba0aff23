"""What the ends of a WebM slice say, in the terms in which slices of all containers are compared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from pipeline.media import vpx
from pipeline.media.opus import RATE, OpusHead
from pipeline.media.unreadable import NOTHING_OF_IT, Unreadable
from pipeline.media.webm import ends
from pipeline.media.webm.head import in_ticks
from pipeline.model.slices import NO_PTS, Container, Ends, Format, Medium
from pipeline.model.ticks import WRAP

if TYPE_CHECKING:
    from pipeline.media.webm.head import WebmTrack


def look(file: BinaryIO, size: int, medium: Medium) -> Ends | Unreadable:
    """What the ends of a slice of ``size`` bytes say of one medium. Raises OSError when it cannot be read."""
    found = ends.look(file, size)
    if isinstance(found, Unreadable):
        return found
    track = found.track
    if (medium is Medium.AUDIO) != (track.rate > 0):
        return Unreadable(NOTHING_OF_IT)
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


def form_of(codec: str, payload: bytes) -> Format | None:
    """Codec parameters that a frame of VP8 or VP9 tells; None where it is none."""
    frame = vpx.read_frame(codec, payload)
    return None if frame is None else _pictures(codec, frame)


def _opus(track: WebmTrack) -> Format:
    """The format of Opus; what an encoder delays and what it was given does not tell two formats apart."""
    head = replace(OpusHead.read(track.private), pre_skip=0, rate=RATE)
    return Format(track.codec, rate=track.rate, channels=track.channels, parameters=head.write().hex())


def _pictures(codec: str, frame: vpx.VpxFrame) -> Format:
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
