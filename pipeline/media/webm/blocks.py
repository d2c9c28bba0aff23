"""Every frame of a WebM slice in the order of the file, and an account of what is damaged or cut off.

Clusters are walked without being entered: one of unknown size, as live recorders write them, ends where the
next begins. After damage the walk goes on at the next cluster, or at the next block of the same one where the
cluster's size tells how far it reaches: the time of a block is only as sure as its cluster.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from pipeline.media import vpx
from pipeline.media.opus import RATE, samples_of
from pipeline.media.webm import ebml
from pipeline.media.webm.block import OWN, read_block
from pipeline.media.webm.ebml import EbmlError, Window
from pipeline.media.webm.head import Head, in_ticks, read_head

if TYPE_CHECKING:
    from collections.abc import Iterator


MOST_BYTES = 32 << 20
"""A frame that is longer than this is none."""
MOST_PLACES = 1000
"""A slice that is damaged in more places than this is read no further."""

_SECTIONS = {
    ebml.SEEK_HEAD,
    ebml.INFO,
    ebml.TRACKS,
    ebml.CUES,
    ebml.ATTACHMENTS,
    ebml.CHAPTERS,
    ebml.TAGS,
}
_BESIDE = {
    ebml.TIMESTAMP,
    ebml.POSITION,
    ebml.PREV_SIZE,
    ebml.SILENT_TRACKS,
    ebml.ENCRYPTED_BLOCK,
    ebml.VOID,
    ebml.CRC32,
}
_BLOCKS = {ebml.SIMPLE_BLOCK, ebml.BLOCK_GROUP}
_FIRST = {ebml.TIMESTAMP, ebml.CRC32, ebml.VOID, ebml.POSITION, ebml.PREV_SIZE}  # in a cluster
_KNOWN = {ebml.EBML, ebml.CLUSTER, *_SECTIONS, *_BESIDE, *_BLOCKS}
_CLUSTER = re.compile(re.escape(ebml.CLUSTER.to_bytes(4, "big")))
_CLUSTER_OR_BLOCK = re.compile(_CLUSTER.pattern + rb"|[\xa0\xa3]")
_SCAN = 1 << 16
_MOST_LOOKS = 100_000  # at what may be a block after damage; then as many at what may be a cluster
_MOST_IDLE = 100_000  # elements between two blocks
_ID = 4
_HEADS = 48  # bytes that hold the heads of a group and of its block, and the block's own
_RESERVED = 0x70  # bits of a block's flags
_MOST_STAMP = 1 << 48
_BEFORE_ALL = -(1 << 16)


@dataclass(frozen=True, slots=True)
class Damage:
    """What of a slice could not be delivered.

    Attributes:
        places: how many times bytes had to be skipped because they are no WebM, or a block that holds none.
        bytes: how many bytes that were; with those behind the last whole element of a slice that is cut off.
        cut: it ends within an element, or before the end that its segment or last cluster was given.
        foreign: blocks of other tracks, encrypted blocks, and headers of other tracks inside the slice.
    """

    places: int = 0
    bytes: int = 0
    cut: bool = False
    foreign: int = 0


class WebmPacket(NamedTuple):
    """One frame; a named tuple because there are ten thousands.

    ``ticks`` is its presentation time in 1/90000 s, CodecDelay subtracted: before 0 for the first sound of
    most encoders. ``key`` says that a decoder can begin here, by the frame's own header (always true for
    Opus). ``discard_ns`` is DiscardPadding: nanoseconds of decoded sound at its end that are not to be heard.
    """

    ticks: int
    key: bool
    data: bytes
    discard_ns: int = 0


class Blocks:
    """The packets of a slice from a byte on; `damage` is complete once they were all taken.

    Raises OSError while they are taken when the file cannot be read, and nothing for what is in it.

    Args:
        window: the slice.
        head: its header.
        at: the byte to begin at, where a cluster begins.
    """

    def __init__(self, window: Window, head: Head, at: int) -> None:
        self.head = head
        self.damage = Damage(cut=_ends_early(head, window))
        self._window = window
        self._at = at
        self._looks = self._idle = 0
        self._between()

    def __iter__(self) -> Iterator[WebmPacket]:
        window, size = self._window, self._window.size
        while self._at < size:
            if self.damage.places > MOST_PLACES or self._idle > _MOST_IDLE:
                self._give_up()
                return
            if self._end is not None and self._at >= self._end:
                self._between()
            kind, start, length = window.element(self._at)
            if kind in _BLOCKS and self._may_hold_frames(start, length):
                self._at, self._idle = start + length, 0
                yield from self._block(kind, window.read(start, length))
                continue
            self._idle += 1
            if not self._step(kind, start, length):
                self._resync(cut=kind == ebml.CUT_SHORT or (kind in _KNOWN and start + length > size))

    def _between(self) -> None:
        """No cluster is open."""
        self._time: int | None = None  # of the cluster, in its units
        self._end: int | None = None  # of the cluster, by its size
        self._last = _BEFORE_ALL  # time of the last block in its cluster

    def _fits(self, start: int, length: int) -> bool:
        """Whether an element lies whole in the slice, and in its cluster if the size of that is known."""
        end = self._window.size if self._end is None else min(self._end, self._window.size)
        return length >= 0 and start + length <= end

    def _give_up(self) -> None:
        """What is left is no media, and would take for ever."""
        self.damage = replace(
            self.damage,
            places=self.damage.places + 1,
            bytes=self.damage.bytes + self._window.size - self._at,
        )
        self._at = self._window.size

    def _may_hold_frames(self, start: int, length: int) -> bool:
        return self._time is not None and length <= MOST_BYTES and self._fits(start, length)

    def _step(self, kind: int, start: int, length: int) -> bool:
        """Go past an element that holds no frame, or into a cluster; False where none of these begins."""
        if kind == ebml.CLUSTER:
            self._enter(start, length)
            return True
        if kind == ebml.EBML:
            return self._next_head()
        if not self._fits(start, length):
            return False
        if kind == ebml.TIMESTAMP:
            stamp = int.from_bytes(self._window.read(start, min(length, 9)), "big")
            if length > 8 or stamp > _MOST_STAMP:  # noqa: PLR2004 - RFC 8794 7.2
                return False
            self._time = stamp
        elif kind == ebml.ENCRYPTED_BLOCK:
            self.damage = replace(self.damage, foreign=self.damage.foreign + 1)
        elif kind in _SECTIONS and self._end is None:
            self._between()
        elif kind not in _BESIDE:
            return False
        self._at = start + length
        return True

    def _enter(self, start: int, length: int) -> None:
        early = self._end is not None  # the cluster before was said to be longer
        self._between()
        if length != ebml.UNKNOWN:
            self._end = start + length
        cut = self._end is not None and self._end > self._window.size
        self.damage = replace(
            self.damage, cut=self.damage.cut or cut, places=self.damage.places + (1 if early else 0)
        )
        self._at = start

    def _next_head(self) -> bool:
        """Another file that was appended: its own times go on counting; another track is not read."""
        head = read_head(self._window, self._at)
        if not isinstance(head, Head):
            return False
        self._between()
        if head.track.goes_on(self.head.track):
            self.head, self._at = head, head.start
            self.damage = replace(self.damage, cut=self.damage.cut or _ends_early(head, self._window))
        else:
            lost = self.damage.bytes + self._window.size - self._at
            self.damage = replace(
                self.damage, foreign=self.damage.foreign + 1, bytes=lost, places=self.damage.places + 1
            )
            self._at = self._window.size
        return True

    def _block(self, kind: int, data: bytes) -> Iterator[WebmPacket]:
        """The frames of a SimpleBlock or BlockGroup."""
        try:
            number, relative, frames, discard = read_block(kind, data)
        except EbmlError:
            self.damage = replace(
                self.damage, places=self.damage.places + 1, bytes=self.damage.bytes + len(data)
            )
            return
        if number != self.head.track.number:
            self.damage = replace(self.damage, foreign=self.damage.foreign + 1)
            return
        self._last = relative
        codec = self.head.track.codec
        ticks = self.head.ticks((self._time or 0) + relative)
        if len(frames) == 1:
            yield WebmPacket(ticks, codec == "opus" or vpx.is_key(codec, frames[0]), frames[0], discard)
            return
        after_ns = 0
        for number, frame in enumerate(frames):
            ours = discard if number == len(frames) - 1 else 0
            yield WebmPacket(
                ticks + in_ticks(after_ns), codec == "opus" or vpx.is_key(codec, frame), frame, ours
            )
            samples = samples_of(frame) if codec == "opus" else None
            after_ns += self.head.track.frame_ns if samples is None else samples * 1_000_000_000 // RATE

    def _resync(self, *, cut: bool) -> None:
        """Go on where the next cluster, or a block of this one, begins; account for what lies between."""
        found = self._next()
        until = self._window.size if found is None else found
        ended = cut and found is None
        self.damage = replace(
            self.damage,
            places=self.damage.places + (0 if ended else 1),
            bytes=self.damage.bytes + until - self._at,
            cut=self.damage.cut or ended,
        )
        self._at = until

    def _next(self) -> int | None:
        at, size = self._at + 1, self._window.size
        while at < size:
            ours = self._end is not None and at < self._end and self._looks < _MOST_LOOKS
            data = self._window.read(at, min(_SCAN, size - at))
            for match in (_CLUSTER_OR_BLOCK if ours else _CLUSTER).finditer(data):
                place = at + match.start()
                self._looks += 1
                if self._looks > _MOST_LOOKS * 2:
                    return None
                if len(match[0]) == _ID:
                    if is_cluster(self._window, place):
                        return place
                elif self._is_block(place):
                    return place
            if at + len(data) >= size:
                return None
            at += len(data) - _ID + 1
        return None

    def _is_block(self, at: int) -> bool:
        """Whether a block of ours seems to begin here: later than the last, and followed by an element."""
        if self._time is None or self._end is None or at >= self._end or self._looks >= _MOST_LOOKS:
            return False
        data = self._window.glimpse(at, _HEADS)
        kind, start, size = ebml.first(data)
        if not self._fits(at + start, size) or not self._is_ours(kind, data[start:], size):
            return False
        behind = at + start + size
        return (
            behind == self._end or ebml.first(self._window.glimpse(behind, _HEADS)).kind in _BESIDE | _BLOCKS
        )

    def _is_ours(self, kind: int, data: bytes, size: int) -> bool:
        """Whether a block with this beginning is of our track and later than the last."""
        if kind == ebml.BLOCK_GROUP:
            inner = ebml.first(data)
            if inner.kind != ebml.BLOCK or not 0 <= inner.size <= size - inner.start:
                return False
            data, size = data[inner.start :], inner.size
        try:
            number, own, _ = ebml.vint(data, 0)
        except EbmlError:
            return False
        if number != self.head.track.number or own + OWN >= size or data[own + 2] & _RESERVED:
            return False
        return int.from_bytes(data[own : own + 2], "big", signed=True) > self._last


class WebmReader(Blocks):
    """All packets of a slice.

    Args:
        file: the slice, open for reading in binary.
        size: its bytes.

    Raises:
        ValueError: it has no header that can be read; the text is a sentence part, as of `Unreadable`.
        OSError: it cannot be read.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        window = Window(file, size)
        head = read_head(window)
        if not isinstance(head, Head):
            raise ValueError(head.why)  # noqa: TRY004 - what it holds is wrong, not its type
        super().__init__(window, head, head.start)


def packets(file: BinaryIO, size: int) -> WebmReader:
    """Every packet of a slice of ``size`` bytes; once all were taken, ``damage`` tells what was not there.

    Raises:
        ValueError: it has no header that can be read.
        OSError: it cannot be read, at once or while packets are taken.
    """
    return WebmReader(file, size)


def is_cluster(window: Window, at: int) -> bool:
    """Whether a cluster seems to begin at a byte: its ID, a size, and what may come first in it."""
    data = window.glimpse(at, _HEADS)
    kind, start, size = ebml.first(data)
    return kind == ebml.CLUSTER and size != 0 and ebml.first(data[start:]).kind in _FIRST


def _ends_early(head: Head, window: Window) -> bool:
    return head.end is not None and head.end > window.size
