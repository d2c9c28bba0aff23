"""A part of a store as a store: its keys are those below a prefix."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.storage.passing import Passing
from pipeline.storage.protocol import ALWAYS, PLAIN, Extras, Got, Stat, Store, Unless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.storage.profile import Parts
    from pipeline.storage.protocol import Upload


class Below:
    """What lies below a prefix of a store.

    Args:
        store: the whole.
        prefix: "" or text that ends with ``/``.
    """

    def __init__(self, store: Store, prefix: str) -> None:
        if prefix and not prefix.endswith("/"):
            raise ValueError(f"{prefix!r} does not end with a slash")
        self._store = store
        self._prefix = prefix

    def __repr__(self) -> str:
        return f"Below({self._store!r}, {self._prefix!r})"

    @property
    def parts(self) -> Parts:
        """As `Writes.parts`."""
        return self._store.parts

    def list(self, prefix: str, after: str = "") -> Iterator[Stat]:
        """As `Lists.list`."""
        return map(self._bare, self._store.list(self._prefix + prefix, self._prefix + after if after else ""))

    def stat(self, key: str) -> Stat:
        """As `Reads.stat`."""
        return self._bare(self._store.stat(self._prefix + key))

    def get(self, key: str) -> Got:
        """As `Reads.get`."""
        return self._got(self._store.get(self._prefix + key))

    def get_range(self, key: str, start: int, length: int) -> Got:
        """As `Reads.get_range`."""
        return self._got(self._store.get_range(self._prefix + key, start, length))

    def put(self, key: str, data: bytes, extras: Extras = PLAIN, unless: Unless = ALWAYS) -> Stat:
        """As `Writes.put`."""
        return self._bare(self._store.put(self._prefix + key, data, extras, unless))

    def delete(self, key: str) -> None:
        """As `Writes.delete`."""
        self._store.delete(self._prefix + key)

    def upload(self, key: str, extras: Extras = PLAIN) -> Upload:
        """As `Writes.upload`."""
        return _Upload(self._store.upload(self._prefix + key, extras), len(self._prefix))

    def abort(self, key: str, upload: str) -> None:
        """As `Writes.abort`."""
        self._store.abort(self._prefix + key, upload)

    def uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        """As `Writes.uploads`."""
        return (
            (key[len(self._prefix) :], upload) for key, upload in self._store.uploads(self._prefix + prefix)
        )

    def _bare(self, stat: Stat) -> Stat:
        return replace(stat, key=stat.key[len(self._prefix) :])

    def _got(self, got: Got) -> Got:
        return Got(got.data, self._bare(got.stat))


class _Upload(Passing):
    """An upload whose object is told by its key below the prefix."""

    def __init__(self, upload: Upload, cut: int) -> None:
        super().__init__(upload)
        self._cut = cut

    def complete(self) -> Stat:
        done = super().complete()
        return replace(done, key=done.key[self._cut :])
