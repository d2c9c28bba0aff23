"""A look at both ends of a TS slice: which codec, which PTS first and last, does it begin on a key frame.

Only bytes of MPEG-TS are read here (ISO/IEC 13818-1 2.4.3: packets, PSI, PES headers), a few kilobytes a
slice and no codec, because a plan for 500 slices must not open 500 demuxers.
"""

from __future__ import annotations

import hashlib
from itertools import pairwise
from statistics import median_low
from typing import TYPE_CHECKING, BinaryIO

from pipeline.media.aac import AdtsConfig, split_adts
from pipeline.media.annexb import normalise
from pipeline.media.ts.packets import PACKET, SYNC, aligned, in_step, runs
from pipeline.media.unreadable import NOTHING_OF_IT, Unreadable
from pipeline.model import ticks
from pipeline.model.slices import Ends, Format, Medium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WINDOW = 128 * PACKET
"""How much of each end is read at first; the end is widened when no PES begins in it."""
MOST_HEAD = 4 << 20
"""How much of the beginning is read at most until every stream has begun: a key frame comes in one piece."""
SHORT = ticks.TICKS
"""A slice that ends this much before its listed length may be cut off; EXTINF may be whole seconds."""
FAR = 20 * ticks.TICKS
"""Recorders do not keep a slice open over a longer absence (Agora, "Recorded files": 15 s)."""
UNKNOWN_STEP = ticks.TICKS // 15
"""Length given to the picture of a slice that has only one."""
_CODECS = {
    Medium.AUDIO: {0x0F: "aac", 0x11: "aac-latm", 0x03: "mp3", 0x04: "mp3", 0x81: "ac3"},
    Medium.VIDEO: {0x1B: "h264", 0x24: "hevc", 0x01: "mpeg1video", 0x02: "mpeg2video", 0x10: "mpeg4"},
}
_MEDIA = frozenset(kind for codecs in _CODECS.values() for kind in codecs)
_PRIVATE = 0x06
_PRIVATE_STREAM = "its stream is private: only H.264, HEVC and AAC are known in MPEG-TS"
_SECTION_HEAD, _PMT_HEAD, _PES_HEAD, _PTS_END = 3, 12, 6, 14  # bytes of these headers
_HEADERS = 8  # packets of a PES that surely hold its parameter sets


class Peeker:
    """Looks at slices of one recording, asking for the picture size of each set of parameters once.

    Args:
        size_of: width and height in pixels of a codec name and its parameter sets in Annex B form.
    """

    def __init__(self, size_of: Callable[[str, bytes], tuple[int, int]]) -> None:
        self._size_of = size_of
        self._sizes: dict[tuple[str, bytes], tuple[int, int]] = {}

    def look(self, file: BinaryIO, size: int, medium: Medium, listed: int = 0) -> Ends | Unreadable:
        """What the ends of a slice say of one medium. Raises OSError when it cannot be read.

        Args:
            file: the slice.
            size: its bytes.
            medium: which track.
            listed: its length in ticks by the playlist; 0 if it is not listed.
        """
        head = file.read(WINDOW)
        at = _sync(head)
        if at is None:
            return Unreadable(_what_instead(head))
        streams = _streams(head, at)
        if isinstance(streams, Unreadable):
            return streams
        mine = [(pid, codec) for pid, kind in streams if (codec := _CODECS[medium].get(kind))]
        head = _widened(file, head, at, [pid for pid, kind in streams if kind in _MEDIA] if mine else [])
        first = next(_pes(head, at, mine[0][0]), None) if mine else None
        if first is None:
            private = not mine and any(kind == _PRIVATE for _, kind in streams)
            return Unreadable(_PRIVATE_STREAM if private else NOTHING_OF_IT)
        pid, codec = mine[0]
        form, key = self._format(codec, first[1])
        if form is not None and not (form.parameters and key):
            form, key = self._format(codec, next(_pes(head, at, pid, whole=True))[1])
        if form is None:
            return Unreadable(f"its first {medium} packet holds no {codec} header")
        others = [pes[0] for p, _ in streams if p != pid and (pes := next(_pes(head, at, p), None))]
        after = max([0, *(ticks.forward(first[0], other) for other in others)])
        end, found, tail = _tail(file, (at, size), pid, sound=form.rate > 0)
        reaches = max((ticks.forward(pts, first[0]) for pts, _ in found), default=0)
        short = listed - reaches > SHORT
        cut = _cut_off(tail, pid, partial=end != size, short=short)
        span, step = (
            _sound_end(found, first[0], form, listed)
            if form.rate
            else _picture_end([pts for pts, _ in found if pts != cut], first[0])
        )
        whole = None if (at, end) == (0, size) else (at, end)
        return Ends(first[0], span, step, key, form, whole, cut, after, pid)

    def form(self, codec: str, payload: bytes) -> Format | None:
        """Codec parameters that a packet tells; without ``parameters`` when it tells none."""
        return self._format(codec, payload)[0]

    def _format(self, codec: str, payload: bytes) -> tuple[Format | None, bool]:
        if codec == "aac":
            config = split_adts(payload).config
            return (None if config is None else _sound(config)), True
        if codec not in {"h264", "hevc"}:
            return Format(codec), True
        unit = normalise(payload, "h264" if codec == "h264" else "hevc")
        sets = b"".join(b"\0\0\0\1" + nal for nal in unit.parameter_sets)
        if not sets:
            return Format(codec), unit.key
        known = self._sizes.get((codec, sets))
        if known is None:
            known = self._sizes[codec, sets] = self._size_of(codec, sets)
        width, height = known
        digest = hashlib.sha256(sets).hexdigest()[:16]
        return Format(codec, width, height, parameters=digest), unit.key


def _widened(file: BinaryIO, head: bytes, at: int, pids: list[int]) -> bytes:
    """The beginning of the file as far as every stream has begun in it."""
    while len(head) < MOST_HEAD and any(next(_pes(head, at, pid), None) is None for pid in pids):
        more = file.read(min(MOST_HEAD, 8 * len(head)) - len(head))
        if not more:
            break
        head += more
    return head


def _tail(
    file: BinaryIO, whole: tuple[int, int], pid: int, *, sound: bool
) -> tuple[int, list[tuple[int, bytes]], bytes]:
    """Where the last whole packet ends, the last PES packets of a PID, and the packets they were found in.

    The window is widened until there are enough, and in a slice that lost its rhythm of 188 bytes too.
    """
    at, size = whole
    window = WINDOW
    while True:
        end = size - (size - at) % PACKET
        start = max(at, end - window)
        file.seek(start)
        tail = file.read(size - start)
        if not in_step(tail[: end - start]):
            stretches = list(runs(tail))
            end = start + stretches[-1][1] if stretches else end
            tail = aligned(tail)
        else:
            tail = tail[: end - start]
        found = list(_pes(tail, 0, pid, whole=sound))
        if len(found) > (0 if sound else 2) or start == at:
            return end, found, tail
        window *= 8


def _cut_off(tail: bytes, pid: int, *, partial: bool, short: bool) -> int | None:
    """PTS of the last PES when its end is missing; None when it is whole as far as can be told.

    A PES of unbounded length (ISO/IEC 13818-1 2.4.3.7) shows it by a TS packet that is cut itself, or, in a
    slice that is shorter than its playlist says, by a last packet without the stuffing that ends a PES.
    """
    parts: list[bytes] = []
    unstuffed = False
    for start in range(len(tail) - PACKET, -1, -PACKET):
        packet = tail[start : start + PACKET]
        for starts, payload in _payloads(packet, 0, pid):
            unstuffed = unstuffed if parts else short and not _is_stuffed(packet)
            parts.append(payload)
            if starts:
                pes = b"".join(reversed(parts))
                length = pes[4] << 8 | pes[5] if len(pes) >= _PES_HEAD else 0
                missing = length > len(pes) - _PES_HEAD
                return _pts(pes) if missing or (not length and (partial or unstuffed)) else None
    return None


def _is_stuffed(packet: bytes) -> bool:
    """Whether a TS packet's adaptation field holds stuffing (ISO/IEC 13818-1 2.4.3.5)."""
    if not packet[3] & 0x20:
        return False
    flags = packet[5]
    needed = 1 + 6 * (flags >> 4 & 1) + 6 * (flags >> 3 & 1) + (flags >> 2 & 1)  # PCR, OPCR, splice_countdown
    return packet[4] == 0 or packet[4] > needed


def _picture_end(found: list[int], first: int) -> tuple[int, int]:
    """Ticks from the first PTS to the end of the last picture, and those of one picture."""
    times = sorted({ticks.forward(pts, first) for pts in found} | {0})
    steps = [b - a for a, b in pairwise(times) if a] or [b - a for a, b in pairwise(times)]
    step = median_low(steps) if steps else UNKNOWN_STEP
    return times[-1] + step, step


def _sound(config: AdtsConfig) -> Format:
    return Format(
        "aac",
        rate=config.sample_rate,
        channels=config.channels,
        parameters=config.audio_specific_config.hex(),
    )


def _sound_end(found: list[tuple[int, bytes]], first: int, form: Format, listed: int) -> tuple[int, int]:
    step = ticks.ticks_of(1024, form.rate)
    if not found:
        return step, step
    ends: list[int] = []  # where it ends by each PTS and the count of frames from there on
    frames = 0
    for pts, payload in reversed(found):
        frames += len(split_adts(payload).frames)
        ends.append(ticks.forward(pts, first) + ticks.ticks_of(1024 * frames, form.rate))
        if listed and len(ends) == 1 and abs(ends[0] - listed) <= SHORT:
            return ends[0], step  # one packet may stand alone behind a mute
    # A PTS that no other agrees with is damaged; one far from the others is a reset.
    agreed = (
        end
        for end, other in pairwise(ends)
        if abs(end - other) <= step * 3 // 2 and -ticks.TICKS <= end - ends[-1] <= FAR
    )
    return next(agreed, max(ends)), step


def _sync(data: bytes) -> int | None:
    """Where packets begin: a sync byte that comes again every 188 bytes, as often as the data allows."""
    at = data.find(SYNC)
    while 0 <= at < len(data) - PACKET:
        places = data[at : at + 5 * PACKET : PACKET]
        if places.count(SYNC) == len(places):
            return at
        at = data.find(SYNC, at + 1)
    return at if at >= 0 and len(data) == PACKET + at else None


def _what_instead(head: bytes) -> str:
    text = head[:512].lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "it is an HTML or XML page, probably a download that was refused"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "it is WebM or Matroska"
    if len(head) < 2 * PACKET:
        return f"it has only {len(head)} bytes"
    return "it is no MPEG-TS (no sync bytes)"


def _payloads(data: bytes, at: int, pid: int) -> Iterator[tuple[bool, bytes]]:
    """Payloads of a PID's packets in order, with payload_unit_start_indicator."""
    high, low = pid >> 8, pid & 0xFF
    for start in range(at, len(data) - PACKET + 1, PACKET):
        flags = data[start + 1]
        if data[start + 2] != low or flags & 0x1F != high or data[start] != SYNC:
            continue
        control = data[start + 3] >> 4 & 3
        if not control & 1:
            continue
        skip = 5 + data[start + 4] if control & 2 else 4
        yield flags >> 6 & 1 == 1, data[start + skip : start + PACKET]


def _section(data: bytes, at: int, pid: int) -> bytes:
    """The first PSI section of a PID, from its table_id on; empty if there is none."""
    section = b""
    for starts, payload in _payloads(data, at, pid):
        if starts:
            section = payload[1 + payload[0] :] if payload else b""
        elif section:
            section += payload
        length = 3 + ((section[1] & 0x0F) << 8 | section[2]) if len(section) >= _SECTION_HEAD else PACKET * 8
        if len(section) >= length:
            return section[: length - 4]
    return b""


def _streams(data: bytes, at: int) -> list[tuple[int, int]] | Unreadable:
    """PID and stream_type of each stream by PAT and PMT (ISO/IEC 13818-1 2.4.4)."""
    pat = _section(data, at, 0)
    programs = [
        (pat[n + 2] & 0x1F) << 8 | pat[n + 3]
        for n in range(8, len(pat) - 3, 4)
        if (pat[n], pat[n + 1]) != (0, 0)
    ]
    if not programs:
        return Unreadable("it has no program association table")
    pmt = _section(data, at, programs[0])
    found: list[tuple[int, int]] = []
    n = 12 + ((pmt[10] & 0x0F) << 8 | pmt[11]) if len(pmt) >= _PMT_HEAD else len(pmt)
    while n + 5 <= len(pmt):
        found.append(((pmt[n + 1] & 0x1F) << 8 | pmt[n + 2], pmt[n]))
        n += 5 + ((pmt[n + 3] & 0x0F) << 8 | pmt[n + 4])
    return found or Unreadable("its program map names no stream")


def _pes(data: bytes, at: int, pid: int, *, whole: bool = False) -> Iterator[tuple[int, bytes]]:
    """``(PTS, payload)`` of the PES packets that begin in the data and have a PTS.

    Unless ``whole``, a payload holds only what the first eight packets of its PES carry: headers suffice.
    """
    pts: int | None = None
    parts: list[bytes] = []
    most = 0 if whole else _HEADERS
    for starts, payload in _payloads(data, at, pid):
        if starts:
            if pts is not None:
                yield pts, b"".join(parts)
            pts = _pts(payload)
            parts = [payload[9 + payload[8] :]] if pts is not None else []
        elif pts is not None:
            parts.append(payload)
            if len(parts) == most:
                yield pts, b"".join(parts)
                pts = None
    if pts is not None:
        yield pts, b"".join(parts)


def _pts(payload: bytes) -> int | None:
    """PTS of a PES header (ISO/IEC 13818-1 2.4.3.6); None where there is none."""
    if len(payload) < _PTS_END or payload[:3] != b"\0\0\1" or not payload[7] & 0x80:
        return None
    b = payload[9:14]
    return (b[0] >> 1 & 7) << 30 | b[1] << 22 | b[2] >> 1 << 15 | b[3] << 7 | b[4] >> 1
