"""One output made: the runs of a user's tracks copied into an MP4, interleaved by time.

The file is written where it is told to, complete and closed; giving it its name is the caller's business.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from pipeline.media.mp4.writer import Mp4Writer, TrackHeader
from pipeline.media.pictures import Pictures
from pipeline.media.sounds import Sounds
from pipeline.model import ticks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.media.tally import Chunk
    from pipeline.model.ledger import Entry
    from pipeline.model.manifest import OutputTrack
    from pipeline.model.plan import OutputPlan


@dataclass(frozen=True, slots=True)
class Remuxed:
    """What came out: tracks with their counts, what the ledger must say, the length in file ticks."""

    tracks: tuple[OutputTrack, ...]
    entries: tuple[Entry, ...]
    duration: int


def remux(
    output: OutputPlan,
    open_slice: Callable[[str], BinaryIO],
    sink: BinaryIO,
    progress: Callable[[int], None] = lambda _: None,
) -> Remuxed:
    """Copy a user's packets into an MP4.

    Args:
        output: the plan; it must not be refused.
        open_slice: opens a slice's key for reading.
        sink: an empty file that can be written, read and sought.
        progress: called now and then with input bytes read since the last call.

    Raises:
        Surprise: the stream is not what its ends promised.
        OSError: a slice cannot be read or the sink not written.
    """
    copiers: list[Pictures | Sounds] = []
    if output.video is not None:
        copiers.append(Pictures(output, output.video, open_slice, progress))
    if output.audio is not None:
        copiers.append(Sounds(output, output.audio, open_slice, progress))
    headers = [copier.header() for copier in copiers]
    writer = Mp4Writer(
        sink,
        headers,
        reserve=_reserve(output, headers),
        creation_ms=ticks.to_ms(output.zero),
        title=output.uid,
        movie_timescale=ticks.TICKS,
    )
    numbered = [_numbered(copier.chunks(), n) for n, copier in enumerate(copiers)]
    for _, number, samples in heapq.merge(*numbered, key=lambda item: item[:2]):
        writer.chunk(number, samples)
    end = max(copier.ends for copier in copiers)
    writer.finish([copier.sample_times(end) for copier in copiers])
    return Remuxed(
        tuple(copier.track_made(end) for copier in copiers),
        tuple(
            replace(entry, uid=output.uid, track=copier.track.medium)
            for copier in copiers
            for entry in copier.tally.entries
        ),
        end,
    )


def _numbered(chunks: Iterator[Chunk], number: int) -> Iterator[tuple[int, int, list[bytes]]]:
    for piece in chunks:
        yield piece.at, number, piece.samples


def _reserve(output: OutputPlan, headers: Sequence[TrackHeader]) -> int:
    """Bytes for ``moov`` by what the plan expects; the writer moves the media should that be too little."""
    chunks = output.duration // ticks.TICKS + 2
    samples = []
    for track in output.tracks:
        ends = track.runs[0].placed[0].piece.ends
        step = ends.step if ends else 1
        samples.append(output.duration // step + 2 * len(track.runs) + 2)
    return Mp4Writer.reserve_for(headers, samples, [chunks] * len(headers), output.uid)
