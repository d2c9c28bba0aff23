"""Snapshots and what must be on them: expectations computed from the truth about the recording alone."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np

from pipeline.demo.picture import read
from pipeline.demo.scenario import Source
from pipeline.job.merge import merge_all
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from tests.merge.merging import pictures_ms

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from pipeline.demo.made import Made, MadeUser
    from pipeline.demo.picture import Coded
    from pipeline.job.works import Done
    from pipeline.model.manifest import Manifest, Picture
    from pipeline.model.snapshots import SnapshotOptions

UNKNOWN_MS = 1
"""Stamps tell UTC to a millisecond."""


@dataclass(frozen=True)
class Snapped:
    """A recording and the pictures that were taken of it."""

    made: Made
    place: Path
    manifest: Manifest
    done: Done

    @property
    def pictures(self) -> list[Picture]:
        """Without the sheets."""
        return [picture for picture in self.manifest.pictures if not picture.stills]

    @property
    def sheets(self) -> list[Picture]:
        return [picture for picture in self.manifest.pictures if picture.stills]

    def sender(self, picture: Picture) -> MadeUser:
        """The truth about the user of a picture."""
        return self.made.user(picture.uid, Source(picture.source))

    def coded(self, picture: Picture) -> Coded | None:
        """What a picture says about itself."""
        return read(luma(self.place / picture.file))


def snap(made: Made, place: Path, options: SnapshotOptions, limits: Limits | None = None) -> Snapped:
    """Take pictures of a made recording, which must hold one recording of one vendor."""
    (done,) = merge_all(Folder(made.place), place, options, limits or Limits())
    return Snapped(made, place, done.manifest, done)


def luma(path: Path) -> npt.NDArray[np.uint8]:
    """The brightness of a picture, read by FFmpeg, which did not write it."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        return np.ascontiguousarray(frame.to_ndarray(format="gray"))


def shown_ms(made: Made, user: MadeUser, at_ms: int) -> set[int]:
    """UTC of the picture that is shown at a moment; two where one begins within what stamps can tell."""
    sent = pictures_ms(made, user)
    last = (bisect_right(sent, at_ms + slack) - 1 for slack in (-UNKNOWN_MS, 0, UNKNOWN_MS))
    return {sent[number] for number in last if number >= 0}


def assert_right(snapped: Snapped, picture: Picture) -> None:
    """A picture shows its user at the moment that it says."""
    user = snapped.sender(picture)
    coded = snapped.coded(picture)
    assert coded is not None, f"{picture.file} cannot be read"
    assert coded.user == user.user.number, picture.file
    assert coded.at_ms in shown_ms(snapped.made, user, picture.utc_ms), picture.file
    assert abs(coded.at_ms - picture.shown_ms) <= UNKNOWN_MS, picture.file
