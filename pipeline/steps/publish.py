"""Publish: verified files get their names, the manifest last; or everything is there already.

The manifest is first written hidden, with the hashes of all files. Whoever kills the run between two names,
the next run finds it, gives the remaining files their names and does no work twice.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.errors import CommandError, NoSpaceError, OutputError
from pipeline.model.manifest import FILE, MOST_MANIFEST_BYTES, Manifest, from_json
from pipeline.steps.keep import KeepInFolder, alone_in
from pipeline.steps.render import PIECES, IntoFolder, blame, in_use, part_of, pieces_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipeline.journal.journal import Journal
    from pipeline.journal.notes import Notes
    from pipeline.model.manifest import Output, Picture
    from pipeline.model.options import Verify
    from pipeline.model.plan import OutputPlan
    from pipeline.sources.protocol import Source
    from pipeline.steps.place import Keeper, Limits
    from pipeline.steps.render import Maker
    from pipeline.storage.protocol import Store

PENDING = f".{FILE}.part"
JOURNALS = ".recpipe"
"""As `pipeline.journal.journal.FOLDER`, which merges into folders do not load."""


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """A folder as a place for files.

    Attributes:
        path: the folder, made when it is used.
        journaled: jobs keep a journal in it while they run.
    """

    path: Path
    journaled: bool = False

    @property
    def name(self) -> str:
        """As `Place.name`."""
        return str(self.path)

    def below(self, folder: str) -> FolderPlace:
        """As `Place.below`."""
        return replace(self, path=self.path / folder)

    def manifest(self) -> Manifest | None:
        """As `Place.manifest`."""
        return _read(self.path / FILE)

    def kept(self, wanted: Manifest) -> Manifest | None:
        """As `Place.kept`."""
        return kept(self.path, wanted)

    def left(self, job: str) -> frozenset[str]:
        """As `Place.left`."""
        folder = self.path / JOURNALS / job
        found = folder.iterdir() if folder.is_dir() else ()
        return frozenset(path.stem for path in found if path.is_file())  # the folder of pieces is no note

    @property
    def objects(self) -> Store:
        """As `Place.objects`."""
        from pipeline.storage.local import LocalStore  # as above

        return LocalStore(self.path)

    @contextmanager
    def hold(self, wanted: Manifest, limits: Limits, *, published: bool = False) -> Iterator[FolderShelf]:
        """As `Place.hold`."""
        prepare(self.path)
        with self._journal(wanted.job) as journal:
            forget(self.path)
            shelf = FolderShelf(self, journal, limits, wanted.job)
            shelf.finished = published
            try:
                yield shelf
            except BaseException:
                if shelf.finished and journal is not None:
                    journal.lease.release()
                else:
                    abandon(self.path, shelf.files)
                raise
            finally:
                shelf.close()

    @contextmanager
    def _journal(self, job: str) -> Iterator[Journal | None]:
        if not self.journaled:
            yield None
            return
        from pipeline.journal.journal import folder_journal  # with what merges do not need
        from pipeline.journal.notes import MEDIA

        journal = folder_journal(self.path, job)
        try:
            yield journal
        except BaseException:
            if journal.lease.held:
                journal.close(keep=MEDIA)
            raise
        journal.close()


class FolderShelf:
    """As `Shelf`, in a folder.

    Args:
        place: the folder.
        journal: of the job; None where it keeps none.
        limits: how the work is done.
        job: its key.
    """

    def __init__(self, place: FolderPlace, journal: Journal | None, limits: Limits, job: str) -> None:
        self._path = place.path
        self._journal = journal
        self._limits = limits
        found = place.manifest() if limits.renew else None
        self._before = found.files if found and found.job == job else frozenset()
        self._left = self._before | (journal.own if journal else frozenset())
        self.files: list[str] = []
        self.finished = False
        self._alone = ExitStack()

    def take(self, outputs: Sequence[OutputPlan]) -> None:
        """As `Shelf.take`."""
        self._take([output.file for output in outputs], sum(o.estimate.size for o in outputs), outputs)

    def take_pictures(self, names: Sequence[str], size: int) -> Keeper:
        """As `Shelf.take_pictures`; no other recpipe takes pictures into the folder meanwhile."""
        self._alone.enter_context(alone_in(self._path))
        self._take(names, size, ())
        return KeepInFolder(self._path)

    def _take(self, names: Sequence[str], size: int, outputs: Sequence[OutputPlan]) -> None:
        others = [name for name in names if name not in self._before]
        refuse_foreign(self._path, others, overwrite=self._limits.overwrite)
        check_space(self._path, size, outputs, self._limits.jobs)
        self.files += names
        sweep(self._path, names)
        if self._journal is not None:
            from pipeline.journal.notes import Claim  # as above

            self.notes.claim(Claim(self._left))

    def maker(self, source: Source, level: Verify) -> Maker:
        """As `Shelf.maker`."""
        return IntoFolder(source, self._path, level)

    def drop(self, files: Sequence[str]) -> None:
        """As `Shelf.drop`."""
        abandon(self._path, files)

    def film(self, file: str) -> Path:
        """As `Shelf.film`."""
        return part_of(self._path, file)

    @property
    def notes(self) -> Notes:
        """As `Shelf.notes`."""
        if self._journal is None:
            raise ValueError("this place keeps no journal")
        return self._journal.notes

    def finish(self, manifest: Manifest) -> None:
        """As `Shelf.finish`."""
        publish(self._path, manifest)
        self.finished = True
        for file in sorted(self._left - manifest.files):
            (self._path / file).unlink(missing_ok=True)

    def close(self) -> None:
        """Let others use the folder."""
        self._alone.close()

    def beat(self) -> None:
        """As `Shelf.beat`; a folder needs none."""

    def check(self) -> None:
        """As `Shelf.check`; the lock is held as long as the process lives."""


def check_space(place: Path, size: int, outputs: Sequence[OutputPlan], jobs: int) -> None:
    """Make sure of the disk.

    Args:
        place: a folder on it.
        size: bytes that will stay there for a while.
        outputs: that need more while they are made.
        jobs: how many of them at a time.

    Raises:
        NoSpaceError: it has too little.
        OutputError: it cannot be asked.
    """
    needed = size + sum(sorted((output.scratch for output in outputs), reverse=True)[:jobs])
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise OutputError(f"{place} cannot be asked for its free space ({error.strerror}).") from error
    if free < needed:
        raise NoSpaceError(
            f"{place} has {free // 1_000_000} MB free and the outputs need about {needed // 1_000_000} MB: "
            "free some space, or choose another place (for a store: with TMPDIR)."
        )


def prepare(place: Path) -> None:
    """Make the output folder.

    Raises:
        OutputError: it cannot be made or written.
    """
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{place} cannot be made ({error.strerror}): choose another place.") from error
    if not os.access(place, os.W_OK | os.X_OK):
        raise OutputError(f"{place} cannot be written: make it writable or choose another place.")


def kept(place: Path, wanted: Manifest) -> Manifest | None:
    """The manifest of an earlier run that did the same, if all its files are still what it made.

    A run that was killed after its files were verified is finished here.

    Args:
        place: the output folder.
        wanted: a manifest with the recording, options and tool of this run; its outputs do not matter.
    """
    for name in (FILE, PENDING):
        found = _read(place / name)
        if found is None or not found.same_work(wanted):
            continue
        if all(_is_there(place, each) for each in found.entries):
            if name == PENDING:
                finish(place, found)
            return found
    return None


def _read(path: Path) -> Manifest | None:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_MANIFEST_BYTES:
            return None
        return from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def _is_there(place: Path, entry: Output | Picture) -> bool:
    return any(_matches(path, entry) for path in (place / entry.file, part_of(place, entry.file)))


def _matches(path: Path, entry: Output | Picture) -> bool:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size != entry.size:
                return False
            return hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256
    except OSError:
        return False


def refuse_foreign(place: Path, files: Sequence[str], *, overwrite: bool) -> None:
    """Stop before the work when a name is taken by a file that this work did not make.

    Raises:
        CommandError: a file of that name exists.
    """
    taken = next((file for file in files if (place / file).exists()), None)
    if taken is not None and not overwrite:
        raise CommandError(
            f"{place / taken} exists and is not the result of this merge: allow to replace it (--overwrite, "
            "or overwrite in a job's limits), or choose another place."
        )


def publish(place: Path, manifest: Manifest) -> None:
    """Give the files of a manifest their names, then write it.

    Raises:
        OutputError: the place cannot be written.
        NoSpaceError: the disk is full.
    """
    pending = place / PENDING
    try:
        with pending.open("w", encoding="utf-8") as file:
            file.write(manifest.to_json())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        pending.unlink(missing_ok=True)
        raise blame(error, pending) from error
    finish(place, manifest)


def finish(place: Path, manifest: Manifest) -> None:
    """Rename what is still hidden, the manifest last."""
    try:
        for each in manifest.entries:
            part = part_of(place, each.file)
            if part.exists():
                part.replace(place / each.file)
        _sync(place)
        (place / PENDING).replace(place / FILE)
        _sync(place)
    except OSError as error:
        raise OutputError(f"{place} cannot be written ({error.strerror}): choose another place.") from error


def _sync(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def forget(place: Path) -> None:
    """Remove the hidden manifest of a run that was killed and cannot be finished."""
    (place / PENDING).unlink(missing_ok=True)


def sweep(place: Path, files: Sequence[str]) -> None:
    """Remove the pieces of composites that nobody goes on with: of other files than these, made by no run."""
    own = {pieces_of(part_of(place, file)) for file in files}
    for folder in place.glob(f".*{PIECES}"):
        if folder not in own and not in_use(folder.with_suffix(".part")):
            shutil.rmtree(folder, ignore_errors=True)


def abandon(place: Path, files: Sequence[str]) -> None:
    """Remove what an interrupted run was writing, unless all of it is verified and only lacks its names."""
    if not (place / PENDING).exists():
        for file in files:
            part_of(place, file).unlink(missing_ok=True)
