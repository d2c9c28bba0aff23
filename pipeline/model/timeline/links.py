"""How each slice continues the one before it: by its PTS, by its stamp, by its tags, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median_low
from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.slices import Container, Slice, State, Track
from pipeline.model.timeline.values import tolerance

if TYPE_CHECKING:
    from collections.abc import Sequence

SAME_CLOCK = ticks.from_ms(150)
RESET_MATCHES = ticks.from_ms(80)
ROUNDING = ticks.from_ms(1)
STALL = ticks.TICKS
"""Stamps that are later than media time by this, and stay so, tell of a sender who stalled."""
STALL_SHOWS = 3
_A = {State.MISSING: "a", State.EMPTY: "an", State.UNREADABLE: "an"}


@dataclass(frozen=True, slots=True)
class Link:
    """A slice with its unwrapped media time, before any clock is fitted."""

    piece: Slice
    media: int
    stretch: int
    opens: str
    origin: tuple[int, int]  # media ticks and UTC ticks by stamp of the stretch's first slice

    @property
    def utc(self) -> int:
        """UTC ticks by its stamp."""
        return self.piece.stamped()


def epoch(tracks: Sequence[Track]) -> tuple[int, int]:
    """Media and UTC ticks of the first slice of all: what PTS of every track are unwrapped against.

    Sound may wrap on one side of 2^33 and pictures on the other, and still share a clock.
    """
    first = min((t.usable[0] for t in tracks), key=lambda s: (s.stamped(), s.key))
    return (first.ends.first if first.ends else 0), first.stamped()


def chain(track: Track, epoch: tuple[int, int]) -> tuple[Link, ...]:
    """The usable slices of a track, each with its media time and what separates it from the one before.

    Recorders that took over from one another may have recorded the same time, each with PTS of its own: their
    slices are chained apart, one recorder after the other.
    """
    out: list[Link] = []
    for recorder in sorted({piece.recorder for piece in track.slices}):
        own = _chain([piece for piece in track.slices if piece.recorder == recorder], epoch)
        first = out[-1].stretch + 1 if out else 0
        why = f"recorder {recorder}" if out else ""
        out += [
            replace(link, stretch=link.stretch + first, opens=why if why and not number else link.opens)
            for number, link in enumerate(own)
        ]
    return tuple(out)


def _chain(slices: Sequence[Slice], epoch: tuple[int, int]) -> tuple[Link, ...]:
    """The usable slices of one recorder, in order of their stamps."""
    links: list[Link] = []
    media, utc = epoch
    lost = ""
    for piece in slices:
        if piece.ends is None:
            lost = lost or f"after {_A[piece.state]} {piece.state} slice"
            continue
        if links:
            links.append(_link(links[-1], piece, lost))
        else:
            expected = media + piece.stamped() - utc
            links.append(_anchor(piece, ticks.nearest(piece.ends.first, expected), 0, "first slice"))
        lost = ""
    return _after_stalls(links)


def _after_stalls(links: Sequence[Link]) -> tuple[Link, ...]:
    """The links with a new stretch wherever stamps leave the media time at once and for good.

    A sender who stalls leaves no hole in his time stamps, only media that is shorter than the time it took.
    One wrong stamp is none: `STALL_SHOWS` slices must agree on how much later it is.
    """
    out = list(links)
    for at in range(1, len(out)):
        before = [x for x in out[max(0, at - STALL_SHOWS) : at] if x.stretch == out[at].stretch]
        after = [x for x in out[at : at + STALL_SHOWS] if x.stretch == out[at].stretch]
        if not before or len(after) < STALL_SHOWS:
            continue
        late = [x.utc - x.media - median_low([b.utc - b.media for b in before]) for x in after]
        if min(late) < STALL or max(late) - min(late) > SAME_CLOCK:
            continue
        old, origin = out[at].stretch, (out[at].media, out[at].utc)
        why = f"stamps {ticks.duration(median_low(late))} later than media time"
        out[at] = replace(out[at], opens=out[at].opens or why)
        for later in range(at, len(out)):
            same = out[later].stretch == old
            out[later] = replace(
                out[later], stretch=out[later].stretch + 1, origin=origin if same else out[later].origin
            )
    return tuple(out)


def _anchor(piece: Slice, media: int, stretch: int, why: str) -> Link:
    return Link(piece, media, stretch, why, (media, piece.stamped()))


def _link(last: Link, piece: Slice, lost: str) -> Link:
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
    overlaps = before.span - step > tolerance(before.step, sound=sound)
    if not why and overlaps and ends.container is Container.MP4:
        why = "begins before the file before has ended"
    stood_still = piece.opens and goes_on and stamp_step - step > STALL
    if not repeats and not stood_still and (goes_on or abs(step - stamp_step) <= SAME_CLOCK):
        if not why and step - before.span > tolerance(before.step, sound=sound):
            why = "after a gap"
        return Link(piece, media, last.stretch, why, last.origin)
    if fits_length and (continued := _after_reset(last, piece, sound=sound)) is not None:
        return Link(piece, continued, last.stretch, why, last.origin)
    # Where a tag says that the stream begins anew, its time stamps may have stood still while it was away.
    return _anchor(piece, media, last.stretch + 1, why or "PTS reset")


def _after_reset(last: Link, piece: Slice, *, sound: bool) -> int | None:
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
    if before.ends and piece.ends and before.ends.last_form != piece.ends.form:
        return f"{before.ends.last_form} -> {piece.ends.form}"
    if before.ends and piece.ends and before.ends.container != piece.ends.container:
        return f"{before.ends.container} -> {piece.ends.container}"
    if before.ends and piece.ends and before.ends.pid != piece.ends.pid:
        return f"PID {before.ends.pid} -> {piece.ends.pid}"
    return ""
