"""A piece of a composite's pictures: frames drawn and encoded into an MP4 of their own, by one thread."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from pipeline.media.compose.encoder import Encoder
from pipeline.media.compose.feed import Feed
from pipeline.media.compose.painter import Painter
from pipeline.media.mp4.writer import Edit, Mp4Writer, SampleTimes, TrackHeader
from pipeline.media.pictures.bitstream import bitstream
from pipeline.media.sample_entry import entry_of
from pipeline.model import ticks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from av.packet import Packet

    from pipeline.layout.composite import Chunk, CompositePlan
    from pipeline.media.annexb import AccessUnit
    from pipeline.media.compose.artist import Artist


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was decoded of a stream: packets of the time of a piece, and those that gave no picture.

    ``key`` is a slice with the last of them.
    """

    uid: str
    source: str
    packets: int
    undecoded: int
    key: str


class _Feeds:
    """The streams that are open: those that the shot that is on shows."""

    def __init__(self, plan: CompositePlan, open_slice: Callable[[str], BinaryIO], end: int) -> None:
        self._tiles = {(tile.uid, tile.source): tile for tile in plan.tiles}
        self._open_slice = open_slice
        self._end = end
        self._open: dict[tuple[str, str], Feed] = {}
        self.decoded: list[Decoded] = []

    def feed(self, uid: str, source: str, utc: int) -> Feed | None:
        """The pictures of a stream from a moment on."""
        tile = self._tiles.get((uid, source))
        if tile is None:
            return None
        if (uid, source) not in self._open:
            self._open[uid, source] = Feed(tile.video, self._open_slice, utc, self._end)
        return self._open[uid, source]

    def keep(self, seen: frozenset[tuple[str, str]]) -> None:
        """Close those that are not seen."""
        for uid, source in [who for who in self._open if who not in seen]:
            feed = self._open.pop((uid, source))
            feed.close()
            count = feed.count
            self.decoded.append(Decoded(uid, source, count.packets, count.undecoded, count.key))

    def close(self) -> None:
        """Close all."""
        self.keep(frozenset())


def make_chunk(
    plan: CompositePlan,
    chunk: Chunk,
    artist: Artist,
    open_slice: Callable[[str], BinaryIO],
    sink: BinaryIO,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Decoded, ...]:
    """Draw and encode the frames of a piece.

    Args:
        plan: the composite; it has pictures.
        chunk: one of its pieces.
        artist: draws what is not recorded.
        open_slice: opens a slice's key for reading.
        sink: an empty file that can be written, read and sought.
        progress: called now and then with frames made since the last call.

    Raises:
        CommandError: the encoder does not work here.
        Surprise: a stream is not what its ends promised.
        OSError: a slice cannot be read or the sink not written.
    """
    encoding = plan.encoding
    if encoding is None:
        raise AssertionError(plan.file)  # a file of sound has no pieces
    encoder = Encoder(encoding, plan.canvas)
    feeds = _Feeds(plan, open_slice, plan.utc(chunk.end))
    painter = Painter(plan, artist, feeds.feed)
    packets: list[Packet[Any]] = []
    shown: frozenset[tuple[str, str]] = frozenset()
    with ExitStack() as stack:
        stack.callback(feeds.close)
        for number in range(chunk.first, chunk.end):
            packets += encoder.push(painter.frame(number))
            if painter.seen != shown:
                shown = painter.seen
                feeds.keep(shown)
            progress(1)
        packets += encoder.end()
    _write(plan, chunk, packets, sink)
    return tuple(feeds.decoded)


def _write(plan: CompositePlan, chunk: Chunk, packets: Sequence[Packet[Any]], sink: BinaryIO) -> None:
    """The packets as an MP4 that begins with the first frame of the piece."""
    codec = str(plan.encoding.codec) if plan.encoding else ""
    stream = bitstream(codec)
    units: list[AccessUnit] = [stream.unit(bytes(packet)) for packet in packets]
    first = units[0]
    sets = b"".join(b"\0\0\0\1" + nal for nal in first.parameter_sets)
    entry = entry_of(codec, sets + stream.decodable(stream.bare(first)))
    header = TrackHeader(
        "vide", ticks.TICKS, entry, name="composite", width=plan.canvas.width, height=plan.canvas.height
    )
    reserve = Mp4Writer.reserve_for([header], [len(units)], [1], plan.uid)
    writer = Mp4Writer(
        sink,
        [header],
        reserve=reserve,
        creation_ms=ticks.to_ms(plan.utc(chunk.first)),
        title=plan.uid,
        movie_timescale=ticks.TICKS,
    )
    payloads = [unit.payload for unit in units]
    writer.chunk(0, list(map(len, payloads)), b"".join(payloads))
    writer.finish([_times(plan, chunk, packets)])


def _times(plan: CompositePlan, chunk: Chunk, packets: Sequence[Packet[Any]]) -> SampleTimes:
    """DTS and PTS in ticks from the first frame of the piece on."""
    zero = plan.at(chunk.first)
    dts = np.array([plan.at(chunk.first + (p.dts or 0)) - zero for p in packets], dtype=np.int64)
    pts = np.array([plan.at(chunk.first + (p.pts or 0)) - zero for p in packets], dtype=np.int64)
    key = np.array([p.is_keyframe for p in packets], dtype=np.bool_)
    end = min(plan.at(chunk.end), plan.duration) - zero
    early = -int(dts[0])
    edits = (Edit(end, early),) if early else ()
    ahead = pts - dts
    return SampleTimes(
        dts + early,
        int(dts[-1]) + early + max(1, end - int(pts.max())),
        ahead if ahead.any() else None,
        None if key.all() else key,
        edits,
    )
