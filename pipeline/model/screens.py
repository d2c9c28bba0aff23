"""Which pictures a user's file shows who shares a screen beside his camera (``--screen``).

Both sources were put on UTC, each by its own stamps. Here the runs of both become one track, cut where one
takes over from the other. The source that comes first is shown wherever it has pictures, the other one where
the first has none for more than `SWITCHES_AFTER`. What lies behind the other is no loss; the ledger notes it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pipeline.model import ticks
from pipeline.model.decisions import Decision
from pipeline.model.ledger import Entry, Sort
from pipeline.model.options import Screen
from pipeline.model.slices import EARLY, Medium
from pipeline.model.timeline import ABSENT, Gap, Run, TrackTime, UserTime, tolerance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipeline.model.slices import Track, User

CAMERA, SCREEN = "camera", "screen"
SWITCHES_AFTER = ticks.TICKS
"""A hole in the pictures that come first is held if it is no longer; to switch for less would flicker."""


class Span(NamedTuple):
    """UTC ticks from and to; lists of them are in order, and they lie apart from one another."""

    start: int
    end: int


Spans = list[Span]
T = TypeVar("T", Span, Gap)
Left = frozenset[tuple[str, str, Medium]]
"""Tracks that go into no file: user, source, medium."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What goes into the files of a user.

    Attributes:
        time: the tracks; pictures of two sources are one track.
        decisions: what was decided of his screen.
        entries: of the ledger, on pictures that are not shown.
        hidden: the source whose pictures are not shown everywhere; empty if there is none.
        behind: where pictures of it are not shown, if there are any.
    """

    time: UserTime
    decisions: tuple[Decision, ...] = ()
    entries: tuple[Entry, ...] = ()
    hidden: str = ""
    behind: tuple[Span, ...] = ()

    def unless_behind(self, entry: Entry, source: str) -> Entry:
        """A slice of pictures that is bad is no loss where none of them would be shown."""
        if source != self.hidden or entry.track != Medium.VIDEO:
            return entry
        if entry.start_ms is None or entry.end_ms is None:
            return entry
        if not _holds(self.behind, Span(ticks.from_ms(entry.start_ms), ticks.from_ms(entry.end_ms))):
            return entry
        return replace(entry, sort=Sort.NOTE, what=f"{entry.what}; other pictures are shown there")


def left_out(users: Iterable[User], screen: Screen) -> Left:
    """The tracks that go into no file. A file has the microphone's sound; a screen's where there is none."""
    found = list(users)
    speaking = {user.uid for user in found if user.source != SCREEN and user.audio is not None}

    def leaves(track: Track) -> bool:
        if track.source != SCREEN:
            return screen is Screen.ONLY and track.medium is Medium.VIDEO
        beside = track.medium is Medium.AUDIO and track.uid in speaking
        return screen is Screen.NONE or (screen is not Screen.OWN and beside)

    return frozenset((t.uid, t.source, t.medium) for user in found for t in user.tracks if leaves(t))


def notes_of(times: Iterable[UserTime], left: Left) -> Iterator[Entry]:
    """What the ledger says of the tracks that go into no file."""
    words = {Medium.VIDEO: "pictures", Medium.AUDIO: "sound"}
    for time in times:
        for track in time.tracks:
            if (time.uid, time.source, track.medium) in left:
                what = f"the {words[track.medium]} of the {time.source} left out (--screen)"
                start, end = ticks.to_ms(track.start), ticks.to_ms(track.end)
                yield Entry(Sort.NOTE, what, time.uid, track.medium, start, end)


def shown(times: Sequence[UserTime], screen: Screen, left: Left) -> tuple[Shown, ...]:
    """What is shown of users on UTC; nothing of those of whom nothing is left.

    Args:
        times: the sources of the users.
        screen: what was asked for.
        left: the tracks that `left_out` names.
    """
    if screen is Screen.OWN:
        return tuple(map(Shown, times))
    users: dict[str, list[UserTime]] = {}
    for time in times:
        if (kept := _without(time, left)) is not None:
            users.setdefault(time.uid, []).append(kept)
    return tuple(_merged(sources, screen) for sources in users.values())


def _without(time: UserTime, left: Left) -> UserTime | None:
    video, audio = (
        None if track is None or (time.uid, time.source, track.medium) in left else track
        for track in (time.video, time.audio)
    )
    return replace(time, video=video, audio=audio) if video or audio else None


def _merged(sources: Sequence[UserTime], screen: Screen) -> Shown:
    """One user of all his sources."""
    if len(sources) == 1:
        return Shown(sources[0])
    camera, shared = sorted(sources, key=lambda time: time.source == SCREEN)
    sound = camera if camera.audio is not None else shared
    sessions = tuple((a, b) for a, b in _joined([*camera.sessions, *shared.sessions], ABSENT))
    whole = replace(camera, audio=sound.audio, sessions=sessions)
    if shared.video is None:
        return Shown(whole)
    if camera.video is None:
        alone = replace(whole, source=SCREEN, video=shared.video, shared=sound is shared and shared.shared)
        return Shown(alone, (Decision("show the screen", f"--screen {screen}"),))
    if screen is Screen.FILL:
        return _switching(whole, (CAMERA, camera.video), (SCREEN, shared.video), screen)
    return _switching(whole, (SCREEN, shared.video), (CAMERA, camera.video), screen)


def _switching(
    whole: UserTime, first: tuple[str, TrackTime], second: tuple[str, TrackTime], screen: Screen
) -> Shown:
    """The pictures of two sources as one track: of the first wherever there are any, else of the second."""
    (source, front), (other, back) = first, second
    stays, others = _stays(source, front), _stays(other, back)
    free = _between(stays, min(front.start, back.start), max(stays[-1][1], others[-1][1]))
    runs = [(source, run) for run in front.runs]
    runs += [
        (other, replace(part, clock=part.clock + len(front.clocks)))
        for run in back.runs
        for part in _parts(run, free)
    ]
    video = TrackTime(
        Medium.VIDEO,
        tuple(_switched(sorted(runs, key=lambda each: each[1].start), source)),
        _gaps(front, back, stays, others),
        front.clocks + back.clocks,
        front.inside + back.inside,
    )
    return Shown(
        replace(whole, video=video),
        tuple(_decisions(screen, stays, _both(others, free))),
        (
            *(_hidden(whole.uid, other, source, span) for span in _both(others, stays)),
            *_filled(whole.uid, source, other, front, video.gaps),
        ),
        other,
        tuple(stays),
    )


def _decisions(screen: Screen, stays: Spans, filled: Spans) -> Iterator[Decision]:
    """What is done with a screen beside a camera: where the first source is shown, and where the second."""
    asked = f"--screen {screen}"
    if screen is Screen.PREFER:
        yield Decision(f"show the screen for {_length(stays)}, else the camera", asked)
    elif filled:
        yield Decision(f"show the screen for {_length(filled)}, where the camera is off", asked)
    else:
        yield Decision("show no screen", f"the camera is never off ({asked})")
    yield Decision("place the screen by its own stamps", "it has a clock of its own")


def _stays(source: str, track: TrackTime) -> Spans:
    """Where a source has pictures; a shared screen that stands still is shared to the end of its slice."""
    spans = [
        Span(run.start, run.listed_end if source == SCREEN or run.listed_end - run.end <= EARLY else run.end)
        for run in track.runs
    ]
    return _joined(spans, SWITCHES_AFTER)


def _joined(spans: Iterable[tuple[int, int]], apart: int) -> Spans:
    """Spans in order, those that are at most ``apart`` from one another as one."""
    out: Spans = []
    for start, end in sorted(spans):
        if out and start - out[-1][1] <= apart:
            out[-1] = Span(out[-1].start, max(out[-1].end, end))
        else:
            out.append(Span(start, end))
    return out


def _between(spans: Spans, low: int, high: int) -> Spans:
    """What lies between spans, before them from ``low`` on, and after them up to ``high``."""
    ends = [low, *(end for _, end in spans)]
    starts = [*(start for start, _ in spans), high]
    return [Span(end, start) for end, start in zip(ends, starts, strict=True) if end < start]


def _both(some: Spans, others: Spans) -> Spans:
    """Where spans of both lie."""
    return [Span(max(a, c), min(b, d)) for a, b in some for c, d in _near(others, a, b)]


def _length(spans: Spans) -> str:
    return ticks.duration(sum(end - start for start, end in spans))


def _near(spans: Sequence[T], start: int, end: int) -> Iterator[T]:
    """Of spans or gaps in order those that reach in between two UTC ticks."""
    for at in range(bisect_right(spans, start, key=lambda span: span.end), len(spans)):
        if spans[at].start >= end:
            return
        yield spans[at]


def _parts(run: Run, free: Spans) -> Iterator[Run]:
    """What of a run is shown: for each span that is free, its slices that reach in there."""
    # Slices of a run may overlap by a little: up to here all have ended, and from there on all begin later.
    ended = list(accumulate((p.end for p in run.placed), max))
    begun = list(accumulate((p.at for p in reversed(run.placed)), min))[::-1]
    for start, end in _near(free, run.start, run.end):
        low, high = max(run.start, start), min(run.end, end)
        placed = run.placed[bisect_right(ended, low) : bisect_left(begun, high)]
        if placed and high - low >= run.step:
            yield replace(
                run,
                placed=placed,
                since=low if low > placed[0].at else None,
                yields=high if high < min(run.end, placed[-1].end) else None,
            )


def _switched(runs: Sequence[tuple[str, Run]], first: str) -> Iterator[Run]:
    """The runs, those that take over from the other source marked as such."""
    before = runs[0][0]
    for source, run in runs:
        if source == before:
            yield run
        else:
            why = f"the {first} is {'on' if source == first else 'off'}"
            yield replace(run, since=run.start, why=why)
        before = source


def _gaps(front: TrackTime, back: TrackTime, stays: Spans, others: Spans) -> tuple[Gap, ...]:
    """Where neither source has pictures, and the short holes in what is shown."""
    whole = _joined([*stays, *others], 0)
    free = _between(stays, whole[0][0], whole[-1][1])
    out = [gap for gap in front.gaps if _holds(stays, gap)]
    out += [gap for gap in back.gaps if _holds(others, gap) and _holds(free, gap)]
    least = max(tolerance(track.runs[0].step, sound=False) for track in (front, back))
    for start, end in _between(whole, whole[0][0], whole[-1][1]):
        if end - start > least:
            near = [gap for track in (front, back) for gap in _near(track.gaps, start, end)]
            why = "; ".join(dict.fromkeys(gap.why for gap in near)) or "muted, off or away"
            out.append(Gap(start, end, any(gap.lost for gap in near), why))
    return tuple(sorted(out, key=lambda gap: gap.start))


def _holds(spans: Sequence[Span], one: Span | Gap) -> bool:
    return any(start <= one.start and one.end <= end for start, end in _near(spans, one.start, one.end))


def _hidden(uid: str, source: str, front: str, span: Span) -> Entry:
    """What the ledger says of pictures that are not shown."""
    start, end = span
    what = f"{ticks.duration(end - start)} of the {source} behind the {front}; not shown"
    return Entry(Sort.NOTE, what, uid, Medium.VIDEO, ticks.to_ms(start), ticks.to_ms(end))


def _filled(uid: str, source: str, other: str, front: TrackTime, gaps: Sequence[Gap]) -> Iterator[Entry]:
    """What was lost of the source that comes first, where the other one's pictures hide that."""
    for gap in front.gaps:
        if gap.lost and not any(_near(gaps, gap.start, gap.end)):
            what = f"no picture of the {source} ({gap.why}); filled with the {other}"
            start, end = ticks.to_ms(gap.start), ticks.to_ms(gap.end)
            yield Entry(Sort.LOSS, what, uid, Medium.VIDEO, start, end)
