"""The truth about a generated recording: what was shown and heard when, and which slice holds it.

Values only. Ticks are 1/90000 s since the recording's start, milliseconds are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.demo.scenario import FaultKind, Scenario, Source, Track, User

if TYPE_CHECKING:
    from pathlib import Path

_USELESS = {FaultKind.MISSING, FaultKind.EMPTY, FaultKind.RANDOM, FaultKind.HTML}


@dataclass(frozen=True, slots=True)
class MadeSlice:
    """One slice.

    Attributes:
        name: file name.
        track: what it holds.
        start_ms: UTC stamp of its name: its first presented access unit, rounded down.
        start_ticks: the same exactly, since the recording's start.
        end_ticks: where its last access unit ends.
        first_pts: 33-bit stamp of the first presented access unit.
        pictures_ms: UTC of its pictures, rising.
        starts: the stream began or came back after more than 15 s.
        fault: what was done to it.
    """

    name: str
    track: Track
    start_ms: int
    start_ticks: int
    end_ticks: int
    first_pts: int
    pictures_ms: tuple[int, ...]
    starts: bool
    fault: FaultKind | None

    @property
    def useless(self) -> bool:
        """Nothing of it can be delivered."""
        return self.fault in _USELESS


@dataclass(frozen=True, slots=True)
class MadeUser:
    """What one user sent, whatever became of his slices.

    Attributes:
        user: his part of the scenario.
        pictures_ms: UTC of each picture, exactly, rising.
        sound: (from, to) of each stretch of sound in ticks since the recording's start, whole AAC frames.
        beeps_ms: UTC of each audible beep, whole seconds.
        slices: by track, then by time.
    """

    user: User
    pictures_ms: tuple[int, ...]
    sound: tuple[tuple[int, int], ...]
    beeps_ms: tuple[int, ...]
    slices: tuple[MadeSlice, ...]

    def track(self, track: Track) -> tuple[MadeSlice, ...]:
        """The slices of one track, in time order."""
        return tuple(made for made in self.slices if made.track is track)


@dataclass(frozen=True, slots=True)
class Made:
    """A generated recording.

    Attributes:
        place: the folder.
        scenario: what was asked for.
        users: the truth per user, in the scenario's order.
    """

    place: Path
    scenario: Scenario
    users: tuple[MadeUser, ...]

    def user(self, uid: str, source: Source = Source.CAMERA) -> MadeUser:
        """The truth about one user.

        Raises:
            KeyError: there is none.
        """
        for made in self.users:
            if (made.user.uid, made.user.source) == (uid, source):
                return made
        raise KeyError(f"no user {uid!r} with a {source}")

    def ticks_of(self, at_ms: int) -> int:
        """UTC milliseconds as ticks since the recording's start."""
        return (at_ms - self.scenario.start_ms) * 90
