"""The reader of a run, by the container of its slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pipeline.media.ts.demux import RunDemuxer
from pipeline.model.slices import Container

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.media.packet import Packets
    from pipeline.model.slices import Medium, Slice


def open_run(open_slice: Callable[[str], BinaryIO], pieces: Sequence[Slice], medium: Medium) -> Packets:
    """The packets of one medium of slices that are of one container.

    Args:
        open_slice: opens a key for reading.
        pieces: the slices in order, their ends known.
        medium: which track of them.

    Raises:
        Surprise: there is no such track.
        OSError: a slice cannot be read.
    """
    ends = pieces[0].ends
    if ends is not None and ends.container is Container.WEBM:
        from pipeline.media.webm.run import WebmRun  # imported where it is met, as by `look`

        return WebmRun(open_slice, pieces)
    if ends is not None and ends.container is Container.ADTS:
        from pipeline.media.adts import AdtsRun

        return AdtsRun(open_slice, pieces)
    if ends is not None and ends.container is Container.MP4:
        from pipeline.media.mp4.run import Mp4Run

        return Mp4Run(open_slice, pieces, medium)
    return RunDemuxer(open_slice, pieces, medium)
