"""Send: a finished file into a store, in parts where it is larger than one, compared with what arrived."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.errors import CorruptError
from pipeline.storage.etags import whole_etag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.storage.protocol import Extras, Stat, Store, Upload

PART = 8 << 20
"""Bytes of a part, unless there would be too many."""
MOST_PARTS = 1000
"""What Swift takes of an upload; the others take more."""
THREADS = 4
"""Parts on their way at a time: what waits in memory is so many parts."""
SAMPLE = 1 << 16
"""Bytes read back at each of nine places where the store vouches for no hash."""


def send(path: Path, store: Store, key: str, extras: Extras) -> Stat:
    """Put a file into a store.

    Returns:
        What the store says of it afterwards.

    Raises:
        StorageError: the store does not take it; nothing of it is left there.
        CorruptError: other bytes are there than were sent; they are removed.
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    upload = store.upload(key, extras) if size > PART else None
    # Of an upload nothing is seen before it is complete; what was put is there, right or wrong.
    in_parts = _in_parts(path, upload, size) if upload else None
    try:
        sent, vouched = in_parts or _whole(path, store, key, extras)
        return _confirmed(path, store, replace(sent, key=key, size=size), vouched=vouched)
    except CorruptError:
        store.delete(key)
        raise


def _whole(path: Path, store: Store, key: str, extras: Extras) -> tuple[Stat, bool]:
    """The object, and whether the store vouched for its bytes."""
    sent = store.put(key, path.read_bytes(), extras)
    return sent, bool(sent.md5)


def _in_parts(path: Path, upload: Upload, size: int) -> tuple[Stat, bool]:
    """The object, and whether the store vouched for every part and for their order."""
    length = max(PART, -(-size // MOST_PARTS))
    try:
        numbers = range(1, -(-size // length) + 1)
        with ThreadPoolExecutor(THREADS) as pool:
            sent = pool.map(_part_sender(path, upload, length), numbers)
            etags = dict(zip(numbers, sent, strict=True))
        done = upload.complete()
    except BaseException:
        upload.abort()
        raise
    return done, upload.md5 and done.etag == whole_etag(etags)


def _part_sender(path: Path, upload: Upload, length: int) -> Callable[[int], str]:
    def send_part(number: int) -> str:
        with path.open("rb") as file:
            file.seek((number - 1) * length)
            return upload.part(number, file.read(length))

    return send_part


def _confirmed(path: Path, store: Store, sent: Stat, *, vouched: bool) -> Stat:
    """What the store says of an object afterwards.

    Raises:
        CorruptError: it is not what was sent.
    """
    there = store.stat(sent.key)
    if there.size != sent.size:
        raise CorruptError(f"{sent.key} has {there.size} bytes of {sent.size} in the store: run again.")
    if not (vouched and there.etag == sent.etag):
        for start, data in _samples(path, sent.size):
            if store.get_range(sent.key, start, len(data)).data != data:
                raise CorruptError(f"{sent.key} has other bytes in the store than were sent: run again.")
    return there


def _samples(path: Path, size: int) -> Iterator[tuple[int, bytes]]:
    """Both ends of a file and what lies between, an eighth apart."""
    with path.open("rb") as file:
        for number in range(9):
            start = max(0, (size - SAMPLE) * number // 8)
            file.seek(start)
            yield start, file.read(SAMPLE)
