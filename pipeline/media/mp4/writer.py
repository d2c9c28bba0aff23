"""The MP4 writer: media in one pass, ``moov`` in front of it, the same bytes everywhere.

What lives here is the order of writes; what the boxes say is in ``moov``. Room for ``moov`` is reserved ahead
of the media, so that it is written last and still stands first. Only when it turns out larger does the media
begin later than was told.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from struct import pack
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from pipeline.media.mp4.moov import (
    ChunkTable,
    Edit,
    SampleTimes,
    TrackHeader,
    TrackTables,
    box,
    movie,
)
from pipeline.media.mp4.sink import InFile, Sink

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Edit", "Mp4Writer", "SampleTimes", "TrackHeader"]

_U32 = 0xFFFFFFFF
_BOX, _LARGE_BOX = 8, 16
_BRANDS = {b"avc1": b"avc1", b"avc3": b"avc1", b"hvc1": b"hvc1", b"Opus": b"Opus"}

# Bytes of moov: a stts, a ctts, a stsz and a stss entry for a picture; a stsz entry for a frame of sound,
# whose durations hardly change; stsc and co64 entries and two changes of duration for a chunk.
_PICTURE_BYTES, _SOUND_BYTES, _CHUNK_BYTES = 24, 4, 36
_MOVIE_BYTES, _TRACK_BYTES = 2048, 1024


@dataclass(slots=True)
class _Track:
    """What grows while media is written: four bytes a sample, twelve a chunk."""

    sizes: array[int] = field(default_factory=lambda: array("I"))
    counts: array[int] = field(default_factory=lambda: array("I"))
    offsets: array[int] = field(default_factory=lambda: array("Q"))

    def table(self, shift: int) -> ChunkTable:
        return ChunkTable(
            np.asarray(self.sizes, dtype=np.int64),
            np.asarray(self.counts, dtype=np.int64),
            np.asarray(self.offsets, dtype=np.int64) + shift,
        )


class Mp4Writer:
    """Writes one MP4, the same bytes to a file as to any other sink.

    A file is at its beginning, can seek and, should the media move, be read. ``reserve`` bytes are kept for
    ``moov`` and ``free``; ``creation_ms`` is UTC; the edits and the durations of movie and tracks are in
    ``movie_timescale``. The first media byte is at ``media_start``.
    """

    def __init__(
        self,
        sink: BinaryIO | Sink,
        headers: Sequence[TrackHeader],
        *,
        reserve: int,
        creation_ms: int,
        title: str = "",
        movie_timescale: int = 1000,
    ) -> None:
        if reserve < 0 or not 0 < movie_timescale <= _U32:
            raise ValueError(
                f"neither {reserve} reserved bytes nor {movie_timescale} ticks per second make sense"
            )
        self._headers = tuple(headers)
        self._creation_ms = creation_ms
        self._title = title
        self._movie_timescale = movie_timescale
        self._tracks = [_Track() for _ in headers]
        self._ftyp = _ftyp(headers)
        self.media_start = len(self._ftyp) + reserve + _LARGE_BOX
        self._at = self.media_start
        self._sink: Sink = sink if isinstance(sink, Sink) else InFile(sink, self.media_start)

    @staticmethod
    def reserve_for(
        headers: Sequence[TrackHeader], samples: Sequence[int], chunks: Sequence[int], title: str = ""
    ) -> int:
        """How many bytes ``moov`` may take, given the numbers of samples and chunks of each track.

        An upper bound for pictures; sound is taken to change its frame duration at most twice a chunk.
        """
        total = _MOVIE_BYTES + len(title.encode("utf-8"))
        for header, sample_count, chunk_count in zip(headers, samples, chunks, strict=True):
            each = _PICTURE_BYTES if header.handler == "vide" else _SOUND_BYTES
            total += _TRACK_BYTES + len(header.sample_entry) + len(header.name.encode("utf-8"))
            total += each * sample_count + _CHUNK_BYTES * chunk_count
        return total

    def chunk(self, track: int, sizes: Sequence[int], data: bytes) -> None:
        """Writes samples of a track as one chunk: ``data`` holds them one after another; none is no chunk."""
        self.chunks([(track, sizes, data)])

    def chunks(self, many: Sequence[tuple[int, Sequence[int], bytes]]) -> None:
        """Writes several chunks, each as in `chunk`, with one write."""
        for track, sizes, data in many:
            if sizes:
                table = self._tracks[track]
                table.sizes.extend(sizes)
                table.counts.append(len(sizes))
                table.offsets.append(self._at)
                self._at += len(data)
        self._sink.media(b"".join([data for _, sizes, data in many if sizes]))

    def finish(self, times: Sequence[SampleTimes]) -> None:
        """Writes what stands in front of the media; a file is left at its end.

        Raises ``ValueError`` when the times are not those of the samples written.
        """
        for number, (track, at) in enumerate(zip(self._tracks, times, strict=True), start=1):
            if len(track.sizes) != len(at.dts):
                raise ValueError(f"track {number} has {len(track.sizes)} samples and {len(at.dts)} times")
        media = self._at - self.media_start
        mdat = _mdat(media)
        start = self.media_start
        while True:
            moov = self._moov(times, start - self.media_start)
            room = start - len(self._ftyp) - len(moov) - len(mdat)
            if room == 0 or room >= _BOX:
                break
            start += _BOX if room > 0 else -room  # a free box is 8 bytes at least
        free = box(b"free", bytes(room - _BOX)) if room else b""
        self._sink.head(b"".join((self._ftyp, moov, free, mdat)))

    def _moov(self, times: Sequence[SampleTimes], shift: int) -> bytes:
        tracks = [
            TrackTables(header, at, track.table(shift))
            for header, at, track in zip(self._headers, times, self._tracks, strict=True)
        ]
        return movie(
            tracks, timescale=self._movie_timescale, creation_ms=self._creation_ms, title=self._title
        )


def _ftyp(headers: Sequence[TrackHeader]) -> bytes:
    codecs = dict.fromkeys(_BRANDS.get(header.sample_entry[4:8], b"") for header in headers)
    return box(b"ftyp", b"isom", pack(">I", 512), b"isom", b"iso2", *codecs, b"mp41")


def _mdat(media: int) -> bytes:
    if _BOX + media > _U32:
        return pack(">I4sQ", 1, b"mdat", _LARGE_BOX + media)
    return pack(">I4s", _BOX + media, b"mdat")
