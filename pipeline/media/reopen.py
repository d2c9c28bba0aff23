"""A finished file opened afresh: its tables as facts, its payloads hashed, its joins decoded.

Nothing here knows how the file was made: tables come from `pipeline.media.mp4.reader`, which shares no code
with the writer, and pictures and sound from FFmpeg's own demuxer and decoders.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import av
import av.error
import numpy as np

from pipeline.media.counted import Counted
from pipeline.media.mp4.reader import read_movie
from pipeline.model import ticks
from pipeline.model.checks import FileFacts, SampleFacts, TrackFacts
from pipeline.model.containers import Container
from pipeline.model.slices import Medium

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av.audio.codeccontext import AudioCodecContext
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    from pipeline.media.mp4.reader import Track
    from pipeline.model.manifest import Output, OutputTrack

BLOCK = 4 << 20
"""Bytes read at a time: what two hashes work on side by side."""
MOST_PICTURES = 300
"""Pictures decoded at one place, for recordings with a key frame in hours."""
MOST_BEHIND = 16
"""Those behind a place of what was encoded as a whole: its GOPs are closed, and the encoder is ours."""
_STRICT = {"err_detect": "explode", "skip_loop_filter": "all"}
"""Damage shows while a picture is parsed; nobody looks at it, and the loop filter is a third of the work."""
SOUND_FRAMES = 48
"""Sound frames decoded at one place: about a second."""


def read_facts(path: Path, output: Output) -> FileFacts:
    """What a file holds, asked at the places that the manifest speaks of.

    Raises:
        ValueError: it is no file that we can read; the text says what was expected.
        OSError: it cannot be read.
    """
    if Container(output.container).wrapped:
        from pipeline.media.reopen_matroska import matroska_facts  # imported where it is met, as below

        return matroska_facts(path, output)
    if output.container == Container.MP3:
        from pipeline.media.reopen_sound import mp3_facts

        return mp3_facts(path)
    with path.open("rb", buffering=0) as file:
        return movie_facts(file, path.stat().st_size, output)


def movie_facts(file: BinaryIO, size: int, output: Output, *, whole: bool = True) -> FileFacts:
    """What an MP4 holds.

    Args:
        file: the file.
        size: its bytes.
        output: what the manifest says of it.
        whole: read all of it; else its tables alone, and what only the media tells stays open.

    Raises:
        ValueError: as `read_facts`.
        OSError: as `read_facts`.
    """
    movie = read_movie(file, size)
    told = _told(movie.tracks, output)
    counts = [_counted(track, whole=whole) for track in movie.tracks]
    digest, payloads = "", [""] * len(movie.tracks)
    if whole:
        ranges = [_copied(track, said) for track, said in zip(movie.tracks, told, strict=True)]
        digest, payloads = _hashes(file, ranges, [count for count in counts if count is not None])
    tracks = tuple(
        _track_facts(track, payload, movie.timescale, said, count)
        for track, payload, said, count in zip(movie.tracks, payloads, told, counts, strict=True)
    )
    return FileFacts(size, digest, movie.moov_before_mdat, movie.creation_ms, tracks)


def _counted(track: Track, *, whole: bool) -> Counted | None:
    """What counts the samples of sound; None for pictures, and where it would have to see the media."""
    count = Counted(track) if track.handler == "soun" else None
    return count if whole or (count is not None and not count.by_bytes) else None


def _told(tracks: Sequence[Track], output: Output) -> list[OutputTrack | None]:
    """What the manifest says of each track of a file; None of one that it does not know."""
    return [output.tracks[n] if n < len(output.tracks) else None for n in range(len(tracks))]


def _hashes(
    file: BinaryIO, ranges: Sequence[Sequence[tuple[int, int]]], counts: Sequence[Counted]
) -> tuple[str, list[str]]:
    """SHA-256 of the whole file, and of each list of rising byte ranges, in one reading."""
    whole = hashlib.sha256()
    parts = [hashlib.sha256() for _ in ranges]
    places = sorted((begin, end, n) for n, some in enumerate(ranges) for begin, end in some)
    with ThreadPoolExecutor(1) as pool:
        file.seek(0)
        at = now = 0
        waiting: Future[None] | None = None
        while block := file.read(BLOCK):
            if waiting is not None:
                waiting.result()
            waiting = pool.submit(whole.update, block)
            for count in counts:
                count.see(at, block)
            view, stop = memoryview(block), at + len(block)
            while now < len(places) and places[now][0] < stop:
                begin, end, n = places[now]
                parts[n].update(view[max(0, begin - at) : end - at])
                if end > stop:
                    break
                now += 1
            at = stop
        if waiting is not None:
            waiting.result()
    return whole.hexdigest(), [part.hexdigest() for part in parts]


def _track_facts(
    track: Track,
    payload_sha256: str,
    movie_timescale: int,
    told: OutputTrack | None,
    count: Counted | None,
) -> TrackFacts:
    spans = told.spans if told else ()
    samples = len(track.sizes)
    starts, heard = _presented(track, movie_timescale), _heard(track, movie_timescale, count)
    asked = sorted(
        {i for span in spans for i in (span.first, span.first + span.packets - 1) if 0 <= i < samples}
    )
    rising = bool((np.diff(track.dts) > 0).all())
    return TrackFacts(
        handler=track.handler,
        entry=track.sample_entry[4:8].decode("latin-1"),
        timescale=track.timescale,
        samples=samples,
        rising=rising,
        first_key=bool(track.sync[0]) if samples else False,
        end=_media_end(track, movie_timescale),
        payload_sha256=payload_sha256,
        at={
            i: SampleFacts(int(starts[i]), bool(track.sync[i]), None if heard is None else int(heard[i]))
            for i in asked
        },
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
    """File ticks of each sample's presentation; what the edit list skips is presented where it ends."""
    lead, media = _lead(track, movie_timescale)
    return lead + _in_ticks(track.dts + track.cts - media, track.timescale)


def _heard(track: Track, movie_timescale: int, count: Counted | None) -> NDArray[np.int64] | None:
    """File ticks of each sample of sound where a player counts them and knows nothing of empty edits."""
    if count is None:
        return None
    return _in_ticks(count.before() - _lead(track, movie_timescale)[1], track.timescale)


def _in_ticks(times: NDArray[np.int64], timescale: int) -> NDArray[np.int64]:
    """Times as ticks, rounded half up, none before 0."""
    scaled = (2 * times * ticks.TICKS + timescale) // (2 * timescale)
    return np.asarray(np.maximum(scaled, 0), dtype=np.int64)


def _media_end(track: Track, movie_timescale: int) -> int:
    """File ticks where the last picture or frame ends, which may be decoded before others."""
    lead, media = _lead(track, movie_timescale)
    if not len(track.dts):
        return lead
    shown_last = int((track.dts + track.cts).max())
    length = track.duration - int(track.dts[-1])
    return lead + ticks.ticks_of(shown_last + length - media, track.timescale)


def _copied(track: Track, told: OutputTrack | None) -> list[tuple[int, int]]:
    """Byte ranges of all samples that were copied, in order; neighbours are one range."""
    copied = np.ones(len(track.sizes), dtype=np.bool_)
    made = [(each.first, each.count) for each in told.fills] if told else []
    made += [(each.first, each.count) for each in told.encoded] if told else []
    for first, count in made:
        copied[first : first + count] = False
    begins = track.offsets[copied]
    if not len(begins):
        return []
    ends = begins + track.sizes[copied]
    breaks = np.flatnonzero(begins[1:] != ends[:-1]) + 1
    firsts = begins[np.concatenate(([0], breaks))]
    lasts = ends[np.concatenate((breaks - 1, [len(ends) - 1]))]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def decode_joins(path: Path | BinaryIO, output: Output) -> tuple[int, tuple[str, ...]]:
    """Decode the beginning, the end and both sides of every join of each track.

    Args:
        path: the file; opened already where its sound was not encoded as a whole.
        output: what the manifest says of it.

    Returns:
        How many frames were decoded, and a sentence for each place that fails. Sound that was encoded is
        decoded from end to end.
    """
    anew = [told for told in output.tracks if told.transcoded] if isinstance(path, Path) else []
    sounds = [told for told in anew if told.medium == Medium.AUDIO]
    places = [
        (told.medium, at, MOST_BEHIND if told.transcoded else MOST_PICTURES)
        for told in output.tracks
        if told not in sounds
        for at in _joins(told)
    ]
    # What was encoded in pieces has many joins: two at a time, beside the sound.
    lots = [lot for lot in ((places[::2], places[1::2]) if anew else (places,)) if lot]
    with ThreadPoolExecutor(len(lots) + len(sounds) or 1) as pool:
        waiting = [pool.submit(_decode_sound, path, told) for told in sounds]
        waiting += [pool.submit(_decode_places, path, lot) for lot in lots]
        found = [each.result() for each in waiting]
    return sum(count for count, _ in found), tuple(problem for _, problems in found for problem in problems)


def _decode_sound(path: Path | BinaryIO, told: OutputTrack) -> tuple[int, tuple[str, ...]]:
    from pipeline.media.reopen_sound import decode_sound

    if not isinstance(path, Path):
        raise TypeError("sound that was encoded is decoded from a file of its own")
    return decode_sound(path, told)


def _decode_places(
    path: Path | BinaryIO, places: Sequence[tuple[str, int, int]]
) -> tuple[int, tuple[str, ...]]:
    """How many frames were decoded around places, and a sentence for each that fails."""
    try:
        with av.open(str(path) if isinstance(path, Path) else path, "r") as container:
            found = [_decode_place(container, *place) for place in places]
    except (av.error.FFmpegError, ValueError, LookupError) as error:
        return 0, (f"FFmpeg cannot open it ({error})",)
    return sum(count for count, _ in found), tuple(problem for _, problem in found if problem)


def _joins(told: OutputTrack) -> list[int]:
    """File ticks of the beginning, the end and every join; of sound both sides of a join, silence between."""
    sound = told.medium == Medium.AUDIO
    before = ticks.TICKS // 4 if sound else ticks.TICKS
    ends = told.spans if sound else told.spans[-1:]
    changes = {place for each in told.encoded for place in (each.at, each.until)}
    changes -= {span.until for span in told.spans}
    return sorted({s.at for s in told.spans} | {max(0, s.until - before) for s in ends} | changes)


def _decode_place(container: InputContainer, medium: str, at: int, behind: int) -> tuple[int, str]:
    """How many frames were decoded around a place, and what went wrong; empty if nothing did."""
    stream = _stream(container, medium)
    try:
        # Without a codec that FFmpeg knows there is no context: an AttributeError, against PyAV's types.
        stream.codec_context.options = _STRICT
        return _decode_around(container, stream, at, behind), ""
    except (av.error.FFmpegError, AttributeError, _NotDecodedError) as error:
        return 0, f"the {medium} at {ticks.duration(at)} does not decode ({error})"


class _NotDecodedError(Exception):
    """The decoder took the packets and gave no picture, or a damaged one."""


def _stream(container: InputContainer, medium: str) -> VideoStream | AudioStream:
    return container.streams.video[0] if medium == Medium.VIDEO else container.streams.audio[0]


def _decode_around(container: InputContainer, stream: VideoStream | AudioStream, at: int, behind: int) -> int:
    """Decode from the key frame before file tick ``at`` to the end of the GOP that begins there.

    No more than ``behind`` pictures of that GOP.
    """
    context = stream.codec_context
    context.flush_buffers()
    base = stream.time_base
    if base is None:
        raise _NotDecodedError("it has no time base")
    place = round(Fraction(at, ticks.TICKS) / base)
    container.seek(max(0, place - 1), stream=stream, backward=True)
    most = MOST_PICTURES if stream.type == "video" else SOUND_FRAMES
    fed = after = decoded = 0
    for packet in container.demux(stream):
        after += packet.pts is not None and packet.pts > place
        over = stream.type == "video" and after and (packet.is_keyframe or after > behind)
        if not packet.size or fed >= most or (fed and over):
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
