"""A part of a store as a source: listed once, fetched ahead of whoever reads, checked against the listing."""

from __future__ import annotations

import io
from functools import partial
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
KEPT = 256
"""Small objects that are kept at most."""
LARGE = 8 << 20
"""Objects over this are read in ranges, not whole."""
ROOM = 64 << 20
"""Bytes that wait to be read, of all tracks of an output."""
THREADS = 32
"""Fetch at once, for all tracks of an output; each has one at least."""


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
        self._objects: tuple[Object, ...] | None = None
        self._came: list[int] = []  # without a lock: a thread might hold it while this process is forked
        self._kept: dict[str, bytes] = {}
        self.far = True

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"_kept": {}}

    @property
    def read(self) -> int:
        """As `Source.read`."""
        return sum(self._came)

    def objects(self) -> tuple[Object, ...]:
        """As `Source.objects`; what stands for a folder is left out."""
        if self._objects is None:
            self._listed = self._list()
            self._objects = tuple(Object(key, s.size, s.modified_ms) for key, s in self._listed.items())
        return self._objects

    def etags(self, keys: Sequence[str]) -> dict[str, str]:
        """The ETags of some objects, as they were listed; "" of those that have none."""
        return {key: self._listed[key].etag for key in keys}

    def fresh(self) -> Bucket:
        """As `Source.fresh`."""
        return Bucket(self.name, self._store, self.task)

    def _list(self) -> dict[str, Stat]:
        listed: dict[str, Stat] = {}
        for stat in self._store.list(""):
            if _is_seen(stat.key):
                listed[stat.key] = stat
            if len(listed) > MOST_OBJECTS:
                raise InputError(
                    f"{self.name} holds over {MOST_OBJECTS} objects: give the prefix of one recording."
                )
        return listed

    def open(self, key: str) -> BinaryIO:
        """As `Source.open`."""
        return self._ranges(key)

    def ends(self, keys: Sequence[str], *, again: bool) -> Callable[[str], BinaryIO]:
        """As `Source.ends`."""
        small = SMALL if again else 2 * END
        return Ahead(keys, partial(self._ends_of, small), lambda _: max(small, 2 * END), ROOM).take

    def whole(self, *tracks: Sequence[str]) -> Callable[[str], BinaryIO]:
        """As `Source.whole`; a key that two tracks share is fetched for each."""
        room, threads = ROOM // max(1, len(tracks)), max(1, THREADS // max(1, len(tracks)))
        coming = [Ahead(keys, self._all_of, self._cost, room, threads) for keys in tracks]
        return partial(_of_any, coming, self._all_of)

    def _cost(self, key: str) -> int:
        return min(self._listed[key].size, LARGE)

    def _all_of(self, key: str) -> BinaryIO:
        stat = self._listed[key]
        if stat.size > LARGE:
            return self._ranges(key)
        return io.BytesIO(self._kept.pop(key, b"") or self._fetched(stat))

    def _fetched(self, stat: Stat) -> bytes:
        got = self._store.get(stat.key)
        self._told(len(got.data))
        same_as_listed(got, stat)
        return got.data

    def _ends_of(self, small: int, key: str) -> BinaryIO:
        stat = self._listed[key]
        if stat.size <= small:
            data = self._fetched(stat)
            if small == SMALL and len(self._kept) < KEPT:
                self._kept[key] = data
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
        self._came.append(count)


def _is_seen(key: str) -> bool:
    """Whether it is the key of a file: what stands for a folder ends with a slash, or is the prefix."""
    folder = not key or key.endswith("/")
    return not folder and not any(part.startswith(HIDDEN) for part in key.split("/"))


def _of_any(tracks: Sequence[Ahead[BinaryIO]], fetch: Callable[[str], BinaryIO], key: str) -> BinaryIO:
    """From the first track that still waits for the key."""
    return next((track.take(key) for track in tracks if track.has(key)), None) or fetch(key)
