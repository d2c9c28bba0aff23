"""The PTS of the key frames of one slice: what a cut snaps to."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pipeline.media.annexb import normalise
from pipeline.media.demux import RunDemuxer
from pipeline.model.slices import Medium, Slice

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.media.annexb import Codec


def key_times(open_slice: Callable[[str], BinaryIO], piece: Slice) -> list[int]:
    """33-bit PTS of a slice's key frames, in order of decoding; it is read whole.

    Raises:
        OSError: it cannot be read.
        Surprise: it has no pictures.
    """
    codec: Codec = "hevc" if piece.ends is not None and piece.ends.form.codec == "hevc" else "h264"
    demuxer = RunDemuxer(open_slice, [piece], Medium.VIDEO)
    try:
        return [pts for pts, _, _, data, _ in demuxer if pts is not None and normalise(data, codec).key]
    finally:
        demuxer.close()
