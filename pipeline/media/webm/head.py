"""What stands before the first cluster: the time scale, and the one track that is read (RFC 9559 5.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.media.opus import RATE, OpusHead
from pipeline.media.unreadable import NOTHING_OF_IT, Unreadable
from pipeline.media.webm import ebml
from pipeline.model import ticks

if TYPE_CHECKING:
    from pipeline.media.webm.ebml import Window

CODECS = {"V_VP8": "vp8", "V_VP9": "vp9", "A_OPUS": "opus"}
NOT_WEBM = "it is no WebM (no EBML header)"
BROKEN = "its WebM header is damaged"
CUT_HEADER = "it ends within its WebM header"

_MOST_HEADER = 1 << 20  # bytes of an Info or Tracks element; a page of text needs less
_MOST_ELEMENTS = 1000  # before the first cluster
_MOST_DELAY = 10**10  # ns; CodecDelay and SeekPreRoll are milliseconds, and are subtracted
_NS_SCALE = 1_000_000
_NS = 1_000_000_000
_SKIPPED = {
    ebml.SEEK_HEAD,
    ebml.CUES,
    ebml.ATTACHMENTS,
    ebml.CHAPTERS,
    ebml.TAGS,
    ebml.VOID,
    ebml.CRC32,
}


_BEFORE = {ebml.INFO, ebml.TRACKS, *_SKIPPED}


@dataclass(frozen=True, slots=True)
class WebmTrack:
    """The track of a WebM slice.

    Attributes:
        number: by which its blocks name it.
        codec: ``vp8``, ``vp9`` or ``opus``.
        private: CodecPrivate; for Opus an OpusHead.
        width: PixelWidth, 0 for sound; the frames are the truth.
        height: as width.
        rate: samples a second of sound, 48000 for Opus; 0 for pictures.
        channels: of sound, 0 for pictures.
        pre_skip: samples at 48 kHz to drop from the decoder's output when the stream begins (RFC 7845 4.2).
        delay_ns: CodecDelay, which is already subtracted from all times that are handed out.
        pre_roll_ns: SeekPreRoll.
        frame_ns: DefaultDuration, 0 if not said.
    """

    number: int
    codec: str
    private: bytes = b""
    width: int = 0
    height: int = 0
    rate: int = 0
    channels: int = 0
    pre_skip: int = 0
    delay_ns: int = 0
    pre_roll_ns: int = 0
    frame_ns: int = 0

    def goes_on(self, before: WebmTrack) -> bool:
        """Whether its frames may follow those of another one; the size of pictures may change."""
        return replace(self, width=0, height=0) == replace(before, width=0, height=0)


@dataclass(frozen=True, slots=True)
class Head:
    """What the header says.

    Attributes:
        track: the one that is read.
        scale_ns: TimestampScale, nanoseconds of one unit of the blocks' times.
        start: the byte where the first cluster begins.
        end: where the segment ends by its own size; None if that is unknown.
        others: how many more tracks there are.
    """

    track: WebmTrack
    scale_ns: int
    start: int
    end: int | None
    others: int = 0

    def ticks(self, stamp: int) -> int:
        """Ticks of a time in units of `scale_ns`, CodecDelay subtracted (RFC 9559 5.1.4.1), half up."""
        return in_ticks(stamp * self.scale_ns - self.track.delay_ns)


def in_ticks(ns: int) -> int:
    """Nanoseconds as ticks, rounded half up.

    >>> in_ticks(20_000_000), in_ticks(5_555), in_ticks(5_556)
    (1800, 0, 1)
    """
    return (2 * ns * ticks.TICKS + _NS) // (2 * _NS)


def read_head(window: Window, at: int = 0) -> Head | Unreadable:
    """The header that begins at a byte. Raises OSError when it cannot be read."""
    try:
        return _read_head(window, at)
    except ebml.EbmlError:
        return Unreadable(BROKEN)


def _read_head(window: Window, at: int) -> Head | Unreadable:
    kind, start, size = window.element(at)
    if kind != ebml.EBML:
        return Unreadable(_what_instead(window.read(at, 512)))
    header = _data(window, start, size)
    if isinstance(header, Unreadable):
        return header
    if why := _foreign(header):
        return Unreadable(why)
    kind, start, size = window.element(start + size)
    while kind in _SKIPPED and size >= 0 and start + size < window.size:
        kind, start, size = window.element(start + size)
    if kind != ebml.SEGMENT:
        return Unreadable(CUT_HEADER if kind == ebml.CUT_SHORT else BROKEN)
    return _segment(window, start, None if size == ebml.UNKNOWN else start + size)


def _segment(window: Window, at: int, end: int | None) -> Head | Unreadable:
    """Info and Tracks of a segment whose data begins at a byte."""
    scale = _NS_SCALE
    tracks: bytes | None = None
    for _ in range(_MOST_ELEMENTS):
        kind, start, size = window.element(at)
        nothing_follows = kind == ebml.CUT_SHORT and at == window.size
        damaged = kind not in _BEFORE or size == ebml.UNKNOWN
        if tracks is not None and (damaged or nothing_follows):  # damage is told by whoever reads blocks
            return _with_track(tracks, scale, at, end)
        if kind == ebml.CUT_SHORT or (kind in _BEFORE and start + size > window.size):
            return Unreadable(CUT_HEADER)
        if damaged:
            break
        if kind in {ebml.INFO, ebml.TRACKS}:
            data = _data(window, start, size)
            if isinstance(data, Unreadable):
                return data
            tracks = data if kind == ebml.TRACKS else tracks
            scale = _scale(data) if kind == ebml.INFO else scale
        at = start + size
    return Unreadable(BROKEN)


def _data(window: Window, start: int, size: int) -> bytes | Unreadable:
    if size == ebml.UNKNOWN or size > _MOST_HEADER:
        return Unreadable(BROKEN)
    return window.read(start, size) if start + size <= window.size else Unreadable(CUT_HEADER)


def _foreign(header: bytes) -> str:
    """Why an EBML header is not one of WebM (RFC 8794 11.2); empty if it is. Matroska is the same here."""
    for kind, data in ebml.children(header):
        if kind == ebml.DOC_TYPE and (name := data.rstrip(b"\0")) not in {b"webm", b"matroska"}:
            return f"it is {name[:20].decode('ascii', 'replace')!r} in EBML, not WebM"
        if kind == ebml.MAX_ID_LENGTH and ebml.unsigned(data) > 4:  # noqa: PLR2004 - RFC 8794 11.2.4
            return BROKEN
        if kind == ebml.MAX_SIZE_LENGTH and ebml.unsigned(data) > 8:  # noqa: PLR2004 - as above
            return BROKEN
    return ""


def _scale(info: bytes) -> int:
    found = [ebml.unsigned(data) for kind, data in ebml.children(info) if kind == ebml.TIMESTAMP_SCALE]
    scale = found[-1] if found else _NS_SCALE
    if not 0 < scale <= _NS:
        raise ebml.EbmlError
    return scale


def _with_track(tracks: bytes, scale: int, at: int, end: int | None) -> Head | Unreadable:
    """The first track of a codec that is known, else why there is none."""
    entries = [dict(ebml.children(data)) for kind, data in ebml.children(tracks) if kind == ebml.TRACK_ENTRY]
    if not entries:
        return Unreadable(NOTHING_OF_IT)
    names = [entry.get(ebml.CODEC_ID, b"").rstrip(b"\0").decode("ascii", "replace") for entry in entries]
    for entry, name in zip(entries, names, strict=True):
        if name in CODECS:
            if ebml.CONTENT_ENCODINGS in entry:
                return Unreadable("its track is compressed or encrypted")
            track = _track(entry, CODECS[name])
            if isinstance(track, Unreadable):
                return track
            return Head(track, scale, at, end, others=len(entries) - 1)
    return Unreadable(f"its codec is {names[0][:40]!r}: only VP8, VP9 and Opus are known in WebM")


def _track(entry: dict[int, bytes], codec: str) -> WebmTrack | Unreadable:
    def number(kind: int) -> int:
        return ebml.unsigned(entry.get(kind, b""))

    delay, pre_roll = number(ebml.CODEC_DELAY), number(ebml.SEEK_PRE_ROLL)
    if not number(ebml.TRACK_NUMBER) or max(delay, pre_roll) > _MOST_DELAY:
        return Unreadable(BROKEN)
    private = entry.get(ebml.CODEC_PRIVATE, b"")
    width = height = rate = channels = pre_skip = 0
    if codec == "opus":
        try:
            opus = OpusHead.read(private) if private else _opus(entry)
        except ValueError as error:
            return Unreadable(str(error))
        private, channels, pre_skip, rate = opus.write(), opus.channels, opus.pre_skip, RATE
    else:
        video = dict(ebml.children(entry.get(ebml.VIDEO, b"")))
        width = ebml.unsigned(video.get(ebml.PIXEL_WIDTH, b""))
        height = ebml.unsigned(video.get(ebml.PIXEL_HEIGHT, b""))
    return WebmTrack(
        number=number(ebml.TRACK_NUMBER),
        codec=codec,
        private=private,
        width=width,
        height=height,
        rate=rate,
        channels=channels,
        pre_skip=pre_skip,
        delay_ns=delay,
        pre_roll_ns=pre_roll,
        frame_ns=number(ebml.DEFAULT_DURATION),
    )


def _opus(entry: dict[int, bytes]) -> OpusHead:
    """The header of a track without one: by its Audio element, which every track of sound has."""
    audio = dict(ebml.children(entry.get(ebml.AUDIO, b"")))
    rate = ebml.real(audio.get(ebml.SAMPLING_FREQUENCY, b""))
    channels = ebml.unsigned(audio.get(ebml.CHANNELS, b"\1"))
    return OpusHead(channels, 0, int(rate) if math.isfinite(rate) and 0 < rate < 1 << 32 else RATE)


def _what_instead(head: bytes) -> str:
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "it is an HTML or XML page, probably a download that was refused"
    return NOT_WEBM
