"""Users, tracks and runs put on UTC, overlaps taken away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.slices import Medium, Track, User
from pipeline.model.timeline.clocks import clocks_of
from pipeline.model.timeline.gaps import gaps_of, sessions_of
from pipeline.model.timeline.links import Link, chain, epoch
from pipeline.model.timeline.values import Placed, Run, TrackTime, UserTime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model.clock import Clock

OVERLAP_MOVES = ticks.from_ms(80)


def arrange(user: User) -> UserTime | None:
    """A user's tracks placed on UTC; None when no slice of them can be read."""
    usable = [t for t in user.tracks if t.usable]
    if not usable:
        return None
    chains = {t.medium: chain(t, epoch(usable)) for t in usable}
    clocks, shared = clocks_of(chains)
    times = {t.medium: _track_time(t, chains[t.medium], clocks) for t in user.tracks if t.medium in chains}
    video, audio = times.get(Medium.VIDEO), times.get(Medium.AUDIO)
    return UserTime(user.uid, user.source, video, audio, sessions_of(times.values(), user.tracks), shared)


def _track_time(track: Track, links: Sequence[Link], clocks: dict[tuple[Medium, int], Clock]) -> TrackTime:
    drafts: list[tuple[list[Placed], str, Clock]] = []
    for link in links:
        clock = clocks[track.medium, link.stretch]
        placed = Placed(link.piece, clock.at(link.media), clock.slope_ppb)
        if drafts and not link.opens:
            drafts[-1][0].append(placed)
        else:
            drafts.append(([placed], link.opens, clock))
    used = list(dict.fromkeys(clock for _, _, clock in drafts))
    apart, inside = _without_overlap(
        [Run(tuple(placed), why, used.index(clock)) for placed, why, clock in drafts]
    )
    return TrackTime(track.medium, apart, gaps_of(track, apart), tuple(used), inside)


def _without_overlap(runs: Sequence[Run]) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Runs in order of time, none beginning before the one before it has ended; and those left out.

    A run that lies inside a longer one is left out: to give way to it would cut off what follows it.
    """
    out: list[Run] = []
    inside: list[Run] = []
    for run in sorted(runs, key=lambda r: (r.start, -r.end)):
        excess = out[-1].end - run.start if out else 0
        if excess > OVERLAP_MOVES and run.end <= out[-1].end:
            inside.append(run)
        elif excess > OVERLAP_MOVES:
            # The run before may itself have been moved past this one's start.
            behind = max(0, out[-1].start - run.start)
            out[-1] = replace(out[-1], until=run.start + behind)
            out.append(_moved(run, behind))
        else:
            out.append(_moved(run, max(0, excess)))
    return tuple(out), tuple(inside)


def _moved(run: Run, later: int) -> Run:
    if not later:
        return run
    return replace(run, placed=tuple(replace(p, at=p.at + later) for p in run.placed), moved=later)
