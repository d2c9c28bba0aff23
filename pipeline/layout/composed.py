"""The composites of a recording: which files, over which time, who is drawn and who is heard."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.layout.composite import CompositePlan, Tile
from pipeline.layout.reasons import decisions_of, estimate_of
from pipeline.layout.stage import Face, staged
from pipeline.layout.streams import NOBODY
from pipeline.model import ticks
from pipeline.model.containers import Container
from pipeline.model.decisions import Piece
from pipeline.model.estimate import Estimate
from pipeline.model.mixing import MIX, Speaker
from pipeline.model.outputs import fill
from pipeline.model.plan import within
from pipeline.model.stamps import stamp17

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.layout.composing import Composing
    from pipeline.layout.composite import ComposeOptions
    from pipeline.layout.encoding import Encoding
    from pipeline.layout.stage import Shot, Turn
    from pipeline.model.timeline import TrackTime, UserTime

LEAST_PART = ticks.PER_MS
"""Of a file that goes on where another may be no longer: less than this stays with the one before."""
AROUND = ticks.TICKS
"""Of sound before and behind a file that is decoded too."""
_NAME = "{recording}_{utc}{kind}"


def composed(
    recording: str, times: Sequence[UserTime], options: ComposeOptions, turns: Sequence[Turn] = ()
) -> list[CompositePlan]:
    """The composites of a recording: one, or several where a file may only be so long.

    Args:
        recording: its name.
        times: its users on UTC.
        options: what is asked for.
        turns: who speaks when, where the layout follows that.

    Raises:
        CommandError: nothing is left between ``--start`` and ``--end``, nobody takes part, or the layout
            cannot be drawn.
    """
    composing = options.composing
    if composing is None:
        raise AssertionError("composing is what makes the options those of a composite")
    first, last = min(time.start for time in times), max(time.end for time in times)
    start = options.start.utc(first) if options.start else first
    end = options.end.utc(first) if options.end else last
    start, end = max(start, first), min(end, last)
    if start >= end:
        raise CommandError(
            "--start and --end leave nothing of the recording: give a time between its first and last media."
        )
    most = ticks.from_ms(composing.most_ms) if composing.most_ms else end - start
    begins = [at for at in range(start, end, most) if at == start or end - at > LEAST_PART]
    parts = list(zip(begins, [*begins[1:], end], strict=True))
    plans = [
        _plan(
            recording,
            times,
            options,
            turns,
            composing=composing,
            piece=Piece(*part, 0),
            number=number if len(parts) > 1 else None,
        )
        for number, part in enumerate(parts)
    ]
    if not any(plan.speakers or any(shot.roles for shot in plan.shots) for plan in plans):
        what = "takes part" if composing.encoding else "is heard"
        raise CommandError(
            f"nobody of {recording} {what}: the request or the options choose users who are not in it, "
            "or who send nothing of what was asked for."
        )
    return plans


def _plan(
    recording: str,
    times: Sequence[UserTime],
    options: ComposeOptions,
    turns: Sequence[Turn],
    *,
    composing: Composing,
    piece: Piece,
    number: int | None,
) -> CompositePlan:
    shots = _shots(times, options, composing, piece, turns) if composing.encoding else ()
    choice = composing.streams.heard if composing.sound else NOBODY
    heard = [time for time in times if time.audio is not None and choice.admits(time.uid, time.source)]
    plan = CompositePlan(
        file=_file(recording, options.name, piece.start, pictures=bool(composing.encoding), number=number),
        uid=MIX,
        source=MIX,
        zero=piece.start,
        pieces=(piece,),
        video=None,
        audio=None,
        shape=None,
        sound=None,
        max_audio_edits=options.max_audio_edits,
        odd=(),
        black=False,
        shared_clock=True,
        decisions=(),
        estimate=Estimate(0, 0, 0),
        container=Container.MP4 if composing.encoding else Container.M4A,
        speakers=tuple(_speakers(heard, piece)),
        loudness=composing.sound.loudness if composing.sound else None,
        canvas=composing.canvas,
        shots=shots,
        tiles=tuple(_tiles(times, shots)),
        cells=composing.cells,
        looks=composing.looks,
        encoding=composing.encoding,
        mix=composing.sound if heard else None,
        files=options.files,
        fonts=options.fonts,
        chunk_frames=_chunk_frames(composing.encoding, options.chunk_ms),
    )
    said = tuple(decisions_of(plan, composing))
    return replace(plan, decisions=said, estimate=estimate_of(plan))


def _file(recording: str, pattern: str, start: int, *, pictures: bool, number: int | None) -> str:
    """The name of a file, its ending left out; of several each has its number, whatever the pattern is."""
    part = "" if number is None else f"_{number}"
    values = {
        "uid": MIX,
        "screen": "",
        "utc": stamp17(ticks.to_ms(start)),
        "kind": f"_{'composite' if pictures else 'mix'}{part}",
        "recording": recording,
    }
    numbered = not pattern or "{kind}" in pattern.replace("{{", "")
    return fill(pattern or _NAME, values) + ("" if numbered else part)


def _tiles(times: Sequence[UserTime], shots: Sequence[Shot]) -> Iterator[Tile]:
    """Whose pictures are on the stage at any time."""
    roles = (shot.role(region) for shot in shots for region in shot.scene.regions)
    seen = {(role.uid, role.source) for role in roles if role.face in {Face.LIVE, Face.HELD}}
    for time in times:
        if time.video is not None and (time.uid, time.source) in seen:
            yield Tile(time.uid, time.source, time.video)


def _speakers(heard: Sequence[UserTime], piece: Piece) -> Iterator[Speaker]:
    """Who is heard in a stretch of time."""
    for time in heard:
        sound = _trimmed(within(time.audio, piece.start, piece.end), piece)
        if sound is not None:
            yield Speaker(time.uid, time.source, sound)


def _trimmed(track: TrackTime | None, piece: Piece) -> TrackTime | None:
    """A track with the slices that are heard in a stretch of time, and what a decoder needs around it."""
    if track is None:
        return None
    low, high = piece.start - AROUND, piece.end + AROUND
    runs = [
        replace(run, placed=tuple(p for p in run.placed if p.at < high and p.end > low)) for run in track.runs
    ]
    return replace(track, runs=tuple(run for run in runs if run.placed))


def _shots(
    times: Sequence[UserTime],
    options: ComposeOptions,
    composing: Composing,
    piece: Piece,
    turns: Sequence[Turn],
) -> tuple[Shot, ...]:
    """The stage over the time of a file."""
    if options.shots is None:
        return staged(times, composing, piece.start, piece.end, turns)
    before = [shot for shot in options.shots if shot.start <= piece.start]
    if not before:
        raise CommandError("the first shot begins after the file: give one from its beginning on.")
    inside = (shot for shot in options.shots if piece.start < shot.start < piece.end)
    return (replace(before[-1], start=piece.start), *inside)


def _chunk_frames(encoding: Encoding | None, chunk_ms: int) -> int:
    """Frames of a piece: whole GOPs, about ``chunk_ms`` long."""
    if encoding is None or not chunk_ms:
        return 0
    return encoding.gop * max(1, round(Fraction(chunk_ms * encoding.fps, 1000 * encoding.gop)))
