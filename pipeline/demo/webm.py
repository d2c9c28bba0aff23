"""A WebM slice from encoded frames, as a recorder leaves it: one track, its own header."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pipeline.media.opus import RATE, OpusHead
from pipeline.media.webm import ebml
from pipeline.media.webm.ebml import element, unsigned_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.media.encode_webm import CodedFrame

TICKS_PER_SECOND = 90_000
CLUSTER_TICKS = 5 * TICKS_PER_SECOND

_NS = 1_000_000_000
_SCALE_NS = 1_000_000
_KEY = 0x80
_NUMBER = 1
_MOST_RELATIVE = (1 << 15) - 1
_CODEC_IDS = {"vp8": b"V_VP8", "vp9": b"V_VP9", "opus": b"A_OPUS"}
_VIDEO, _AUDIO = 1, 2  # TrackType
_PRE_ROLL_NS = 80_000_000  # RFC 7845 4.6
_APP = b"recpipe"


class Sizes(StrEnum):
    """Whether the sizes of segment and clusters are told, as in a finished file, or not, as live."""

    KNOWN = "known"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class VpxTrack:
    """Pictures: ``vp8`` or ``vp9``, width and height in pixels."""

    codec: str
    width: int
    height: int

    def entry(self) -> bytes:
        """What the TrackEntry says beside number and codec."""
        sides = (
            element(ebml.PIXEL_WIDTH, unsigned_of(self.width)),
            element(ebml.PIXEL_HEIGHT, unsigned_of(self.height)),
        )
        return element(ebml.TRACK_TYPE, unsigned_of(_VIDEO)) + element(ebml.VIDEO, *sides)


@dataclass(frozen=True, slots=True)
class OpusTrack:
    """Sound in Opus by its header; ``delay`` says whether CodecDelay tells the pre-skip, as it should."""

    head: OpusHead
    delay: bool = True
    codec = "opus"

    @property
    def delay_ns(self) -> int:
        """CodecDelay, nanoseconds."""
        return self.head.pre_skip * _NS // RATE if self.delay else 0

    def entry(self) -> bytes:
        """As that of pictures."""
        audio = element(
            ebml.AUDIO,
            element(ebml.SAMPLING_FREQUENCY, b"\x47\x3b\x80\x00"),  # 48000.0
            element(ebml.CHANNELS, unsigned_of(self.head.channels)),
        )
        parts = [
            element(ebml.TRACK_TYPE, unsigned_of(_AUDIO)),
            element(ebml.CODEC_PRIVATE, self.head.write()),
            audio,
        ]
        if self.delay:
            parts.append(element(ebml.CODEC_DELAY, unsigned_of(self.delay_ns)))
            parts.append(element(ebml.SEEK_PRE_ROLL, unsigned_of(_PRE_ROLL_NS)))
        return b"".join(parts)


def write_slice(
    track: VpxTrack | OpusTrack,
    frames: Iterable[CodedFrame],
    *,
    sizes: Sizes = Sizes.KNOWN,
    cluster_ticks: int = CLUSTER_TICKS,
    scale_ns: int = _SCALE_NS,
) -> bytes:
    """A whole slice (RFC 9559).

    Args:
        track: what is in it.
        frames: in the order of the file; their times, with CodecDelay added, are not before 0.
        sizes: those of segment and clusters.
        cluster_ticks: a cluster begins at the first frame, at the first one that is this long after its
            beginning, and at key frames of pictures.
        scale_ns: nanoseconds of one unit of the blocks' times, to which they are rounded.

    Raises:
        ValueError: a time before 0, or too far from the cluster's for the 16 bits of a block.
    """
    delay = track.delay_ns if isinstance(track, OpusTrack) else 0
    clusters: list[bytes] = []
    group: list[tuple[int, CodedFrame]] = []
    begun = 0
    for frame in frames:
        stamp = (
            2 * (frame.at_ticks * _NS + delay * TICKS_PER_SECOND) // (TICKS_PER_SECOND * scale_ns) + 1
        ) // 2
        opens = frame.key and track.codec != "opus"
        if group and (opens or frame.at_ticks - begun >= cluster_ticks):
            clusters.append(_cluster(group, sizes))
            group = []
        if not group:
            begun = frame.at_ticks
        group.append((stamp, frame))
    if group:
        clusters.append(_cluster(group, sizes))
    info = element(
        ebml.INFO,
        element(ebml.TIMESTAMP_SCALE, unsigned_of(scale_ns)),
        element(0x4D80, _APP),  # MuxingApp
        element(0x5741, _APP),  # WritingApp
    )
    entry = element(
        ebml.TRACK_ENTRY,
        element(ebml.TRACK_NUMBER, unsigned_of(_NUMBER)),
        element(ebml.TRACK_UID, unsigned_of(_NUMBER)),
        element(ebml.CODEC_ID, _CODEC_IDS[track.codec]),
        track.entry(),
    )
    segment = [info, element(ebml.TRACKS, entry), *clusters]
    return _ebml_header() + element(ebml.SEGMENT, *segment, size=_size(sizes))


def _size(sizes: Sizes) -> int | None:
    return ebml.UNKNOWN if sizes is Sizes.UNKNOWN else None


def _ebml_header() -> bytes:
    return element(
        ebml.EBML,
        element(0x4286, b"\1"),  # EBMLVersion
        element(0x42F7, b"\1"),  # EBMLReadVersion
        element(ebml.MAX_ID_LENGTH, b"\4"),
        element(ebml.MAX_SIZE_LENGTH, b"\x08"),
        element(ebml.DOC_TYPE, b"webm"),
        element(0x4287, b"\4"),  # DocTypeVersion
        element(0x4285, b"\2"),  # DocTypeReadVersion
    )


def _cluster(group: Sequence[tuple[int, CodedFrame]], sizes: Sizes) -> bytes:
    start = group[0][0]
    if start < 0:
        raise ValueError(f"a cluster begins at 0 or later, not at {start}")
    blocks = [element(ebml.TIMESTAMP, unsigned_of(start))]
    for stamp, frame in group:
        relative = stamp - start
        if not -_MOST_RELATIVE - 1 <= relative <= _MOST_RELATIVE:
            raise ValueError(f"a block {relative} units from its cluster's time has no 16 bits for it")
        flags = bytes((_KEY if frame.key else 0,))
        head = ebml.vint_of(_NUMBER) + relative.to_bytes(2, "big", signed=True) + flags
        blocks.append(element(ebml.SIMPLE_BLOCK, head, frame.data))
    return element(ebml.CLUSTER, *blocks, size=_size(sizes))
