"""A track of an MP4 that others made, as a source: what it is coded in, and when each sample is shown.

Times are on the movie's own line in ticks of 1/90000 s, edit lists applied: 0 is the moment that the file's
stamp tells. Nothing is decoded. A mistake of the file is a ``ValueError`` of one sentence.
Sources: ISO/IEC 14496-12 8.6.6 (edits), 14496-14 and 14496-15 (sample entries), 14496-3 1.6.2.1
(AudioSpecificConfig).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from pipeline.media.aac import AdtsConfig
from pipeline.media.mp4.box import Box, Fields, boxes
from pipeline.media.mp4.reader import Movie, Track, read_movie
from pipeline.model import ticks
from pipeline.model.slices import Medium

if TYPE_CHECKING:
    from numpy.typing import NDArray

HANDLERS = {Medium.VIDEO: "vide", Medium.AUDIO: "soun"}

_VISUAL, _AUDIO = 78, 28  # bytes of a sample entry before the boxes in it
_H264 = frozenset({"avc1", "avc3"})
_HEVC = frozenset({"hvc1", "hev1"})
_ENCRYPTED = frozenset({"encv", "enca"})
_AAC = 0x40  # objectTypeIndication (ISO/IEC 14496-1 table 5)
_BYTEVC = {"bvc1": "bytevc1", "bvc2": "bytevc2"}
"""Sample entries under which ByteDance's encoders write streams that are no HEVC."""
_LONG = {"vp08": "vp8", "vp09": "vp9", "av01": "av1", "Opus": "opus", "mp4v": "mpeg4", ".mp3": "mp3"}
_SPECIFIC, _CONFIG, _ES = 5, 4, 3  # descriptor tags (ISO/IEC 14496-1 7.2.6)


@dataclass(frozen=True, slots=True)
class Coded:
    """How the samples of a track are coded.

    Attributes:
        codec: ``h264``, ``hevc``, ``aac``, or ``<name> in MP4`` for anything else.
        length_size: bytes of the length before each NAL unit; 0 for other codecs.
        sets: parameter sets out of the sample entry.
        config: of AAC.
    """

    codec: str
    length_size: int = 0
    sets: tuple[bytes, ...] = ()
    config: AdtsConfig | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SourceTrack:
    """A track; one value a sample, in the order of decoding.

    Attributes:
        coded: what it is coded in.
        pts: ticks on the movie's line, before it too for what an encoder needs first.
        dts: as ``pts``.
        offsets: in the file.
        sizes: bytes.
        missing: how many more samples lie beyond the end of the file.
        clockwise: degrees that the display matrix turns it.
        created_ms: UTC ms of the movie's creation; 0 where the file does not tell it.
    """

    coded: Coded
    pts: NDArray[np.int64]
    dts: NDArray[np.int64]
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]
    missing: int
    clockwise: int
    created_ms: int


def read_track(file: BinaryIO, size: int, medium: Medium) -> SourceTrack | None:
    """The first track of a medium with samples; None where there is none.

    Raises:
        ValueError: it cannot be read.
        OSError: the file cannot.
    """
    movie = read_movie(file, size, handler=HANDLERS[medium], whole=False)
    track = next((t for t in movie.tracks if len(t.sizes)), None)
    return None if track is None else _source(movie, track, size)


def _source(movie: Movie, track: Track, size: int) -> SourceTrack:
    begin, skipped = _edited(movie, track)
    there = track.offsets <= size - track.sizes
    cts = np.where(track.cts >= 1 << 31, track.cts - (1 << 32), track.cts)  # written with a sign in version 0

    def on_line(media: NDArray[np.int64]) -> NDArray[np.int64]:
        shown = (media - skipped) * ticks.TICKS
        line: NDArray[np.int64] = begin + (shown + track.timescale // 2) // track.timescale
        return line

    return SourceTrack(
        coded=_coded(track.sample_entry),
        pts=on_line(track.dts + cts)[there],
        dts=on_line(track.dts)[there],
        offsets=track.offsets[there],
        sizes=track.sizes[there],
        missing=int((~there).sum()),
        clockwise=track.clockwise or 0,
        created_ms=max(0, movie.creation_ms),
    )


def _edited(movie: Movie, track: Track) -> tuple[int, int]:
    """Ticks at which the track begins on the movie's line, and the media time that is shown there."""
    edits = list(track.edits)
    empty = 0
    while edits and edits[0].media_time < 0:
        empty += edits.pop(0).duration
    if len(edits) > 1:
        raise ValueError(f"its edit list shows {len(edits)} pieces of a track, and only one can be followed")
    begin = (empty * ticks.TICKS + movie.timescale // 2) // movie.timescale
    return begin, edits[0].media_time if edits else 0


def _coded(sample_entry: bytes) -> Coded:
    (entry,) = boxes(memoryview(sample_entry))
    kind = entry.kind
    if kind in _ENCRYPTED:
        raise ValueError(f"it is encrypted ({kind})")
    if kind in _H264:
        return _avc(_inside(entry, _VISUAL).child("avcC"))
    if kind in _HEVC:
        return _hevc(_inside(entry, _VISUAL).child("hvcC"))
    if kind == "mp4a":
        return _mp4a(_inside(entry, _AUDIO).child("esds"))
    if kind in _BYTEVC:
        return Coded(_BYTEVC[kind])
    return Coded(f"{_LONG.get(kind, kind.strip())} in MP4")


def _inside(entry: Box, fixed: int) -> Box:
    """The boxes in a sample entry."""
    if len(entry.body) < fixed:
        raise ValueError(f"{entry.path}: {len(entry.body)} bytes are less than the {fixed} of a sample entry")
    return Box(entry.path, entry.whole, entry.body[fixed:])


def _avc(box: Box) -> Coded:
    fields = box.fields()
    fields.take(4)
    length_size = (fields.unsigned(1) & 3) + 1
    sets = _sets(fields, fields.unsigned(1) & 31)
    return Coded("h264", length_size, (*sets, *_sets(fields, fields.unsigned(1))))


def _hevc(box: Box) -> Coded:
    fields = box.fields()
    fields.take(21)
    length_size = (fields.unsigned(1) & 3) + 1
    sets: list[bytes] = []
    for _ in range(fields.unsigned(1)):
        fields.take(1)
        sets += _sets(fields, fields.unsigned(2))
    return Coded("hevc", length_size, tuple(sets))


def _sets(fields: Fields, count: int) -> list[bytes]:
    return [bytes(fields.take(fields.unsigned(2))) for _ in range(count)]


def _mp4a(esds: Box) -> Coded:
    fields = esds.fields()
    fields.version(0)
    es = _descriptor(esds, fields, _ES)
    es.take(2)
    flags = es.unsigned(1)
    es.take(2 if flags & 0x80 else 0)
    es.take(es.unsigned(1) if flags & 0x40 else 0)
    es.take(2 if flags & 0x20 else 0)
    config = _descriptor(esds, es, _CONFIG)
    kind = config.unsigned(1)
    if kind != _AAC:
        return Coded(f"mp4a of type {kind:#x} in MP4")
    config.take(12)
    specific = _descriptor(esds, config, _SPECIFIC)
    return Coded("aac", config=adts_config(bytes(specific.take(specific.left))))


def _descriptor(esds: Box, fields: Fields, tag: int) -> Fields:
    """The fields of the descriptor that comes next."""
    found = fields.unsigned(1)
    if found != tag:
        raise ValueError(f"{esds.path}: a descriptor {found} where {tag} is expected")
    size = 0
    for _ in range(4):
        more = fields.unsigned(1)
        size = size << 7 | more & 0x7F
        if not more & 0x80:
            break
    return Fields(esds.path, fields.take(size))


def adts_config(specific: bytes) -> AdtsConfig:
    """What an ADTS header says of sound with this AudioSpecificConfig; ``ValueError`` where it cannot.

    Of HE-AAC it is the core, as ADTS has it: decoders find the rest in the frames.
    """
    bits = int.from_bytes(specific[:5].ljust(5, b"\0"), "big")

    def take(first: int, width: int) -> int:
        return bits >> (40 - first - width) & (1 << width) - 1

    kind, rate, channels = take(0, 5), take(5, 4), take(9, 4)
    if kind in _WITH_CORE:
        kind = take(17, 5)
    try:
        return AdtsConfig(kind, rate, channels)
    except ValueError as error:
        raise ValueError(f"its AAC has no place in ADTS: {error}") from error


_WITH_CORE = {5, 29}  # SBR, PS: the core's object type stands behind the rate that they double
