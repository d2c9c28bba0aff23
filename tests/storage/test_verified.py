from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.errors import CorruptError
from pipeline.storage.memory import MemoryStore
from pipeline.storage.retrying import Patience, Retrying
from pipeline.storage.verified import Verified
from tests.storage.contract import StoreContract
from tests.storage.faults import Lying, cut, flipped

if TYPE_CHECKING:
    from collections.abc import Callable

HASTE = Patience(seconds=60, first=0, longest=0)


class TestVerified(StoreContract):
    @pytest.fixture
    def store(self) -> Verified:
        return Verified(MemoryStore())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param(cut, "k has 3 bytes of 4", id="truncated"),
        pytest.param(flipped, "k arrived with other bytes than its MD5", id="a bit"),
    ],
)
def test_an_object_that_arrives_changed_is_corrupt_and_comes_right_the_next_time(
    change: Callable[[bytes], bytes], sentence: str
) -> None:
    store = MemoryStore()
    store.put("k", b"data")
    with pytest.raises(CorruptError, match=sentence):
        Verified(Lying(store, change)).get("k")
    assert Retrying(Verified(Lying(store, change)), HASTE).get("k").data == b"data"


def test_a_range_that_arrives_short_is_corrupt() -> None:
    store = MemoryStore()
    store.put("k", b"0123456789")
    with pytest.raises(CorruptError, match="k has 3 bytes of 4"):
        Verified(Lying(store, cut)).get_range("k", 2, 4)
    assert Retrying(Verified(Lying(store, cut)), HASTE).get_range("k", 2, 4).data == b"2345"


@pytest.mark.parametrize("change", [cut, flipped])
def test_what_is_written_changed_is_corrupt_and_written_again(change: Callable[[bytes], bytes]) -> None:
    store = MemoryStore()
    with pytest.raises(CorruptError, match=r"k (has|was written with other bytes)"):
        Verified(Lying(store, change)).put("k", b"data")
    Retrying(Verified(Lying(store, change)), HASTE).put("k", b"data")
    assert store.get("k").data == b"data"


@pytest.mark.parametrize("change", [cut, flipped])
def test_a_part_that_is_written_changed_is_corrupt_and_written_again(
    change: Callable[[bytes], bytes],
) -> None:
    with pytest.raises(CorruptError, match="part 1 of k was written with other bytes"):
        Verified(Lying(MemoryStore(), change)).upload("k").part(1, b"data")
    store = MemoryStore()
    upload = Retrying(Verified(Lying(store, change)), HASTE).upload("k")
    upload.part(1, b"data")
    upload.complete()
    assert store.get("k").data == b"data"
