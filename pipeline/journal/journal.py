"""A job's journal while this runner has the job: its notes, its lease, and its place with both in front."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.journal.lease import FolderLease, StoreLease
from pipeline.journal.notes import UPLOAD, Begun, Notes
from pipeline.storage.local import UNFINISHED, LocalStore
from pipeline.storage.passing import Passing
from pipeline.storage.protocol import ALWAYS, PLAIN, Extras, Stat, Store, Unless

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.journal.lease import Lease
    from pipeline.storage.protocol import Upload

FOLDER = ".recpipe"
"""Below a place: all that jobs keep there while they run."""
OWNER = "owner"


def root_of(job: str) -> str:
    """Before the keys of a job's journal, below its place."""
    return f"{FOLDER}/{job}/"


class Journal:
    """What was noted, and that it is ours to note.

    Attributes:
        notes: of the job.
        lease: on the job.
    """

    def __init__(self, notes: Notes, lease: Lease) -> None:
        self.notes = notes
        self.lease = lease

    @property
    def own(self) -> frozenset[str]:
        """Files that are there because of this job, if they are."""
        claim = self.notes.claimed()
        return claim.files - claim.foreign

    def recover(self, store: Store) -> None:
        """Take back what an earlier run left open: the uploads of its notes, and no others."""
        for name in self.notes.names():
            if name.startswith(UPLOAD):
                self._abort(store, name)

    def _abort(self, store: Store, name: str) -> None:
        upload = self.notes.begun(name)
        if upload is not None:
            found = (known for key, known in store.uploads(upload.file) if key == upload.file)
            for known in (upload.id,) if upload.id else sorted({*found} - {*upload.others}):
                self.lease.check()
                store.abort(upload.file, known)
        self.notes.forget(name)

    def close(self, *, keep: str = "") -> None:
        """The job has ended: nothing of its journal stays, but notes whose names begin with ``keep``."""
        for name in self.notes.names():
            if name != OWNER and not (keep and name.startswith(keep)):
                self.notes.forget(name)
        self.lease.release()


def left(store: Store, job: str) -> frozenset[str]:
    """The names in a job's journal, if it has one in its place: it runs, or was killed."""
    return frozenset(Notes(store, root_of(job)).names())


def store_journal(store: Store, job: str, now: Callable[[], int]) -> Journal:
    """Take a job whose place is a store. Raises OwnedError where another run has it.

    Args:
        store: its place.
        job: its key.
        now: UTC ms.
    """
    root = root_of(job)
    lease = StoreLease(store, f"{root}{OWNER}.json", now)
    return Journal(Notes(store, root, lease.check), lease)


def folder_journal(place: Path, job: str) -> Journal:
    """Take a job whose place is a folder. Raises OwnedError where another run has it."""
    lease = FolderLease(place / FOLDER / job / "lock")
    return _InFolder(place / FOLDER, job, lease)


class _InFolder(Journal):
    """Notes in a folder of the job's own, which goes with them: so does one that was not finished."""

    def __init__(self, place: Path, job: str, lease: Lease) -> None:
        own = place / job
        super().__init__(Notes(LocalStore(own), ""), lease)
        self._unfinished = own / UNFINISHED
        self._folders = (own, place)

    def close(self, *, keep: str = "") -> None:
        shutil.rmtree(self._unfinished, ignore_errors=True)  # a run was killed while it wrote a note
        super().close(keep=keep)
        for folder in self._folders:
            try:
                folder.rmdir()
            except OSError:
                continue  # another job's are in it


class Guarded:
    """The place of a job: before each visible act it is asked whose the job is, and uploads are noted.

    Args:
        store: the place.
        journal: of the job.
    """

    def __init__(self, store: Store, journal: Journal) -> None:
        self._store = store
        self._journal = journal
        self.list, self.uploads = store.list, store.uploads
        self.stat, self.get, self.get_range = store.stat, store.get, store.get_range
        self.parts = store.parts

    def put(self, key: str, data: bytes, extras: Extras = PLAIN, unless: Unless = ALWAYS) -> Stat:
        """As `Writes.put`."""
        self._journal.lease.check()
        return self._store.put(key, data, extras, unless)

    def delete(self, key: str) -> None:
        """As `Writes.delete`."""
        self._journal.lease.check()
        self._store.delete(key)

    def upload(self, key: str, extras: Extras = PLAIN) -> Upload:
        """As `Writes.upload`; noted before and after.

        Where the store's answer was lost it was asked again, and has begun more than one: one is kept.
        """
        begun = Begun(key, self._open(key))
        self._journal.notes.begin(begun)
        upload = self._store.upload(key, extras)
        for known in {*self._open(key)} - {*begun.others, upload.id}:
            self._store.abort(key, known)
        self._journal.notes.begin(replace(begun, id=upload.id))
        return _Noted(upload, self._journal, begun.name)

    def _open(self, key: str) -> tuple[str, ...]:
        return tuple(known for at, known in self._store.uploads(key) if at == key)

    def abort(self, key: str, upload: str) -> None:
        """As `Writes.abort`."""
        self._store.abort(key, upload)


class _Noted(Passing):
    """An upload with a note."""

    def __init__(self, upload: Upload, journal: Journal, note: str) -> None:
        super().__init__(upload)
        self._journal = journal
        self._note = note

    def complete(self) -> Stat:
        self._journal.lease.check()
        done = super().complete()
        self._journal.notes.forget(self._note)
        return done

    def abort(self) -> None:
        super().abort()
        self._journal.notes.forget(self._note)
