"""An object that leaves while it is made, though its beginning is known last.

An upload's parts may come in any order: what is made first goes out as parts 2, 3, …, and part 1 last. What a
part holds is decided by the bytes before it alone, so that the same file makes the same parts everywhere.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from pipeline.errors import RecpipeError, StorageError
from pipeline.storage.etags import whole_etag
from pipeline.storage.part_sizes import Sizes
from pipeline.storage.profile import MIB
from pipeline.storage.protocol import PLAIN, Extras

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from pipeline.storage.protocol import Stat, Upload, Writes

THREADS = 4
"""Parts on their way at a time."""
ROOM = 64 * MIB
"""Bytes on their way and in the part that fills, at a time; one part on its way always may be."""
GRACE_SECONDS = 10.0
"""For parts on their way when somebody ends the run: a store that is silent would keep it for minutes."""

MOST_RESERVED = ROOM
"""Bytes of a part that are reserved before they come."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An object that has left.

    Attributes:
        stat: what the store answered last.
        sizes: bytes of its parts in order; of one, where it was put whole.
        md5s: of these parts, as the store told them where it tells MD5s.
        vouched: the store told the MD5 of every part, and the object's ETag is that of these parts.
    """

    stat: Stat
    sizes: tuple[int, ...]
    md5s: tuple[str, ...]
    vouched: bool

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(self.sizes)


class _Part(NamedTuple):
    number: int
    size: int
    md5: str


class Leaving:
    """An object whose media is written first and whose head last; it is seen when `finish` returns.

    It is a context: left before `finish`, nothing stays of the object. So it is after any error, which the
    threads' are too: they are raised by the next call. Until the second part is full it has no threads.
    At most ``room`` bytes and the first part are in memory; where that is too little for two, two parts.

    Args:
        store: where to.
        key: of the object.
        extras: what goes with it.
        sizes: of the parts.
        threads: parts on their way at a time.
        room: bytes on their way and in the part that fills; one part on its way always may be.
    """

    def __init__(
        self,
        store: Writes,
        key: str,
        extras: Extras = PLAIN,
        *,
        sizes: Sizes | None = None,
        threads: int = THREADS,
        room: int = ROOM,
    ) -> None:
        self._store = store
        self._key = key
        self._extras = extras
        self._sizes = sizes or Sizes()
        self._threads = threads
        self._room = room
        self._number = 1
        self._filling = BytesIO()
        self._held = b""
        self._headed = self._ended = False
        self._upload: Upload | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._flying: dict[Future[_Part], int] = {}
        self._parts: dict[int, _Part] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            self.abandon()
        else:
            self._let_go(error)

    def media(self, data: bytes) -> None:
        """The next bytes of the media; waits while too much is on its way.

        Raises:
            StorageError: the store does not take a part, or no more parts.
        """
        with self._or_nothing():
            if self._headed:
                raise ValueError(f"{self._key} has its head: no media comes after it")
            self._take([future for future in self._flying if future.done()])
            rest = memoryview(data)
            while rest:
                if not self._filling.tell():
                    _reserve(self._filling, self._sizes.of(self._number))
                room = self._sizes.of(self._number) - self._filling.tell()
                self._filling.write(rest[:room])
                if len(rest) >= room:
                    self._full()
                rest = rest[room:]

    def head(self, data: bytes) -> None:
        """What stands before the media, once, after all of it; returns when every part has arrived.

        Raises:
            StorageError: the store does not take a part.
        """
        with self._or_nothing():
            if self._headed:
                raise ValueError(f"{self._key} has its head")
            self._headed = True
            self._filling.truncate()  # what was reserved and not filled
            rest, self._filling = self._filling.getvalue(), BytesIO()
            first, self._held = self._held, b""
            if self._upload is None:
                self._held = b"".join((data, first, rest))
                return
            if rest:
                self._send(rest)
            self._number = 1
            self._send(data + first)
            while self._flying:
                self._take(wait(self._flying, return_when=FIRST_COMPLETED).done)

    @property
    def whole(self) -> bytes | None:
        """All of it, once it has its head, where it is so small that none of it has left; None elsewhere."""
        return self._held if self._headed and self._upload is None else None

    def finish(self) -> Sent:
        """Make the object, which was small enough to be put whole or has all its parts.

        Raises:
            StorageError: the store does not make it.
        """
        with self._or_nothing():
            if not self._headed:
                raise ValueError(f"{self._key} has no head")
            sent = self._put() if self._upload is None else self._completed(self._upload)
        self._ended = True
        if self._pool is not None:
            self._pool.shutdown()
        return sent

    def abandon(self) -> None:
        """Leave nothing of the object in the store; harmless twice, and after `finish`.

        Raises:
            StorageError: the store does not forget the parts.
        """
        self._end(None)

    def _end(self, error: BaseException | None) -> None:
        if self._ended:
            return
        self._ended = True
        self._filling, self._held = BytesIO(), b""
        try:
            if self._pool is not None:
                give_up(self._pool, self._flying, error)
        finally:
            if self._upload is not None:
                self._upload.abort()

    def _let_go(self, error: BaseException) -> None:
        """Abandon it for an error, which tells more than one of abandoning it."""
        with suppress(StorageError):
            self._end(error)

    @contextmanager
    def _or_nothing(self) -> Iterator[None]:
        if self._ended:
            raise ValueError(f"{self._key} was finished or abandoned")
        try:
            yield
        except BaseException as error:
            self._let_go(error)
            raise

    def _full(self) -> None:
        data, self._filling = self._filling.getvalue(), BytesIO()
        if self._number == 1:
            self._held = data
        else:
            self._send(data)
        self._number += 1

    def _send(self, data: bytes) -> None:
        number, size = self._number, len(data)
        if number > self._sizes.most:
            raise StorageError(
                f"{self._key} is larger than the {self._sizes.most} parts that its store takes: "
                "write it into a folder."
            )
        fills = 0 if self._headed else self._sizes.of(number + 1)
        while self._flying and (
            len(self._flying) >= self._threads or sum(self._flying.values()) + size + fills > self._room
        ):
            self._take(wait(self._flying, return_when=FIRST_COMPLETED).done)
        if self._upload is None:
            self._upload = self._store.upload(self._key, self._extras)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads)
        self._flying[self._pool.submit(_arrived, self._upload, number, data)] = size

    def _take(self, landed: Iterable[Future[_Part]]) -> None:
        for future in landed:
            del self._flying[future]
            part = future.result()
            self._parts[part.number] = part

    def _put(self) -> Sent:
        stat = self._store.put(self._key, self._held, self._extras)
        size, md5 = len(self._held), stat.md5 or _md5(self._held)
        self._held = b""
        return Sent(stat, (size,), (md5,), vouched=bool(stat.md5))

    def _completed(self, upload: Upload) -> Sent:
        stat = upload.complete()
        parts = [self._parts[number] for number in sorted(self._parts)]
        same = stat.etag == whole_etag({part.number: part.md5 for part in parts})
        sizes, md5s = tuple(part.size for part in parts), tuple(part.md5 for part in parts)
        return Sent(stat, sizes, md5s, vouched=upload.md5 and same)


def give_up(
    pool: ThreadPoolExecutor, flying: Collection[Future[Any]], error: BaseException | None = None
) -> None:
    """Send no more parts, and wait for those on their way: one that arrives after an abort might stay.

    Args:
        pool: that sends them.
        flying: not more than those that it was given.
        error: why; for one that is none of ours, as of a signal, the wait is short.
    """
    pool.shutdown(wait=False, cancel_futures=True)
    patient = error is None or isinstance(error, RecpipeError)
    wait([future for future in flying if not future.cancelled()], timeout=None if patient else GRACE_SECONDS)


def _reserve(buffer: BytesIO, size: int) -> None:
    """Let an empty buffer have its memory at once: one that grows leaves holes behind that stay ours."""
    if size <= MOST_RESERVED:
        buffer.seek(size - 1)
        buffer.write(b"\0")
        buffer.seek(0)


def _arrived(upload: Upload, number: int, data: bytes) -> _Part:
    etag = upload.part(number, data)
    return _Part(number, len(data), etag if upload.md5 else _md5(data))


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
