"""A folder as a store: keys are paths below it.

An object appears by one rename. What is not finished lies below `UNFINISHED` in the same folder, so that the
rename stays on one file system; that name is no key.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import stat as modes
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from pipeline.errors import (
    ConditionError,
    DeniedError,
    NoBucketError,
    NoSpaceError,
    ObjectMissingError,
    RecpipeError,
    StorageError,
)
from pipeline.storage.profile import Parts
from pipeline.storage.protocol import ALWAYS, MOST_PARTS, PLAIN, Extras, Got, Stat, Unless

if TYPE_CHECKING:
    from collections.abc import Iterator

UNFINISHED = ".recpipe-unfinished"
MOST_NAME = 255
"""Bytes of a file's name on the file systems of Linux (``NAME_MAX``)."""
_KEY = "key.json"


class LocalStore:
    """Objects are files; what goes with them (`Extras`) is left out.

    Args:
        root: the folder; made when the first object is written.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def __repr__(self) -> str:
        return f"LocalStore({str(self._root)!r})"

    @property
    def parts(self) -> Parts:
        """As `Writes.parts`."""
        return Parts()

    def list(self, prefix: str, after: str = "") -> Iterator[Stat]:
        """As `Lists.list`; links to files are listed, linked folders are not."""
        if not self._root.is_dir():
            raise NoBucketError(f"{self._root} is no folder: give one that exists.")
        found = self._walk(self._root, "", prefix)
        return (stat for stat in found if os.fsencode(stat.key) > os.fsencode(after))

    def _walk(self, place: Path, at: str, prefix: str) -> Iterator[Stat]:
        with self._told(at or str(self._root)), os.scandir(place) as entries:
            # A folder stands where its objects' keys do: behind "a-b", before "a0".
            found = sorted((os.fsencode(e.name) + b"/" * e.is_dir(follow_symlinks=False), e) for e in entries)
        for _, entry in found:
            key = f"{at}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                below = f"{key}/"
                if key != UNFINISHED and (below.startswith(prefix) or prefix.startswith(below)):
                    yield from self._walk(Path(entry.path), below, prefix)
            elif key.startswith(prefix):
                try:
                    status = entry.stat()
                except FileNotFoundError:
                    continue  # a link to nothing, or gone meanwhile
                if modes.S_ISREG(status.st_mode):
                    yield _stat(key, status)

    def stat(self, key: str) -> Stat:
        """As `Reads.stat`."""
        with self._told(key):
            return _stat(key, _regular(self._path(key).stat()))

    def get(self, key: str) -> Got:
        """As `Reads.get`."""
        with self._told(key), self._path(key).open("rb") as file:
            return Got(file.read(), _stat(key, _regular(os.fstat(file.fileno()))))

    def get_range(self, key: str, start: int, length: int) -> Got:
        """As `Reads.get_range`."""
        with self._told(key), self._path(key).open("rb", buffering=0) as file:
            status = _regular(os.fstat(file.fileno()))
            return Got(os.pread(file.fileno(), length, start), _stat(key, status))

    def put(self, key: str, data: bytes, extras: Extras = PLAIN, unless: Unless = ALWAYS) -> Stat:  # noqa: ARG002 - a file has no extras
        """As `Writes.put`."""
        path = self._path(key)
        with self._told(key):
            part = self._unfinished() / str(uuid4())
            try:
                _write(part, data)
                return self._finish(part, path, key, unless)
            finally:
                part.unlink(missing_ok=True)

    def _finish(self, part: Path, path: Path, key: str, unless: Unless) -> Stat:
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._alone():
            if unless.exists and path.exists():
                raise ConditionError(
                    f"{key} exists and must not be replaced: choose another name or remove it."
                )
            if unless.changed_from and self._etag(path) != unless.changed_from:
                raise ConditionError(f"{key} was changed by somebody else meanwhile: run again.")
            part.replace(path)
        _sync(path.parent)
        return _stat(key, path.stat())

    def _etag(self, path: Path) -> str:
        try:
            return _stat("", path.stat()).etag
        except FileNotFoundError:
            return ""

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer at a time looks and renames."""
        descriptor = os.open(self._unfinished(), os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def delete(self, key: str) -> None:
        """As `Writes.delete`."""
        with self._told(key):
            self._path(key).unlink(missing_ok=True)

    def upload(self, key: str, extras: Extras = PLAIN) -> LocalUpload:  # noqa: ARG002 - a file has no extras
        """As `Writes.upload`."""
        self._path(key)
        name = str(uuid4())
        with self._told(key):
            place = self._unfinished() / name
            place.mkdir()
            (place / _KEY).write_text(json.dumps(key), encoding="utf-8")
        return LocalUpload(self, key, name)

    def abort(self, key: str, upload: str) -> None:
        """As `Writes.abort`."""
        if (key, upload) in set(self.uploads(key)):
            with self._told(key):
                shutil.rmtree(self._root / UNFINISHED / upload)

    def uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        """As `Writes.uploads`."""
        found: list[tuple[str, str]] = []
        for path in (self._root / UNFINISHED).glob(f"*/{_KEY}"):
            with self._told(str(path)):
                key = json.loads(path.read_text(encoding="utf-8"))
            if key.startswith(prefix):
                found.append((key, path.parent.name))
        return iter(sorted(found))

    def _unfinished(self) -> Path:
        place = self._root / UNFINISHED
        place.mkdir(parents=True, exist_ok=True)
        return place

    def _path(self, key: str) -> Path:
        """Where an object lies. Raises StorageError for a key that can be no path below the root."""
        names = key.split("/")
        if key.startswith(UNFINISHED) or "\0" in key or any(name in {"", ".", ".."} for name in names):
            raise StorageError(
                f"{key!r} cannot be a path below {self._root}: name it without empty parts or dots."
            )
        if any(len(os.fsencode(name)) > MOST_NAME for name in names):
            raise StorageError(f"{key!r} cannot be a file: a part of its name has over {MOST_NAME} bytes.")
        return self._root.joinpath(*names)

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        """Errors of the system as sentences."""
        try:
            yield
        except RecpipeError:
            raise
        except (FileNotFoundError, IsADirectoryError) as error:
            raise ObjectMissingError(
                f"{key} is not there: make sure that nobody removes it and run again."
            ) from error
        except NotADirectoryError as error:
            raise StorageError(
                f"{key} lies below a file, and a folder cannot hold both: remove it or choose another place."
            ) from error
        except PermissionError as error:
            raise DeniedError(
                f"{key} may not be touched ({error.strerror}): change its mode or owner."
            ) from error
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise NoSpaceError(
                    f"the disk of {self._root} is full: free some space and run again."
                ) from error
            raise StorageError(
                f"{key} cannot be used ({error.strerror}): check the disk and run again."
            ) from error


class LocalUpload:
    """Parts as files, put together by `complete`."""

    def __init__(self, store: LocalStore, key: str, name: str) -> None:
        self._store = store
        self._key = key
        self._name = name

    @property
    def id(self) -> str:
        """As `Upload.id`."""
        return self._name

    @property
    def md5(self) -> bool:
        """As `Upload.md5`."""
        return False

    @property
    def _place(self) -> Path:
        place = self._store._root / UNFINISHED / self._name  # noqa: SLF001 - two halves of one store
        if not place.is_dir():
            raise ObjectMissingError(f"upload {self._name} was completed or aborted: run again.")
        return place

    def part(self, number: int, data: bytes) -> str:
        """As `Upload.part`."""
        if not 1 <= number <= MOST_PARTS:
            raise StorageError(f"part {number} is none of the {MOST_PARTS} that an upload may have.")
        with self._store._told(self._key):  # noqa: SLF001 - as above
            path = self._place / f"{number:05}"
            fresh = path.with_suffix(f".{uuid4()}")
            _write(fresh, data)
            fresh.replace(path)
            return _stat("", path.stat()).etag

    def complete(self) -> Stat:
        """As `Upload.complete`."""
        store = self._store
        with store._told(self._key):  # noqa: SLF001 - as above
            place = self._place
            parts = sorted(path for path in place.iterdir() if path.name.isdecimal())
            if not parts:
                raise StorageError(f"the upload of {self._key} has no parts.")
            whole = place / "whole"
            with whole.open("wb") as out:
                for path in parts:
                    with path.open("rb") as file:
                        shutil.copyfileobj(file, out)
                out.flush()
                os.fsync(out.fileno())
            done = store._finish(whole, store._path(self._key), self._key, ALWAYS)  # noqa: SLF001 - as above
            shutil.rmtree(place)
            return done

    def abort(self) -> None:
        """As `Upload.abort`."""
        self._store.abort(self._key, self._name)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _regular(status: os.stat_result) -> os.stat_result:
    if not modes.S_ISREG(status.st_mode):
        raise FileNotFoundError(errno.ENOENT, "it is no file")
    return status


def _stat(key: str, status: os.stat_result) -> Stat:
    etag = f"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"
    return Stat(key, status.st_size, etag, status.st_mtime_ns // 1_000_000)
