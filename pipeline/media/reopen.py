"""A finished MP4 opened afresh: its tables as facts, its payloads hashed, its joins decoded.

Nothing here knows how the file was made: tables come from `pipeline.media.mp4.reader`, which shares no code
with the writer, and pictures and sound from FFmpeg's own demuxer and decoders.
"""

from __future__ import annotations

import hashlib
import mmap
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import av.error
import numpy as np

from pipeline.media.mp4.reader import read_movie
from pipeline.model import ticks
from pipeline.model.checks import FileFacts, SampleFacts, TrackFacts
from pipeline.model.slices import Medium

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from av.audio.codeccontext import AudioCodecContext
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    from pipeline.media.mp4.reader import Track
    from pipeline.model.manifest import Fill, Output

MOST_PICTURES = 300
"""Pictures decoded at one place, for recordings with a key frame in hours."""
SOUND_FRAMES = 48
"""Sound frames decoded at one place: about a second."""


def read_facts(path: Path, output: Output) -> FileFacts:
    """What a file holds, asked at the places that the manifest speaks of.

    Raises:
        ValueError: it is no MP4 that we can read; the text says what was expected.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        size = path.stat().st_size
        movie = read_movie(file, size)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data, ThreadPoolExecutor(1) as pool:
            whole = pool.submit(lambda: hashlib.sha256(data).hexdigest())
            tracks = tuple(
                _track_facts(track, data, movie.timescale, output, number)
                for number, track in enumerate(movie.tracks)
            )
            digest = whole.result()
    return FileFacts(size, digest, movie.moov_before_mdat, movie.creation_ms, tracks)


def _track_facts(
    track: Track, data: mmap.mmap, movie_timescale: int, output: Output, number: int
) -> TrackFacts:
    told = output.tracks[number] if number < len(output.tracks) else None
    fills = told.fills if told else ()
    spans = told.spans if told else ()
    count = len(track.sizes)
    starts = _presented(track, movie_timescale)
    asked = sorted(
        {i for span in spans for i in (span.first, span.first + span.packets - 1) if 0 <= i < count}
    )
    rising = bool((np.diff(track.dts) > 0).all())
    return TrackFacts(
        handler=track.handler,
        entry=track.sample_entry[4:8].decode("latin-1"),
        timescale=track.timescale,
        samples=count,
        rising=rising,
        first_key=bool(track.sync[0]) if count else False,
        end=_media_end(track, movie_timescale),
        payload_sha256=_payload_hash(track, data, fills),
        at={i: SampleFacts(int(starts[i]), bool(track.sync[i])) for i in asked},
        clockwise=track.clockwise,
    )


def _lead(track: Track, movie_timescale: int) -> tuple[int, int]:
    """Ticks of the empty edits in front, and the media time that is presented after them."""
    lead, media = 0, 0
    for edit in track.edits:
        if edit.media_time >= 0:
            media = edit.media_time
            break
        lead += edit.duration
    return lead * ticks.TICKS // movie_timescale, media


def _presented(track: Track, movie_timescale: int) -> NDArray[np.int64]:
    """File ticks of each sample's presentation."""
    lead, media = _lead(track, movie_timescale)
    times = track.dts + track.cts - media
    scaled = (2 * times * ticks.TICKS + track.timescale) // (2 * track.timescale)
    return np.asarray(scaled + lead, dtype=np.int64)


def _media_end(track: Track, movie_timescale: int) -> int:
    lead, media = _lead(track, movie_timescale)
    return lead + ticks.ticks_of(track.duration - media, track.timescale)


def _payload_hash(track: Track, data: mmap.mmap, fills: Sequence[Fill]) -> str:
    """SHA-256 over the payloads of all samples that were copied, in order."""
    copied = np.ones(len(track.sizes), dtype=np.bool_)
    for fill in fills:
        copied[fill.first : fill.first + fill.count] = False
    offsets, sizes = track.offsets[copied], track.sizes[copied]
    digest = hashlib.sha256()
    if len(offsets):
        ends = offsets + sizes
        breaks = np.flatnonzero(offsets[1:] != ends[:-1]) + 1
        firsts = offsets[np.concatenate(([0], breaks))]
        lasts = ends[np.concatenate((breaks - 1, [len(ends) - 1]))]
        with memoryview(data) as view:
            for begin, end in zip(firsts.tolist(), lasts.tolist(), strict=True):
                digest.update(view[begin:end])
    return digest.hexdigest()


def decode_joins(path: Path, output: Output) -> tuple[int, tuple[str, ...]]:
    """Decode the beginning, the end and both sides of every join of each track.

    Returns:
        How many frames were decoded, and a sentence for each place that fails.
    """
    decoded = 0
    problems: list[str] = []
    with av.open(str(path), "r") as container:
        for told in output.tracks:
            stream = _stream(container, told.medium)
            stream.codec_context.options = {"err_detect": "explode"}
            joins = sorted({span.at for span in told.spans} | {max(0, told.spans[-1].until - ticks.TICKS)})
            for at in joins if told.spans else ():
                try:
                    decoded += _decode_around(container, stream, at)
                except (av.error.FFmpegError, _NotDecodedError) as error:
                    where = ticks.duration(at)
                    problems.append(f"the {told.medium} at {where} does not decode ({error})")
    return decoded, tuple(problems)


class _NotDecodedError(Exception):
    """The decoder took the packets and gave no picture, or a damaged one."""


def _stream(container: InputContainer, medium: str) -> VideoStream | AudioStream:
    return container.streams.video[0] if medium == Medium.VIDEO else container.streams.audio[0]


def _decode_around(container: InputContainer, stream: VideoStream | AudioStream, at: int) -> int:
    """Decode from the key frame before file tick ``at`` to the end of the GOP that begins there."""
    context = stream.codec_context
    context.flush_buffers()
    base = stream.time_base
    if base is None:
        raise _NotDecodedError("it has no time base")
    place = round(Fraction(at, ticks.TICKS) / base)
    container.seek(max(0, place - 1), stream=stream, backward=True)
    most = MOST_PICTURES if stream.type == "video" else SOUND_FRAMES
    fed = decoded = 0
    for packet in container.demux(stream):
        after = packet.pts is not None and packet.pts > place
        if (
            not packet.size
            or fed >= most
            or (after and fed and packet.is_keyframe and stream.type == "video")
        ):
            break
        decoded += _decode(context, packet)
        fed += 1
    decoded += _decode(context, None)
    if fed and not decoded:
        raise _NotDecodedError(f"{fed} packets gave no picture" if stream.type == "video" else "no sound")
    return decoded


def _decode(context: VideoCodecContext | AudioCodecContext, packet: Any) -> int:
    count = 0
    for frame in context.decode(packet):
        if getattr(frame, "is_corrupt", False):
            raise _NotDecodedError("a damaged frame")
        count += 1
    return count
