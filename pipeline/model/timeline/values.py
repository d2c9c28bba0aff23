"""What a timeline consists of: slices, runs, gaps, tracks and users placed on UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.clock import stretched

if TYPE_CHECKING:
    from pipeline.model.clock import Clock
    from pipeline.model.slices import Format, Medium, Slice

PICTURE_GAP = ticks.from_ms(250)
ABSENT = 15 * ticks.TICKS


def tolerance(step: int, *, sound: bool) -> int:
    """Ticks by which the next access unit may come late without being a gap."""
    return step * 3 // 2 if sound else max(PICTURE_GAP, 3 * step)


@dataclass(frozen=True, slots=True)
class Placed:
    """A slice on the UTC line: its first access unit is presented at ``at`` (UTC ticks)."""

    piece: Slice
    at: int
    slope_ppb: int = 0

    @property
    def heard(self) -> int:
        """UTC ticks of its first media that is to be seen or heard: what an encoder puts before it is not."""
        return self.at - min(0, self.piece.ends.after if self.piece.ends else 0)

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
        since: UTC ticks from which it is shown, because the user's other pictures were before; None for all.
        yields: UTC ticks at which the user's other pictures take over; None when none do.
    """

    placed: tuple[Placed, ...]
    why: str
    clock: int
    moved: int = 0
    until: int | None = None
    since: int | None = None
    yields: int | None = None

    @property
    def step(self) -> int:
        """Ticks of one access unit."""
        return self.placed[0].piece.ends.step if self.placed[0].piece.ends else 1

    @property
    def slope_ppb(self) -> int:
        """Of its clock, as in `Clock`."""
        return self.placed[0].slope_ppb

    @property
    def start(self) -> int:
        """UTC ticks of its first access unit, or where it is shown from."""
        return self.placed[0].at if self.since is None else max(self.placed[0].at, self.since)

    @property
    def end(self) -> int:
        """UTC ticks of its end, where the next run or other pictures take over at the latest."""
        return min(at for at in (self.placed[-1].end, self.until, self.yields) if at is not None)

    @property
    def listed_end(self) -> int:
        """Where it ends by EXTINF: a recorder counts a picture that stands still to its slice."""
        last = self.placed[-1]
        return max(self.end, last.at + ticks.from_us(last.piece.extinf_us or 0))


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
    """One track on UTC.

    Attributes:
        medium: sound or pictures.
        runs: in order of time, never empty.
        gaps: between them.
        clocks: that its runs were placed by.
        inside: runs that are not used, because they lie wholly inside one of ``runs``.
    """

    medium: Medium
    runs: tuple[Run, ...]
    gaps: tuple[Gap, ...]
    clocks: tuple[Clock, ...]
    inside: tuple[Run, ...] = ()

    @property
    def start(self) -> int:
        """UTC ticks of its first media that is to be seen or heard."""
        return self.runs[0].placed[0].heard

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
        return max(self.clocks[run.clock].uncertainty_ms for run in self.runs)


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
