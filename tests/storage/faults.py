"""Stores that misbehave in one named way."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pipeline.errors import BusyError
from pipeline.storage.below import Below
from pipeline.storage.passing import Passing
from pipeline.storage.protocol import ALWAYS, PLAIN, Extras, Got, Stat, Store, Unless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.storage.protocol import Upload

T = TypeVar("T")


class Shaky(Below):
    """Every call fails ``times`` times before it succeeds, or right after it did what was asked.

    Args:
        store: what works.
        times: how often.
        after: the call does its work before it fails.
        error: what is raised.
    """

    def __init__(
        self, store: Store, times: int = 2, *, after: bool = False, error: Exception | None = None
    ) -> None:
        super().__init__(store, "")
        self._times = times
        self._after = after
        self._error = error or BusyError("the connection broke.")
        self._failed: dict[str, int] = {}
        self.calls: list[str] = []

    def shake(self, name: str, call: Callable[[], T]) -> T:
        """Call, or fail."""
        self.calls.append(name)
        failed = self._failed.get(name, 0)
        if failed == self._times:
            return call()
        self._failed[name] = failed + 1
        if self._after:
            call()
        raise self._error

    def list(self, prefix: str, after: str = "") -> Iterator[Stat]:
        return self.shake(f"list {prefix} {after}", lambda: super(Shaky, self).list(prefix, after))

    def stat(self, key: str) -> Stat:
        return self.shake(f"stat {key}", lambda: super(Shaky, self).stat(key))

    def get(self, key: str) -> Got:
        return self.shake(f"get {key}", lambda: super(Shaky, self).get(key))

    def get_range(self, key: str, start: int, length: int) -> Got:
        return self.shake(
            f"get_range {key} {start}", lambda: super(Shaky, self).get_range(key, start, length)
        )

    def put(self, key: str, data: bytes, extras: Extras = PLAIN, unless: Unless = ALWAYS) -> Stat:
        return self.shake(f"put {key}", lambda: super(Shaky, self).put(key, data, extras, unless))

    def delete(self, key: str) -> None:
        return self.shake(f"delete {key}", lambda: super(Shaky, self).delete(key))

    def upload(self, key: str, extras: Extras = PLAIN) -> Upload:
        upload = self.shake(f"upload {key}", lambda: super(Shaky, self).upload(key, extras))
        return _ShakyUpload(self, upload)

    def abort(self, key: str, upload: str) -> None:
        return self.shake(f"abort {key}", lambda: super(Shaky, self).abort(key, upload))

    def uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        return self.shake(f"uploads {prefix}", lambda: super(Shaky, self).uploads(prefix))


class _ShakyUpload(Passing):
    def __init__(self, store: Shaky, upload: Upload) -> None:
        super().__init__(upload)
        self._store = store

    def part(self, number: int, data: bytes) -> str:
        return self._store.shake(f"part {self.id} {number}", lambda: self._upload.part(number, data))

    def complete(self) -> Stat:
        return self._store.shake(f"complete {self.id}", self._upload.complete)

    def abort(self) -> None:
        return self._store.shake(f"abort {self.id}", self._upload.abort)


def cut(data: bytes) -> bytes:
    """Without the last byte."""
    return data[:-1]


def flipped(data: bytes) -> bytes:
    """With another last bit."""
    return data[:-1] + bytes([data[-1] ^ 1])


class Lying(Below):
    """Bytes change on their way, and the answers speak of what was sent: the first ``times`` times."""

    def __init__(self, store: Store, change: Callable[[bytes], bytes], times: int = 1) -> None:
        super().__init__(store, "")
        self._change = change
        self._left = times

    def _changed(self, data: bytes) -> bytes:
        if not self._left:
            return data
        self._left -= 1
        return self._change(data)

    def get(self, key: str) -> Got:
        got = super().get(key)
        return Got(self._changed(got.data), got.stat)

    def get_range(self, key: str, start: int, length: int) -> Got:
        got = super().get_range(key, start, length)
        return Got(self._changed(got.data), got.stat)

    def put(self, key: str, data: bytes, extras: Extras = PLAIN, unless: Unless = ALWAYS) -> Stat:
        return super().put(key, self._changed(data), extras, unless)

    def upload(self, key: str, extras: Extras = PLAIN) -> Upload:
        return _LyingUpload(self, super().upload(key, extras))


class _LyingUpload(Passing):
    def __init__(self, store: Lying, upload: Upload) -> None:
        super().__init__(upload)
        self._store = store

    def part(self, number: int, data: bytes) -> str:
        return super().part(number, self._store._changed(data))
