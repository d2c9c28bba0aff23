"""The PTS of the key frames of one slice: what a cut snaps to."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pipeline.media.pictures.bitstream import bitstream
from pipeline.media.runs import open_run
from pipeline.model.slices import Medium, Slice

if TYPE_CHECKING:
    from collections.abc import Callable


def key_times(open_slice: Callable[[str], BinaryIO], piece: Slice) -> list[int]:
    """33-bit PTS of a slice's key frames, in order of decoding; it is read whole.

    Raises:
        OSError: it cannot be read.
        Surprise: it has no pictures.
    """
    unit = bitstream(piece.ends.form.codec if piece.ends else "h264").unit
    run = open_run(open_slice, [piece], Medium.VIDEO)
    try:
        return [pts for pts, _, _, data, _ in run if pts is not None and unit(data).key]
    finally:
        run.close()
