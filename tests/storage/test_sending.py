"""Finished files on their way into a store, and what is there afterwards."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import BusyError, CorruptError, DeniedError
from pipeline.storage.below import Below
from pipeline.storage.etags import whole_etag
from pipeline.storage.memory import MemoryStore
from pipeline.storage.open import open_store
from pipeline.storage.passing import Passing
from pipeline.storage.protocol import PLAIN, Extras
from pipeline.storage.sending import PART, SAMPLE, compare, send_file
from tests.storage.servers import HOSTILE, bucket, environ, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from pipeline.storage.protocol import Got, Upload
    from tests.servers.s3 import S3Server


def content(size: int) -> bytes:
    """Bytes of which no two parts are the same."""
    block = hashlib.sha256(str(size).encode()).digest()
    return b"".join(bytes([number % 251]) * 1024 + block for number in range(size // 1056 + 1))[:size]


def opener(data: bytes) -> Callable[[], BinaryIO]:
    return lambda: BytesIO(data)


@pytest.mark.parametrize(
    ("size", "parts"),
    [(0, (0,)), (1, (1,)), (PART, (PART,)), (PART + 1, (PART, 1)), (2 * PART + 7, (PART, PART, 7))],
    ids=["nothing", "a byte", "a part", "a byte more", "three parts"],
)
def test_a_file_arrives_whole(size: int, parts: tuple[int, ...]) -> None:
    store, data = MemoryStore(), content(size)
    sent = send_file(store, "k", size, opener(data), Extras("video/mp4"))
    assert store.get("k").data == data
    assert (sent.sizes, sent.size, sent.stat.size) == (parts, size, size)
    starts = [sum(parts[:number]) for number in range(len(parts))]
    pieces = [data[start : start + length] for start, length in zip(starts, parts, strict=True)]
    assert sent.md5s == tuple(hashlib.md5(piece, usedforsecurity=False).hexdigest() for piece in pieces)
    assert store.extras("k") == Extras("video/mp4")
    assert compare(store, "the film", sent, opener(data)) == store.stat("k")


def test_parts_grow_where_there_may_be_few() -> None:
    store, size = MemoryStore(), 4 * PART
    sent = send_file(store, "k", size, opener(content(size)), most=2)
    assert sent.sizes == (2 * PART, 2 * PART)


def test_a_store_that_tells_md5s_vouches_for_the_file(swift_http: S3Server) -> None:
    store = open_store(settings(swift_http, bucket(swift_http)), environ(swift_http))
    for size in (100, PART + 1):
        sent = send_file(store, "k", size, opener(content(size)))
        assert sent.vouched
    assert sent.stat.etag == whole_etag(dict(enumerate(sent.md5s, 1)))


def test_a_store_that_tells_none_is_read_back(swift_http: S3Server) -> None:
    store = open_store(settings(swift_http, bucket(swift_http), profile=HOSTILE), environ(swift_http))
    size = PART + 1
    sent = send_file(store, "k", size, opener(content(size)))
    assert not sent.vouched
    compare(store, "k", sent, opener(content(size)))
    other = content(size)[:-1] + b"?"
    with pytest.raises(CorruptError, match="the film has other bytes in the store than were sent"):
        compare(store, "the film", sent, opener(other))


def test_an_object_of_another_size_is_told() -> None:
    store, size = MemoryStore(), 100
    sent = send_file(store, "k", size, opener(content(size)))
    store.put("k", b"short")
    with pytest.raises(CorruptError, match="the film has 5 bytes of 100 in the store"):
        compare(store, "the film", sent, opener(content(size)))


@pytest.mark.parametrize(
    ("size", "reads"), [(0, 1), (100, 1), (SAMPLE + 1, 2), (20 * SAMPLE, 9)], ids=["0", "100", "two", "nine"]
)
def test_as_few_places_are_read_back_as_there_are(size: int, reads: int) -> None:
    seen: list[tuple[int, int]] = []

    class Seen(Below):
        def get_range(self, key: str, start: int, length: int) -> Got:
            seen.append((start, length))
            return super().get_range(key, start, length)

    store = Seen(MemoryStore(), "")
    sent = send_file(store, "k", size, opener(content(size)))
    compare(store, "k", replace(sent, vouched=False), opener(content(size)))
    assert len(seen) == reads


@pytest.mark.parametrize("size", [100, PART + 100])
def test_a_file_that_became_shorter_is_told_and_nothing_stays(size: int) -> None:
    store = MemoryStore()
    with pytest.raises(CorruptError, match="k: the file that it is made of ends early"):
        send_file(store, "k", size, opener(content(size - 1)))
    assert list(store.list("")) == []
    assert list(store.uploads("")) == []


class Failing(Below):
    """The second part is refused; so is forgetting the parts, if it is told to be."""

    def __init__(self, store: MemoryStore, *, for_good: bool) -> None:
        super().__init__(store, "")
        self.for_good = for_good

    def upload(self, key: str, extras: Extras = PLAIN) -> Upload:
        failing = self

        class Second(Passing):
            def part(self, number: int, data: bytes) -> str:
                if number == 2:
                    raise DeniedError("no.")
                return super().part(number, data)

            def abort(self) -> None:
                if failing.for_good:
                    raise BusyError("later.")
                super().abort()

        return Second(super().upload(key, extras))


@pytest.mark.parametrize("for_good", [False, True], ids=["forgotten", "not even that"])
def test_a_part_that_is_refused_is_told_and_the_others_are_forgotten(for_good: bool) -> None:  # noqa: FBT001 - a table
    store, size = MemoryStore(), 3 * PART
    with pytest.raises(DeniedError, match="no"):
        send_file(Failing(store, for_good=for_good), "k", size, opener(content(size)))
    assert list(store.list("")) == []
    assert len(list(store.uploads(""))) == int(for_good)


def test_no_more_parts_are_in_memory_than_go_at_a_time() -> None:
    lock, held, most = Lock(), 0, 0

    class Counting(Below):
        def upload(self, key: str, extras: Extras = PLAIN) -> Upload:
            class Counted(Passing):
                def part(self, number: int, data: bytes) -> str:
                    nonlocal held, most
                    with lock:
                        held += 1
                        most = max(most, held)
                    etag = super().part(number, data[:1])
                    with lock:
                        held -= 1
                    return etag

            return Counted(super().upload(key, extras))

    size = 12 * PART
    zeros = bytes(PART)

    class Zeros(BytesIO):
        def seek(self, at: int, whence: int = 0) -> int:
            del at, whence
            return 0

    send_file(Counting(MemoryStore(), ""), "k", size, lambda: Zeros(zeros))
    assert 1 <= most <= 4
