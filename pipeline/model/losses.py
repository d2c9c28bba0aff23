"""What the ledger says of a recording before anything is copied: bad slices, holes, users without media."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.ledger import Entry, Sort
from pipeline.model.options import Gaps
from pipeline.model.slices import NOWHERE, Medium, Slice, State, Track

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.model.slices import User
    from pipeline.model.timeline import Gap, TrackTime, UserTime

FILLED = "; filled with "
"""Behind a hole: what a merge puts there."""
BLACK_AFTER = ticks.TICKS
"""A hole of pictures that is no longer holds the last one: recorders leave such where sizes change."""


def of_slices(tracks: Iterable[Track]) -> Iterator[Entry]:
    """Slices that are missing, empty, unreadable or cut off: each is a loss."""
    for track in tracks:
        for piece in track.slices:
            if piece.state is not State.PRESENT:
                yield _bad_slice(track, piece)
            elif piece.ends is not None and piece.ends.cut is not None:
                yield _cut_slice(track, piece)
        for piece, early in track.cut_short():
            if piece.ends is not None and piece.ends.cut is None:
                yield _early_slice(track, piece, early)


def of_source(user: User, time: UserTime | None) -> Iterator[Entry]:
    """What is wrong with the slices of one source of a user that are used, where nothing makes up for it."""
    placed = [(user.uid, track) for track in (time.tracks if time else ())]
    unused = {p.piece.key for _, track in placed for run in track.inside for p in run.placed}
    for entry in of_slices(user.tracks):
        if entry.key not in unused:
            yield unless_covered(entry, placed)


def of_unplaced(tracks: Iterable[Track]) -> Iterator[Entry]:
    """Files of which no name, tag or playlist tells when they began: where they were placed."""
    for piece in {s.key: s for track in tracks for s in track.slices if s.stamp_from == NOWHERE}.values():
        by = "by the time at which it says it was made" if piece.stamp_ms else "at the beginning of 1970"
        what = f"nothing tells when it began; placed {by}"
        yield Entry(Sort.NOTE, what, start_ms=piece.stamp_ms, key=piece.key)


def unless_covered(entry: Entry, placed: Iterable[tuple[str, TrackTime]]) -> Entry:
    """A slice that is bad is no loss where another recorder has all of its time."""
    if entry.start_ms is None or entry.end_ms is None:
        return entry
    start, end = ticks.from_ms(entry.start_ms), ticks.from_ms(entry.end_ms)
    for uid, track in placed:
        if (uid, track.medium) != (entry.uid, entry.track):
            continue
        slack = max((p.piece.ends.step for r in track.runs for p in r.placed[:1] if p.piece.ends), default=0)
        if any(run.start <= start + slack and end <= run.end + slack for run in track.runs):
            return replace(entry, sort=Sort.NOTE, what=f"{entry.what}; another recorder has that time")
    return entry


def of_gaps(uid: str, track: TrackTime, gaps: Gaps = Gaps.HOLD) -> Iterator[Entry]:
    """Holes in a track: losses or absences, and what fills them."""
    for gap in track.gaps:
        yield _gap(uid, track.medium, gap, gaps)


def filling(medium: Medium, length: int, gaps: Gaps) -> str:
    """What fills a hole of a length in ticks; a sentence part."""
    if medium is Medium.AUDIO:
        return "silence"
    return "black" if gaps is Gaps.BLACK and length > BLACK_AFTER else "the last picture held"


def of_overlaps(uid: str, track: TrackTime) -> Iterator[Entry]:
    """Slices that are not used because others hold the whole of their time; no loss."""
    for run in track.inside:
        first, many = run.placed[0].piece.key, len(run.placed)
        these = f"slice {first} lies" if many == 1 else f"{many} slices from {first} on lie"
        what = f"{these} wholly inside a longer stretch of this track; not used"
        start, end = ticks.to_ms(run.start), ticks.to_ms(run.end)
        yield Entry(Sort.NOTE, what, uid, track.medium, start, end, first)


def _gap(uid: str, medium: Medium, gap: Gap, gaps: Gaps) -> Entry:
    nothing = "no sound" if medium is Medium.AUDIO else "no picture"
    filled = filling(medium, gap.end - gap.start, gaps)
    return Entry(
        Sort.LOSS if gap.lost else Sort.ABSENCE,
        f"{nothing} ({gap.why}){FILLED}{filled}",
        uid,
        medium,
        ticks.to_ms(gap.start),
        ticks.to_ms(gap.end),
    )


def _bad_slice(track: Track, piece: Slice) -> Entry:
    said = {
        State.MISSING: "is listed by its playlist and is not there",
        State.EMPTY: "has 0 bytes",
        State.UNREADABLE: f"cannot be read: {piece.why}",
    }[piece.state]
    end = piece.stamp_ms + piece.length_ms() if piece.length_ms() else None
    what = f"slice {piece.key} {said}; left out"
    return Entry(Sort.LOSS, what, track.uid, track.medium, piece.stamp_ms, end, piece.key)


def _cut_slice(track: Track, piece: Slice) -> Entry:
    last = "picture" if track.medium is Medium.VIDEO else "sound"
    what = f"slice {piece.key} is cut off; its incomplete last {last} is dropped"
    return Entry(Sort.LOSS, what, track.uid, track.medium, piece.stamp_ms, key=piece.key)


def _early_slice(track: Track, piece: Slice, early: int) -> Entry:
    what = f"slice {piece.key} ends {ticks.duration(early)} before the length that its playlist gives"
    end = piece.stamp_ms + piece.length_ms()
    return Entry(Sort.LOSS, what, track.uid, track.medium, end, end + ticks.to_ms(early), piece.key)
