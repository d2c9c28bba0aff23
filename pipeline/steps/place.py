"""What a job asks of the place where its files go; a folder is one in `publish`, a store in `deliver`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from pipeline.model.manifest import Manifest
    from pipeline.model.options import Verify
    from pipeline.model.plan import OutputPlan
    from pipeline.sources.protocol import Source
    from pipeline.steps.render import Maker


@dataclass(frozen=True, slots=True)
class Limits:
    """What decides how the work is done and never what comes out.

    Attributes:
        jobs: how many users at once.
        overwrite: replace files that are in the way.
    """

    jobs: int = 1
    overwrite: bool = False


class Shelf(Protocol):
    """A place while a job puts its files there; nothing of them is seen as finished before the manifest."""

    def take(self, outputs: Sequence[OutputPlan]) -> None:
        """Make sure of names and room, before the first of these outputs is made.

        Raises:
            CommandError: a name is another's.
            NoSpaceError: there is not enough.
        """
        ...

    def maker(self, source: Source, level: Verify) -> Maker:
        """What makes and verifies an output here."""
        ...

    def drop(self, files: Sequence[str]) -> None:
        """Take away what was made of files that will be made anew, or not."""
        ...

    def finish(self, manifest: Manifest) -> Manifest:
        """Publish the files and then their manifest, as it is told there."""
        ...

    def beat(self) -> None:
        """The work moves; called often."""
        ...


class Place(Protocol):
    """Where the files of one recording go, or folders for several."""

    @property
    def name(self) -> str:
        """As the user wrote it."""
        ...

    def below(self, folder: str) -> Place:
        """A folder of it."""
        ...

    def kept(self, wanted: Manifest) -> Manifest | None:
        """What an earlier run of the same work left, if all of it is there."""
        ...

    def hold(self, wanted: Manifest, limits: Limits) -> AbstractContextManager[Shelf]:
        """Have it for a job; whatever ends the job early, nothing unfinished stays.

        Args:
            wanted: the manifest of the job, with its recording and options.
            limits: how it is done.
        """
        ...
