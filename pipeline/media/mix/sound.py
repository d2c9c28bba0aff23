"""An output of sound that is encoded: one voice or many, limited, brought to a loudness."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from pipeline.media.mix.encode import AacFile, Mp3File
from pipeline.media.mix.limiter import CEILING
from pipeline.media.mix.loudness import Loudness
from pipeline.media.mix.mixer import Levels, added, limited
from pipeline.media.mix.samples import RATE, with_channels
from pipeline.media.mix.voice import NEAR, Stay, Voice
from pipeline.media.remux import Remuxed
from pipeline.media.tally import fits
from pipeline.model import ticks
from pipeline.model.containers import Container
from pipeline.model.decisions import forms
from pipeline.model.ledger import Entry, Sort
from pipeline.model.manifest import Dropped, OutputTrack, Span, Transcoded
from pipeline.model.slices import Medium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipeline.media.mix.encode import File
    from pipeline.model.plan import OutputPlan

MOST_GAIN = 30.0
"""dB; who is softer than this allows is made louder by this much and no more."""
CLOSE = 0.1
"""LU: a loudness that is this close is the one asked for."""
_PASSES = 3
_SILENT = "nothing in it is loud enough to have a loudness; it stays as it is"
_SOFT = "it was made louder by {most:.0f} dB, not by the {asked:.0f} that its loudness would take"


def encode_sound(
    output: OutputPlan,
    open_slice: Callable[[str], BinaryIO],
    sink: BinaryIO,
    progress: Callable[[int], None],
    *,
    hashing: bool,
) -> Remuxed:
    """Decode the speakers of an output, add them up and encode the sum into a whole file.

    Args:
        output: the plan; it has speakers.
        open_slice: opens a slice's key for reading.
        sink: an empty file that can be written, read and sought.
        progress: called now and then with input bytes read since the last call.
        hashing: hash what is written, so that the file can be checked against it.

    Raises:
        Surprise: a stream is not what its ends promised.
        OSError: a slice cannot be read or the sink not written.
    """
    count, channels = ticks.samples_at(output.duration, RATE), _mixed(output)
    gain, said = _gain(output, open_slice, progress)
    voices = _voices(output, channels, open_slice, progress)
    file, levels = _file(output, sink, count), Levels()
    heard = Loudness(channels)
    for block in limited(added(voices, channels, count), channels, gain):
        levels.push(block)
        file.push(with_channels(block, output.channels))
        if output.loudness is not None:
            heard.push(block)
    digest = file.end()
    reached = heard.integrated() if output.loudness is not None else None
    spans, sounding = _spans(output, voices), sum(voice.tally.packets_out for voice in voices)
    told = Transcoded(
        packets=sounding,
        frames=file.frames,
        levels=tuple(round(10 * levels.level(*_samples(span))) for span in spans),
        gain=round(100 * 20 * np.log10(gain)),
        loudness=None if reached is None else round(100 * reached),
    )
    dropped = sum((voice.tally.dropped for voice in voices), Counter[str]())
    track = OutputTrack(
        medium=Medium.AUDIO,
        codec="mp3" if output.container is Container.MP3 else "aac",
        timescale=output.rate,
        packets_in=sum(voice.tally.packets_in for voice in voices),
        packets_out=0,
        inserted=0,
        dropped=tuple(Dropped(reason, many) for reason, many in sorted(dropped.items())),
        payload_sha256=digest if hashing else "",
        spans=spans,
        fills=(),
        clocks=tuple(fit for voice in voices for fit in fits(voice.track)),
        end=output.duration,
        rate=output.rate,
        channels=output.channels,
        transcoded=told,
    )
    return Remuxed((track,), _entries(output, voices, said), output.duration)


def _mixed(output: OutputPlan) -> int:
    """Channels that are worked on: one where everybody has one, though the file has two.

    Loudness is that of the file's channels.
    """
    if output.loudness is not None:
        return output.channels
    own = max((form.channels for s in output.speakers for form in forms(s.audio)), default=1)
    return min(output.channels, own)


def _voices(
    output: OutputPlan,
    channels: int,
    open_slice: Callable[[str], BinaryIO],
    progress: Callable[[int], None],
) -> list[Voice]:
    return [
        Voice(output.pieces, output.zero, channels, speaker.audio, open_slice, progress=progress)
        for speaker in output.speakers
    ]


def _file(output: OutputPlan, sink: BinaryIO, count: int) -> File:
    zero_ms, channels = ticks.to_ms(output.zero), output.channels
    if output.container is Container.MP3:
        return Mp3File(sink, channels, output.bit_rate, creation_ms=zero_ms, title=output.uid)
    return AacFile(
        sink, channels, output.bit_rate, count, creation_ms=zero_ms, title=output.uid, rate=output.rate
    )


def _gain(
    output: OutputPlan, open_slice: Callable[[str], BinaryIO], progress: Callable[[int], None]
) -> tuple[float, str]:
    """What to multiply by to reach the loudness asked for, and what to say where that is not possible.

    Measured over everything; where the limiter would then take some of it away, measured behind it again.
    """
    if output.loudness is None:
        return 1.0, ""
    gain, limit = 1.0, False
    for number in range(_PASSES):
        told = progress if not number else lambda _: None
        voices = _voices(output, output.channels, open_slice, told)
        blocks: Iterable[np.ndarray[tuple[int, int], np.dtype[np.float32]]]
        blocks = added(voices, output.channels, ticks.samples_at(output.duration, RATE))
        heard, peak = Loudness(output.channels), 0.0
        for block in limited(blocks, output.channels, gain) if limit else blocks:
            heard.push(block)
            peak = max(peak, float(np.abs(block).max(initial=0)))
        found = heard.integrated()
        if found is None:
            return 1.0, _SILENT
        gain *= 10 ** ((output.loudness - found) / 20)
        if gain > 10 ** (MOST_GAIN / 20):
            asked = 20 * np.log10(gain)
            return 10 ** (MOST_GAIN / 20), _SOFT.format(most=MOST_GAIN, asked=asked)
        if abs(output.loudness - found) < CLOSE or (not limit and peak * gain < CEILING / 2):
            break
        limit = True
    return gain, ""


def _samples(span: Span) -> tuple[int, int]:
    return ticks.samples_at(span.at, RATE), ticks.samples_at(span.until, RATE)


def _spans(output: OutputPlan, voices: Sequence[Voice]) -> tuple[Span, ...]:
    """Where anybody is heard, in file time; ``first`` counts decoded packets."""
    stays = sorted(stay for voice in voices for stay in voice.stays)
    joined: list[Stay] = []
    for stay in stays:
        last = joined[-1] if joined else None
        if last is not None and stay.start - last.end <= NEAR:
            whole = Stay(last.start, max(last.end, stay.end), last.packets + stay.packets, last.why)
            joined[-1] = whole
        else:
            joined.append(stay)
    spans: list[Span] = []
    first = 0
    for stay in joined:
        at, until = _file_ticks(output, stay.start), _file_ticks(output, stay.end)
        utc_ms = ticks.to_ms(max(stay.start, output.zero))
        spans.append(Span(utc_ms, at, until, first, stay.packets, stay.why))
        first += stay.packets
    return tuple(spans)


def _file_ticks(output: OutputPlan, utc: int) -> int:
    """File ticks of UTC ticks; of what is left out, where it was cut."""
    for piece in output.pieces:
        if utc < piece.end:
            return piece.at + max(0, utc - piece.start)
    return output.pieces[-1].file_end


def _entries(output: OutputPlan, voices: Sequence[Voice], about: str) -> tuple[Entry, ...]:
    said = [
        replace(entry, uid=speaker.uid, track=Medium.AUDIO)
        for speaker, voice in zip(output.speakers, voices, strict=True)
        for entry in voice.tally.entries
    ]
    if about:
        zero_ms = ticks.to_ms(output.zero)
        said.append(Entry(Sort.NOTE, about, start_ms=zero_ms, uid=output.uid, track=Medium.AUDIO))
    return tuple(said)
