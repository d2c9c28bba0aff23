"""A part of a store as a source: listed once, fetched ahead of whoever reads, checked against the listing."""

from __future__ import annotations

import io
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from pipeline.errors import InputError
from pipeline.sources.ahead import Ahead
from pipeline.sources.protocol import HIDDEN, MOST_OBJECTS
from pipeline.sources.ranges import STEP, RangeFile, same_as_listed
from pipeline.storage.protocol import Lists, Reads
from pipeline.vendors.inventory import Object

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.storage.protocol import Stat
    from pipeline.vendors.volcengine import Task

END = 128 * 188
"""Bytes of each end that are fetched at once; what `pipeline.media.ts.peek` reads first."""
STEP_OF_ENDS = 1 << 14
"""Bytes asked for at least where the ends did not tell enough."""
SMALL = 256 << 10
"""Objects up to this that will be read whole are fetched so at once, and kept if there is room."""
KEPT = 64 << 20
"""Bytes of small objects that are kept."""
LARGE = 8 << 20
"""Objects over this are read in ranges, not whole."""
ROOM = 64 << 20
"""Bytes that wait to be read, of all tracks that are read at a time."""


class Stored(Lists, Reads, Protocol):
    """What a source asks of a store."""


class Bucket:
    """All that lies below a store's root.

    Args:
        name: as the user wrote it.
        store: its keys are relative to the source.
        task: what is known of the Volcengine task that wrote it.
    """

    def __init__(self, name: str, store: Stored, task: Task | None = None) -> None:
        self.name = name
        self.task = task
        self._store = store
        self._listed: dict[str, Stat] = {}
        self._lock = Lock()
        self._kept: dict[str, bytes] = {}
        self._kept_bytes = 0
        self.far = True
        self.read = 0

    def __getstate__(self) -> dict[str, object]:
        return {k: v for k, v in self.__dict__.items() if k != "_lock"} | {"_kept": {}, "_kept_bytes": 0}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state, _lock=Lock())

    def objects(self) -> tuple[Object, ...]:
        """As `Source.objects`; what stands for a folder is left out."""
        for stat in self._store.list(""):
            if not stat.key.endswith("/") and not any(
                part.startswith(HIDDEN) for part in stat.key.split("/")
            ):
                self._listed[stat.key] = stat
            if len(self._listed) > MOST_OBJECTS:
                raise InputError(
                    f"{self.name} holds over {MOST_OBJECTS} objects: give the prefix of one recording."
                )
        return tuple(Object(key, stat.size) for key, stat in self._listed.items())

    def open(self, key: str) -> BinaryIO:
        """As `Source.open`."""
        return self._ranges(key)

    def ends(self, keys: Sequence[str], *, again: bool) -> Callable[[str], BinaryIO]:
        """As `Source.ends`."""
        small = SMALL if again else 2 * END
        return Ahead(keys, partial(self._ends_of, small), lambda _: max(small, 2 * END), ROOM).take

    def whole(self, *tracks: Sequence[str]) -> Callable[[str], BinaryIO]:
        """As `Source.whole`; a key that two tracks share is fetched for each."""
        room = ROOM // max(1, len(tracks))
        ahead = [Ahead(keys, self._all_of, self._cost, room) for keys in tracks]
        return partial(_of_any, ahead, self._all_of)

    def _cost(self, key: str) -> int:
        return min(self._listed[key].size, LARGE)

    def _all_of(self, key: str) -> BinaryIO:
        stat = self._listed[key]
        if stat.size > LARGE:
            return self._ranges(key)
        return io.BytesIO(self._taken(key) or self._fetched(stat))

    def _fetched(self, stat: Stat) -> bytes:
        got = self._store.get(stat.key)
        self._told(len(got.data))
        same_as_listed(got, stat)
        return got.data

    def _taken(self, key: str) -> bytes:
        """What was kept of an object; empty if nothing was."""
        with self._lock:
            data = self._kept.pop(key, b"")
            self._kept_bytes -= len(data)
            return data

    def _keep(self, key: str, data: bytes) -> None:
        with self._lock:
            if key not in self._kept and self._kept_bytes + len(data) <= KEPT:
                self._kept[key] = data
                self._kept_bytes += len(data)

    def _ends_of(self, small: int, key: str) -> BinaryIO:
        stat = self._listed[key]
        if stat.size <= small:
            data = self._fetched(stat)
            self._keep(key, data)
            return io.BytesIO(data)
        pieces: dict[int, bytes] = {}
        for start in (0, stat.size - END):
            got = self._store.get_range(key, start, END)
            self._told(len(got.data))
            same_as_listed(got, stat)
            pieces[start] = got.data
        return self._ranges(key, pieces, STEP_OF_ENDS)

    def _ranges(self, key: str, pieces: dict[int, bytes] | None = None, step: int = STEP) -> BinaryIO:
        return cast("BinaryIO", RangeFile(self._store, self._listed[key], pieces, self._told, step))

    def _told(self, count: int) -> None:
        with self._lock:
            self.read += count


def _of_any(tracks: Sequence[Ahead[BinaryIO]], fetch: Callable[[str], BinaryIO], key: str) -> BinaryIO:
    """From the first track that still waits for the key."""
    return next((track.take(key) for track in tracks if track.has(key)), None) or fetch(key)
