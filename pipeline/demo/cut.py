"""How a recorder cuts a track's access units into slices, and stamps them.

Pure decisions: units in, slices of units out. Times are ticks of 1/90000 s since the recording's start; what
a slice's stamps become is the last step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pipeline.demo.scenario import Pts
from pipeline.media.ts.writer import STAMP_MODULUS, Pes, StreamType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SOUND_UNITS_IN_PES = 8
STREAMS = {"h264": StreamType.H264, "hevc": StreamType.HEVC, "aac": StreamType.AAC}
"""Codecs that lie in MPEG-TS; the others lie in WebM."""
_SOUND = frozenset({"aac", "opus"})


@dataclass(frozen=True, slots=True)
class Unit:
    """One access unit on the recording's line.

    Attributes:
        codec: ``h264``, ``hevc``, ``vp8``, ``vp9``, ``aac`` or ``opus``.
        payload: the bytes that go into a PES packet or a block.
        at_ticks: presentation time since the recording's start.
        decode_ticks: decoding time since the recording's start.
        end_ticks: presentation time of what follows, or where the last one ends.
        key: a slice may begin here.
        opens: the first of its stretch.
    """

    codec: str
    payload: bytes
    at_ticks: int
    decode_ticks: int
    end_ticks: int
    key: bool
    opens: bool

    @property
    def is_picture(self) -> bool:
        """Anything but sound."""
        return self.codec not in _SOUND

    @property
    def is_web(self) -> bool:
        """It lies in WebM, as a web sender's does."""
        return self.codec not in STREAMS


def decoding_order(unit: Unit) -> tuple[int, bool]:
    """Sort key of merged streams: by decoding time, pictures before the sound of the same moment."""
    return unit.decode_ticks, not unit.is_picture


def cut(units: Iterable[Unit], slice_ticks: int, hole_ticks: int) -> Iterator[list[Unit]]:
    """Units in decoding order (`decoding_order`) as slices, none empty.

    A slice ends at the first key picture (where no pictures run: the first sound) that is ``slice_ticks`` or
    more after its start, where a stretch of pictures begins, where sound comes back after more than
    ``hole_ticks`` without any media, and where the container changes.
    """
    current: list[Unit] = []
    start = end = picture_end = 0
    for unit in units:
        may_begin = unit.key and (unit.is_picture or picture_end <= unit.at_ticks)
        full = may_begin and unit.at_ticks - start >= slice_ticks
        broken = unit.opens and (unit.is_picture or unit.at_ticks - end > hole_ticks)
        other = bool(current) and unit.is_web != current[0].is_web
        if current and (full or broken or other):
            yield current
            current = []
        if not current:
            start = unit.at_ticks
        current.append(unit)
        end = max(end, unit.end_ticks)
        if unit.is_picture:
            picture_end = max(picture_end, unit.end_ticks)
    if current:
        yield current


def start_of(units: Sequence[Unit]) -> int:
    """Presentation time of a slice's first unit in presentation, ticks since the recording's start."""
    return min(unit.at_ticks for unit in units)


class Clock(Protocol):
    """What the sender's clock shows at a time, both in ticks since the recording's start."""

    def __call__(self, at_ticks: int, *, sound: bool) -> int:
        """The time of sound, or of pictures."""


def _true(at_ticks: int, *, sound: bool) -> int:  # noqa: ARG001 - every clock is asked for which
    return at_ticks


def packets(units: Sequence[Unit], policy: Pts, pts_start: int, clock: Clock = _true) -> list[Pes]:
    """The PES packets of a slice in decoding order: pictures one by one, sound by up to eight frames.

    Args:
        units: of one slice, in decoding order.
        policy: whether stamps go on from slice to slice or begin at ``pts_start`` in each.
        pts_start: stamp of the recording's start, or of the slice's first presented unit.
        clock: the sender's.
    """
    shift = _shift(units, policy, pts_start, clock)
    made: list[Pes] = []
    group: list[Unit] = []
    for unit in units:
        if unit.is_picture:
            made.append(_pes([unit], shift, clock))
            continue
        if group and (len(group) == SOUND_UNITS_IN_PES or unit.opens):
            made.append(_pes(group, shift, clock))
            group = []
        group.append(unit)
    if group:
        made.append(_pes(group, shift, clock))
    return sorted(made, key=lambda pes: pes.decode_ticks)


def first_pts(units: Sequence[Unit], policy: Pts, pts_start: int, clock: Clock = _true) -> int:
    """The 33-bit stamp of a slice's first presented unit."""
    return (_first(units, clock) + _shift(units, policy, pts_start, clock)) % STAMP_MODULUS


def _first(units: Sequence[Unit], clock: Clock) -> int:
    first = min(units, key=lambda unit: unit.at_ticks)
    return clock(first.at_ticks, sound=not first.is_picture)


def _shift(units: Sequence[Unit], policy: Pts, pts_start: int, clock: Clock) -> int:
    return pts_start if policy is Pts.CONTINUE else pts_start - _first(units, clock)


def _pes(units: Sequence[Unit], shift: int, clock: Clock) -> Pes:
    first = units[0]
    return Pes(
        stream=STREAMS[first.codec],
        payload=b"".join(unit.payload for unit in units),
        pts_ticks=clock(first.at_ticks, sound=not first.is_picture) + shift,
        dts_ticks=clock(first.decode_ticks, sound=not first.is_picture) + shift,
        key=first.key,
    )
