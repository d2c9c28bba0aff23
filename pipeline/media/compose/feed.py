"""The pictures of one stream in order of time, decoded no further than they are asked for.

Decoding begins at the last key frame before the moment that is asked for first. A run is opened when its time
has come, and closed when it is over.
"""

from __future__ import annotations

from bisect import bisect_right
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

import av
import av.error

from pipeline.media.pictures.bitstream import bitstream
from pipeline.media.pictures.sieve import KEY_WITHIN
from pipeline.media.runs import open_run
from pipeline.model import ticks
from pipeline.model.shapes import stretches
from pipeline.model.slices import Medium

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame

    from pipeline.model.timeline import Run, TrackTime

MOST_KEPT = 64_000_000
"""Bytes of packets behind one key frame that are kept; of longer GOPs all is decoded."""
_BASE = Fraction(1, ticks.TICKS)


class Picture(NamedTuple):
    """A decoded picture: UTC ticks from which it is shown, degrees that turn it upright."""

    utc: int
    frame: VideoFrame | None
    clockwise: int


@dataclass(slots=True)
class Count:
    """Packets of a stream between two moments, and those that could not be decoded."""

    packets: int = 0
    undecoded: int = 0
    key: str = ""


class Feed:
    """The pictures of one stream.

    Args:
        video: its runs.
        open_slice: opens a key for reading.
        start: UTC ticks of the first moment that will be asked for.
        end: UTC ticks behind the last one.
    """

    def __init__(self, video: TrackTime, open_slice: Callable[[str], BinaryIO], start: int, end: int) -> None:
        self._video = video
        self._open = open_slice
        self._start, self._end = start, end
        shapes = stretches(video)
        self._turns = [stretch.shape.clockwise for stretch in shapes]
        self._begins = [stretch.start for stretch in shapes]
        self.count = Count()
        self._pictures = self._all()
        self._shown: Picture | None = None
        self._next = next(self._pictures, None)

    def at(self, utc: int, since: int) -> Picture | None:
        """The last picture up to a moment and not from before ``since``; moments never go back."""
        while self._next is not None and self._next.utc <= utc:
            if self._next.frame is not None:
                self._shown = self._next
            self._next = next(self._pictures, None)
        return self._shown if self._shown is not None and self._shown.utc >= since else None

    def close(self) -> None:
        """Free what decoding took."""
        self._pictures.close()

    def _all(self) -> Generator[Picture]:
        runs = self._video.runs
        first = max((n for n, run in enumerate(runs) if run.start <= self._start), default=0)
        if first and not _key_slices(runs[first], self._start):
            first -= 1  # its last picture stays until this one's key frame
        for number, run in enumerate(runs[first:]):
            yield Picture(run.start, None, 0)  # nobody opens a run before its time
            begin = _key_slice(run, self._start) if number == 0 else 0
            with closing(self._run(run, begin)) as pictures:
                yield from _rising(pictures)

    def _run(self, run: Run, begin: int) -> Generator[Picture]:
        placed = run.placed[begin:]
        codec = placed[0].piece.ends.form.codec if placed[0].piece.ends else ""
        packets = open_run(self._open, [p.piece for p in placed], Medium.VIDEO)
        decoder = cast("VideoCodecContext", av.CodecContext.create(codec, "r"))
        decoder.thread_count = 1  # the pieces are made side by side
        limit = min((at for at in (run.until, run.yields) if at is not None), default=None)
        unit_of, last = bitstream(codec).unit, placed[0].at
        wait = _Wait(max(self._start, run.start))
        cuts = [p.piece.ends.cut if p.piece.ends else None for p in placed]
        try:
            for pts, _, piece, data, torn in packets:
                last = utc = last if pts is None else placed[piece].utc(pts)
                decoding = wait.over
                if self._start <= utc < self._end:
                    self.count.packets += 1
                    self.count.key = placed[piece].piece.key
                if torn or (pts is not None and pts == cuts[piece]):
                    self._lose(utc)
                    yield from self._kept(run, limit, decoder, wait)
                    wait = _Wait(utc, damaged=True)
                elif decoding:
                    for frame in self._decoded(decoder, utc, data):
                        if (picture := self._picture(run, limit, frame)) is not None:
                            yield picture
                else:
                    for early in wait.push(utc, data, key=unit_of(data).key):
                        self._lose(early)
                    yield from self._kept(run, limit, decoder, wait) if wait.over else ()
            yield from self._kept(run, limit, decoder, wait)
            yield from self._shown_of(run, limit, self._decoded(decoder, 0, None))
        finally:
            packets.close()

    def _kept(
        self, run: Run, limit: int | None, decoder: VideoCodecContext, wait: _Wait
    ) -> Iterator[Picture]:
        """Decode what was kept; not what refers to a damaged picture."""
        kept, wait.kept = wait.kept, []
        for utc, data in kept:
            if wait.spoilt:
                self._lose(utc)
            else:
                yield from self._shown_of(run, limit, self._decoded(decoder, utc, data))

    def _lose(self, utc: int) -> None:
        if self._start <= utc < self._end:
            self.count.undecoded += 1

    def _decoded(self, decoder: VideoCodecContext, utc: int, data: bytes | None) -> list[VideoFrame]:
        packet: Packet[Any] | None = None
        if data is not None:
            packet = av.Packet(data)
            packet.pts, packet.time_base = utc, _BASE
        try:
            return decoder.decode(packet)
        except av.error.FFmpegError:
            self._lose(utc)
            return []

    def _shown_of(self, run: Run, limit: int | None, frames: Iterable[VideoFrame]) -> Iterator[Picture]:
        pictures = (self._picture(run, limit, frame) for frame in frames)
        return (picture for picture in pictures if picture is not None)

    def _picture(self, run: Run, limit: int | None, frame: VideoFrame) -> Picture | None:
        """A frame with its place; None where others are shown."""
        utc = frame.pts
        if utc is None or utc < run.start or (limit is not None and utc >= limit):
            return None
        turn = self._turns[max(0, bisect_right(self._begins, utc) - 1)]
        return Picture(utc, frame, turn)


def _rising(pictures: Iterator[Picture]) -> Iterator[Picture]:
    """Pictures as they come; one that says that it is later than the next cannot hold those up."""
    held: Picture | None = None
    for picture in pictures:
        if held is not None:
            yield held if held.utc <= picture.utc else held._replace(utc=picture.utc)
        held = picture
    if held is not None:
        yield held


class _Wait:
    """Packets kept from the last key frame on, until the moment to begin has come.

    Args:
        begin: UTC ticks of that moment.
        damaged: a picture that others refer to was lost there; a decoder would show them smeared.
    """

    def __init__(self, begin: int, *, damaged: bool = False) -> None:
        self._begin = begin
        self._damaged = damaged
        self._keyed = False
        self._bytes = 0
        self.over = False
        self.kept: list[tuple[int, bytes]] = []

    @property
    def spoilt(self) -> bool:
        """No key frame came after the damage, and none is too late yet."""
        return self._damaged and not self._keyed and not self.over

    def push(self, utc: int, data: bytes, *, key: bool) -> list[int]:
        """One more packet; the times of those that cannot be decoded, because no key frame is before them."""
        lost: list[int] = []
        if key and (not self._keyed or utc <= self._begin):
            lost = [] if self._keyed else [at for at, _ in self.kept]
            self.kept, self._bytes, self._keyed = [], 0, True
        self.kept.append((utc, data))
        self._bytes += len(data)
        late = not self._keyed and utc - self.kept[0][0] > KEY_WITHIN
        self.over = late or (self._keyed and utc >= self._begin) or self._bytes > MOST_KEPT
        return lost


def _key_slice(run: Run, start: int) -> int:
    """Index of the last slice of a run that holds a key frame to begin with at UTC ticks ``start``."""
    keys = _key_slices(run, start)
    return keys[-1] if keys else 0


def _key_slices(run: Run, start: int) -> list[int]:
    """Indices of the slices up to UTC ticks ``start`` that begin with a key frame."""
    before = [n for n, placed in enumerate(run.placed) if placed.at <= start]
    return [n for n in before if (ends := run.placed[n].piece.ends) is not None and ends.key]
