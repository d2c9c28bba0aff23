"""The timeline: from slices with stamps and ends to runs, gaps and sessions on UTC.

All of it is decided here, from numbers, without a file. The rules:

- *Run*: slices that continue one another and are demuxed as one stream. PTS that go on are stronger evidence
  than stamps. A reset whose UTC step equals the slice's media length within `RESET_MATCHES` continues the
  run; anything else, a START or DISCONTINUITY tag, other codec parameters or a slice lost in between begin
  a new one.
- *Clock*: stretches of slices whose PTS agree with UTC share one fitted line (`pipeline.model.clock`); sound
  and picture of a user share it when they agree within `SAME_CLOCK`, so that A/V is the PTS difference.
- *Gap*: for sound a step of over 1.5 frames; for pictures more than `PICTURE_GAP` or 3 frame steps.
- *Overlap*: up to `OVERLAP_MOVES` the later run moves by its excess; more is cut from the earlier run.
- *Session*: ends when neither track has media for `ABSENT` (Agora and TRTC: 15 s).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median_low
from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.clock import SLOPE_POINTS, Clock, fit, stretched
from pipeline.model.slices import Format, Medium, Slice, State, Track, User

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SAME_CLOCK = ticks.from_ms(150)
RESET_MATCHES = ticks.from_ms(80)
OVERLAP_MOVES = ticks.from_ms(80)
PICTURE_GAP = ticks.from_ms(250)
ROUNDING = ticks.from_ms(1)
_A = {State.MISSING: "a", State.EMPTY: "an", State.UNREADABLE: "an"}
MOST_CLOCKS = 50
"""How many clocks back a stretch is compared with: recordings have a few, hostile ones one a slice."""
ABSENT = 15 * ticks.TICKS


@dataclass(frozen=True, slots=True)
class Placed:
    """A slice on the UTC line: its first access unit is presented at ``at`` (UTC ticks)."""

    piece: Slice
    at: int
    slope_ppb: int = 0

    @property
    def end(self) -> int:
        """UTC ticks at the end of its last access unit."""
        ends = self.piece.ends
        return self.at + (stretched(ends.span, self.slope_ppb) if ends else 0)

    def utc(self, pts: int) -> int:
        """UTC ticks of a 33-bit PTS of this slice."""
        first = self.piece.ends.first if self.piece.ends else pts
        after = ticks.forward(pts, first)
        return self.at + (stretched(after, self.slope_ppb) if self.slope_ppb else after)


@dataclass(frozen=True, slots=True)
class Run:
    """Slices that are demuxed as one stream.

    Attributes:
        placed: at least one.
        why: what began it.
        clock: index of its clock in `TrackTime.clocks`.
        moved: UTC ticks it was moved later to make room for the run before it.
        until: UTC ticks at which the next run takes over; None when nothing overlaps.
    """

    placed: tuple[Placed, ...]
    why: str
    clock: int
    moved: int = 0
    until: int | None = None

    @property
    def step(self) -> int:
        """Ticks of one access unit."""
        return self.placed[0].piece.ends.step if self.placed[0].piece.ends else 1

    @property
    def start(self) -> int:
        """UTC ticks of its first access unit."""
        return self.placed[0].at

    @property
    def end(self) -> int:
        """UTC ticks of its end, where the next run takes over at the latest."""
        return self.placed[-1].end if self.until is None else min(self.placed[-1].end, self.until)


@dataclass(frozen=True, slots=True)
class Gap:
    """UTC ticks between two runs with nothing to show or hear.

    ``lost`` says that media was recorded there and cannot be had; otherwise its user was absent or muted.
    """

    start: int
    end: int
    lost: bool
    why: str


@dataclass(frozen=True, slots=True)
class TrackTime:
    """One track on UTC; ``runs`` is never empty."""

    medium: Medium
    runs: tuple[Run, ...]
    gaps: tuple[Gap, ...]
    clocks: tuple[Clock, ...]

    @property
    def start(self) -> int:
        """UTC ticks of its first access unit."""
        return self.runs[0].start

    @property
    def end(self) -> int:
        """UTC ticks of its end."""
        return max(run.end for run in self.runs)

    @property
    def form(self) -> Format:
        """Codec parameters of the first slice."""
        ends = self.runs[0].placed[0].piece.ends
        if ends is None:
            raise AssertionError(self.runs[0].placed[0].piece.key)  # runs hold readable slices only
        return ends.form

    @property
    def uncertainty_ms(self) -> int:
        """How well its stamps agree with its clocks, at worst."""
        return max(clock.uncertainty_ms for clock in self.clocks)


@dataclass(frozen=True, slots=True)
class UserTime:
    """A user on UTC: tracks, and the sessions (UTC ticks) that hold them.

    ``shared`` says that sound and picture run on one clock.
    """

    uid: str
    source: str
    video: TrackTime | None
    audio: TrackTime | None
    sessions: tuple[tuple[int, int], ...]
    shared: bool

    @property
    def tracks(self) -> tuple[TrackTime, ...]:
        """What there is, pictures first."""
        return tuple(t for t in (self.video, self.audio) if t is not None)

    @property
    def start(self) -> int:
        """UTC ticks of the first media."""
        return min(t.start for t in self.tracks)

    @property
    def end(self) -> int:
        """UTC ticks of the last media's end."""
        return max(t.end for t in self.tracks)


@dataclass(frozen=True, slots=True)
class _Link:
    """A slice with its unwrapped media time, before any clock is fitted."""

    piece: Slice
    media: int
    stretch: int
    opens: str
    origin: tuple[int, int]  # media ticks and UTC ticks by stamp of the stretch's first slice

    @property
    def utc(self) -> int:
        return self.piece.stamped()


def arrange(user: User) -> UserTime | None:
    """A user's tracks placed on UTC; None when no slice of them can be read."""
    usable = [t for t in user.tracks if t.usable]
    if not usable:
        return None
    chains = {t.medium: chain(t, _epoch(usable)) for t in usable}
    clocks, shared = _clocks(chains)
    times = {t.medium: _track_time(t, chains[t.medium], clocks) for t in user.tracks if t.medium in chains}
    video, audio = times.get(Medium.VIDEO), times.get(Medium.AUDIO)
    return UserTime(user.uid, user.source, video, audio, _sessions(times.values(), user.tracks), shared)


def _epoch(tracks: Sequence[Track]) -> tuple[int, int]:
    """Media and UTC ticks of the first slice of all: what PTS of every track are unwrapped against.

    Sound may wrap on one side of 2^33 and pictures on the other, and still share a clock.
    """
    first = min((t.usable[0] for t in tracks), key=lambda s: (s.stamped(), s.key))
    return (first.ends.first if first.ends else 0), first.stamped()


def chain(track: Track, epoch: tuple[int, int]) -> tuple[_Link, ...]:
    """The usable slices of a track, each with its media time and what separates it from the one before."""
    links: list[_Link] = []
    media, utc = epoch
    lost = ""
    for piece in track.slices:
        if piece.ends is None:
            lost = lost or f"after {_A[piece.state]} {piece.state} slice"
            continue
        if links:
            links.append(_link(links[-1], piece, lost))
        else:
            expected = media + piece.stamped() - utc
            links.append(_anchor(piece, ticks.nearest(piece.ends.first, expected), 0, "first slice"))
        lost = ""
    return tuple(links)


def _anchor(piece: Slice, media: int, stretch: int, why: str) -> _Link:
    return _Link(piece, media, stretch, why, (media, piece.stamped()))


def _link(last: _Link, piece: Slice, lost: str) -> _Link:
    before, ends = last.piece.ends, piece.ends
    if before is None or ends is None:
        raise AssertionError(piece.key)  # chain() hands over readable slices only
    stamp_step = piece.stamped() - last.piece.stamped()
    media = ticks.nearest(ends.first, last.media + stamp_step)
    step = media - last.media
    sound = ends.form.rate > 0
    why = _break(last.piece, piece) or lost
    fits_length = abs(stamp_step - before.span) <= RESET_MATCHES
    repeats = step < before.span // 2 and fits_length
    goes_on = abs(step - before.span) <= tolerance(before.step, sound=sound)
    if not repeats and (goes_on or abs(step - stamp_step) <= SAME_CLOCK):
        if not why and step - before.span > tolerance(before.step, sound=sound):
            why = "after a gap"
        return _Link(piece, media, last.stretch, why, last.origin)
    if fits_length and (continued := _after_reset(last, piece, sound=sound)) is not None:
        return _Link(piece, continued, last.stretch, why, last.origin)
    return _anchor(piece, media, last.stretch + 1, why or "PTS reset")


def _after_reset(last: _Link, piece: Slice, *, sound: bool) -> int | None:
    """Media time of a slice that begins its PTS anew and yet continues; None where it must be anchored again.

    Sound goes on by its count. Pictures do while that agrees with the stamps to their rounding, else they go
    by the stamps, never backward: a picture's own length is known only from the picture after it.
    """
    counted = last.media + (last.piece.ends.span if last.piece.ends else 0)
    media, utc = last.origin
    stamped = media + piece.stamped() - utc
    if sound:
        return counted if abs(counted - stamped) <= RESET_MATCHES else None
    return counted if abs(counted - stamped) <= ROUNDING else max(counted, stamped)


def _break(before: Slice, piece: Slice) -> str:
    """Why a slice cannot go on in the run of the one before it, apart from time; empty if it can."""
    if piece.returns:
        return "START tag"
    if piece.opens:
        return "DISCONTINUITY tag"
    if before.ends and piece.ends and before.ends.form != piece.ends.form:
        return f"{before.ends.form} -> {piece.ends.form}"
    if before.ends and piece.ends and before.ends.pid != piece.ends.pid:
        return f"PID {before.ends.pid} -> {piece.ends.pid}"
    return ""


def tolerance(step: int, *, sound: bool) -> int:
    """Ticks by which the next access unit may come late without being a gap."""
    return step * 3 // 2 if sound else max(PICTURE_GAP, 3 * step)


def _clocks(chains: dict[Medium, tuple[_Link, ...]]) -> tuple[dict[tuple[Medium, int], Clock], bool]:
    """A clock for each stretch of each track; one for several stretches that agree."""
    stretches: dict[tuple[Medium, int], list[tuple[int, int]]] = {}
    for medium, links in chains.items():
        for link in links:
            stretches.setdefault((medium, link.stretch), []).append((link.media, link.utc))
    alone = {key: fit(points) for key, points in stretches.items()}
    groups: list[list[tuple[Medium, int]]] = []
    for key in sorted(stretches, key=lambda k: (stretches[k][0][1], k)):
        recent = reversed(groups[-MOST_CLOCKS:])
        home = next((g for g in recent if _agree(alone, stretches, g[0], key)), None)
        if home is None:
            groups.append([key])
        else:
            home.append(key)
    clocks: dict[tuple[Medium, int], Clock] = {}
    shared = False
    for group in groups:
        joint = fit(sorted(point for key in group for point in stretches[key]))
        clocks.update(dict.fromkeys(group, joint))
        shared = shared or len({medium for medium, _ in group}) > 1
    return clocks, shared


def _agree(
    clocks: dict[tuple[Medium, int], Clock],
    stretches: dict[tuple[Medium, int], list[tuple[int, int]]],
    one: tuple[Medium, int],
    other: tuple[Medium, int],
) -> bool:
    """Whether two stretches read the same clock: their lines agree at both ends of the shorter one.

    A stretch of too few stamps has no slope of its own; its stamps must lie on the line of the other.

    Two tracks that each begin at the very same count, though their stamps differ, were each counted from
    their own first packet: that is no shared clock, however near their stamps are.
    """
    points = stretches[other]
    if one[0] is not other[0]:
        (media, utc), (other_media, other_utc) = stretches[one][0], points[0]
        if media == other_media and abs(utc - other_utc) > ROUNDING:
            return False
    more, fewer = sorted((one, other), key=lambda key: -len(stretches[key]))
    line, points = clocks[more], stretches[fewer]
    if len(points) < SLOPE_POINTS:
        return median_low([abs(line.at(media) - utc) for media, utc in points]) <= SAME_CLOCK
    own = clocks[fewer]
    return all(abs(line.at(media) - own.at(media)) <= SAME_CLOCK for media in (points[0][0], points[-1][0]))


def _track_time(track: Track, links: Sequence[_Link], clocks: dict[tuple[Medium, int], Clock]) -> TrackTime:
    used = list(dict.fromkeys(clocks[track.medium, link.stretch] for link in links))
    drafts: list[tuple[list[Placed], str, int]] = []
    for link in links:
        clock = clocks[track.medium, link.stretch]
        placed = Placed(link.piece, clock.at(link.media), clock.slope_ppb)
        if drafts and not link.opens:
            drafts[-1][0].append(placed)
        else:
            drafts.append(([placed], link.opens, used.index(clock)))
    apart = _without_overlap([Run(tuple(placed), why, clock) for placed, why, clock in drafts])
    return TrackTime(track.medium, apart, _gaps(track, apart), tuple(used))


def _without_overlap(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Runs in order of time, none beginning before the one before it has ended."""
    out: list[Run] = []
    for run in sorted(runs, key=lambda r: r.start):
        excess = out[-1].end - run.start if out else 0
        if excess > OVERLAP_MOVES:
            # The run before may itself have been moved past this one's start.
            behind = max(0, out[-1].start - run.start)
            out[-1] = replace(out[-1], until=run.start + behind)
            out.append(_moved(run, behind))
        else:
            out.append(_moved(run, max(0, excess)))
    return tuple(out)


def _moved(run: Run, later: int) -> Run:
    if not later:
        return run
    return replace(run, placed=tuple(replace(p, at=p.at + later) for p in run.placed), moved=later)


def _gaps(track: Track, runs: Sequence[Run]) -> tuple[Gap, ...]:
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
        if not sound and after.start - _listed_end(before) <= least and not is_short:
            continue
        between = track.slices[order[last.piece.key] + 1 : order[after.placed[0].piece.key]]
        lost, why = _explain(track, before, after, between, is_short=is_short)
        gaps.append(Gap(before.end, after.start, lost, why))
    return tuple(gaps)


def _listed_end(run: Run) -> int:
    """Where a run of pictures ends by EXTINF: a recorder counts a picture that stands still to its slice."""
    last = run.placed[-1]
    return max(run.end, last.at + ticks.from_us(last.piece.extinf_us or 0))


def _explain(
    track: Track, before: Run, after: Run, between: Sequence[Slice], *, is_short: bool
) -> tuple[bool, str]:
    """Whether what is missing between two runs was lost, and what a person is told about it."""
    last, first = before.placed[-1].piece, after.placed[0].piece
    bad = [s for s in between if s.state is not State.PRESENT]
    if bad:
        return True, f"{len(bad)} slice{'s' if len(bad) > 1 else ''} {bad[0].state}"
    if is_short or (last.ends is not None and last.ends.cut is not None):
        return True, "the slice before is cut off"
    if first.returns or not track.marks_returns or after.start - before.end < ABSENT or not first.listed:
        return False, "muted, off or away"
    return True, "no slice, and no START tag says that the user came back"


def _sessions(times: Iterable[TrackTime], tracks: Iterable[Track]) -> tuple[tuple[int, int], ...]:
    """Stretches of a user's presence; a slice that was lost counts as presence."""
    presence = [
        (run.start, _listed_end(run) if time.medium is Medium.VIDEO else run.end)
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
