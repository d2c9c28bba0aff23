"""One output made: the runs of a user's tracks copied into an MP4, interleaved by time.

The file is written where it is told to, complete and closed; giving it its name is the caller's business.
"""

from __future__ import annotations

import hashlib
import heapq
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Self

from pipeline.media.aside import Aside
from pipeline.media.mp4.writer import Mp4Writer, TrackHeader
from pipeline.media.pictures.copier import Pictures
from pipeline.media.sounds import Sounds
from pipeline.model import ticks
from pipeline.model.slices import Medium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.media.mp4.sink import Sink
    from pipeline.media.tally import Chunk, Copier
    from pipeline.model.ledger import Entry
    from pipeline.model.manifest import OutputTrack
    from pipeline.model.plan import OutputPlan
    from pipeline.model.timeline import TrackTime

BATCH = 4 << 20
"""Bytes that are hashed and written at a time."""


@dataclass(frozen=True, slots=True)
class Remuxed:
    """What came out: tracks with their counts, what the ledger must say, the length in file ticks."""

    tracks: tuple[OutputTrack, ...]
    entries: tuple[Entry, ...]
    duration: int


def remux(
    output: OutputPlan,
    open_slice: Callable[[str], BinaryIO],
    sink: BinaryIO | Sink,
    progress: Callable[[int], None] = lambda _: None,
    *,
    processes: int = 1,
    hashing: bool = True,
) -> Remuxed:
    """Copy a user's packets into an MP4; the same bytes with any number of processes.

    Args:
        output: the plan; it must not be refused.
        open_slice: opens a slice's key for reading.
        sink: an empty file that can be written, read and sought, or what needs none of the last two.
        progress: called now and then with input bytes read since the last call.
        processes: with more than one, sound is copied beside the pictures.
        hashing: hash the copied payloads, so that the file can be checked against what was read.

    Raises:
        Surprise: the stream is not what its ends promised.
        OSError: a slice cannot be read or the sink not written.
    """
    with ExitStack() as stack:
        copiers: list[Copier] = []
        aside = None
        if processes > 1 and output.audio is not None and output.video is not None:
            # Before anything is read here: reading ahead takes threads, and none may run while we fork.
            aside = Aside(partial(_sounds, output, output.audio, open_slice), progress)
            stack.callback(aside.close)
        if output.video is not None:
            copiers.append(Pictures(output, output.video, open_slice, progress))
        if output.audio is not None:
            copiers.append(aside or _sounds(output, output.audio, open_slice, progress))
        return _write(output, copiers, sink, hashing=hashing)


def _sounds(
    output: OutputPlan,
    track: TrackTime,
    open_slice: Callable[[str], BinaryIO],
    progress: Callable[[int], None],
) -> Copier:
    return Sounds(output, track, open_slice, progress)


def _write(output: OutputPlan, copiers: Sequence[Copier], sink: BinaryIO | Sink, *, hashing: bool) -> Remuxed:
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
    with _Behind(writer, len(copiers) if hashing else 0) as behind:
        for _, number, piece in heapq.merge(*numbered, key=lambda item: item[:2]):
            behind.take(number, piece)
    end = max(copier.ends for copier in copiers)
    digests = behind.digests() if hashing else [""] * len(copiers)
    made = [c.made(end, digest) for c, digest in zip(copiers, digests, strict=True)]
    writer.finish([m.times for m in made])
    return Remuxed(
        tuple(m.track for m in made),
        tuple(replace(entry, uid=output.uid, track=m.track.medium) for m in made for entry in m.entries),
        end,
    )


def _numbered(chunks: Iterator[Chunk], number: int) -> Iterator[tuple[int, int, Chunk]]:
    for piece in chunks:
        yield piece.at, number, piece


class _Behind:
    """Hashing and writing, a batch behind the copying: both run without the interpreter's lock.

    Batches are large because each one costs a change of threads. The first ``hashed`` tracks are hashed.
    """

    def __init__(self, writer: Mp4Writer, hashed: int) -> None:
        self._writer = writer
        self._hashes = [hashlib.sha256() for _ in range(hashed)]
        self._pool = ThreadPoolExecutor(1)
        self._batch: list[tuple[int, Chunk]] = []
        self._bytes = 0
        self._waiting: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._hand_over()
                self._wait()
        finally:
            self._pool.shutdown(cancel_futures=True)

    def take(self, track: int, piece: Chunk) -> None:
        """Write a chunk soon; raises what an earlier one met."""
        self._batch.append((track, piece))
        self._bytes += len(piece.data)
        if self._bytes >= BATCH:
            self._hand_over()

    def _hand_over(self) -> None:
        self._wait()
        self._waiting = self._pool.submit(self._write, self._batch)
        self._batch, self._bytes = [], 0

    def _wait(self) -> None:
        if self._waiting is not None:
            self._waiting.result()

    def _write(self, batch: Sequence[tuple[int, Chunk]]) -> None:
        # Few large calls: each one hands the interpreter's lock over and takes it back.
        for number, digest in enumerate(self._hashes):
            digest.update(b"".join([p.data for track, p in batch if track == number and p.copied]))
        self._writer.chunks([(track, piece.sizes, piece.data) for track, piece in batch])

    def digests(self) -> list[str]:
        """SHA-256 over the copied payloads of each track."""
        return [h.hexdigest() for h in self._hashes]


def _reserve(output: OutputPlan, headers: Sequence[TrackHeader]) -> int:
    """Bytes for ``moov`` by what the plan expects; the writer moves the media should that be too little."""
    chunks = output.duration // ticks.TICKS + 2
    samples = []
    for track in output.tracks:
        step = min(run.step for run in track.runs) if track.medium is Medium.AUDIO else track.runs[0].step
        samples.append(output.duration // step + 2 * len(track.runs) + 2)
    return Mp4Writer.reserve_for(headers, samples, [chunks] * len(headers), output.uid)
