"""The ``moov`` box from values (ISO/IEC 14496-12): pure, bytes out, nothing written.

Sample tables are arrays from end to end, run lengths included: a track of an hour has 200,000 samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_U32 = 0xFFFFFFFF
_I32 = 0x7FFFFFFF
_I16 = 0x7FFF
_SECONDS_1904_TO_1970 = 2_082_844_800
_HANDLERS = ("vide", "soun")
_UNDETERMINED = 0x55C4  # "und" as three times five bits
_ENABLED_IN_MOVIE = 3
_ENTRY_HEADER = 8


@dataclass(frozen=True, slots=True)
class TrackHeader:
    """What is known of a track before its first sample.

    ``handler`` is "vide" or "soun", ``timescale`` ticks per second, ``sample_entry`` the complete box that
    goes into ``stsd``, ``name`` the handler name. Pictures also have a display size in pixels before the
    matrix, and the quarter turns that the player makes, in degrees ``clockwise``. Raises ``ValueError`` for
    anything else.
    """

    handler: str
    timescale: int
    sample_entry: bytes
    name: str
    width: int = 0
    height: int = 0
    clockwise: int = 0

    def __post_init__(self) -> None:
        if self.handler not in _HANDLERS:
            raise ValueError(f"a track is vide or soun, not {self.handler!r}")
        if not 0 < self.timescale <= _U32:
            raise ValueError(f"a timescale is 1 to {_U32} ticks per second, not {self.timescale}")
        entry = self.sample_entry
        if len(entry) < _ENTRY_HEADER or int.from_bytes(entry[:4], "big") != len(entry):
            raise ValueError(f"a sample entry is one whole box, not these {len(entry)} bytes")
        if not (0 <= self.width <= 0xFFFF and 0 <= self.height <= 0xFFFF):  # noqa: PLR2004 - 16.16 fixed point
            raise ValueError(f"a display size fits 16 bits, not {self.width}x{self.height}")
        if self.clockwise not in {0, 90, 180, 270}:
            raise ValueError(f"a picture turns by 0, 90, 180 or 270 degrees, not {self.clockwise}")
        if "\0" in self.name:
            raise ValueError("a handler name holds no zero byte")


@dataclass(frozen=True, slots=True)
class Edit:
    """One entry of an edit list (ISO/IEC 14496-12 8.6.6).

    ``duration`` in the movie timescale; ``media_time`` in the media timescale, -1 for an empty edit.
    """

    duration: int
    media_time: int

    def __post_init__(self) -> None:
        if self.duration < 0 or self.media_time < -1:
            raise ValueError(f"an edit lasts {self.duration} from {self.media_time}: neither may be negative")


@dataclass(frozen=True, slots=True, eq=False)
class SampleTimes:
    """When the samples of a track are decoded and shown, in its media timescale.

    ``dts`` (int64) rises strictly from 0; ``end`` is the end of the last sample, which is the media duration;
    ``cts`` (int64) is PTS - DTS, not negative, None where both are equal; ``sync`` (bool) marks samples to
    start from, None where all are; ``roll`` is the roll_distance of all samples: -4 where the four before one
    must be decoded for it to be right (ISO/IEC 14496-12 10.1), 0 for none. Raises ``ValueError`` for times
    that no MP4 can hold.
    """

    dts: NDArray[np.int64]
    end: int
    cts: NDArray[np.int64] | None = None
    sync: NDArray[np.bool_] | None = None
    edits: tuple[Edit, ...] = ()
    roll: int = 0

    def __post_init__(self) -> None:
        count = len(self.dts)
        if count and self.dts[0] != 0:
            raise ValueError(f"the first sample is decoded at 0, not at {self.dts[0]}")
        steps = self.durations
        if count and not (steps.min() > 0 and steps.max() <= _U32):
            raise ValueError("decoding times and the end rise strictly, by less than 2**32 ticks a sample")
        if not count and self.end:
            raise ValueError(f"a track without samples ends at 0, not at {self.end}")
        if self.cts is not None and len(self.cts) != count:
            raise ValueError(f"{len(self.cts)} composition offsets stand beside {count} samples")
        if self.cts is not None and count and not (self.cts.min() >= 0 and self.cts.max() <= _I32):
            raise ValueError("composition offsets are 0 to 2**31 - 1 ticks")
        if self.sync is not None and len(self.sync) != count:
            raise ValueError(f"{len(self.sync)} sync flags stand beside {count} samples")
        if not -_I16 <= self.roll <= 0:
            raise ValueError(f"samples roll from before themselves, by 0 to -{_I16}, not by {self.roll}")

    @property
    def durations(self) -> NDArray[np.int64]:
        """How long each sample lasts, in the media timescale."""
        return np.diff(self.dts, append=np.int64(self.end))


@dataclass(frozen=True, slots=True, eq=False)
class ChunkTable:
    """Where the samples of a track lie: bytes per sample; samples and file offset per chunk."""

    sizes: NDArray[np.int64]
    counts: NDArray[np.int64]
    offsets: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrackTables:
    """A track with everything its ``trak`` says."""

    header: TrackHeader
    times: SampleTimes
    chunks: ChunkTable


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of these parts."""
    body = b"".join(parts)
    return pack(">I4s", 8 + len(body), kind) + body


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, pack(">I", version << 24 | flags), *parts)


def movie(tracks: Sequence[TrackTables], *, timescale: int, creation_ms: int, title: str) -> bytes:
    """The whole ``moov``; ``creation_ms`` is UTC, ``timescale`` that of the edits."""
    created = creation_ms // 1000 + _SECONDS_1904_TO_1970
    durations = [_presented(track, timescale) for track in tracks]
    traks = [
        _trak(track, number, _alternates(tracks, number), durations[number], created)
        for number, track in enumerate(tracks)
    ]
    duration = max(durations, default=0)
    long = max(created, duration) > _U32
    mvhd = _full(
        b"mvhd",
        int(long),
        0,
        pack(">QQIQ" if long else ">IIII", created, created, timescale, duration),
        pack(">IH10x", 0x10000, 0x100),
        _matrix(0, 0, 0),
        pack(">24xI", len(tracks) + 1),
    )
    return box(b"moov", mvhd, *traks, _title(title))


def _presented(track: TrackTables, timescale: int) -> int:
    """How long a track lasts through its edits, in the movie timescale, rounded up."""
    if track.times.edits:
        return sum(edit.duration for edit in track.times.edits)
    return -(-track.times.end * timescale // track.header.timescale)


def _alternates(tracks: Sequence[TrackTables], number: int) -> tuple[int, int]:
    """Flags and alternate group: of the tracks of one handler a player chooses one, by default the first."""
    handler = tracks[number].header.handler
    alike = [at for at, track in enumerate(tracks) if track.header.handler == handler]
    flags = _ENABLED_IN_MOVIE if number == alike[0] else _ENABLED_IN_MOVIE - 1
    return flags, _HANDLERS.index(handler) + 1 if len(alike) > 1 else 0


def _matrix(clockwise: int, width: int, height: int) -> bytes:
    """The display matrix: turned, and moved back into the first quadrant (ISO/IEC 14496-12 6.2.2)."""
    a, b, c, d, x, y = {
        0: (1, 0, 0, 1, 0, 0),
        90: (0, 1, -1, 0, height, 0),
        180: (-1, 0, 0, -1, width, height),
        270: (0, -1, 1, 0, 0, width),
    }[clockwise]
    one = 0x10000
    return pack(">9i", a * one, b * one, 0, c * one, d * one, 0, x * one, y * one, 0x40000000)


def _trak(track: TrackTables, number: int, alternates: tuple[int, int], duration: int, created: int) -> bytes:
    header = track.header
    flags, group = alternates
    sound = header.handler == "soun"
    long = max(created, duration) > _U32
    tkhd = _full(
        b"tkhd",
        int(long),
        flags,
        pack(">QQI4xQ" if long else ">III4xI", created, created, number + 1, duration),
        pack(">8xhhH2x", 0, group, 0x100 if sound else 0),
        _matrix(header.clockwise, header.width, header.height),
        pack(">II", header.width << 16, header.height << 16),
    )
    return box(b"trak", tkhd, _edts(track.times.edits), _mdia(track, created))


def _edts(edits: Sequence[Edit]) -> bytes:
    if not edits:
        return b""
    long = any(edit.duration > _U32 or edit.media_time > _I32 for edit in edits)
    entry = ">Qqhh" if long else ">Iihh"
    entries = [pack(entry, edit.duration, edit.media_time, 1, 0) for edit in edits]
    return box(b"edts", _full(b"elst", int(long), 0, pack(">I", len(entries)), *entries))


def _mdia(track: TrackTables, created: int) -> bytes:
    header, end = track.header, track.times.end
    long = max(created, end) > _U32
    mdhd = _full(
        b"mdhd",
        int(long),
        0,
        pack(">QQIQ" if long else ">IIII", created, created, header.timescale, end),
        pack(">H2x", _UNDETERMINED),
    )
    hdlr = _full(b"hdlr", 0, 0, pack(">4x4s12x", header.handler.encode()), header.name.encode("utf-8"), b"\0")
    media = _full(b"smhd", 0, 0, bytes(4)) if header.handler == "soun" else _full(b"vmhd", 0, 1, bytes(8))
    dinf = box(b"dinf", _full(b"dref", 0, 0, pack(">I", 1), _full(b"url ", 0, 1)))
    return box(b"mdia", mdhd, hdlr, box(b"minf", media, dinf, _stbl(track)))


def _stbl(track: TrackTables) -> bytes:
    times, chunks = track.times, track.chunks
    stsd = _full(b"stsd", 0, 0, pack(">I", 1), track.header.sample_entry)
    ctts = b"" if times.cts is None else _table(b"ctts", *_runs(times.cts))
    stss = b""
    if times.sync is not None and not times.sync.all():
        stss = _table(b"stss", np.flatnonzero(times.sync) + 1)
    return box(
        b"stbl",
        stsd,
        _table(b"stts", *_runs(times.durations)),
        ctts,
        stss,
        _stsc(chunks.counts),
        _stsz(chunks.sizes),
        _offsets(chunks.offsets),
        _roll(times.roll, len(times.dts)),
    )


def _roll(distance: int, samples: int) -> bytes:
    """All samples in one group of roll recovery (ISO/IEC 14496-12 8.9, 10.1)."""
    if not distance or not samples:
        return b""
    group = _full(b"sgpd", 1, 0, pack(">4sIIh", b"roll", 2, 1, distance))
    return group + _full(b"sbgp", 0, 0, pack(">4sIII", b"roll", 1, samples, 1))


def _runs(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Run lengths and their values."""
    if not len(values):
        return values, values
    starts = np.flatnonzero(np.diff(values, prepend=values[0] - 1))
    return np.diff(starts, append=len(values)), values[starts]


def _table(kind: bytes, *columns: NDArray[np.int64]) -> bytes:
    """A full box that is a count and rows of 32-bit numbers."""
    rows = np.stack(columns, axis=1).astype(">u4")
    return _full(kind, 0, 0, pack(">I", len(rows)), rows.tobytes())


def _stsc(counts: NDArray[np.int64]) -> bytes:
    lengths, values = _runs(counts)
    firsts = np.cumsum(lengths) - lengths + 1
    return _table(b"stsc", firsts, values, np.ones_like(firsts))


def _stsz(sizes: NDArray[np.int64]) -> bytes:
    constant = int(sizes[0]) if len(sizes) and sizes[0] and (sizes == sizes[0]).all() else 0
    listed = b"" if constant else sizes.astype(">u4").tobytes()
    return _full(b"stsz", 0, 0, pack(">II", constant, len(sizes)), listed)


def _offsets(offsets: NDArray[np.int64]) -> bytes:
    if len(offsets) and int(offsets[-1]) > _U32:
        return _full(b"co64", 0, 0, pack(">I", len(offsets)), offsets.astype(">u8").tobytes())
    return _table(b"stco", offsets)


def _title(title: str) -> bytes:
    """The title where iTunes and FFmpeg look for it."""
    if not title:
        return b""
    hdlr = _full(b"hdlr", 0, 0, pack(">4x4s4s9x", b"mdir", b"appl"))
    text = box(b"data", pack(">II", 1, 0), title.encode("utf-8"))
    return box(b"udta", _full(b"meta", 0, 0, hdlr, box(b"ilst", box(b"\xa9nam", text))))
