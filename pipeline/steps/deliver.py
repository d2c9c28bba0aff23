"""Deliver: a prefix of a store as the place of a job's files, the manifest last.

What is copied leaves while it is made (`stream`); what has to be read and written anew is finished in a
temporary folder, sent, and gone from there. The job's journal says which objects and uploads are its own.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

from pipeline.errors import CommandError, CorruptError, ObjectMissingError, OwnedError, RecpipeError
from pipeline.journal.here import utc_ms
from pipeline.journal.journal import Guarded, left, store_journal
from pipeline.journal.notes import MEDIA, Claim
from pipeline.model.containers import Container
from pipeline.model.manifest import FILE, MOST_MANIFEST_BYTES, from_json
from pipeline.steps.keep import KeepInStore
from pipeline.steps.publish import check_space
from pipeline.steps.render import Rendered, part_of, render_one
from pipeline.steps.stream import IntoStore, parts_of
from pipeline.storage.below import Below
from pipeline.storage.protocol import PLAIN, Extras, Unless
from pipeline.storage.sending import MOST_PARTS, compare, send_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.journal.journal import Journal
    from pipeline.journal.notes import Notes
    from pipeline.model.manifest import Manifest, Output, Picture
    from pipeline.model.options import Verify
    from pipeline.model.plan import OutputPlan
    from pipeline.sources.protocol import Source
    from pipeline.steps.place import Keeper, Limits
    from pipeline.steps.render import Maker
    from pipeline.storage.protocol import Stat, Store

TYPES = {
    Container.MP4: "video/mp4",
    Container.M4A: "audio/mp4",
    Container.MKV: "video/x-matroska",
    Container.WEBM: "video/webm",
    Container.MP3: "audio/mpeg",
}
MOST_ASKED = 50
"""Files that are asked for one by one."""


@dataclass(frozen=True, slots=True)
class Target:
    """A prefix of a store.

    Attributes:
        name: as the user wrote it.
        store: its keys are relative to the prefix.
        extras: that go with each file, but for its type.
    """

    name: str
    store: Store
    extras: Extras = PLAIN

    def at(self, key: str) -> str:
        """The name of something in it."""
        return f"{self.name}{key}" if self.name.endswith(("/", ":")) else f"{self.name}/{key}"

    def below(self, folder: str) -> Target:
        """As `Place.below`."""
        return replace(self, name=self.at(folder), store=Below(self.store, f"{folder}/"))

    def manifest(self) -> Manifest | None:
        """As `Place.manifest`."""
        try:
            if self.store.stat(FILE).size > MOST_MANIFEST_BYTES:
                return None
            return from_json(self.store.get(FILE).data.decode())
        except (ObjectMissingError, ValueError, RecursionError):
            return None

    def kept(self, wanted: Manifest) -> Manifest | None:
        """As `Place.kept`: the objects are known by their ETags."""
        found = self.manifest()
        if found is None or not found.same_work(wanted):
            return None
        there = _found(self, [entry.file for entry in found.entries])
        return found if all(_is_same(there.get(entry.file), entry) for entry in found.entries) else None

    def left(self, job: str) -> frozenset[str]:
        """As `Place.left`."""
        return left(self.store, job)

    @property
    def objects(self) -> Store:
        """As `Place.objects`."""
        return self.store

    def put_manifest(self, manifest: Manifest) -> None:
        """Write it in place of the one that is there now. Raises ConditionError where that changes."""
        try:
            there = self.store.stat(FILE).etag
        except ObjectMissingError:
            there = ""
        unless = Unless(changed_from=there) if there else Unless(exists=True)
        self.store.put(FILE, manifest.to_json().encode(), Extras("application/json"), unless)

    @contextmanager
    def hold(self, wanted: Manifest, limits: Limits, *, published: bool = False) -> Iterator[StoreShelf]:
        """As `Place.hold`.

        Raises:
            OwnedError: another run has the job.
            StorageError: the store does not do what it is asked.
        """
        journal = store_journal(self.store, wanted.job, utc_ms)
        mine = replace(self, store=Guarded(self.store, journal))
        with TemporaryDirectory(prefix="recpipe-") as scratch:
            try:
                journal.recover(self.store)
                shelf = StoreShelf(mine, journal, Path(scratch), limits, wanted.job)
            except BaseException:
                with suppress(RecpipeError):
                    journal.lease.release()
                raise
            shelf.finished = published
            try:
                yield shelf
            except BaseException as error:
                _abandon(shelf, error)
                raise
        journal.close()


class StoreShelf:
    """As `Shelf`, in a store.

    Args:
        target: the place, guarded.
        journal: of the job.
        scratch: a folder that is removed afterwards.
        limits: how the work is done.
        job: its key.
    """

    def __init__(self, target: Target, journal: Journal, scratch: Path, limits: Limits, job: str) -> None:
        self._target = target
        self._journal = journal
        self._scratch = scratch
        self._limits = limits
        self._claim = journal.notes.claimed()
        found = target.manifest() if limits.renew else None
        self._before = found.files if found and found.job == job else frozenset()
        self.finished = False
        self._sharing = 1

    def take(self, outputs: Sequence[OutputPlan]) -> None:
        """As `Shelf.take`."""
        self._sharing = max(1, min(self._limits.jobs, len(outputs)))
        self._take({output.file for output in outputs}, outputs)

    def take_pictures(self, names: Sequence[str], size: int) -> Keeper:  # noqa: ARG002 - nothing of them is on the disk
        """As `Shelf.take_pictures`."""
        self._take(set(names), ())
        return KeepInStore(self._target.store, self._target.extras)

    def _take(self, files: set[str], outputs: Sequence[OutputPlan]) -> None:
        others = files - self._claim.files - self._before
        foreign = set(_found(self._target, sorted(others)))
        if foreign and not self._limits.overwrite:
            raise CommandError(
                f"{self._target.at(min(foreign))} exists and is not the result of this merge: allow to "
                "replace it (--overwrite, or overwrite in a job's limits), or choose another place."
            )
        limits = self._limits
        beside = [o for o in outputs if not _leaves(o, self._target, films=limits.films)]
        through = sorted((output.estimate.size for output in beside), reverse=True)
        check_space(
            self._scratch, sum(through if limits.films else through[: limits.jobs]), outputs, limits.jobs
        )
        self._claim = Claim(self._claim.files | files | self._before, self._claim.foreign | foreign)
        self._journal.notes.claim(self._claim)

    def maker(self, source: Source, level: Verify) -> Maker:
        """As `Shelf.maker`."""
        films = self._limits.films
        return _IntoStore(self._target, source, self._scratch, level, self._sharing, films=films)

    def drop(self, files: Sequence[str]) -> None:
        """As `Shelf.drop`."""
        for file in files:
            self._target.store.delete(file)

    def film(self, file: str) -> Path:
        """As `Shelf.film`."""
        return part_of(self._scratch, file)

    @property
    def notes(self) -> Notes:
        """As `Shelf.notes`."""
        return self._journal.notes

    def finish(self, manifest: Manifest) -> None:
        """As `Shelf.finish`.

        Raises:
            ConditionError: somebody else put a manifest there meanwhile.
        """
        self._target.put_manifest(manifest)
        self.finished = True
        self.drop(sorted(self._own() - manifest.files))

    def beat(self) -> None:
        """As `Shelf.beat`."""
        self._journal.lease.beat()

    def check(self) -> None:
        """As `Shelf.check`."""
        self._journal.lease.check()

    def abandon(self) -> None:
        """Leave nothing unfinished of this job; of one whose files are published, leave the journal."""
        self.check()
        if self.finished:
            self._journal.lease.release()
            return
        self._journal.recover(self._target.store)
        self.drop(sorted(self._own() - self._before))
        self._journal.close(keep=MEDIA)

    def _own(self) -> frozenset[str]:
        """Objects that are there because of this job, if they are."""
        return self._claim.files - self._claim.foreign


@dataclass(frozen=True, slots=True)
class _IntoStore:
    """Makes outputs as they leave, or in a folder from which they are sent."""

    target: Target
    source: Source
    scratch: Path
    level: Verify
    sharing: int
    films: bool

    def __call__(self, output: OutputPlan, progress: Callable[[int], None], *, processes: int) -> Rendered:
        """As `Maker`."""
        store, base = self.target.store, self.target.extras
        extras = replace(base, content_type=TYPES[output.container])
        if _leaves(output, self.target, films=self.films):
            stream = IntoStore(self.source, store, self.level, self.sharing).stream
            return stream(output, extras, progress, processes=processes)
        made = render_one(output, self.source, self.scratch, self.level, progress, processes=processes)
        if made.output is None or not made.output.verdict.good:
            return made
        path = part_of(self.scratch, output.file)
        extras = replace(extras, metadata={**(base.metadata or {}), "recpipe-sha256": made.output.sha256})
        told = self._sent(path, made.output, extras)
        if not self.films:
            path.unlink()
        return replace(made, output=told)

    def _sent(self, path: Path, output: Output, extras: Extras) -> Output:
        """A file that was sent, and is what it was; removed where it is not."""

        def opened() -> BinaryIO:
            return path.open("rb")

        store, file = self.target.store, output.file
        sent = send_file(store, file, output.size, opened, extras, most=min(MOST_PARTS, store.parts.most))
        try:
            there = compare(store, file, sent, opened)
        except CorruptError:
            store.delete(file)
            raise
        return replace(output, etag=there.etag, parts=parts_of(sent))


def _leaves(output: OutputPlan, target: Target, *, films: bool) -> bool:
    """Whether a file leaves while it is made, and is finished nowhere else."""
    return output.streamable and not (target.store.parts.equal or films)


def _abandon(shelf: StoreShelf, error: BaseException) -> None:
    """Abandon a shelf for an error; raises OwnedError where that only followed from losing the job."""
    try:
        shelf.abandon()
    except OwnedError as owned:
        if isinstance(error, RecpipeError):
            raise owned from error
    except RecpipeError:
        return  # what ended the job tells more; the next run tidies up again


def _is_same(there: Stat | None, entry: Output | Picture) -> bool:
    return there is not None and bool(entry.etag) and (there.size, there.etag) == (entry.size, entry.etag)


def _found(target: Target, files: Sequence[str]) -> dict[str, Stat]:
    """Those of some files that are there; of many, a listing tells it in fewer requests."""
    if len(files) > MOST_ASKED:
        asked = frozenset(files)
        return {stat.key: stat for stat in target.store.list("") if stat.key in asked}
    found: dict[str, Stat] = {}
    for file in files:
        with suppress(ObjectMissingError):
            found[file] = target.store.stat(file)
    return found
