"""What verify asks of a reopened file, as pure comparison of facts with the manifest.

Every tolerance has its name and its reason here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.containers import Container
from pipeline.model.slices import Medium
from pipeline.model.sound import SILENT_FRAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.model.manifest import Output, OutputTrack

PICTURE_PLACE = ticks.PER_MS
"""Pictures keep their place to 1 ms."""
SOUND_PLACE = ticks.PER_MS
"""Sound is exact in its own timescale; 1 ms covers rounding to 90 kHz."""
COUNT_PLACE = ticks.from_ms(10)
"""By sample count sound is right to this plus half a silent frame."""
LEVEL = 1.5
"""dB by which a codec may change the level of a stretch; it keeps far closer."""
FAINT = -60.0
"""dB below full scale: under this encoders leave out what they like."""
EDGE = ticks.from_ms(60)
"""Codecs smear what begins and ends over two frames."""
MP3_FRAME = 1152
"""The length of an MP3 is right to a frame where a reader does not know its LAME header."""
_TICKS_A_STEP = ticks.TICKS // 100
_HANDLERS = {Medium.VIDEO: "vide", Medium.AUDIO: "soun"}
_ENTRIES = {
    "h264": ("avc1",),
    "hevc": ("hvc1", "hev1"),
    "vp9": ("vp09",),
    "aac": ("mp4a",),
    "opus": ("Opus",),
    "mp3": ("mp3",),
}
_MATROSKA_TIMESCALE = 1000
_MOOV = "moov stands after the media: players must fetch the end first"
_CUES = "Cues stand after the media: players must fetch the end first"
_NO_INDEX = {
    Container.MP4: _MOOV,
    Container.M4A: _MOOV,
    Container.MKV: _CUES,
    Container.WEBM: _CUES,
    Container.MP3: "it has no LAME header: players cannot tell where it begins and ends",
}


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """A sample asked for: file ticks of its presentation, and whether it is a sync sample.

    ``counted`` are the file ticks at which sound begins for a player that counts decoded samples; None of
    pictures, and where the media was not read.
    """

    at: int
    sync: bool
    counted: int | None = None


@dataclass(frozen=True, slots=True)
class TrackFacts:
    """A track as it stands in the file.

    Attributes:
        entry: four characters of the sample entry; in Matroska the codec's name.
        rising: DTS rise strictly; in Matroska, sound never goes back.
        end: file ticks where its media ends, edits applied.
        payload_sha256: over all samples but the manifest's fills; "" where the media was not read.
        at: the samples that begin or end a span, by index.
    """

    handler: str
    entry: str
    timescale: int
    samples: int
    rising: bool
    first_key: bool
    end: int
    payload_sha256: str
    at: Mapping[int, SampleFacts]
    clockwise: int | None


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file as it stands on the disk or in a store.

    Attributes:
        sha256: "" where the media was not read.
        index_first: what players seek by stands before the media.
    """

    size: int
    sha256: str
    index_first: bool
    creation_ms: int
    tracks: tuple[TrackFacts, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One question, its answer, and the sentence for a bad one."""

    good: bool
    problem: str


def compare(output: Output, facts: FileFacts) -> Iterator[Check]:
    """All checks of one output, in the order a person would make them."""
    container = Container(output.container)
    yield Check(facts.index_first, _NO_INDEX[container])
    zero = output.utc_zero_ms // 1000
    yield Check(
        facts.creation_ms // 1000 == zero, f"creation_time is {facts.creation_ms // 1000}, not {zero}"
    )
    many = f"{len(facts.tracks)} tracks instead of {len(output.tracks)}"
    yield Check(len(facts.tracks) == len(output.tracks), many)
    if output.size:
        yield Check(facts.size == output.size, f"{facts.size} bytes instead of {output.size}")
    if output.size and output.sha256:
        yield Check(facts.sha256 == output.sha256, "its SHA-256 is not that of the manifest")
    for told, found in zip(output.tracks, facts.tracks, strict=False):
        for check in _track(told, found, container):
            yield Check(check.good, f"{told.medium}: {check.problem}")
    yield from _offset(output, facts)


def _track(told: OutputTrack, found: TrackFacts, container: Container) -> Iterator[Check]:
    entries = (told.codec,) if container.wrapped else _ENTRIES.get(told.codec, ())
    timescale = _MATROSKA_TIMESCALE if container.wrapped else told.timescale
    yield Check(found.handler == _HANDLERS[Medium(told.medium)], f"handler is {found.handler}")
    yield Check(found.entry in entries, f"sample entry is {found.entry}, not {' or '.join(entries)}")
    yield Check(found.timescale == timescale, f"timescale is {found.timescale}, not {timescale}")
    anew = told.transcoded
    accounted = told.packets_out + told.packets_encoded + sum(d.packets for d in told.dropped)
    accounted += anew.packets if anew else 0
    lost = f"{told.packets_in} packets came in, {accounted} are accounted for"
    yield Check(told.packets_in == accounted, lost)
    expected = told.packets_out + told.samples_encoded + told.inserted + (anew.frames if anew else 0)
    yield Check(found.samples == expected, f"{found.samples} samples instead of {expected}")
    if told.payload_sha256 and found.payload_sha256:
        same = found.payload_sha256 == told.payload_sha256
        yield Check(same, "the payloads are not those that were read")
    yield Check(found.rising, "DTS do not rise strictly")
    yield Check(abs(found.end - told.end) <= PICTURE_PLACE, _off("its end", found.end, told.end))
    if told.medium == Medium.VIDEO:
        yield Check(found.first_key or not told.spans, "the first picture is no key frame")
        yield Check(found.clockwise == told.clockwise, f"it is turned by {found.clockwise} degrees")
    yield from _spans(told, found)


def _spans(told: OutputTrack, found: TrackFacts) -> Iterator[Check]:
    place = PICTURE_PLACE if told.medium == Medium.VIDEO else SOUND_PLACE
    for span in () if told.transcoded else told.spans:  # in one piece: where it is heard tells decoding alone
        first = found.at.get(span.first)
        yield Check(
            first is not None and abs(first.at - span.at) <= place,
            _off("a span", first.at if first else 0, span.at),
        )
        counted = first.counted if first else None
        if told.medium == Medium.AUDIO and counted is not None:
            half = ticks.ticks_of(SILENT_FRAMES.get(told.codec, 0) // 2, told.timescale)
            yield Check(
                abs(counted - span.at) <= COUNT_PLACE + half, _off("by count a span", counted, span.at)
            )
    samples = sum(span.packets for span in told.spans)
    made = told.packets_out + told.samples_encoded + (told.transcoded.packets if told.transcoded else 0)
    yield Check(samples == made, f"its spans hold {samples} packets, {made} were copied or encoded")


def _offset(output: Output, facts: FileFacts) -> Iterator[Check]:
    """A/V offset as the file has it against the manifest's."""
    if output.av_offset_ms is None or len(facts.tracks) != 2:  # noqa: PLR2004 - pictures and sound
        return
    starts = []
    for told, found in zip(output.tracks, facts.tracks, strict=True):
        first = found.at.get(told.spans[0].first) if told.spans else None
        starts.append(first.at if first else 0)
    offset = ticks.to_ms(starts[1] - starts[0])
    yield Check(
        abs(offset - output.av_offset_ms) <= 1,
        f"sound begins {offset} ms after the picture, not {output.av_offset_ms}",
    )


def heard_problems(told: OutputTrack, length: int, power: Sequence[float]) -> Iterator[str]:
    """What is not heard in decoded sound as it was encoded.

    Args:
        told: the track, transcoded.
        length: ticks of everything that was decoded.
        power: mean square of each 10 ms, full scale 1.
    """
    if abs(length - told.end) > ticks.ticks_of(MP3_FRAME, told.rate):
        yield f"it decodes to {ticks.duration(length)} instead of {ticks.duration(told.end)}"
    levels = told.transcoded.levels if told.transcoded else ()
    before = 0
    for span, level in zip(told.spans, levels, strict=True):
        found = _level(power, span.at, span.until)
        # What is hardly heard is not worth an encoder's bits.
        if abs(max(found, FAINT) - max(level / 10, FAINT)) > LEVEL:
            yield f"sound from {ticks.duration(span.at)} on has {found:.1f} dB instead of {level / 10:.1f}"
        if _level(power, before + EDGE, span.at - EDGE) > FAINT:
            yield f"there is sound before {ticks.duration(span.at)}, where nobody is heard"
        before = span.until


def _level(power: Sequence[float], start: int, end: int) -> float:
    """Decibels below full scale between two file ticks; silence where that is no time at all."""
    part = power[-(-start // _TICKS_A_STEP) : max(0, end) // _TICKS_A_STEP]
    return 10 * log10(max(1e-12, sum(part) / len(part))) if part else -120.0


def _off(what: str, found: int, told: int) -> str:
    return f"{what} lies at {ticks.duration(found)} instead of {ticks.duration(told)}"
