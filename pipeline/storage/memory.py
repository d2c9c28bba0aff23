"""A store in memory: what a dry run and most tests use; as strict as the strictest of the others."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING

from pipeline.errors import ConditionError, ObjectMissingError, StorageError
from pipeline.storage.profile import Parts
from pipeline.storage.protocol import ALWAYS, MOST_PARTS, PLAIN, Extras, Got, Stat, Unless

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class _Kept:
    data: bytes
    stat: Stat
    extras: Extras


@dataclass(slots=True)
class _Begun:
    key: str
    extras: Extras
    parts: dict[int, bytes] = field(default_factory=dict)


class MemoryStore:
    """Objects in a dictionary; its clock counts writes."""

    def __init__(self) -> None:
        self._objects: dict[str, _Kept] = {}
        self._begun: dict[str, _Begun] = {}
        self._number = count(1)
        self._lock = Lock()

    @property
    def parts(self) -> Parts:
        """As `Writes.parts`."""
        return Parts()

    def list(self, prefix: str, after: str = "") -> Iterator[Stat]:
        """As `Lists.list`."""
        with self._lock:
            found = [kept.stat for key, kept in self._objects.items() if key.startswith(prefix)]
        behind = [stat for stat in found if stat.key.encode() > after.encode()]
        return (replace(stat, md5="") for stat in sorted(behind, key=lambda stat: stat.key.encode()))

    def stat(self, key: str) -> Stat:
        """As `Reads.stat`."""
        return self._kept(key).stat

    def extras(self, key: str) -> Extras:
        """What was put with an object."""
        return self._kept(key).extras

    def get(self, key: str) -> Got:
        """As `Reads.get`."""
        kept = self._kept(key)
        return Got(kept.data, kept.stat)

    def get_range(self, key: str, start: int, length: int) -> Got:
        """As `Reads.get_range`."""
        kept = self._kept(key)
        return Got(kept.data[start : start + length], kept.stat)

    def put(self, key: str, data: bytes, extras: Extras = PLAIN, unless: Unless = ALWAYS) -> Stat:
        """As `Writes.put`."""
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        with self._lock:
            there = self._objects.get(key)
            if unless.exists and there is not None:
                raise ConditionError(
                    f"{key} exists and must not be replaced: choose another name or remove it."
                )
            if unless.changed_from and (there is None or there.stat.etag != unless.changed_from):
                raise ConditionError(f"{key} was changed by somebody else meanwhile: run again.")
            return self._keep(key, data, etag, extras)

    def delete(self, key: str) -> None:
        """As `Writes.delete`."""
        with self._lock:
            self._objects.pop(key, None)

    def upload(self, key: str, extras: Extras = PLAIN) -> MemoryUpload:
        """As `Writes.upload`."""
        with self._lock:
            name = f"upload-{next(self._number)}"
            self._begun[name] = _Begun(key, extras)
        return MemoryUpload(self, key, name)

    def abort(self, key: str, upload: str) -> None:
        """As `Writes.abort`."""
        with self._lock:
            begun = self._begun.get(upload)
            if begun is not None and begun.key == key:
                del self._begun[upload]

    def uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        """As `Writes.uploads`."""
        with self._lock:
            found = [(b.key, name) for name, b in self._begun.items() if b.key.startswith(prefix)]
        return iter(sorted(found))

    def _kept(self, key: str) -> _Kept:
        with self._lock:
            kept = self._objects.get(key)
        if kept is None:
            raise ObjectMissingError(f"{key} is not there: make sure that nobody removes it and run again.")
        return kept

    def _keep(self, key: str, data: bytes, etag: str, extras: Extras) -> Stat:
        stat = Stat(key, len(data), etag, next(self._number), "" if "-" in etag else etag)
        self._objects[key] = _Kept(data, stat, extras)
        return stat

    def _part(self, name: str, number: int, data: bytes) -> str:
        if not 1 <= number <= MOST_PARTS:
            raise StorageError(f"part {number} is none of the {MOST_PARTS} that an upload may have.")
        with self._lock:
            self._running(name).parts[number] = data
        return hashlib.md5(data, usedforsecurity=False).hexdigest()

    def _complete(self, name: str) -> Stat:
        with self._lock:
            begun = self._running(name)
            if not begun.parts:
                raise StorageError(f"the upload of {begun.key} has no parts.")
            parts = [begun.parts[number] for number in sorted(begun.parts)]
            digests = b"".join(hashlib.md5(part, usedforsecurity=False).digest() for part in parts)
            etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"
            del self._begun[name]
            return self._keep(begun.key, b"".join(parts), etag, begun.extras)

    def _running(self, name: str) -> _Begun:
        begun = self._begun.get(name)
        if begun is None:
            raise ObjectMissingError(f"upload {name} was completed or aborted: run again.")
        return begun


class MemoryUpload:
    """An upload to a `MemoryStore`."""

    def __init__(self, store: MemoryStore, key: str, name: str) -> None:
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
        return True

    def part(self, number: int, data: bytes) -> str:
        """As `Upload.part`."""
        return self._store._part(self._name, number, data)  # noqa: SLF001 - two halves of one store

    def complete(self) -> Stat:
        """As `Upload.complete`."""
        return self._store._complete(self._name)  # noqa: SLF001 - as above

    def abort(self) -> None:
        """As `Upload.abort`."""
        self._store.abort(self._key, self._name)
