"""What an MP4 says about itself, sample by sample: what ``verify`` reads outputs with, and inputs too.

Nothing here knows the writer, and nothing is repaired: an impossible file is a ``ValueError`` of one sentence
that names the box.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

from pipeline.media.mp4.box import Box, BoxHeader, Fields, box_header
from pipeline.media.mp4.tables import MOST_SAMPLES, sample_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_TOP_BOXES = 1000
_MOST_MOOV_BYTES = 512 << 20
_MOST_FTYP_BYTES = 4096
_SECONDS_1904_TO_1970 = 2_082_844_800
_MOST_EDITS = 10_000
_LEAST_BOX = 8
_ENABLED = 1
_ONE = 0x10000  # 1.0 in 16.16 fixed point
_TURNS = {(1, 0, 0, 1): 0, (0, 1, -1, 0): 90, (-1, 0, 0, -1): 180, (0, -1, 1, 0): 270}


@dataclass(frozen=True, slots=True)
class EditEntry:
    """An entry of an edit list: ``duration`` in the movie timescale, ``media_time`` in the track's, or -1."""

    duration: int
    media_time: int


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A track: times and durations in its own ``timescale``, arrays with one value a sample.

    ``presented`` is what ``tkhd`` gives as the duration, in the movie timescale. ``clockwise`` is the turn
    that ``matrix`` makes, None if that is no quarter turn. ``sizes`` and ``offsets`` are bytes in the file.
    """

    number: int
    handler: str
    name: str
    language: str
    enabled: bool
    alternate_group: int
    timescale: int
    duration: int
    presented: int
    width: int
    height: int
    matrix: tuple[int, ...]
    clockwise: int | None
    sample_entry: bytes
    edits: tuple[EditEntry, ...]
    dts: NDArray[np.int64]
    durations: NDArray[np.int64]
    cts: NDArray[np.int64]
    sync: NDArray[np.bool_]
    sizes: NDArray[np.int64]
    offsets: NDArray[np.int64]
    chunk_offsets: NDArray[np.int64]
    chunk_counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Movie:
    """A whole file: ``duration`` in ``timescale``, ``creation_ms`` UTC, the major one of ``brands`` first."""

    brands: tuple[str, ...]
    timescale: int
    duration: int
    creation_ms: int
    title: str
    moov_before_mdat: bool
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """A box of the file itself."""

    header: BoxHeader
    at: int
    end: int

    @property
    def body(self) -> int:
        return self.at + self.header.length


def read_movie(file: BinaryIO, size: int, *, handler: str = "", whole: bool = True) -> Movie:
    """Reads a file that is not fragmented; ``ValueError`` for one that cannot be.

    Args:
        file: the file.
        size: its bytes.
        handler: read only tracks of this one (``vide``, ``soun``), whatever is in the others.
        whole: the media must all be there; else the file may end early, and offsets are not checked.
    """
    places = _top_boxes(file, size, whole=whole)
    if not whole and not any(place.header.kind == "moov" for place in places):
        raise ValueError("it has no moov: it was cut off, or never finished")
    moov_at = _only(places, "moov").at
    moov = _load(file, _only(places, "moov"), _MOST_MOOV_BYTES)
    ftyp = _load(file, _only(places, "ftyp"), _MOST_FTYP_BYTES)
    mdats = [place for place in places if place.header.kind == "mdat"]
    timescale, duration, creation_ms = _mvhd(moov.child("mvhd"))
    tracks: list[Track] = []
    for trak in (child for child in moov.children() if child.kind == "trak"):
        room = MOST_SAMPLES - sum(len(track.dts) for track in tracks)
        if handler and _handler(trak) != handler:
            continue
        tracks.append(_track(trak, room, named=whole))
        if whole:
            _check_chunks(trak, tracks[-1], mdats)
    return Movie(
        brands=_brands(ftyp),
        timescale=timescale,
        duration=duration,
        creation_ms=creation_ms,
        title=_title(moov),
        moov_before_mdat=all(moov_at < mdat.at for mdat in mdats),
        tracks=tuple(tracks),
    )


def _top_boxes(file: BinaryIO, size: int, *, whole: bool) -> list[_Place]:
    places: list[_Place] = []
    at = 0
    while at < size:
        if len(places) == _MOST_TOP_BOXES:
            raise ValueError(f"the file has more than {_MOST_TOP_BOXES} boxes side by side")
        if not whole and size - at < _LEAST_BOX:
            break
        file.seek(at)
        header = box_header(file.read(min(16, size - at)))
        end = size if header.size is None else at + header.size
        if end > size and whole:
            raise ValueError(f"{header.kind}: it ends at byte {end} of a file of {size}")
        if header.kind == "moof":
            raise ValueError("moof: the file is fragmented, and its samples are not all in moov")
        places.append(_Place(header, at, end))
        at = end
    return places


def _only(places: list[_Place], kind: str) -> _Place:
    found = [place for place in places if place.header.kind == kind]
    if len(found) != 1:
        raise ValueError(f"the file has {len(found)} {kind} boxes where one is expected")
    return found[0]


def _load(file: BinaryIO, place: _Place, most: int) -> Box:
    kind, size = place.header.kind, place.end - place.at
    if size > most:
        raise ValueError(f"{kind}: {size} bytes are more than the {most} that are read")
    file.seek(place.at)
    data = file.read(size)
    if len(data) != size:
        raise ValueError(f"{kind}: the file gave {len(data)} of its {size} bytes")
    return Box(kind, memoryview(data), memoryview(data)[place.header.length :])


def _brands(ftyp: Box) -> tuple[str, ...]:
    fields = ftyp.fields()
    major = bytes(fields.take(4))
    fields.take(4)
    brands = [major]
    while fields.left:
        brands.append(bytes(fields.take(4)))
    return tuple(brand.decode("latin-1") for brand in brands)


class _Stamps(NamedTuple):
    """How mvhd, tkhd and mdhd begin: bytes of a time, flags, seconds since 1904."""

    width: int
    flags: int
    created: int


def _stamps(fields: Fields) -> _Stamps:
    version, flags = fields.version(0, 1)
    width = 8 if version else 4
    stamps = _Stamps(width, flags, fields.unsigned(width))
    fields.take(width)
    return stamps


def _mvhd(mvhd: Box) -> tuple[int, int, int]:
    fields = mvhd.fields()
    stamps = _stamps(fields)
    timescale, duration = fields.unsigned(4), fields.unsigned(stamps.width)
    if not timescale:
        raise ValueError(f"{mvhd.path}: a timescale of 0 ticks per second")
    return timescale, duration, (stamps.created - _SECONDS_1904_TO_1970) * 1000


def _title(moov: Box) -> str:
    udta = moov.optional("udta")
    meta = udta.optional("meta") if udta else None
    ilst = meta.optional("ilst", skip=4) if meta else None
    name = ilst.optional("\xa9nam") if ilst else None
    if name is None:
        return ""
    fields = name.child("data").fields()
    fields.take(8)
    return fields.text()


def _track(trak: Box, room: int, *, named: bool) -> Track:
    mdia = trak.child("mdia")
    stbl = sample_table(mdia.child("minf").child("stbl"), room)
    tkhd = trak.child("tkhd").fields()
    stamps = _stamps(tkhd)
    number = tkhd.unsigned(4)
    tkhd.take(4)
    presented = tkhd.unsigned(stamps.width)
    tkhd.take(10)
    group = tkhd.signed(2)
    tkhd.take(4)
    matrix = tuple(tkhd.signed(4) for _ in range(9))
    timescale, duration, language = _mdhd(mdia.child("mdhd"))
    # The name is free text, and QuickTime counts its letters in front of them.
    handler, name = _hdlr(mdia.child("hdlr")) if named else (_handler(trak), "")
    return Track(
        number=number,
        handler=handler,
        name=name,
        language=language,
        enabled=bool(stamps.flags & _ENABLED),
        alternate_group=group,
        timescale=timescale,
        duration=duration,
        presented=presented,
        width=tkhd.unsigned(4) // _ONE,
        height=tkhd.unsigned(4) // _ONE,
        matrix=matrix,
        clockwise=_turn(matrix),
        sample_entry=stbl.sample_entry,
        edits=_edits(trak),
        dts=stbl.dts,
        durations=stbl.durations,
        cts=stbl.cts,
        sync=stbl.sync,
        sizes=stbl.sizes,
        offsets=stbl.offsets,
        chunk_offsets=stbl.chunk_offsets,
        chunk_counts=stbl.chunk_counts,
    )


def _turn(matrix: tuple[int, ...]) -> int | None:
    a, b, _, c, d = matrix[:5]
    if any(value % _ONE for value in (a, b, c, d)):
        return None
    return _TURNS.get((a // _ONE, b // _ONE, c // _ONE, d // _ONE))


def _mdhd(mdhd: Box) -> tuple[int, int, str]:
    fields = mdhd.fields()
    stamps = _stamps(fields)
    timescale, duration, code = fields.unsigned(4), fields.unsigned(stamps.width), fields.unsigned(2)
    if not timescale:
        raise ValueError(f"{mdhd.path}: a timescale of 0 ticks per second")
    return timescale, duration, "".join(chr((code >> shift & 31) + 0x60) for shift in (10, 5, 0))


def _handler(trak: Box) -> str:
    fields = trak.child("mdia").child("hdlr").fields()
    fields.take(8)
    return bytes(fields.take(4)).decode("latin-1")


def _hdlr(hdlr: Box) -> tuple[str, str]:
    fields = hdlr.fields()
    fields.take(8)
    handler = bytes(fields.take(4)).decode("latin-1")
    fields.take(12)
    return handler, fields.text()


def _edits(trak: Box) -> tuple[EditEntry, ...]:
    edts = trak.optional("edts")
    elst = edts.optional("elst") if edts else None
    if elst is None:
        return ()
    fields = elst.fields()
    version, _ = fields.version(0, 1)
    width = 8 if version else 4
    count = fields.unsigned(4)
    if count > _MOST_EDITS:
        raise ValueError(f"{elst.path}: {count} edits are more than the {_MOST_EDITS} that are read")
    edits: list[EditEntry] = []
    for _ in range(count):
        edits.append(EditEntry(fields.unsigned(width), fields.signed(width)))
        rate = fields.unsigned(4)
        if rate != _ONE or edits[-1].media_time < -1:
            raise ValueError(f"{elst.path}: {edits[-1]} at rate {rate / _ONE:g} is no edit that is played")
    return tuple(edits)


def _check_chunks(trak: Box, track: Track, mdats: list[_Place]) -> None:
    """Every chunk lies inside one ``mdat``."""
    if not len(track.chunk_offsets):
        return
    begins = np.array(sorted(mdat.body for mdat in mdats), dtype=np.int64)
    ends = np.array(sorted(mdat.end for mdat in mdats), dtype=np.int64)
    firsts = np.cumsum(track.chunk_counts) - track.chunk_counts
    sizes = np.add.reduceat(track.sizes, firsts)
    inside = np.searchsorted(begins, track.chunk_offsets, side="right") - 1
    if not len(begins) or (inside < 0).any() or (track.chunk_offsets > ends[inside] - sizes).any():
        raise ValueError(f"{trak.path}: a chunk of its samples is not inside the mdat of the file")
