"""Pieces of pictures and the sound copied into one MP4, a second of each in turn."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from pipeline.media.mp4.reader import read_movie
from pipeline.media.mp4.writer import Edit, Mp4Writer, SampleTimes, TrackHeader
from pipeline.model import ticks

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.layout.composite import CompositePlan
    from pipeline.media.mp4.reader import Track


@dataclass(frozen=True, slots=True)
class Joined:
    """What was copied: SHA-256 over the payloads of the pictures and of the sound, samples of each."""

    pictures: str
    sound: str
    frames: int
    sounds: int


@dataclass(frozen=True, slots=True)
class _Stream:
    """Samples of a track in order, of one file after another."""

    header: TrackHeader
    parts: tuple[tuple[Path, Track], ...]
    times: SampleTimes
    due: NDArray[np.int64]  # file ticks of each sample's decoding

    def samples(self) -> Generator[bytes]:
        """What each holds; one file is open at a time: long calls have more than a process may open."""
        for path, track in self.parts:
            with path.open("rb") as file:
                for offset, size in zip(track.offsets.tolist(), track.sizes.tolist(), strict=True):
                    yield _read(file, offset, size)


def join(plan: CompositePlan, pieces: Sequence[Path], sound: Path | None, sink: BinaryIO) -> Joined:
    """Write the pieces and the sound as one file.

    Args:
        plan: the composite.
        pieces: the files of its chunks, in order.
        sound: a file of its sound alone; None for none.
        sink: an empty file that can be written, read and sought.

    Raises:
        ValueError: a piece is no file of ours, or was encoded otherwise than the first one.
        OSError: one cannot be read, or the sink not written.
    """
    streams = [_pictures(plan, pieces)] if pieces else []
    if sound is not None:
        streams.append(_sound(sound))
    digests = _write(plan, streams, sink)
    counts = [len(stream.due) for stream in streams]
    if not pieces:
        digests, counts = ["", *digests], [0, *counts]
    return Joined(digests[0], digests[1] if sound else "", counts[0], counts[1] if sound else 0)


def _pictures(plan: CompositePlan, pieces: Sequence[Path]) -> _Stream:
    parts = tuple((path, _only(path)) for path in pieces)
    entries = {track.sample_entry for _, track in parts}
    if len(entries) > 1:
        raise ValueError("the pieces of a composite were encoded by different encoders")
    dts, pts = [], []
    for chunk, (_, track) in zip(plan.chunks, parts, strict=True):
        early = next((edit.media_time for edit in track.edits), 0)
        begin = plan.at(chunk.first) - early
        dts.append(track.dts + begin)
        pts.append(track.dts + track.cts + begin)
    decoded, shown = np.concatenate(dts), np.concatenate(pts)
    key = np.concatenate([track.sync for _, track in parts])
    early = -int(decoded[0])
    ahead = shown - decoded
    times = SampleTimes(
        decoded + early,
        int(decoded[-1]) + early + max(1, plan.duration - int(shown.max())),
        ahead if ahead.any() else None,
        None if key.all() else key,
        (Edit(plan.duration, early),) if early else (),
    )
    canvas = plan.canvas
    header = TrackHeader(
        "vide", ticks.TICKS, entries.pop(), name="composite", width=canvas.width, height=canvas.height
    )
    return _Stream(header, parts, times, decoded)


def _sound(path: Path) -> _Stream:
    track = _only(path)
    edits = tuple(Edit(edit.duration, edit.media_time) for edit in track.edits)
    header = TrackHeader("soun", track.timescale, track.sample_entry, name="mix")
    due = track.dts * ticks.TICKS // track.timescale
    return _Stream(header, ((path, track),), SampleTimes(track.dts, track.duration, edits=edits), due)


def _only(path: Path) -> Track:
    with path.open("rb") as file:
        movie = read_movie(file, path.stat().st_size)
    if len(movie.tracks) != 1:
        raise ValueError("a piece of a composite has one track")
    return movie.tracks[0]


def _write(plan: CompositePlan, streams: Sequence[_Stream], sink: BinaryIO) -> list[str]:
    seconds = plan.duration // ticks.TICKS + 2
    headers = [stream.header for stream in streams]
    counts = [len(stream.due) for stream in streams]
    reserve = Mp4Writer.reserve_for(headers, counts, [seconds] * len(headers), plan.uid)
    writer = Mp4Writer(
        sink,
        headers,
        reserve=reserve,
        creation_ms=ticks.to_ms(plan.zero),
        title=plan.uid,
        movie_timescale=ticks.TICKS,
    )
    hashes = [hashlib.sha256() for _ in streams]
    done = [0] * len(streams)
    with ExitStack() as stack:
        samples = [stack.enter_context(closing(stream.samples())) for stream in streams]
        for second in range(seconds):
            last = second == seconds - 1
            for number, stream in enumerate(streams):
                due = np.searchsorted(stream.due, (second + 1) * ticks.TICKS)
                until = len(stream.due) if last else int(due)
                parts = [next(samples[number]) for _ in range(max(0, until - done[number]))]
                data = b"".join(parts)
                hashes[number].update(data)
                writer.chunk(number, list(map(len, parts)), data)
                done[number] = max(done[number], until)
    writer.finish([stream.times for stream in streams])
    return [each.hexdigest() for each in hashes]


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    data = file.read(size)
    if len(data) != size:
        raise ValueError("a piece of a composite is cut off")
    return data
