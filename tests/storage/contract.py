"""What every store promises (`pipeline.storage.protocol`): a new store subclasses this and passes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import ConditionError, ObjectMissingError, StorageError
from pipeline.storage.protocol import MOST_PARTS, Unless

if TYPE_CHECKING:
    from pipeline.storage.protocol import Store

PART = 5 * 1024 * 1024
"""The smallest part but the last (Amazon S3 API, error ``EntityTooSmall``)."""
KEYS = ["room/2", "room/10", "roomy/1", "room-a", "room/a b+c%20&é中文😀.ts", "room/(x)'!*~.ts", "a" * 200]


class StoreContract:
    """Not collected by itself: its name does not begin with Test. Each test gets an empty ``store``."""

    keeps_etags = True
    """The ETag that completing an upload gives is the one that the object has from then on."""

    def test_what_was_put_is_read_back(self, store: Store) -> None:
        for number, key in enumerate(KEYS):
            data = bytes([number]) * (number + 1)
            put = store.put(key, data)
            assert (put.key, put.size) == (key, len(data))
            got = store.get(key)
            assert got.data == data
            assert got.stat.size == len(data)
            assert store.stat(key).etag == got.stat.etag == put.etag

    def test_an_empty_object_is_an_object(self, store: Store) -> None:
        store.put("empty", b"")
        assert store.get("empty").data == b""
        assert store.stat("empty").size == 0
        assert [stat.size for stat in store.list("empty")] == [0]

    def test_the_last_put_counts_and_changes_the_etag(self, store: Store) -> None:
        first = store.put("k", b"one")
        second = store.put("k", b"two!")
        assert store.get("k").data == b"two!"
        assert first.etag != second.etag

    def test_a_listing_is_bounded_by_the_prefix_and_in_the_order_of_bytes(self, store: Store) -> None:
        for key in KEYS:
            store.put(key, b"x")
        assert [s.key for s in store.list("")] == sorted(KEYS, key=str.encode)
        inside = [key for key in KEYS if key.startswith("room/")]
        assert [s.key for s in store.list("room/")] == sorted(inside, key=str.encode)
        assert [s.key for s in store.list("room/1")] == ["room/10"]
        assert list(store.list("nothing")) == []

    def test_a_listing_goes_on_behind_a_key(self, store: Store) -> None:
        for key in KEYS:
            store.put(key, b"x")
        keys = sorted(KEYS, key=str.encode)
        for number, key in enumerate(keys):
            assert [s.key for s in store.list("", key)] == keys[number + 1 :]
        assert [s.key for s in store.list("room/", "room/(zzz")] == [
            "room/10",
            "room/2",
            "room/a b+c%20&é中文😀.ts",
        ]

    def test_a_listing_tells_what_stat_tells(self, store: Store) -> None:
        store.put("room/1", b"12345")
        (listed,) = store.list("room/")
        told = store.stat("room/1")
        assert (listed.key, listed.size, listed.etag) == (told.key, told.size, told.etag)

    @pytest.mark.parametrize(
        ("start", "length", "there"),
        [
            pytest.param(0, 4, b"0123", id="the beginning"),
            pytest.param(3, 4, b"3456", id="inside"),
            pytest.param(7, 100, b"789", id="over the end"),
            pytest.param(9, 1, b"9", id="the last byte"),
            pytest.param(10, 5, b"", id="behind the end"),
            pytest.param(50, 5, b"", id="far behind the end"),
        ],
    )
    def test_a_range_ends_with_the_object(self, store: Store, start: int, length: int, there: bytes) -> None:
        store.put("k", b"0123456789")
        got = store.get_range("k", start, length)
        assert got.data == there
        assert got.stat.size == 10

    def test_a_range_of_an_empty_object_is_empty(self, store: Store) -> None:
        store.put("k", b"")
        assert store.get_range("k", 0, 10).data == b""

    def test_what_is_not_there_is_missing(self, store: Store) -> None:
        with pytest.raises(ObjectMissingError, match="nowhere"):
            store.stat("nowhere")
        with pytest.raises(ObjectMissingError, match="nowhere"):
            store.get("nowhere")
        with pytest.raises(ObjectMissingError, match="nowhere"):
            store.get_range("nowhere", 0, 1)

    def test_deleting_is_harmless_twice(self, store: Store) -> None:
        store.put("k", b"x")
        store.delete("k")
        store.delete("k")
        assert list(store.list("")) == []

    def test_an_object_that_must_not_exist_is_not_replaced(self, store: Store) -> None:
        store.put("k", b"mine", unless=Unless(exists=True))
        with pytest.raises(ConditionError, match="k"):
            store.put("k", b"theirs", unless=Unless(exists=True))
        assert store.get("k").data == b"mine"

    def test_an_object_that_was_changed_is_not_replaced(self, store: Store) -> None:
        seen = store.put("k", b"one").etag
        mine = store.put("k", b"two", unless=Unless(changed_from=seen)).etag
        with pytest.raises(ConditionError, match="k"):
            store.put("k", b"three", unless=Unless(changed_from=seen))
        store.put("k", b"four", unless=Unless(changed_from=mine))
        assert store.get("k").data == b"four"
        store.delete("k")
        with pytest.raises(ConditionError, match="k"):
            store.put("k", b"five", unless=Unless(changed_from=mine))

    def test_parts_in_any_order_make_one_object(self, store: Store) -> None:
        upload = store.upload("big/one.mp4")
        upload.part(3, b"end")
        upload.part(2, b"b" * PART)
        upload.part(1, b"a" * PART)
        assert list(store.list("big/")) == []
        done = upload.complete()
        assert done.size == 2 * PART + 3
        got = store.get("big/one.mp4")
        assert got.data == b"a" * PART + b"b" * PART + b"end"
        assert got.stat.etag == done.etag or not self.keeps_etags
        assert list(store.uploads("")) == []

    def test_a_part_that_comes_twice_is_there_once(self, store: Store) -> None:
        upload = store.upload("k")
        upload.part(1, b"x" * PART)
        upload.part(1, b"x" * PART)
        upload.part(2, b"end")
        assert upload.complete().size == PART + 3
        assert store.get("k").data == b"x" * PART + b"end"

    def test_parts_come_from_several_threads(self, store: Store) -> None:
        upload = store.upload("k")
        datas = [bytes([n]) * PART for n in range(4)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(upload.part, range(1, 5), datas))
        upload.complete()
        assert store.get("k").data == b"".join(datas)

    def test_nothing_stays_of_what_was_aborted(self, store: Store) -> None:
        upload = store.upload("k")
        upload.part(1, b"x")
        upload.abort()
        upload.abort()
        assert list(store.list("")) == []
        assert list(store.uploads("")) == []
        with pytest.raises(StorageError):
            upload.complete()

    def test_another_process_finds_and_aborts_an_upload(self, store: Store) -> None:
        upload = store.upload("room/k")
        upload.part(1, b"x")
        store.upload("other/k")
        assert list(store.uploads("room/")) == [("room/k", upload.id)]
        store.abort("room/k", upload.id)
        store.abort("room/k", upload.id)
        assert list(store.uploads("room/")) == []
        assert [key for key, _ in store.uploads("")] == ["other/k"]
        ((key, other),) = store.uploads("")
        store.abort(key, other)

    def test_aborting_what_is_complete_leaves_the_object(self, store: Store) -> None:
        upload = store.upload("k")
        upload.part(1, b"x")
        upload.complete()
        upload.abort()
        assert store.get("k").data == b"x"

    def test_an_upload_replaces_what_was_there(self, store: Store) -> None:
        store.put("k", b"old")
        upload = store.upload("k")
        upload.part(1, b"new")
        assert store.get("k").data == b"old"
        upload.complete()
        assert store.get("k").data == b"new"

    def test_an_upload_without_parts_makes_nothing(self, store: Store) -> None:
        upload = store.upload("k")
        with pytest.raises(StorageError, match="k"):
            upload.complete()
        upload.abort()
        assert list(store.list("")) == []

    @pytest.mark.parametrize("number", [0, MOST_PARTS + 1])
    def test_parts_are_numbered_from_1_to_10000(self, store: Store, number: int) -> None:
        upload = store.upload("k")
        with pytest.raises(StorageError, match=str(number)):
            upload.part(number, b"x")
        upload.abort()
