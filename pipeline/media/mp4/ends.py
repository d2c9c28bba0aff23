"""A look at an MP4: what its tables say of one medium, and the parameter sets of its first sample."""

from __future__ import annotations

from itertools import pairwise
from statistics import median_low
from typing import TYPE_CHECKING, BinaryIO

from pipeline.media.aac import FRAME_SAMPLES
from pipeline.media.mp4.run import access_unit
from pipeline.media.mp4.source import read_track
from pipeline.media.ts.peek import UNKNOWN_STEP
from pipeline.media.unreadable import NOTHING_OF_IT, Unreadable
from pipeline.model import ticks
from pipeline.model.slices import NO_PTS, Container, Ends, Format

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.media.mp4.source import SourceTrack
    from pipeline.model.slices import Medium

STEPS = 64
"""Last samples, whose distances tell the step of pictures."""
MOST_BYTES = 32 << 20
"""A sample that is longer than this is no picture."""


def look(
    file: BinaryIO, size: int, medium: Medium, form: Callable[[str, bytes], Format | None]
) -> Ends | Unreadable:
    """What an MP4 says of one medium. Raises OSError when it cannot be read.

    Args:
        file: the file.
        size: its bytes.
        medium: which track.
        form: codec parameters by a codec and an access unit with start codes.
    """
    try:
        track = read_track(file, size, medium)
        if track is None:
            return Unreadable(NOTHING_OF_IT)
        if not len(track.pts):
            return Unreadable("all of its media is cut off")
        found = _form(track, file, form)
    except ValueError as error:
        return Unreadable(str(error))
    if found is None:
        return Unreadable(f"its first {medium} sample holds no {track.coded.codec} header")
    first, step = int(track.pts.min()), _step(track)
    return Ends(
        first=first % ticks.WRAP,
        span=int(track.pts.max()) - first + step,
        step=step,
        key=True,  # of a file that was finished; what is none is found when it is copied
        form=found,
        cut=NO_PTS if track.missing else None,
        after=first,
        container=Container.MP4,
        clockwise=track.clockwise,
        created_ms=track.created_ms,
    )


def _form(track: SourceTrack, file: BinaryIO, form: Callable[[str, bytes], Format | None]) -> Format | None:
    coded = track.coded
    if coded.config is not None:
        specific = coded.config.audio_specific_config.hex()
        return Format(
            "aac", rate=coded.config.sample_rate, channels=coded.config.channels, parameters=specific
        )
    if not coded.length_size:
        return Format(coded.codec)
    file.seek(int(track.offsets[0]))
    return form(coded.codec, access_unit(coded, file.read(min(int(track.sizes[0]), MOST_BYTES))))


def _step(track: SourceTrack) -> int:
    if track.coded.config is not None:
        return ticks.ticks_of(FRAME_SAMPLES, track.coded.config.sample_rate)
    times: list[int] = sorted(set(track.pts[-STEPS:].tolist()))
    return median_low([b - a for a, b in pairwise(times)] or [UNKNOWN_STEP])
