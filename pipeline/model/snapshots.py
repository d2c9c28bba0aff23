"""Snapshots: at which moments pictures are taken of whom, and which picture is shown then.

What is shown at a moment is the last picture whose presentation is not later, as players show it. Where a
camera is off nothing is shown, unless the last picture is held.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from pipeline.errors import CommandError
from pipeline.model import ticks
from pipeline.model.ledger import Entry, Sort
from pipeline.model.losses import of_gaps
from pipeline.model.options import Moment, Options, Screen, Tracks
from pipeline.model.outputs import MIXED, fill, unique
from pipeline.model.screens import SCREEN
from pipeline.model.slices import Medium
from pipeline.model.stamps import stamp17

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.model.plan import Plan
    from pipeline.model.timeline import Run, TrackTime

MOST_MOMENTS = 200_000
"""Of one user; 100 ms apart that are five and a half hours."""
LEAST_EVERY_MS = 100
"""As of the screenshots of Agora's merge script, option -c."""
UNKNOWN = ticks.PER_MS - 1
"""Ticks by which a picture may be later than a moment: stamps tell UTC to a millisecond."""
WIDTHS = (16, 8192)
ON_A_SHEET = 200
"""Pictures of one sheet and of one task: an hour of one user is work for several processes."""


class Format(StrEnum):
    """What the pictures are."""

    JPEG = "jpeg"
    PNG = "png"

    @property
    def ending(self) -> str:
        """Of a file's name, with the dot."""
        return ".jpg" if self is Format.JPEG else ".png"


@dataclass(frozen=True, slots=True)
class SnapshotOptions(Options):
    """What decides the content of pictures; of `Options` only users, time, screen, names and checks count.

    Attributes:
        every_ms: a picture at every UTC time that is a multiple of it; 0 for none.
        at: moments of which there is a picture too.
        format: what the files are.
        quality: of JPEG, 1 to 95 as libjpeg counts.
        width: pixels, even; the height follows. None for the size in which they were sent.
        hold: where a camera is off its last picture is shown.
        nearest_ms: a key frame that is no farther from a moment than this takes its place; 0 for exact ones.
        sheet: contact sheets besides.
    """

    every_ms: int = 0
    at: tuple[Moment, ...] = ()
    format: Format = Format.JPEG
    quality: int = 85
    width: int | None = None
    hold: bool = False
    nearest_ms: int = 0
    sheet: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "tracks", Tracks.VIDEO)
        Options.__post_init__(self)  # a class with slots is made anew, which super() does not know
        if not self.every_ms and not self.at:
            raise CommandError("a snapshot needs its moments: give --every 5s, or --at T.")
        if self.every_ms and self.every_ms < LEAST_EVERY_MS:
            raise CommandError(f"--every is at least {LEAST_EVERY_MS} ms: give more.")
        if not 1 <= self.quality <= 95:  # noqa: PLR2004 - what libjpeg takes; above 95 only files grow
            raise CommandError(f"--quality is 1 to 95, not {self.quality}.")
        if self.width is not None and (self.width % 2 or not WIDTHS[0] <= self.width <= WIDTHS[1]):
            raise CommandError(f"--width is an even number of {WIDTHS[0]} to {WIDTHS[1]}, not {self.width}.")

    @property
    def looking(self) -> Options:
        """How the recording is looked at: all of it, whatever the moments are."""
        return Options(uids=self.uids, screen=self.screen, missing=self.missing)

    def as_text(self) -> dict[str, str]:
        """As `Options.as_text`, of what counts."""
        mine = {"uids", "screen", "missing", "start", "end", "name", "verify"}
        whole = Options.as_text(self)
        at = sorted(ticks.iso(m.at) if m.absolute else f"+{ticks.duration(m.at)}" for m in frozenset(self.at))
        return {name: text for name, text in whole.items() if name in mine} | {
            "kind": "snapshot",
            "every": f"{self.every_ms} ms" if self.every_ms else "",
            "at": " ".join(at),
            "format": self.format,
            "quality": str(self.quality) if self.format is Format.JPEG else "",
            "width": "" if self.width is None else str(self.width),
            "hold": "yes" if self.hold else "",
            "nearest_key": f"{self.nearest_ms} ms" if self.nearest_ms else "",
            "sheet": "yes" if self.sheet else "",
        }


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture to take.

    Attributes:
        at: UTC ticks of the moment.
        run: index of the run that shows it, in its track.
        seen: UTC ticks of that run at which it is looked for: about ``at``, or where the run ends.
        file: its name.
    """

    at: int
    run: int
    seen: int
    file: str = ""


@dataclass(frozen=True, slots=True)
class Reel:
    """Pictures to take of one user, one after another, and the sheet that shows them all.

    Attributes:
        shots: at least one.
        sheet: name of the sheet; empty for none.
    """

    uid: str
    source: str
    track: TrackTime
    shots: tuple[Shot, ...]
    sheet: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """All that comes of it."""
        return (*(shot.file for shot in self.shots), *((self.sheet,) if self.sheet else ()))

    @property
    def reading(self) -> tuple[str, ...]:
        """Keys of the slices that hold the moments, in order."""
        return tuple(dict.fromkeys(self._slice_of(shot)[0] for shot in self.shots))

    @property
    def reads(self) -> int:
        """Bytes of these slices."""
        return sum(dict(self._slice_of(shot) for shot in self.shots).values())

    def _slice_of(self, shot: Shot) -> tuple[str, int]:
        run = self.track.runs[shot.run]
        piece = run.placed[slice_at(run, shot.seen)].piece
        return piece.key, piece.size


def slice_at(run: Run, at: int) -> int:
    """Index of the slice of a run that holds a UTC tick: the last one that has begun."""
    return max(0, bisect_right(run.placed, at, key=lambda placed: placed.at) - 1)


def shown_at(track: TrackTime, at: int, *, hold: bool) -> Shot | None:
    """What a track shows at a UTC tick; None where it shows nothing.

    Between runs without a gap, and where pictures stand still to the listed end of the last slice, the last
    picture is shown on.
    """
    number = bisect_right(track.runs, at, key=lambda run: run.start) - 1
    if number < 0:
        return None
    run = track.runs[number]
    if at < run.end:
        return Shot(at, number, at + UNKNOWN)
    last = number + 1 == len(track.runs)
    off = (last and at >= run.listed_end) or any(gap.start <= at < gap.end for gap in track.gaps)
    return None if off and not hold else Shot(at, number, run.end - 1)


def moments(options: SnapshotOptions, first: int, start: int, end: int) -> tuple[int, ...]:
    """UTC ticks at which pictures of somebody are taken, rising.

    Args:
        options: what was asked for.
        first: UTC ticks from which offsets count.
        start: UTC ticks of his first picture.
        end: UTC ticks where his last one ends; a moment that was asked for by itself may lie outside.

    Raises:
        CommandError: they are too many.
    """
    low = options.start.utc(first) if options.start else None
    high = options.end.utc(first) if options.end else None
    found = {each.utc(first) for each in options.at}
    if step := ticks.from_ms(options.every_ms):
        begin, stop = max(start, low or start), min(end, high or end)
        if stop - begin > step * MOST_MOMENTS:
            raise CommandError(f"--every gives over {MOST_MOMENTS} pictures of one user: give a longer time.")
        found |= set(range(-(-begin // step) * step, stop, step))
    return tuple(sorted(at for at in found if (low is None or low <= at) and (high is None or at < high)))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the name of a picture can tell.

    Attributes:
        at_ms: UTC ms of its moment.
        first_ms: UTC ms of the first moment of its user.
        number: counts the pictures of a user from 1.
        ending: with the dot.
    """

    uid: str
    source: str
    at_ms: int
    first_ms: int
    number: int
    ending: str


Naming: TypeAlias = Callable[[Facts], str]
"""Gives a picture its name, ending included; raises `CommandError` where it cannot."""


@dataclass(frozen=True, slots=True)
class Snapshots:
    """What is taken of one recording, and what its ledger says of it."""

    reels: tuple[Reel, ...]
    ledger: tuple[Entry, ...]


def snapshots(plan: Plan, options: SnapshotOptions, naming: Naming | None = None) -> Snapshots:
    """Decide the pictures of a recording.

    Args:
        plan: of all of it, as `SnapshotOptions.looking` asks for it.
        options: what was asked for.
        naming: in the place of a pattern of our own.

    Raises:
        CommandError: there is no moment, or they are too many, or a picture can have no such name.
    """
    tracks = [(output, output.video) for output in plan.outputs if output.video is not None]
    first = min((output.zero for output in plan.outputs), default=0)
    rolls: list[_Roll] = []
    filled: set[Entry] = set()
    said: list[Entry] = []
    for output, track in tracks:
        asked = moments(options, first, track.start, max(track.end, track.runs[-1].listed_end))
        shots = tuple(shot for at in asked if (shot := shown_at(track, at, hold=options.hold)))
        rolls.append(_Roll(output.uid, output.source, track, shots))
        filled |= set(of_gaps(output.uid, track))
        said += _without(output.uid, track, sorted(frozenset(asked) - {shot.at for shot in shots}))
    if not said and not any(roll.shots for roll in rolls):
        raise CommandError("no moment that was asked for lies in the recording: give others, or --at T.")
    reels = _reels(_named(rolls, plan.recording.name, options, naming), options)
    seen = (e for e in plan.ledger if e not in filled and e.track != Medium.AUDIO)
    told = (*seen, *said)
    return Snapshots(reels, tuple(sorted(told, key=lambda e: (e.start_ms or 0, e.uid, e.track, e.what))))


@dataclass(frozen=True, slots=True)
class _Roll:
    """All pictures of a user's camera or screen."""

    uid: str
    source: str
    track: TrackTime
    shots: tuple[Shot, ...]


def _without(uid: str, track: TrackTime, absent: Sequence[int]) -> Iterator[Entry]:
    """What the ledger says of moments at which there is no picture."""
    left = set(absent)
    for gap in track.gaps:
        inside = {at for at in left if gap.start <= at < gap.end}
        left -= inside
        if inside:
            what = f"no picture at {len(inside)} of the moments ({gap.why})"
            span = ticks.to_ms(gap.start), ticks.to_ms(gap.end)
            yield Entry(Sort.LOSS if gap.lost else Sort.ABSENCE, what, uid, track.medium, *span)
    for at in sorted(left):
        what = "no picture at this moment: before the first or after the last one"
        yield Entry(Sort.ABSENCE, what, uid, track.medium, ticks.to_ms(at))


def _named(
    rolls: Sequence[_Roll], recording: str, options: SnapshotOptions, naming: Naming | None
) -> list[_Roll]:
    """The same with names, unique among all of them."""
    facts = [
        Facts(
            roll.uid,
            roll.source,
            ticks.to_ms(shot.at),
            ticks.to_ms(roll.shots[0].at),
            number,
            options.format.ending,
        )
        for roll in rolls
        for number, shot in enumerate(roll.shots, 1)
    ]
    if naming is not None:
        given = [naming(each) for each in facts]
        if len(frozenset(given)) < len(given):
            raise CommandError(
                "--name gives two pictures one name: leave it out, or choose --screen only or none."
            )
        files = iter(given)
    else:
        own = screens_apart(options.screen)
        stems = [(_stem(options.name, each, recording, own=own), f"{each}") for each in facts]
        files = iter([stem + options.format.ending for stem in unique(stems)])
    return [replace(r, shots=tuple(replace(shot, file=next(files)) for shot in r.shots)) for r in rolls]


def screens_apart(screen: Screen) -> bool:
    """Whether a shared screen has pictures of its own."""
    return screen is Screen.OWN


def _stem(pattern: str, facts: Facts, recording: str, kind: str = "", *, own: bool) -> str:
    values = {
        "uid": facts.uid or MIXED,
        "screen": "_screen" if own and facts.source == SCREEN else "",
        "utc": stamp17(facts.at_ms),
        "kind": kind,
        "recording": recording,
    }
    return fill(pattern, values)


def _reels(rolls: Sequence[_Roll], options: SnapshotOptions) -> tuple[Reel, ...]:
    """The pictures in tasks, each with its sheet."""
    own = screens_apart(options.screen)
    reels: list[Reel] = []
    for roll in rolls:
        for begin in range(0, len(roll.shots), ON_A_SHEET):
            shots = roll.shots[begin : begin + ON_A_SHEET]
            at_ms = ticks.to_ms(shots[0].at)
            facts = Facts(roll.uid, roll.source, at_ms, at_ms, 0, ".jpg")
            stem = _stem("", facts, "", "_sheet", own=own) if options.sheet else ""
            reels.append(Reel(roll.uid, roll.source, roll.track, shots, stem))
    stems = unique([(reel.sheet, f"{reel.uid}\0{reel.source}\0{reel.shots[0].at}") for reel in reels])
    named = zip(reels, stems, strict=True)
    return tuple(replace(reel, sheet=f"{stem}.jpg" if options.sheet else "") for reel, stem in named)
