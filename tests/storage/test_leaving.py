"""Objects that leave while they are made: whatever is written becomes the object, or nothing does."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from itertools import pairwise
from threading import Barrier, Lock, Semaphore
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import BusyError, DeniedError, StorageError
from pipeline.storage.below import Below
from pipeline.storage.etags import whole_etag
from pipeline.storage.leaving import ROOM, THREADS, Leaving
from pipeline.storage.local import LocalStore
from pipeline.storage.memory import MemoryStore
from pipeline.storage.open import open_store
from pipeline.storage.part_sizes import Sizes
from pipeline.storage.passing import Passing
from pipeline.storage.profile import Parts
from pipeline.storage.profiles import COS, PROFILES, SWIFT
from pipeline.storage.protocol import ALWAYS, PLAIN, Extras, Unless
from pipeline.storage.retrying import Patience, Retrying
from pipeline.storage.verified import Verified
from tests.storage.faults import Lying, Shaky, flipped
from tests.storage.servers import HOSTILE, bucket, environ, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pipeline.storage.leaving import Sent
    from pipeline.storage.profile import Profile
    from pipeline.storage.protocol import Stat, Store, Upload, Writes
    from tests.servers.s3 import S3Server

MIB = 1 << 20
TINY = Sizes(held=10, first=16, step=3)
HASTE = Patience(seconds=60, first=0, longest=0)


def send(
    store: Writes,
    media: Sequence[bytes],
    head: bytes,
    *,
    sizes: Sizes = TINY,
    threads: int = THREADS,
    room: int = ROOM,
) -> Sent:
    """All of it, as ``k``."""
    with Leaving(store, "k", sizes=sizes, threads=threads, room=room) as leaving:
        for data in media:
            leaving.media(data)
        leaving.head(head)
        return leaving.finish()


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@given(
    media=st.lists(st.binary(max_size=90), max_size=12),
    head=st.binary(max_size=40),
    threads=st.integers(1, 4),
    room=st.integers(0, 100),
)
def test_any_writes_become_head_and_media(media: list[bytes], head: bytes, threads: int, room: int) -> None:
    store = MemoryStore()
    sent = send(store, media, head, threads=threads, room=room)
    whole = head + b"".join(media)
    got = store.get("k")
    assert got.data == whole
    assert sent.stat.etag == got.stat.etag
    assert sent.vouched
    assert sent.size == len(whole)
    assert list(store.uploads("")) == []


@given(media=st.binary(max_size=400), cuts=st.lists(st.integers(0, 400), max_size=9), head=st.binary())
def test_the_same_bytes_make_the_same_parts_however_they_are_written(
    media: bytes, cuts: list[int], head: bytes
) -> None:
    edges = [0, *sorted(cuts), len(media)]
    pieces = [media[begin:end] for begin, end in pairwise(edges)]
    once = send(MemoryStore(), [media], head, threads=1)
    again = send(MemoryStore(), pieces, head, threads=4)
    assert (again.sizes, again.md5s) == (once.sizes, once.md5s)


@pytest.mark.parametrize(
    ("media", "sizes"),
    [
        pytest.param(0, [4], id="only a head is put whole"),
        pytest.param(10, [14], id="what only waited is put whole"),
        pytest.param(25, [29], id="less than a full second part is put whole"),
        pytest.param(26, [14, 16], id="a full second part is an upload"),
        pytest.param(27, [14, 16, 1], id="a byte more is a part more"),
        pytest.param(26 + 19 + 22, [14, 16, 19, 22], id="parts grow"),
        pytest.param(26 + 19 + 22 + 24, [14, 16, 19, 22, 24], id="the last part is what is left"),
    ],
)
def test_parts_are_cut_by_their_numbers(media: int, sizes: list[int]) -> None:
    data = bytes(range(media))
    store = MemoryStore()
    sent = send(store, [data], b"head")
    assert list(sent.sizes) == sizes
    whole, at, expected = b"head" + data, 0, []
    for size in sizes:
        expected.append(md5(whole[at : at + size]))
        at += size
    assert list(sent.md5s) == expected
    told = store.stat("k").etag
    assert told == (expected[0] if len(sizes) == 1 else whole_etag(dict(enumerate(expected, 1))))


def test_parts_reach_what_stores_take() -> None:
    everywhere, swift = Sizes.within(Parts()), Sizes.within(SWIFT.parts)
    assert sum(map(everywhere.of, range(1, 10_001))) > 5 << 40
    assert sum(map(swift.of, range(1, swift.most + 1))) > 60 << 30
    assert swift.most == 1000


def test_parts_of_ten_gigabytes_are_small_where_there_may_be_many() -> None:
    sizes = Sizes.within(Parts())
    total, number = 0, 0
    while total < 10**10:
        number += 1
        total += sizes.of(number)
    assert sizes.of(number) < 20 * MIB


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_every_part_is_one_that_the_store_takes(profile: Profile) -> None:
    sizes = Sizes.within(profile.parts)
    every = [sizes.of(number) for number in range(1, sizes.most + 1)]
    assert every == sorted(every)
    assert profile.parts.smallest <= every[0]
    assert every[-1] <= profile.parts.largest


def test_a_store_that_wants_large_parts_gets_them_and_one_that_wants_equal_ones_is_refused() -> None:
    sizes = Sizes.within(Parts(smallest=20 * MIB))
    assert min(sizes.of(1), sizes.of(2)) == 20 * MIB
    with pytest.raises(ValueError, match="equal parts"):
        Sizes.within(Parts(equal=True))


class Watched(Below):
    """Says when a part arrives, and lets it wait for others."""

    def __init__(self, store: Store, arrive: Callable[[int, bytes], None]) -> None:
        super().__init__(store, "")
        self.arrive = arrive
        self.ended: list[str] = []

    def upload(self, key: str, extras: Extras = PLAIN) -> Upload:
        return _WatchedUpload(self, super().upload(key, extras))


class _WatchedUpload(Passing):
    def __init__(self, store: Watched, upload: Upload) -> None:
        super().__init__(upload)
        self._store = store

    def part(self, number: int, data: bytes) -> str:
        self._store.arrive(number, data)
        self._store.ended.append("part")
        return self._upload.part(number, data)

    def abort(self) -> None:
        self._store.ended.append("abort")
        self._upload.abort()


@pytest.mark.parametrize(
    ("threads", "room"),
    [
        pytest.param(4, 10_000, id="parts bound it"),
        pytest.param(4, 60, id="bytes bound it"),
        pytest.param(4, 0, id="one part always has room"),
        pytest.param(1, 10_000, id="one thread"),
    ],
)
def test_what_waits_in_memory_is_bounded(threads: int, room: int) -> None:
    arrived = 0
    together: list[int] = []
    now: set[int] = set()
    lock = Lock()

    def slowly(number: int, data: bytes) -> None:
        nonlocal arrived
        with lock:
            now.add(number)
            together.append(len(now))
        time.sleep(0.001)
        with lock:
            now.discard(number)
            arrived += len(data)

    written, held = 0, []
    numbers = range(2, 40)
    largest = TINY.of(numbers[-1])
    store = Watched(MemoryStore(), slowly)
    with Leaving(store, "k", sizes=TINY, threads=threads, room=room) as leaving:
        while written < TINY.held + sum(map(TINY.of, numbers)):
            leaving.media(b"12345")
            written += 5
            with lock:
                held.append(written - arrived)
        leaving.head(b"head")
        leaving.finish()
    assert max(held) <= TINY.held + max(min(room, (threads + 1) * largest), 2 * largest)
    assert max(together) <= threads


def test_parts_leave_together() -> None:
    barrier = Barrier(THREADS, timeout=60)

    def meet(number: int, _: bytes) -> None:
        if number in range(2, 2 + THREADS):
            barrier.wait()

    media = bytes(TINY.held + sum(TINY.of(number) for number in range(2, 2 + THREADS)))
    store = Watched(MemoryStore(), meet)
    send(store, [media], b"head")
    assert store.get("k").data == b"head" + media


class Failing(Below):
    """One call is denied; aborting may be too."""

    def __init__(self, store: Store, call: str, *, aborts: bool = True) -> None:
        super().__init__(store, "")
        self.call = call
        self.aborts = aborts

    def refuse(self, call: str) -> None:
        if call == self.call:
            raise DeniedError(f"{call} is denied.")
        if call == "abort" and not self.aborts:
            raise BusyError("nobody listens.")

    def put(self, key: str, data: bytes, extras: Extras = PLAIN, unless: Unless = ALWAYS) -> Stat:
        self.refuse("put")
        return super().put(key, data, extras, unless)

    def upload(self, key: str, extras: Extras = PLAIN) -> Upload:
        self.refuse("upload")
        return _FailingUpload(self, super().upload(key, extras))


class _FailingUpload(Passing):
    def __init__(self, store: Failing, upload: Upload) -> None:
        super().__init__(upload)
        self._failing = store

    def part(self, number: int, data: bytes) -> str:
        self._failing.refuse(f"part {number}")
        return self._upload.part(number, data)

    def complete(self) -> Stat:
        self._failing.refuse("complete")
        return self._upload.complete()

    def abort(self) -> None:
        self._failing.refuse("abort")
        self._upload.abort()


@pytest.mark.parametrize(
    ("call", "media"),
    [
        pytest.param("put", 20, id="a small object is not taken"),
        pytest.param("upload", 60, id="no upload begins"),
        pytest.param("part 2", 60, id="the first part that leaves"),
        pytest.param("part 3", 60, id="a part"),
        pytest.param("part 4", 60, id="the last bytes"),
        pytest.param("part 1", 60, id="the head"),
        pytest.param("complete", 60, id="the object is not made of its parts"),
    ],
)
def test_nothing_stays_of_what_fails_and_its_error_is_told(call: str, media: int) -> None:
    store = MemoryStore()
    store.put("k", b"old")
    leaving = Leaving(Failing(store, call), "k", sizes=TINY)

    def all_of_it() -> None:
        for _ in range(media):
            leaving.media(b"x")
        leaving.head(b"head")
        leaving.finish()

    with pytest.raises(DeniedError, match=f"{call} is denied"):
        all_of_it()
    assert store.get("k").data == b"old"
    assert list(store.uploads("")) == []
    for again in (lambda: leaving.media(b"x"), lambda: leaving.head(b"x"), leaving.finish):
        with pytest.raises(ValueError, match="k was finished or abandoned"):
            again()
    leaving.abandon()


def test_a_part_that_fails_is_told_before_the_next_is_full() -> None:
    writes = 10_000
    leaving = Leaving(Failing(MemoryStore(), "part 2"), "k", sizes=Sizes(held=10, first=16, step=writes))
    leaving.media(bytes(10 + 16))

    def on_and_on() -> None:
        for _ in range(writes):
            leaving.media(b"x")
            time.sleep(0.001)

    with pytest.raises(DeniedError, match="part 2"):
        on_and_on()


def test_the_first_error_is_told_where_aborting_fails_too() -> None:
    store = MemoryStore()
    with pytest.raises(DeniedError, match="part 3"):
        send(Failing(store, "part 3", aborts=False), [bytes(200)], b"head")
    assert [key for key, _ in store.uploads("")] == ["k"]


def test_an_upload_that_cannot_be_aborted_is_told_where_nothing_else_failed() -> None:
    leaving = Leaving(Failing(MemoryStore(), "", aborts=False), "k", sizes=TINY)
    leaving.media(bytes(200))
    with pytest.raises(BusyError, match="nobody listens"):
        leaving.abandon()


def test_an_error_of_the_maker_leaves_nothing() -> None:
    store = MemoryStore()

    def make() -> None:
        with Leaving(store, "k", sizes=TINY) as leaving:
            leaving.media(bytes(200))
            raise LookupError

    with pytest.raises(LookupError):
        make()
    assert not [*store.list(""), *store.uploads("")]


@pytest.mark.parametrize("headed", [False, True])
def test_what_is_left_before_it_is_finished_is_nothing(*, headed: bool) -> None:
    store = MemoryStore()
    with Leaving(store, "k", sizes=TINY) as leaving:
        leaving.media(bytes(200))
        if headed:
            leaving.head(b"head")
            assert len(list(store.uploads(""))) == 1
    assert not [*store.list(""), *store.uploads("")]


@pytest.mark.parametrize("media", [5, 200])
def test_an_object_is_seen_when_it_is_finished_and_stays_whatever_follows(media: int) -> None:
    store = MemoryStore()
    with Leaving(store, "k", Extras("video/mp4"), sizes=TINY) as leaving:
        leaving.media(bytes(media))
        leaving.head(b"head")
        assert list(store.list("")) == []
        leaving.finish()
        leaving.abandon()
    assert store.get("k").data == b"head" + bytes(media)
    assert store.extras("k") == Extras("video/mp4")


def test_no_part_arrives_after_the_upload_was_aborted() -> None:
    begun = Semaphore(0)

    def slowly(_number: int, _data: bytes) -> None:
        begun.release()
        time.sleep(0.05)

    store = Watched(MemoryStore(), slowly)
    with Leaving(store, "k", sizes=TINY) as leaving:
        leaving.media(bytes(TINY.held + TINY.of(2) + TINY.of(3)))
        begun.acquire()
        begun.acquire()
    assert store.ended == ["part", "part", "abort"]


def test_calls_out_of_order_are_refused() -> None:
    def unfinished() -> Leaving:
        return Leaving(MemoryStore(), "k", sizes=TINY)

    with pytest.raises(ValueError, match="k has no head"):
        unfinished().finish()
    leaving = unfinished()
    leaving.head(b"head")
    with pytest.raises(ValueError, match="no media comes after it"):
        leaving.media(b"x")
    leaving = unfinished()
    leaving.head(b"head")
    with pytest.raises(ValueError, match="k has its head"):
        leaving.head(b"head")


@pytest.mark.parametrize("more", [0, 1])
def test_more_than_the_store_takes_is_told(more: int) -> None:
    store, sizes = MemoryStore(), Sizes(10, 16, 3, most=3)
    media = bytes(10 + 16 + 19 + more)
    if not more:
        assert send(store, [media], b"head", sizes=sizes).sizes == (14, 16, 19)
        return
    with pytest.raises(StorageError, match="k is larger than the 3 parts that its store takes"):
        send(store, [media], b"head", sizes=sizes)
    assert not [*store.list(""), *store.uploads("")]


def test_a_busy_store_and_flipped_bits_are_not_noticed() -> None:
    store = MemoryStore()
    shaky = Retrying(Verified(Lying(Shaky(store), flipped, times=2)), HASTE)
    media = bytes(range(200))
    assert send(shaky, [media], b"head").vouched
    assert store.get("k").data == b"head" + media
    assert list(store.uploads("")) == []


def test_a_store_that_tells_no_md5s_vouches_for_nothing_and_the_md5s_are_known(tmp_path: Path) -> None:
    media = bytes(range(100))
    many = send(LocalStore(tmp_path), [media], b"head")
    assert not many.vouched
    assert many.md5s[:2] == (md5(b"head" + media[:10]), md5(media[10:26]))
    one = send(LocalStore(tmp_path), [media[:9]], b"head")
    assert (one.vouched, one.sizes, one.md5s) == (False, (13,), (md5(b"head" + media[:9]),))


class Elsewhere(Below):
    """Makes another object than its parts are."""

    def upload(self, key: str, extras: Extras = PLAIN) -> Upload:
        return _ElsewhereUpload(
            Watched(MemoryStore(), lambda _number, _data: None), super().upload(key, extras)
        )


class _ElsewhereUpload(_WatchedUpload):
    def complete(self) -> Stat:
        return replace(super().complete(), etag=f"{md5(b'other')}-3")


def test_a_store_that_made_something_else_does_not_vouch_for_it() -> None:
    assert send(MemoryStore(), [bytes(40)], b"head").vouched
    assert not send(Elsewhere(MemoryStore(), ""), [bytes(40)], b"head").vouched


def pieces() -> list[bytes]:
    """40 MiB, no two of them alike, in pieces as the muxer writes them."""
    return [bytes([number]) * (4 * MIB - number) for number in range(10)]


def test_it_leaves_to_swift_over_tls(swift_tls: S3Server) -> None:
    store = open_store(settings(swift_tls, bucket(swift_tls), "some/"), environ(swift_tls))
    sent = send(store, pieces(), b"head" * 100, sizes=Sizes.within(SWIFT.parts))
    assert store.get("k").data == b"head" * 100 + b"".join(pieces())
    assert sent.vouched
    assert len(sent.sizes) == 6
    there = store.stat("k")
    assert (there.size, there.etag) == (sent.size, sent.stat.etag)
    assert list(store.uploads("")) == []


def test_it_leaves_to_a_store_that_vouches_for_nothing(rclone_tls: S3Server) -> None:
    store = open_store(settings(rclone_tls, bucket(rclone_tls), profile=HOSTILE), environ(rclone_tls))
    sent = send(store, pieces(), b"head" * 100, sizes=Sizes.within(COS.parts))
    at = 0
    for size, expected in zip(sent.sizes, sent.md5s, strict=True):
        assert md5(store.get_range("k", at, size).data) == expected
        at += size
    assert not sent.vouched
    assert store.stat("k").size == at == sent.size


def test_nothing_stays_in_swift_of_what_was_abandoned(swift_tls: S3Server) -> None:
    store = open_store(settings(swift_tls, bucket(swift_tls)), environ(swift_tls))
    with Leaving(store, "k") as leaving:
        for data in pieces():
            leaving.media(data)
    assert not [*store.list(""), *store.uploads("")]
