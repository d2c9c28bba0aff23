"""A manifest's output made by hand and the facts that a good file of it shows."""

from __future__ import annotations

from pipeline.model import ticks
from pipeline.model.checks import FileFacts, SampleFacts, TrackFacts
from pipeline.model.ledger import Entry, Sort
from pipeline.model.manifest import (
    ClockFit,
    Dropped,
    Fill,
    Manifest,
    Origin,
    Output,
    OutputTrack,
    Reason,
    Refusal,
    Span,
    Stretch,
    Verdict,
)
from tests.model.slicing import T0_MS

SECOND = ticks.TICKS
FRAME = 1920
SILENCE = 100
"""Silent frames between two spans of sound."""

PICTURES = OutputTrack(
    medium="video",
    codec="h264",
    timescale=SECOND,
    packets_in=152,
    packets_out=150,
    inserted=0,
    dropped=(Dropped("outside the cut", 2),),
    payload_sha256="aa",
    spans=(Span(T0_MS, 0, 10 * SECOND, 0, 150, "first slice"),),
    fills=(),
    clocks=(ClockFit(T0_MS, 7000, 0, 3, 10),),
    end=10 * SECOND,
    width=640,
    height=480,
    clockwise=90,
)
SOUND = OutputTrack(
    medium="audio",
    codec="aac",
    timescale=48_000,
    packets_in=300,
    packets_out=300,
    inserted=SILENCE,
    dropped=(),
    payload_sha256="bb",
    spans=(
        Span(T0_MS + 5, 450, 450 + 200 * FRAME, 0, 200, "first slice"),
        Span(T0_MS + 6405, 450 + 300 * FRAME, 450 + 400 * FRAME, 300, 100, "START tag"),
    ),
    fills=(Fill(200, SILENCE),),
    clocks=(ClockFit(T0_MS, 7000, 0, 3, 10),),
    end=450 + 400 * FRAME,
    rate=48_000,
    channels=1,
)
OUTPUT = Output(
    file="ann_20260120113000000_av.mp4",
    uid="ann",
    source="camera",
    size=123_456,
    sha256="cc",
    utc_zero_ms=T0_MS,
    duration=10 * SECOND,
    uncertainty_ms=3,
    av_offset_ms=5,
    shared_clock=True,
    map=(Stretch(T0_MS, 0, 10 * SECOND),),
    tracks=(PICTURES, SOUND),
    decisions=(Reason("copy h264 640x480", "MP4 holds it as it is"),),
    verdict=Verdict("full", 30, 60),
)
FACTS = FileFacts(
    size=123_456,
    sha256="cc",
    index_first=True,
    creation_ms=T0_MS,
    tracks=(
        TrackFacts(
            handler="vide",
            entry="avc1",
            timescale=SECOND,
            samples=150,
            rising=True,
            first_key=True,
            end=10 * SECOND,
            payload_sha256="aa",
            at={0: SampleFacts(0, sync=True), 149: SampleFacts(149 * 6000, sync=False)},
            clockwise=90,
        ),
        TrackFacts(
            handler="soun",
            entry="mp4a",
            timescale=48_000,
            samples=400,
            rising=True,
            first_key=True,
            end=450 + 400 * FRAME,
            payload_sha256="bb",
            at={
                0: SampleFacts(450, sync=True, counted=0),
                300: SampleFacts(450 + 300 * FRAME, sync=True, counted=300 * FRAME),
            },
            clockwise=None,
        ),
    ),
)
MANIFEST = Manifest(
    recording=Origin("agora", "2026/math", "sid_room", "dd"),
    options={"by": "user", "uids": "张三"},
    outputs=(OUTPUT,),
    refused=(Refusal("bob", "screen", "the sound is mp3: only AAC and Opus can be copied into MP4 yet"),),
    ledger=(
        Entry(Sort.LOSS, "slice a.ts has 0 bytes; left out", "ann", "audio", T0_MS, T0_MS + 10, "a.ts"),
        Entry(Sort.NOTE, 'odd "name"\n\u2028', key="\u202egpj"),
    ),
    tool="recpipe 0.1",
)
