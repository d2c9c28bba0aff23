"""Small made recordings whose pictures tell their own time, and their streams as a composite reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.demo.picture import read
from pipeline.demo.recorder import make
from pipeline.demo.scenario import Scenario, Source, User, Vendor
from pipeline.media.compose.feed import Feed
from pipeline.model import ticks
from pipeline.model.timeline import arrange
from pipeline.sources.folder import Folder
from pipeline.steps.arrange import look
from pipeline.steps.find import find

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.demo.made import Made
    from pipeline.demo.scenario import Fault
    from pipeline.media.compose.feed import Picture
    from pipeline.model.timeline import TrackTime, UserTime

T0_MS = 1_768_908_600_000
SIZE = (160, 120)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A made recording and its users on UTC."""

    made: Made
    times: tuple[UserTime, ...]

    @property
    def folder(self) -> Folder:
        """Where it lies."""
        return Folder(self.made.place)

    @property
    def video(self) -> TrackTime:
        """The pictures of its first user."""
        found = self.times[0].video
        assert found is not None
        return found

    @property
    def pictures_ms(self) -> tuple[int, ...]:
        """UTC of each picture of its first user."""
        return self.made.users[0].pictures_ms

    def feed(self, start_ms: int = 0, end_ms: int = 1_000_000) -> Feed:
        """His pictures, from one moment to another since the recording's start."""
        return Feed(self.video, self.folder.open, utc(start_ms), utc(end_ms))


def utc(after_ms: float) -> int:
    """UTC ticks so many milliseconds after the recording's start."""
    return ticks.from_ms(T0_MS) + round(after_ms * ticks.PER_MS)


def sender(uid: str = "1", *, number: int = 1, **more: object) -> User:
    """A user with small pictures; everything of `User` may be said."""
    fields: dict[str, object] = {"width": SIZE[0], "height": SIZE[1], "gop_ms": 1000, **more}
    return User(uid=uid, number=number, **fields)  # type: ignore[arg-type] # its fields


def recorded(place: Path, *users: User, slice_ms: int = 2000, faults: tuple[Fault, ...] = ()) -> Recorded:
    """A recording by Agora of these users."""
    scenario = Scenario(
        vendor=Vendor.AGORA,
        start_ms=T0_MS,
        users=users,
        slice_ms=slice_ms,
        channel="room",
        faults=faults,
    )
    made = make(scenario, place)
    return Recorded(made, times_of(made))


def times_of(made: Made) -> tuple[UserTime, ...]:
    """The users of a made recording on UTC, in its order."""
    source = Folder(made.place)
    (inventory,) = find(source).inventories
    found = {(user.uid, user.source): user for user in look(source, inventory).users}
    times = [arrange(found[u.user.uid, str(u.user.source or Source.CAMERA)]) for u in made.users]
    assert all(time is not None for time in times)
    return tuple(time for time in times if time is not None)


def luma(picture: Picture) -> NDArray[np.uint8]:
    """Its brightness, turned upright."""
    assert picture.frame is not None
    planes = picture.frame.to_ndarray(format="yuv420p")[: picture.frame.height]
    return np.rot90(planes, -picture.clockwise // 90)


def taken_ms(picture: Picture | None) -> int | None:
    """What a picture says of the time at which it was taken; None where there is none."""
    if picture is None:
        return None
    coded = read(luma(picture))
    assert coded is not None, "a picture cannot be read"
    return coded.at_ms
