"""The scene over time: who is on the stage from when to when, and what his region shows.

Everything changes at a UTC instant of the timeline:

- A camera joins and leaves with its user's stay (his session: it ends when neither sound nor picture came
  for 15 s); a shared screen is there while it shows pictures.
- A camera is off in a gap of its pictures, from `Looks.linger_ms` behind the last picture on, and before the
  first picture of a stay. A gap that is over by then changes nothing.
- Seats stand in the order of joining; when somebody leaves, the others move up. Who is over the limit of a
  layout gets a region when one becomes free.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, partial
from itertools import zip_longest
from typing import TYPE_CHECKING

from pipeline.layout.looks import CameraOff
from pipeline.layout.present import seat_of
from pipeline.layout.streams import SCREEN
from pipeline.layout.templates import by_cells
from pipeline.model import ticks
from pipeline.model.shapes import stretches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.layout.canvas import Region
    from pipeline.layout.composing import Composing
    from pipeline.layout.looks import Cell, Image
    from pipeline.layout.scene import Scene, Seat
    from pipeline.layout.speaking import Shown
    from pipeline.model.shapes import Stretch
    from pipeline.model.timeline import Run, TrackTime, UserTime

SPEAKER = "speaker"


class Face(StrEnum):
    """What a region shows."""

    LIVE = "live"  # the last picture up to now
    HELD = "held"  # the same, of a camera that is off
    BLACK = "black"
    IMAGE = "image"
    AVATAR = "avatar"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Role:
    """Somebody on the stage.

    Attributes:
        uid: whose stream.
        source: ``camera`` or ``screen``.
        face: what his region shows.
        since: UTC ticks at which his stay began: no older picture of his is shown.
        image: for `Face.IMAGE`.
    """

    uid: str
    source: str
    face: Face
    since: int
    image: Image | None = None


@dataclass(frozen=True, slots=True)
class Shot:
    """From ``start`` (UTC ticks) on, up to the next shot, the stage looks like this.

    ``roles`` are those of the scene's seats, in their order.
    """

    start: int
    scene: Scene
    roles: tuple[Role, ...]

    def role(self, region: Region) -> Role:
        """Whose region it is."""
        return self.roles[region.seat]

    def __str__(self) -> str:
        """One line: when, the layout, and who is where and shows what."""
        regions = (
            f"{self.role(r).uid} {r.w}x{r.h}+{r.x}+{r.y} {self.role(r).face}" for r in self.scene.regions
        )
        return f"{ticks.iso(self.start)} {self.scene.layout}: {', '.join(regions) or 'nobody'}"


@dataclass(frozen=True, slots=True)
class Turn:
    """From ``start`` (UTC ticks) on this stream is large; of nobody where ``uid`` is empty."""

    start: int
    uid: str
    screen: bool = False


def turns_of(shown: Sequence[Shown], start: int) -> tuple[Turn, ...]:
    """Who speaks when, of levels that begin at ``start`` (UTC ticks)."""
    return tuple(Turn(start + ticks.from_ms(each.at_ms), each.uid, each.screen) for each in shown)


@dataclass(frozen=True, slots=True)
class _Stay:
    """A stay on the stage: UTC ticks, and the stretches of it in which pictures are shown.

    ``shapes`` are those of all his pictures.
    """

    time: UserTime
    start: int
    end: int
    on: tuple[tuple[int, int], ...]
    shapes: tuple[Stretch, ...]

    def begun(self, at: int) -> tuple[int, int] | None:
        """The stretch that began last, over by then or not."""
        after = bisect_right(self.on, at, key=lambda stretch: stretch[0])
        return self.on[after - 1] if after else None


def staged(
    times: Sequence[UserTime], composing: Composing, start: int, end: int, turns: Sequence[Turn] = ()
) -> tuple[Shot, ...]:
    """The shots of a recording, or of a part of it.

    Args:
        times: users on UTC.
        composing: what is asked for.
        start: UTC ticks at which the first shot begins.
        end: UTC ticks at which the last one ends.
        turns: who is large when, for the layout ``speaker``.

    Raises:
        CommandError: as `Arranger.arranged`.
    """
    taken = [time for time in times if composing.streams.drawn.admits(time.uid, time.source)]
    stays = [stay for time in taken for stay in _stays(time, composing)]
    edges = {start, *(turn.start for turn in turns)}
    for stay in stays:
        edges |= {stay.start, stay.end, *(edge for on in stay.on for edge in on)}
        edges |= {s.start for s in stay.shapes}
    shots: list[Shot] = []
    arranged = cache(partial(_arranged, composing))  # most edges leave everybody where he is
    for at in sorted(edge for edge in edges if start <= edge < end):
        shot = _shot(at, stays, composing, turns, arranged)
        if not shots or (shot.scene, shot.roles) != (shots[-1].scene, shots[-1].roles):
            shots.append(shot)
    return tuple(shots)


def _stays(time: UserTime, composing: Composing) -> Iterator[_Stay]:
    """When somebody is on the stage."""
    pictures = tuple(_shown(time, time.video, composing.looks.linger_ms)) if time.video else ()
    shapes = stretches(time.video) if time.video else ()
    if time.source == SCREEN:
        for first, last in pictures:
            yield _Stay(time, first, last, ((first, last),), shapes)
        return
    for start, end in time.sessions:
        on = tuple((max(a, start), min(b, end)) for a, b in pictures if a < end and b > start)
        if on or composing.looks.sound_only:
            yield _Stay(time, start, end, on, shapes)


def _shown(time: UserTime, video: TrackTime, linger_ms: int) -> Iterator[tuple[int, int]]:
    """Stretches in which pictures count as shown: short gaps do not end one; a screen is gone at once."""
    linger = ticks.from_ms(linger_ms)
    gaps = {gap.start for gap in video.gaps}
    begun = video.runs[0].start
    for run, after in zip_longest(video.runs, video.runs[1:]):
        still = _still_until(run, time.source)
        off = max(still, run.end - run.step + linger)
        # Without a gap behind it the picture stands still up to the next run.
        if after is not None and (run.end not in gaps or after.start <= off):
            continue
        yield begun, still if time.source == SCREEN else off
        begun = after.start if after is not None else off


def _still_until(run: Run, source: str) -> int:
    """UTC ticks up to which the last picture of a run stands still, by the list of its slices."""
    last = run.placed[-1].piece
    # Of a slice that is cut off the rest is not there; one with sound is listed for as long as that lasts.
    cut_off = last.ends is not None and last.ends.cut is not None
    heard = last.shared and source != SCREEN
    return run.end if cut_off or heard else run.listed_end


def _shot(
    at: int,
    stays: Sequence[_Stay],
    composing: Composing,
    turns: Sequence[Turn],
    arranged: Callable[[tuple[Seat, ...], int | None, bool], Scene],
) -> Shot:
    there = sorted(
        (stay for stay in stays if stay.start <= at < stay.end),
        key=lambda stay: (stay.start, stay.time.uid, stay.time.source),
    )
    seats = tuple(seat_of(stay.time, stay.shapes, at) for stay in there)
    scene = arranged(seats, *_large(at, seats, composing, turns))
    cells = {r.seat: composing.cells[r.cell] for r in scene.regions if r.cell is not None}
    roles = tuple(_role(at, stay, composing, cells.get(n)) for n, stay in enumerate(there))
    return Shot(at, scene, roles)


def _arranged(composing: Composing, seats: tuple[Seat, ...], large: int | None, absent: bool) -> Scene:  # noqa: FBT001 - a key of what is kept
    """Where everybody is."""
    if composing.cells:
        return by_cells(composing.canvas, seats, composing.cells, composing.layout.vendor)
    scene = composing.layout.arranged(composing.canvas, seats, large, absent=absent)
    mode = composing.looks.mode
    if mode is None:
        return scene
    return replace(scene, regions=tuple(replace(region, mode=mode) for region in scene.regions))


def _large(
    at: int, seats: Sequence[Seat], composing: Composing, turns: Sequence[Turn]
) -> tuple[int | None, bool]:
    """Index of the one who is large, and whether somebody was named who is not there."""
    main = composing.main
    if main is not None:
        found = next((n for n, seat in enumerate(seats) if main.admits(seat.name, seat.source)), None)
        return found, found is None
    if composing.layout.name != SPEAKER:
        return None, False
    turn = next((turn for turn in reversed(turns) if turn.start <= at), None)
    if turn is None or not turn.uid:
        return None, False
    same = (n for n, seat in enumerate(seats) if (seat.name, seat.screen) == (turn.uid, turn.screen))
    return next(same, None), False


def _role(at: int, stay: _Stay, composing: Composing, cell: Cell | None) -> Role:
    time, looks = stay.time, composing.looks
    role = Role(time.uid, time.source, Face.LIVE, stay.start)
    last = stay.begun(at)
    if last is not None and at < last[1]:
        return role
    image = (cell.image if cell else None) or looks.image_of(time.uid, time.source)
    if image is not None:
        return replace(role, face=Face.IMAGE, image=image)
    if looks.camera_off is CameraOff.HOLD:
        return replace(role, face=Face.HELD if last is not None else Face.NOTHING)
    faces = {CameraOff.BLACK: Face.BLACK, CameraOff.AVATAR: Face.AVATAR, CameraOff.NOTHING: Face.NOTHING}
    return replace(role, face=faces[looks.camera_off])
