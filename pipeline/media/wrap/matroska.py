"""Matroska and WebM: the packets of a finished MP4, muxed by FFmpeg at their times in the file.

Times become whole milliseconds (TimestampScale, RFC 9559 5.1.2.9), as all players expect. Edit lists become
times: late pictures begin late. What an edit skips of Opus becomes its pre-skip (RFC 7845 4.2). The last
picture lasts to the end of the segment.
"""

from __future__ import annotations

import mmap
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import av
import numpy as np

from pipeline.media.mp4.reader import read_movie
from pipeline.media.mp4.writer import Mp4Writer, SampleTimes, TrackHeader
from pipeline.model import ticks

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.stream import Stream
    from numpy.typing import NDArray

    from pipeline.media.mp4.reader import Movie, Track
    from pipeline.model.containers import Container

_FORMATS = {"mkv": "matroska", "webm": "webm"}
_CUE_BYTES, _CUES_BYTES = 40, 1024
"""Bytes kept in front for each point that players seek to, and for what stands around them."""
_MS = Fraction(1, 1000)
_SOUND_SEEKS = ticks.TICKS
"""Without pictures FFmpeg makes a cue for each cluster, which are longer than this."""
_AT_ONCE = 4096
"""Samples whose times are Python's numbers at a time."""
_DOPS_SKIP = 6  # bytes from the name of the box to its pre-skip


def wrap(movie: BinaryIO, sink: BinaryIO, container: Container) -> None:
    """Write the packets of an MP4 into a Matroska or WebM file, the same bytes each time.

    Args:
        movie: a finished MP4 of ours, on the disk.
        sink: an empty file.
        container: `Container.MKV` or `Container.WEBM`.

    Raises:
        OSError: the sink cannot be written.
    """
    movie.seek(0, 2)
    with mmap.mmap(movie.fileno(), movie.tell(), access=mmap.ACCESS_READ) as data:
        found = read_movie(movie, len(data))
        options = {
            "fflags": "+bitexact-autobsf",  # no random identifiers; packets as they are
            "avoid_negative_ts": "disabled",
            "reserve_index_space": str(_room_for_cues(found)),
        }
        with av.open(sink, "w", format=_FORMATS[container], options=options) as target:
            target.metadata["title"] = found.title
            target.metadata["creation_time"] = ticks.iso(ticks.from_ms(found.creation_ms))
            _mux(found, data, target, _streams(found, target))


def _room_for_cues(movie: Movie) -> int:
    keys = [int(track.sync.sum()) for track in movie.tracks if track.handler == "vide"]
    seconds = movie.duration * ticks.TICKS // movie.timescale // _SOUND_SEEKS
    return _CUES_BYTES + _CUE_BYTES * (sum(keys) or seconds)


def _streams(movie: Movie, target: OutputContainer) -> list[Stream]:
    """The output's streams, made by what FFmpeg understands of an MP4 with these tracks and no samples."""
    empty = BytesIO()
    headers = [
        TrackHeader(
            handler=track.handler,
            timescale=track.timescale,
            sample_entry=_skipping(track),
            name=track.name,
            width=track.width,
            height=track.height,
            clockwise=track.clockwise or 0,
        )
        for track in movie.tracks
    ]
    writer = Mp4Writer(empty, headers, reserve=0, creation_ms=0)
    writer.finish([SampleTimes(np.zeros(0, dtype=np.int64), 0)] * len(headers))
    empty.seek(0)
    with av.open(empty, "r", format="mp4") as template:
        streams = [target.add_stream_from_template(cast("Any", stream)) for stream in template.streams]
    for stream, track in zip(streams, movie.tracks, strict=True):
        stream.metadata["title"] = track.name
    return cast("list[Stream]", streams)


def _skipping(track: Track) -> bytes:
    """The sample entry; of Opus with the pre-skip that does what the edit list does."""
    entry = track.sample_entry
    at = entry.find(b"dOps")
    if entry[4:8] != b"Opus" or at < 0:
        return entry
    skipped = next((edit.media_time for edit in track.edits if edit.media_time >= 0), 0)
    return entry[: at + _DOPS_SKIP] + skipped.to_bytes(2, "big") + entry[at + _DOPS_SKIP + 2 :]


def _mux(movie: Movie, data: mmap.mmap, target: OutputContainer, streams: list[Stream]) -> None:
    rows = np.concatenate([_rows(track, n, movie.timescale) for n, track in enumerate(movie.tracks)])
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    for first in range(0, len(rows), _AT_ONCE):
        for dts, number, pts, duration, key, begin, size in rows[first : first + _AT_ONCE].tolist():
            packet = av.Packet(data[begin : begin + size])
            packet.dts, packet.pts, packet.duration, packet.is_keyframe = dts, pts, duration, bool(key)
            packet.time_base = _MS
            packet.stream = streams[number]
            target.mux_one(packet)


def _rows(track: Track, number: int, movie_timescale: int) -> NDArray[np.int64]:
    """A row a sample: when it is decoded, its track, when and how long it is shown, key, place, size."""
    decoded, shown, lasting = _times(track, movie_timescale)
    numbers = np.full(len(decoded), number)
    return np.stack(
        (decoded, numbers, shown, lasting, track.sync.astype(np.int64), track.offsets, track.sizes), axis=1
    )


def _times(
    track: Track, movie_timescale: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Milliseconds in the file: when each sample is decoded, when it is shown, how long it lasts."""
    lead = skipped = 0
    for edit in track.edits:
        if edit.media_time >= 0:
            skipped = edit.media_time
            break
        lead += edit.duration
    early = Fraction(lead, movie_timescale) - Fraction(skipped, track.timescale)
    scale = early.denominator * track.timescale // np.gcd(early.denominator, track.timescale)
    offset = int(early * scale)
    each = scale // track.timescale
    shown = _ms((track.dts + track.cts) * each + offset, scale)
    ends = _ms((track.dts + track.cts + track.durations) * each + offset, scale)
    return _ms(track.dts * each + offset, scale), shown, ends - shown


def _ms(times: NDArray[np.int64], scale: int) -> NDArray[np.int64]:
    """Milliseconds of times in units of ``scale`` a second, halves away from zero as FFmpeg rounds."""
    return np.asarray(np.sign(times) * ((2000 * np.abs(times) + scale) // (2 * scale)), dtype=np.int64)
