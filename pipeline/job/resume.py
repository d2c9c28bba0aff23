"""What is left to do of a job, by what earlier runs of it have left in its place. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from pipeline.model import ticks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pipeline.model.manifest import Manifest
    from pipeline.model.plan import OutputPlan

TELL = "tell"
"""The note of a job that its files are there, or nearly, and that nobody may know it yet."""
CLEAN = "clean"
"""The note of a job that it removes its slices, with their ETags."""


class Next(Enum):
    """What a run does."""

    NOTHING = "all is done"
    END = "the files are there: tell, and remove the slices if that is asked for"
    CLEAN = "go on removing slices"
    REFUSE = "the slices were removed, and there are others now"
    MAKE = "make the files"


@dataclass(frozen=True, slots=True)
class Left:
    """What earlier runs left.

    Attributes:
        manifest: of this job, whatever its inputs were; None where there is none.
        whole: its inputs are those of now, and all its files are there and are all that is wanted.
        notes: names in the job's journal; empty where there is none.
        cleans: the slices are to be removed and are still there, as far as the manifest says.
    """

    manifest: Manifest | None
    whole: bool
    notes: Collection[str]
    cleans: bool

    @property
    def next(self) -> Next:
        """What there is to do."""
        if self.manifest is None:
            return Next.MAKE
        if self.whole:
            return Next.END if self.notes or self.cleans else Next.NOTHING
        if self.manifest.deletes_source and CLEAN in self.notes:
            return Next.CLEAN
        # With a journal but without that note, it was stopped before the first slice was removed.
        return Next.REFUSE if self.manifest.deletes_source and not self.notes else Next.MAKE

    def revision(self, wanted: Manifest) -> int:
        """Of what is made now: the next one where the inputs are others."""
        before = self.manifest
        return before.revision + (before.recording != wanted.recording) if before else 1


def is_another_call(before: Manifest, outputs: Iterable[OutputPlan]) -> bool:
    """Whether no moment of what was made lies in what is to be made, nor between its first and its last.

    Names of vendors need not tell two calls apart: TRTC's have the room, and no task.

    Args:
        before: of a recording of the same name.
        outputs: as they are planned now.
    """
    then = [at for o in before.outputs for at in (o.utc_zero_ms, o.utc_zero_ms + ticks.to_ms(o.duration))]
    then += [picture.utc_ms for picture in before.pictures]
    now = [ticks.to_ms(at) for o in outputs for piece in o.pieces for at in (piece.start, piece.end)]
    return bool(then and now) and (max(then) < min(now) or max(now) < min(then))
