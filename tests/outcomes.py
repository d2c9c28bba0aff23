"""Manifests made by hand: what became of a recording, in as many ways as there are."""

from __future__ import annotations

from pipeline.model.ledger import Entry, Sort
from pipeline.model.manifest import Manifest, Origin, Output, Refusal, Verdict

START = 1_772_442_000_250
INPUTS = "ab" * 32
ORIGIN = Origin("agora", "2026/03", "abc_room", INPUTS)
MISSING = "is listed by its playlist and is not there; left out"


def output(uid: str = "ann", *problems: str) -> Output:
    """A minute of a user; bad where there are problems."""
    return Output(
        file=f"{uid}_20260302090000250_av.mp4",
        uid=uid,
        source="camera",
        size=602_300,
        sha256="cd" * 32,
        utc_zero_ms=START,
        duration=60 * 90_000,
        uncertainty_ms=2,
        av_offset_ms=10,
        shared_clock=True,
        map=(),
        tracks=(),
        decisions=(),
        verdict=Verdict("full", 12, 300, problems),
        etag="ef" * 16,
    )


def slice_lost(number: int, uid: str = "ann", track: str = "video") -> Entry:
    """A slice of 10 s that is not there."""
    key, start = f"2026/03/{uid}_{track}_{number}.ts", START + 10_000 * number
    return Entry(Sort.LOSS, f"slice {key} {MISSING}", uid, track, start, start + 10_000, key)


def manifest(*outputs: Output, refused: tuple[Refusal, ...] = (), ledger: tuple[Entry, ...] = ()) -> Manifest:
    """What came out of the recording."""
    return Manifest(ORIGIN, {}, outputs, refused, ledger, "recpipe 0.1.0")
