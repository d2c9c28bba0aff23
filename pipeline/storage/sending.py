"""A finished file on its way into a store: whole or in parts, several at a time, and compared afterwards.

A file that leaves while it is made goes by `leaving`.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from pipeline.errors import CorruptError, StorageError
from pipeline.storage.etags import whole_etag
from pipeline.storage.leaving import Sent, give_up
from pipeline.storage.protocol import PLAIN, Extras

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.storage.protocol import Reads, Stat, Upload, Writes

    Open = Callable[[], BinaryIO]

PART = 8 << 20
"""Bytes of a part, unless there would be too many; what is no larger is put whole."""
MOST_PARTS = 1000
"""What Swift takes of an upload; the others take more."""
THREADS = 4
"""Parts on their way at a time: what waits in memory is so many parts."""
SAMPLE = 1 << 16
"""Bytes read back at each of nine places where the store vouches for no hash."""


class _Part(NamedTuple):
    size: int
    md5: str


def send_file(
    store: Writes, key: str, size: int, open_file: Open, extras: Extras = PLAIN, *, most: int = MOST_PARTS
) -> Sent:
    """Write a file into a store; of one in parts nothing is seen, and nothing stays, unless all arrive.

    Args:
        store: where to.
        key: of the object.
        size: of the file, bytes.
        open_file: opens it at its beginning; called once a part, from several threads.
        extras: what goes with it.
        most: parts that the store takes of an upload.

    Raises:
        StorageError: the store does not take it.
        CorruptError: the file has another size by now.
        OSError: the file cannot be read.
    """
    if size <= PART:
        data = _piece(key, open_file, 0, size)
        stat = store.put(key, data, extras)
        return Sent(stat, (size,), (stat.md5 or _md5(data),), vouched=bool(stat.md5))
    length = max(PART, -(-size // most))
    starts = range(0, size, length)
    upload = store.upload(key, extras)
    pool, send = ThreadPoolExecutor(THREADS), _sender(key, upload, open_file, length, size)
    flying = [pool.submit(send, number) for number in range(1, len(starts) + 1)]
    try:
        parts = [future.result() for future in flying]
        stat = upload.complete()
    except BaseException as error:
        give_up(pool, flying, error)
        with suppress(StorageError):  # the first error tells more
            upload.abort()
        raise
    pool.shutdown()
    md5s = {number: part.md5 for number, part in enumerate(parts, 1)}
    vouched = upload.md5 and stat.etag == whole_etag(md5s)
    return Sent(
        replace(stat, size=size), tuple(part.size for part in parts), tuple(md5s.values()), vouched=vouched
    )


def _sender(key: str, upload: Upload, open_file: Open, length: int, size: int) -> Callable[[int], _Part]:
    def send(number: int) -> _Part:
        start = (number - 1) * length
        data = _piece(key, open_file, start, min(length, size - start))
        etag = upload.part(number, data)
        return _Part(len(data), etag if upload.md5 else _md5(data))

    return send


def _piece(key: str, open_file: Open, start: int, length: int) -> bytes:
    with open_file() as file:
        file.seek(start)
        data = file.read(length)
    if len(data) < length:
        raise CorruptError(
            f"{key}: the file that it is made of ends early, it was changed meanwhile: run again."
        )
    return data


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def compare(store: Reads, name: str, sent: Sent, open_file: Open) -> Stat:
    """What the store says of an object afterwards; read back in nine places where it vouches for no hash.

    Args:
        store: where it was sent.
        name: of the object, for sentences.
        sent: what `send_file` gave.
        open_file: opens the file at its beginning.

    Raises:
        CorruptError: it is not what was sent.
        StorageError: the store does not say, or does not let it be read.
    """
    there = store.stat(sent.stat.key)
    if there.size != sent.size:
        raise CorruptError(f"{name} has {there.size} bytes of {sent.size} in the store: run again.")
    if not (sent.vouched and there.etag == sent.stat.etag):
        for start, data in _samples(open_file, sent.size):
            if store.get_range(sent.stat.key, start, len(data)).data != data:
                raise CorruptError(f"{name} has other bytes in the store than were sent: run again.")
    return there


def _samples(open_file: Open, size: int) -> Iterator[tuple[int, bytes]]:
    """Both ends of a file and what lies between, an eighth apart."""
    with open_file() as file:
        for start in sorted({max(0, (size - SAMPLE) * number // 8) for number in range(9)}):
            file.seek(start)
            yield start, file.read(SAMPLE)
