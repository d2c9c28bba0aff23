"""What a recording holds: who was there when, in which codecs, and where nothing is; values for people.

Built from a recording whose slices were looked at, its users on UTC, and the ledger. Pure. A *stretch* is
the part of a track's time line in which one thing is true: media is there, its user was absent, or media was
recorded and cannot be had.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.decisions import forms
from pipeline.model.ledger import Entry, losses
from pipeline.model.slices import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.model.slices import Recording, Slice, Track, User
    from pipeline.model.timeline import TrackTime, UserTime

VERSION = 1
TOUCHES_MS = 250
"""Bad slices this near to one another are shown as one hole: names and EXTINF are rounded."""


class Presence(StrEnum):
    """What a stretch of a track is."""

    PRESENT = "present"
    ABSENT = "absent"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Stretch:
    """UTC ms ``start_ms`` up to ``end_ms``; ``why`` says what began it, or why nothing is there."""

    start_ms: int
    end_ms: int
    presence: Presence
    why: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """A user's stay, UTC ms; ends when neither of his tracks has media for 15 s."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class SeenTrack:
    """One track.

    Attributes:
        medium: ``audio`` or ``video``.
        codecs: codec parameters in the order in which they appear; empty when no slice can be read.
        slices: how many were recorded, those that cannot be had included.
        size: bytes that are there.
        uncertainty_ms: how well its stamps agree with its media time; None when no slice can be read.
        stretches: in order of time.
    """

    medium: str
    codecs: tuple[str, ...]
    slices: int
    size: int
    uncertainty_ms: int | None
    stretches: tuple[Stretch, ...]

    @property
    def present_ms(self) -> int:
        """Milliseconds for which media is there."""
        return sum(s.end_ms - s.start_ms for s in self.stretches if s.presence is Presence.PRESENT)

    @property
    def holes(self) -> tuple[Stretch, ...]:
        """The stretches without media."""
        return tuple(s for s in self.stretches if s.presence is not Presence.PRESENT)


@dataclass(frozen=True, slots=True)
class SeenUser:
    """One user's camera and microphone, or his screen; pictures first.

    ``shared_clock`` says that sound and picture are known to run on one clock.
    """

    uid: str
    source: str
    sessions: tuple[Session, ...]
    shared_clock: bool
    tracks: tuple[SeenTrack, ...]


@dataclass(frozen=True, slots=True)
class SeenRecording:
    """One recording: times in UTC ms over all users, ledger as a plan with default options has it.

    ``slices`` and ``size`` count a slice that holds sound and pictures once, though it is in both tracks.
    """

    vendor: str
    prefix: str
    name: str
    start_ms: int
    end_ms: int
    slices: int
    size: int
    users: tuple[SeenUser, ...]
    ledger: tuple[Entry, ...]

    @property
    def title(self) -> str:
        """Prefix and name, as a person would point at it."""
        return f"{self.prefix}/{self.name}" if self.prefix else self.name

    @property
    def losses(self) -> tuple[Entry, ...]:
        """Media that was recorded and cannot be had."""
        return losses(self.ledger)


@dataclass(frozen=True, slots=True)
class Inspection:
    """All recordings of a source, and notes on objects that belong to none."""

    recordings: tuple[SeenRecording, ...]
    notes: tuple[Entry, ...]
    version: int = VERSION


def seen(recording: Recording, times: Sequence[UserTime], ledger: tuple[Entry, ...]) -> SeenRecording:
    """A recording as a person wants it told.

    Args:
        recording: with the ends of its slices read.
        times: its users on UTC; one without a readable slice has none.
        ledger: what is known of it before anything is copied.
    """
    known = {(time.uid, time.source): time for time in times}
    users = tuple(_user(user, known.get((user.uid, user.source))) for user in recording.users)
    stretches = [s for user in users for track in user.tracks for s in track.stretches]
    sizes = {s.key: s.size for user in recording.users for track in user.tracks for s in track.slices}
    return SeenRecording(
        vendor=recording.vendor,
        prefix=recording.prefix,
        name=recording.name,
        start_ms=min((s.start_ms for s in stretches), default=0),
        end_ms=max((s.end_ms for s in stretches), default=0),
        slices=len(sizes),
        size=sum(sizes.values()),
        users=users,
        ledger=ledger,
    )


def _user(user: User, time: UserTime | None) -> SeenUser:
    placed = {track.medium: track for track in time.tracks} if time else {}
    stays = time.sessions if time else ()
    return SeenUser(
        uid=user.uid,
        source=user.source,
        sessions=tuple(Session(ticks.to_ms(start), ticks.to_ms(end)) for start, end in stays),
        shared_clock=time is not None and time.shared,
        tracks=tuple(_track(track, placed.get(track.medium)) for track in user.tracks),
    )


def _track(track: Track, time: TrackTime | None) -> SeenTrack:
    return SeenTrack(
        medium=track.medium,
        codecs=tuple(dict.fromkeys(str(form) for form in forms(time))),
        slices=len(track.slices),
        size=sum(s.size for s in track.slices),
        uncertainty_ms=time.uncertainty_ms if time else None,
        stretches=tuple(sorted((*_placed(time), *_outside(track, time)), key=lambda s: s.start_ms)),
    )


def _placed(time: TrackTime | None) -> Iterable[Stretch]:
    """Runs and the gaps between them; runs that touch are one stretch."""
    gaps = {gap.end: gap for gap in time.gaps} if time else {}
    out: list[Stretch] = []
    for run in time.runs if time else ():
        start, end = ticks.to_ms(run.start), ticks.to_ms(run.end)
        gap = gaps.get(run.start)
        if gap is not None:
            presence = Presence.LOST if gap.lost else Presence.ABSENT
            out.append(Stretch(ticks.to_ms(gap.start), ticks.to_ms(gap.end), presence, gap.why))
        elif out:
            last = out.pop()
            out.append(Stretch(last.start_ms, max(last.end_ms, end), last.presence, last.why))
            continue
        out.append(Stretch(start, end, Presence.PRESENT, run.why))
    return out


def _outside(track: Track, time: TrackTime | None) -> Iterable[Stretch]:
    """Bad slices before the first and after the last readable one; those between are gaps."""
    low, high = (ticks.to_ms(time.start), ticks.to_ms(time.end)) if time else (0, 0)
    out: list[Stretch] = []
    for piece in track.slices:
        if piece.state is State.PRESENT or (time and low <= piece.stamp_ms < high):
            continue
        start, end = _bad(piece, low if time and piece.stamp_ms < low else None)
        last = out[-1] if out else None
        if last and start - last.end_ms <= TOUCHES_MS and last.why == piece.state:
            out[-1] = Stretch(last.start_ms, max(last.end_ms, end), Presence.LOST, last.why)
        else:
            out.append(Stretch(start, end, Presence.LOST, str(piece.state)))
    return out


def _bad(piece: Slice, before: int | None) -> tuple[int, int]:
    """UTC ms of a slice that cannot be had, at most up to ``before`` where media begins."""
    end = piece.stamp_ms + piece.length_ms()
    return piece.stamp_ms, end if before is None else min(end, before)
