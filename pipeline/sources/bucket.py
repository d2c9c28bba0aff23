"""A part of a store as a source: listed once, fetched ahead of whoever reads, checked against the listing."""

from __future__ import annotations

import io
import os
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
KEPT = 128 << 20
"""Bytes of objects that are fetched whole at the first look and kept until they are read."""
SMALL = 256 << 10
"""Objects up to this are fetched whole at the first look even if not kept: one request instead of two."""
LARGE = 8 << 20
"""Objects over this are read in ranges, not whole."""
ROOM = 24 << 20
"""Bytes that wait to be read, of all tracks of all outputs that are made at once."""
THREADS = 32
"""Fetch at once, for all tracks of all outputs that are made at once; each has one at least."""


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
        self._sharing = 1
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

    def shared(self, processes: int) -> None:
        """As `Source.shared`; what one of several processes reads is kept by none."""
        self._sharing = processes

    def ends(self, keys: Sequence[str], *, again: bool) -> Callable[[str], BinaryIO]:
        """As `Source.ends`."""
        small = SMALL if again else 2 * END
        kept = self._to_keep(keys) if again else frozenset()

        def cost(key: str) -> int:
            return self._listed[key].size if key in kept else max(small, 2 * END)

        return Ahead(keys, partial(self._ends_of, small, kept), cost, ROOM).take

    def _to_keep(self, keys: Sequence[str]) -> frozenset[str]:
        """Those that come first and fit; chosen before they are fetched, by one thread."""
        room = 0 if self._sharing > 1 else KEPT - sum(map(len, self._kept.values()))
        chosen: set[str] = set()
        for key in keys:
            size = self._listed[key].size
            if size <= min(room, LARGE):
                chosen.add(key)
                room -= size
        return frozenset(chosen)

    def whole(self, *tracks: Sequence[str]) -> Callable[[str], BinaryIO]:
        """As `Source.whole`; a key that two tracks share is fetched for each, large tracks have more room."""
        threads = max(1, THREADS // (max(1, len(tracks)) * self._sharing))
        sizes = [sum(self._listed[key].size for key in keys) for keys in tracks]
        rooms = [ROOM * size // (max(1, sum(sizes)) * self._sharing) for size in sizes]
        coming = [
            Ahead(keys, self._all_of, self._cost, room, threads)
            for keys, room in zip(tracks, rooms, strict=True)
        ]
        here = os.getpid()

        def opened(key: str) -> BinaryIO:
            track = next((each for each in coming if each.has(key)), None)
            if track is None:
                return self._all_of(key)
            nonlocal here
            if here != os.getpid():  # forked to read one track: what was kept of others is read elsewhere
                here = os.getpid()
                self._kept = {kept: data for kept, data in self._kept.items() if track.has(kept)}
            return track.take(key)

        return opened

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

    def _ends_of(self, small: int, kept: frozenset[str], key: str) -> BinaryIO:
        stat = self._listed[key]
        if key in kept:
            data = self._kept[key] = self._fetched(stat)
            return io.BytesIO(data)
        if stat.size <= small:
            return io.BytesIO(self._fetched(stat))
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
