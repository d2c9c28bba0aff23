"""Holes in a track, lost or absent, and the sessions of a user."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.slices import Medium, Slice, State, Track
from pipeline.model.timeline.values import ABSENT, Gap, Run, TrackTime, tolerance

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def gaps_of(track: Track, runs: Sequence[Run]) -> tuple[Gap, ...]:
    """The holes between runs; where pictures stand still to the listed end of a slice there is none."""
    gaps = []
    short = {piece.key for piece, _ in track.cut_short()}
    order = {piece.key: number for number, piece in enumerate(track.slices)}
    for before, after in pairwise(runs):
        last = before.placed[-1]
        sound = track.medium is Medium.AUDIO
        least = tolerance(last.piece.ends.step, sound=sound) if last.piece.ends else 0
        hole = after.start - before.end
        if hole <= least:
            continue
        is_short = last.piece.key in short
        if not sound and after.start - before.listed_end <= least and not is_short:
            continue
        between = track.slices[order[last.piece.key] + 1 : order[after.placed[0].piece.key]]
        lost, why = _explain(track, before, after, between, is_short=is_short)
        gaps.append(Gap(before.end, after.start, lost, why))
    return tuple(gaps)


def _explain(
    track: Track, before: Run, after: Run, between: Sequence[Slice], *, is_short: bool
) -> tuple[bool, str]:
    """Whether what is missing between two runs was lost, and what a person is told about it."""
    last, first = before.placed[-1].piece, after.placed[0].piece
    bad = [s for s in between if s.state is not State.PRESENT]
    if bad:
        return True, f"{len(bad)} slice{'s' if len(bad) > 1 else ''} {bad[0].state}"
    if last.recorder != first.recorder:
        return True, "the recorder was replaced"
    if is_short or (last.ends is not None and last.ends.cut is not None):
        return True, "the slice before is cut off"
    if first.returns or not track.marks_returns or after.start - before.end < ABSENT or not first.listed:
        return False, "muted, off or away"
    return True, "no slice, and no START tag says that the user came back"


def sessions_of(times: Iterable[TrackTime], tracks: Iterable[Track]) -> tuple[tuple[int, int], ...]:
    """Stretches of a user's presence; a slice that was lost counts as presence."""
    presence = [
        (run.start, run.listed_end if time.medium is Medium.VIDEO else run.end)
        for time in times
        for run in time.runs
    ]
    presence += [
        (ticks.from_ms(s.stamp_ms), ticks.from_ms(s.stamp_ms + s.length_ms()))
        for track in tracks
        for s in track.slices
        if s.state is not State.PRESENT
    ]
    sessions: list[tuple[int, int]] = []
    for start, end in sorted(presence):
        if sessions and start - sessions[-1][1] <= ABSENT:
            sessions[-1] = (sessions[-1][0], max(sessions[-1][1], end))
        else:
            sessions.append((start, end))
    return tuple(sessions)
