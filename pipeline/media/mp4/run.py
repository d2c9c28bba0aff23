"""A run of MP4 files as packets: NAL units with start codes and parameter sets, AAC with ADTS headers.

So what is behind it need not know that the samples came out of an MP4.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO

from pipeline.media.aac import FRAME_SAMPLES
from pipeline.media.mp4.source import read_track
from pipeline.media.packet import Packet
from pipeline.media.tally import Surprise
from pipeline.model import ticks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.media.aac import AdtsConfig
    from pipeline.media.mp4.source import Coded, SourceTrack
    from pipeline.model.slices import Medium, Slice

AHEAD = 1 << 20
"""Bytes that are read at a time: sound and pictures lie beside one another."""
FRAMES = 8
"""AAC frames in a packet, where they follow one another."""

_START = b"\0\0\0\1"
_SETS = {"h264": frozenset({7, 8}), "hevc": frozenset({32, 33, 34})}
_KEYS = {"h264": frozenset({5}), "hevc": frozenset(range(16, 22))}


class Mp4Run:
    """The packets of one medium of a run; implements `Packets`.

    Args:
        open_slice: opens a key for reading.
        pieces: the run's files.
        medium: which track of them.
    """

    def __init__(
        self, open_slice: Callable[[str], BinaryIO], pieces: Sequence[Slice], medium: Medium
    ) -> None:
        self._open = open_slice
        self._pieces = pieces
        self._medium = medium
        self._file: BinaryIO | None = None
        self.breaks: dict[int, int] = {}
        self.skipped: dict[int, int] = {}
        self.lost = 0
        self.position = 0

    def __iter__(self) -> Iterator[Packet]:
        for index, piece in enumerate(self._pieces):
            self.close()
            self._file = self._open(piece.key)
            try:
                yield from self._slice(index, piece, self._file)
            except ValueError as error:
                raise Surprise(f"{piece.key} cannot be read: {error}") from error
            except OSError as error:
                error.filename = error.filename or piece.key
                raise

    def _slice(self, index: int, piece: Slice, file: BinaryIO) -> Iterator[Packet]:
        track = read_track(file, piece.size, self._medium)
        if track is None:
            raise ValueError(f"there is no {self._medium} in it")
        if track.missing:
            self.breaks[index] = 1
            self.lost += track.missing
        if piece.ends is not None:  # the movie's line as it was put among others
            track = replace(track, pts=track.pts + piece.ends.line, dts=track.dts + piece.ends.line)
        begun, samples = self.position, _Samples(file, track)
        config = track.coded.config
        packets = (
            _pictures(track, samples, index) if config is None else _sound(config, track, samples, index)
        )
        for packet in packets:
            self.position = begun + samples.at
            yield packet
        self.position = begun + piece.size

    def close(self) -> None:
        """Close the file that is open."""
        if self._file is not None:
            self._file.close()
            self._file = None


class _Samples:
    """The samples of a track in their order, read ahead."""

    def __init__(self, file: BinaryIO, track: SourceTrack) -> None:
        self._file = file
        self._places = zip(track.offsets.tolist(), track.sizes.tolist(), strict=True)
        self._held = memoryview(b"")
        self._from = 0
        self.at = 0  # in the file, where the last one ended

    def __iter__(self) -> Iterator[bytes]:
        for offset, size in self._places:
            self.at = offset + size
            if not self._from <= offset <= self.at <= self._from + len(self._held):
                self._read(offset, size)
            begin = offset - self._from
            yield bytes(self._held[begin : begin + size])

    def _read(self, offset: int, size: int) -> None:
        """Read ahead from a sample on, as raw files may give less than they are asked for."""
        self._file.seek(offset)
        parts: list[bytes] = []
        wanted = max(size, AHEAD)
        while wanted and (data := self._file.read(wanted)):
            parts.append(data)
            wanted -= len(data)
        self._held, self._from = memoryview(b"".join(parts)), offset
        if len(self._held) < size:
            raise ValueError(f"{len(self._held)} bytes are there of a sample of {size}")


def _pictures(track: SourceTrack, samples: _Samples, index: int) -> Iterator[Packet]:
    times = zip((track.pts % ticks.WRAP).tolist(), (track.dts % ticks.WRAP).tolist(), strict=True)
    for (pts, dts), sample in zip(times, samples, strict=True):
        data = access_unit(track.coded, sample)
        yield Packet(pts, dts, index, data, torn=not data)


def access_unit(coded: Coded, sample: bytes) -> bytes:
    """A sample of H.264 or HEVC with start codes, a key frame with the parameter sets of the sample entry.

    Empty where the lengths in the sample are not those of its NAL units.
    """
    size, at = coded.length_size, 0
    nals: list[bytes] = []
    while at + size <= len(sample):
        begin = at + size
        at = begin + int.from_bytes(sample[at:begin], "big")
        nals.append(sample[begin:at])
    if at != len(sample):
        return b""
    types = {nal[0] & 31 if coded.codec == "h264" else nal[0] >> 1 & 63 for nal in nals if nal}
    if not _KEYS[coded.codec].isdisjoint(types) and _SETS[coded.codec].isdisjoint(types):
        nals = [*coded.sets, *nals]
    return b"".join(_START + nal for nal in nals)


def _sound(config: AdtsConfig, track: SourceTrack, samples: _Samples, index: int) -> Iterator[Packet]:
    """Packets of some frames each, where their times are those of their count."""
    times, step = track.pts.tolist(), ticks.ticks_of(FRAME_SAMPLES, config.sample_rate)
    ends = {n + 1 for n, (a, b) in enumerate(pairwise(times)) if abs(b - a - step) > 1} | {len(times)}
    group: list[bytes] = []
    first = 0
    for end, sample in enumerate(samples, 1):
        group += (config.header(len(sample)), sample)
        if end in ends or end - first == FRAMES:
            stamp = times[first] % ticks.WRAP
            yield Packet(stamp, stamp, index, b"".join(group))
            group, first = [], end
