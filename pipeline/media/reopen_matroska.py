"""A finished Matroska or WebM file opened afresh: FFmpeg's demuxer tells packets and times, EBML the rest.

Nothing here knows how the file was made.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import av
import av.error

from pipeline.media.counted import opus_samples
from pipeline.media.webm import ebml
from pipeline.model import ticks
from pipeline.model.checks import FileFacts, SampleFacts, TrackFacts
from pipeline.model.slices import Medium

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet

    from pipeline.model.manifest import Output, OutputTrack

_PROJECTION, _POSE_ROLL = 0x7670, 0x7675  # RFC 9559 5.1.4.1.28.41 and .46
_VIDEO_TRACK = 1
_MOST_HEAD = 64 << 20
_HANDLERS = {"video": "vide", "audio": "soun"}
_AAC_FRAME = 1024
_OPUS_SKIP = slice(10, 12)  # of OpusHead, little endian (RFC 7845 5.1)
_UNKNOWN = -(1 << 62)


@dataclass(slots=True)
class _Seen:
    """What the packets of one track say; times in ticks."""

    made: set[int]
    asked: set[int]
    sound: bool
    opus: bool
    counted: int  # samples a player has heard
    rate: int
    payloads: Any = field(default_factory=hashlib.sha256)
    samples: int = 0
    rising: bool = True
    first_key: bool = False
    end: int = 0
    last: int = _UNKNOWN
    at: dict[int, SampleFacts] = field(default_factory=dict)

    def take(self, packet: Packet[Any]) -> None:
        data = bytes(packet)
        index, at = self.samples, ticks.from_ms(packet.pts or 0)
        self.samples += 1
        if index not in self.made:
            self.payloads.update(data)
        if not index:
            self.first_key = packet.is_keyframe
        if self.sound:
            self.rising = self.rising and at >= self.last
            self.last = at
        if index in self.asked:
            counted = ticks.ticks_of(max(0, self.counted), self.rate) if self.sound else 0
            self.at[index] = SampleFacts(max(0, at), packet.is_keyframe, counted)
        if self.sound:
            samples = opus_samples(data) if self.opus else _AAC_FRAME
            self.counted += samples
            self.end = at + ticks.ticks_of(samples, self.rate)


def matroska_facts(path: Path, output: Output) -> FileFacts:
    """What a file holds, asked at the places that the manifest speaks of.

    Raises:
        ValueError: it is no file of that container that can be read; the text says what was expected.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
        try:
            cues_first, turns = _around(ebml.Window(file, size), output.container)
        except ebml.EbmlError as error:
            raise ValueError("what stands before its first cluster is damaged") from error
    try:
        with av.open(str(path), "r", format="matroska") as container:
            created = container.metadata.get("creation_time", "")
            tracks = _tracks(container, output, turns)
    except av.error.FFmpegError as error:
        raise ValueError(f"FFmpeg cannot read it ({error})") from error
    zero = round(datetime.fromisoformat(created).timestamp() * 1000) if created else 0
    return FileFacts(size, digest, cues_first, zero, tracks)


def _tracks(container: InputContainer, output: Output, turns: list[int]) -> tuple[TrackFacts, ...]:
    told = [output.tracks[n] if n < len(output.tracks) else None for n in range(len(container.streams))]
    seen = [_begin(stream.codec_context, each) for stream, each in zip(container.streams, told, strict=True)]
    for packet in container.demux():
        if packet.size:
            seen[packet.stream.index].take(packet)
    turned = iter(turns)
    facts = []
    for stream, each in zip(container.streams, seen, strict=True):
        base = stream.time_base
        facts.append(
            TrackFacts(
                handler=_HANDLERS.get(stream.type, stream.type),
                entry=stream.codec_context.name,
                timescale=0 if base is None else round(1 / base),
                samples=each.samples,
                rising=each.rising,
                first_key=each.first_key,
                end=each.end if each.sound else _duration(stream.metadata.get("DURATION", "")),
                payload_sha256=each.payloads.hexdigest(),
                at=each.at,
                clockwise=None if each.sound else next(turned, None),
            )
        )
    return tuple(facts)


def _begin(context: Any, told: OutputTrack | None) -> _Seen:
    spans = told.spans if told else ()
    made = [(each.first, each.count) for each in told.fills] if told else []
    made += [(each.first, each.count) for each in told.encoded] if told else []
    sound, opus = context.type == Medium.AUDIO, context.name == "opus"
    head = bytes(context.extradata or b"")
    return _Seen(
        made={n for first, count in made for n in range(first, first + count)},
        asked={n for span in spans for n in (span.first, span.first + span.packets - 1)},
        sound=sound,
        opus=opus,
        counted=-int.from_bytes(head[_OPUS_SKIP], "little") if opus else 0,
        rate=context.sample_rate if sound else 0,
    )


def _duration(text: str) -> int:
    """Ticks of a DURATION tag, such as 00:01:15.000000000; 0 for anything else."""
    hours, _, rest = text.partition(":")
    minutes, _, seconds = rest.partition(":")
    whole, _, nanoseconds = seconds.partition(".")
    if not all(part.isdecimal() for part in (hours, minutes, whole, nanoseconds)):
        return 0
    ms = int(nanoseconds) // 1_000_000
    return ticks.from_ms(((int(hours) * 60 + int(minutes)) * 60 + int(whole)) * 1000 + ms)


def _around(window: ebml.Window, container: str) -> tuple[bool, list[int]]:
    """Whether Cues stand before the first cluster, and the turns of the tracks of pictures, clockwise.

    Raises:
        ValueError: it is no such container.
        EbmlError: what stands before the first cluster is damaged.
    """
    head = window.element(0)
    if head.kind != ebml.EBML or not 0 <= head.size < _MOST_HEAD:
        raise ValueError("it begins with no EBML header")
    wanted = b"webm" if container == "webm" else b"matroska"
    kind = dict(ebml.children(window.read(head.start, head.size))).get(ebml.DOC_TYPE, b"")
    if kind != wanted:
        raise ValueError(f"its DocType is {kind!r}, not {wanted!r}")
    at = window.element(head.start + head.size).start  # what the segment holds
    cues, turns = False, list[int]()
    while (found := window.element(at)).kind not in {ebml.CLUSTER, ebml.CUT_SHORT}:
        if found.kind == ebml.NO_ELEMENT or not 0 <= found.size < _MOST_HEAD:
            raise ebml.EbmlError
        cues = cues or found.kind == ebml.CUES
        if found.kind == ebml.TRACKS:
            turns = _turns(window.read(found.start, found.size))
        at = found.start + found.size
    return cues, turns


def _turns(tracks: bytes) -> list[int]:
    entries = (
        list(ebml.children(entry)) for kind, entry in ebml.children(tracks) if kind == ebml.TRACK_ENTRY
    )
    return [
        _turn(fields)
        for entry in entries
        if ebml.unsigned(dict(entry).get(ebml.TRACK_TYPE, b"")) == _VIDEO_TRACK
        for kind, fields in entry
        if kind == ebml.VIDEO
    ]


def _turn(video: bytes) -> int:
    """Degrees clockwise that a player turns pictures by; the element counts them anticlockwise."""
    projection = dict(ebml.children(video)).get(_PROJECTION, b"")
    roll = dict(ebml.children(projection)).get(_POSE_ROLL, b"")
    return round(-ebml.real(roll)) % 360
