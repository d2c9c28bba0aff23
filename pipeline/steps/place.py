"""What a job asks of the place where its files go; a folder is one in `publish`, a store in `deliver`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pipeline.journal.notes import Notes
    from pipeline.model.manifest import Manifest
    from pipeline.model.options import Verify
    from pipeline.model.plan import OutputPlan
    from pipeline.sources.protocol import Source
    from pipeline.steps.render import Maker
    from pipeline.storage.protocol import Store


@dataclass(frozen=True, slots=True)
class Limits:
    """What decides how the work is done and never what comes out.

    Attributes:
        jobs: how many users at once.
        overwrite: replace files that are in the way.
        renew: the files of an earlier revision of the same job are replaced.
        films: a finished file of each output stays on the disk until the job has ended.
    """

    jobs: int = 1
    overwrite: bool = False
    renew: bool = False
    films: bool = False


class Keeper(Protocol):
    """Puts whole small files on a shelf; it can be handed to another process."""

    @property
    def at_once(self) -> int:
        """How many it may be asked for at a time, each by a thread; 1 where waiting is not what it does."""
        ...

    def __call__(self, file: str, data: bytes, sha256: str) -> str:
        """Put one there and make sure that it is what it was; its ETag, empty in a folder."""
        ...


class Shelf(Protocol):
    """A place while a job puts its files there; nothing of them is seen as finished before the manifest."""

    def take(self, outputs: Sequence[OutputPlan]) -> None:
        """Make sure of names and room, before the first of these outputs is made.

        Raises:
            CommandError: a name is another's.
            NoSpaceError: there is not enough.
        """
        ...

    def take_pictures(self, names: Sequence[str], size: int) -> Keeper:
        """As `take`, for pictures of about so many bytes together; what puts each of them here."""
        ...

    def maker(self, source: Source, level: Verify) -> Maker:
        """What makes and verifies an output here."""
        ...

    def drop(self, files: Sequence[str]) -> None:
        """Take away what was made of files that will be made anew, or not."""
        ...

    def film(self, file: str) -> Path:
        """Where a file lies on the disk before `finish`; with `Limits.films`, or in a folder."""
        ...

    def finish(self, manifest: Manifest) -> None:
        """Publish the files and then their manifest; from then on nothing of them is taken away.

        What an earlier revision made, or a run that was killed, and is not in the manifest, goes.
        """
        ...

    @property
    def notes(self) -> Notes:
        """What the job keeps for a later try."""
        ...

    def beat(self) -> None:
        """The work moves; called often. Raises OwnedError where another run has the job by now."""
        ...

    def check(self) -> None:
        """Before an act outside of the place that can be seen. Raises as `beat`."""
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

    def manifest(self) -> Manifest | None:
        """That which is there, if it is one."""
        ...

    def kept(self, wanted: Manifest) -> Manifest | None:
        """What an earlier run of the same work left, if all of it is there."""
        ...

    def left(self, job: str) -> frozenset[str]:
        """The names in the journal that a job has here while it runs, or because it was killed."""
        ...

    @property
    def objects(self) -> Store:
        """The files that are here."""
        ...

    def hold(
        self, wanted: Manifest, limits: Limits, *, published: bool = False
    ) -> AbstractContextManager[Shelf]:
        """Have it for a job; whatever ends the job early, nothing unfinished stays.

        After `Shelf.finish` an error leaves the files and the journal, with which a later run goes on.

        Args:
            wanted: the manifest of the job, with its recording and options.
            limits: how it is done.
            published: an earlier run did that; only what comes afterwards is open.
        """
        ...
