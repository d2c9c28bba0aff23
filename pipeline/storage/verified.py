"""A store that checks what went over the wire: lengths always, MD5 wherever the store vouches for one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pipeline.errors import CorruptError
from pipeline.storage.passing import Passing
from pipeline.storage.protocol import ALWAYS, PLAIN, Extras, Got, Stat, Store, Unless, Upload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.storage.profile import Parts


class Verified:
    """Any store, trusted only as far as its answers can be checked; a difference is a CorruptError.

    Args:
        store: what moves bytes.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def __repr__(self) -> str:
        return f"Verified({self._store!r})"

    @property
    def parts(self) -> Parts:
        """As `Writes.parts`."""
        return self._store.parts

    def list(self, prefix: str, after: str = "") -> Iterator[Stat]:
        """As `Lists.list`."""
        return self._store.list(prefix, after)

    def stat(self, key: str) -> Stat:
        """As `Reads.stat`."""
        return self._store.stat(key)

    def get(self, key: str) -> Got:
        """As `Reads.get`."""
        got = self._store.get(key)
        _same_size(key, len(got.data), got.stat.size)
        same_md5(key, got.data, got.stat.md5, "arrived")
        return got

    def get_range(self, key: str, start: int, length: int) -> Got:
        """As `Reads.get_range`."""
        got = self._store.get_range(key, start, length)
        _same_size(key, len(got.data), max(0, min(length, got.stat.size - start)))
        return got

    def put(self, key: str, data: bytes, extras: Extras = PLAIN, unless: Unless = ALWAYS) -> Stat:
        """As `Writes.put`."""
        done = self._store.put(key, data, extras, unless)
        _same_size(key, done.size, len(data))
        same_md5(key, data, done.md5, "was written")
        return done

    def delete(self, key: str) -> None:
        """As `Writes.delete`."""
        self._store.delete(key)

    def upload(self, key: str, extras: Extras = PLAIN) -> Upload:
        """As `Writes.upload`."""
        return _Upload(self._store.upload(key, extras), key)

    def abort(self, key: str, upload: str) -> None:
        """As `Writes.abort`."""
        self._store.abort(key, upload)

    def uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        """As `Writes.uploads`."""
        return self._store.uploads(prefix)


class _Upload(Passing):
    """An upload whose parts are checked as they arrive."""

    def __init__(self, upload: Upload, key: str) -> None:
        super().__init__(upload)
        self._key = key

    def part(self, number: int, data: bytes) -> str:
        etag = super().part(number, data)
        if self.md5:
            same_md5(f"part {number} of {self._key}", data, etag, "was written")
        return etag


def same_md5(what: str, data: bytes, md5: str, did: str) -> None:
    """Raise CorruptError where an MD5 is known and not that of the data."""
    if md5 and md5.lower() != hashlib.md5(data, usedforsecurity=False).hexdigest():
        raise CorruptError(f"{what} {did} with other bytes than its MD5 {md5} says: run again.")


def _same_size(key: str, arrived: int, expected: int) -> None:
    if arrived != expected:
        raise CorruptError(f"{key} has {arrived} bytes of {expected}: run again.")
