"""A look at both ends of a WebM slice: which codec, which times, does it begin on a key frame, is it cut off.

A few kilobytes a slice where clusters are short, and no codec, because a plan for 500 slices must not read
them all. A slice without a cluster near its end is walked whole.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice, pairwise
from statistics import median_low
from typing import TYPE_CHECKING, BinaryIO

from pipeline.media import vpx
from pipeline.media.opus import RATE, samples_of
from pipeline.media.ts.peek import UNKNOWN_STEP
from pipeline.media.unreadable import NOTHING_OF_IT, Unreadable
from pipeline.media.webm import ebml
from pipeline.media.webm.blocks import Blocks, is_cluster
from pipeline.media.webm.ebml import Window
from pipeline.media.webm.head import Head, WebmTrack, read_head
from pipeline.model import ticks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.media.webm.blocks import WebmPacket

WINDOW = 1 << 16
"""How much of each end is read at first."""

_WIDEST = 1 << 22
_WIDER = 8
_FIRST, _LAST = 16, 64  # packets whose distances tell the step
_ENOUGH = 2  # packets behind a cluster near the end
_CLUSTER = ebml.CLUSTER.to_bytes(4, "big")
_OPUS_STEP = 1800


@dataclass(frozen=True, slots=True)
class WebmEnds:
    """Media time at both ends of a WebM slice, in ticks of 1/90000 s, CodecDelay subtracted.

    Attributes:
        track: the header of its track; its codec, its Opus pre-skip.
        first: time of the first block; a slice's own count, which often begins at 0.
        last: time of the last whole frame in presentation.
        span: from ``first`` to the end of that frame; of sound by its own length, of pictures by ``step``.
        step: of one frame: sound by the first one's length, pictures by the median of what was seen.
        key: the first frame is a key frame, by its own header (always true for sound).
        frame: the header of the first frame where that is a key frame.
        width: pixels, by the first frame where it is a key frame, else by the header; 0 for sound.
        height: as width.
        cut: it ends within an element, or before the end that its header gives.
        damaged: bytes near its ends are no WebM.
    """

    track: WebmTrack
    first: int
    last: int
    span: int
    step: int
    key: bool
    frame: vpx.VpxFrame | None
    width: int
    height: int
    cut: bool = False
    damaged: bool = False


def look(file: BinaryIO, size: int) -> WebmEnds | Unreadable:
    """What the ends of a slice of ``size`` bytes say. Raises OSError when it cannot be read."""
    window = Window(file, size, step=WINDOW)
    head = read_head(window)
    if isinstance(head, Unreadable):
        return head
    blocks = Blocks(window, head, head.start)
    begun = list(islice(blocks, _FIRST))
    if not begun:
        return Unreadable(NOTHING_OF_IT)
    end = _tail(window, head)
    return _ends(head.track, begun, end, damaged=blocks.damage.places > 0)


@dataclass(frozen=True, slots=True)
class _Tail:
    """The last packets of a slice as their times and lengths in ticks, in the order of the file."""

    last: tuple[tuple[int, int], ...]
    latest: int
    until: int
    cut: bool
    damaged: bool


def _tail(window: Window, head: Head) -> _Tail:
    """The last packets, from the first cluster in a window at the end; widened until there are enough."""
    width = WINDOW
    while width <= _WIDEST and head.start < window.size - width:
        for at in _clusters(window, window.size - width):
            found = _measure(Blocks(window, head, at))
            if len(found.last) >= _ENOUGH:
                return found
            break
        width *= _WIDER
    return _measure(Blocks(window, head, head.start))


def _clusters(window: Window, at: int) -> Iterator[int]:
    data = window.read(at, window.size - at)
    place = data.find(_CLUSTER)
    while place >= 0:
        if is_cluster(window, at + place):
            yield at + place
        place = data.find(_CLUSTER, place + 1)


def _measure(blocks: Blocks) -> _Tail:
    last: deque[tuple[int, int]] = deque(maxlen=_LAST)
    latest = until = -(1 << 62)
    codec = blocks.head.track.codec
    for packet in blocks:
        length = _length(packet) if codec == "opus" else 0
        last.append((packet.ticks, length))
        latest, until = max(latest, packet.ticks), max(until, packet.ticks + length)
    return _Tail(tuple(last), latest, until, blocks.damage.cut, blocks.damage.places > 0)


def _length(packet: WebmPacket) -> int:
    """Ticks of an Opus packet; 0 if it is damaged."""
    return ticks.ticks_of(samples_of(packet.data) or 0, RATE)


def _ends(track: WebmTrack, begun: list[WebmPacket], tail: _Tail, *, damaged: bool) -> WebmEnds:
    first = begun[0]
    times = [packet.ticks for packet in begun]
    latest, until = max(tail.latest, *times, first.ticks), tail.until
    if track.codec == "opus":
        step = _length(first) or _OPUS_STEP
        span = max(until, latest + 1) - first.ticks
        frame, width, height = None, 0, 0
    else:
        steps = [
            b - a for run in (sorted(times), sorted(at for at, _ in tail.last)) for a, b in pairwise(run)
        ]
        rising = [each for each in steps if each]
        step = median_low(rising) if rising else UNKNOWN_STEP
        span = latest - first.ticks + step
        frame = vpx.read_frame(track.codec, first.data) if first.key else None
        width, height = (frame.width, frame.height) if frame else (track.width, track.height)
    return WebmEnds(
        track=track,
        first=first.ticks,
        last=latest,
        span=span,
        step=step,
        key=first.key,
        frame=frame,
        width=width,
        height=height,
        cut=tail.cut,
        damaged=damaged or tail.damaged,
    )
