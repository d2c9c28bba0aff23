from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConditionError
from pipeline.sources.ranges import RangeFile
from pipeline.storage.memory import MemoryStore
from pipeline.storage.protocol import Stat

DATA = bytes(range(256)) * 4


def opened(pieces: dict[int, bytes], step: int) -> RangeFile:
    store = MemoryStore()
    return RangeFile(store, store.put("k", DATA), pieces, step=step)


steps = st.one_of(
    st.tuples(st.just("read"), st.integers(-1, 300)),
    st.tuples(st.just("seek"), st.integers(0, 1100)),
    st.tuples(st.just("end"), st.integers(-1024, 10)),
)


@given(st.lists(steps, max_size=30), st.sampled_from([1, 7, 100, 5000]), st.integers(0, 400))
def test_it_reads_as_a_file_does(todo: list[tuple[str, int]], step: int, known: int) -> None:
    ours, theirs = opened({0: DATA[:known], 1000: DATA[1000:]}, step), io.BytesIO(DATA)
    for what, count in todo:
        if what == "read":
            assert ours.read(count) == theirs.read(count)
        else:
            whence = io.SEEK_SET if what == "seek" else io.SEEK_END
            assert ours.seek(count, whence) == theirs.seek(count, whence)
        assert ours.tell() == theirs.tell()


def test_what_is_known_is_not_asked_for() -> None:
    came: list[int] = []
    store = MemoryStore()
    file = RangeFile(store, store.put("k", DATA), {0: DATA[:100], 1000: DATA[1000:]}, came.append)
    assert file.read(100) == DATA[:100]
    file.seek(1000)
    assert file.read() == DATA[1000:]
    assert came == []
    file.seek(500)
    assert file.read(10) == DATA[500:510]
    assert came == [524]


@pytest.mark.parametrize("listed", [Stat("k", 1024, "another"), Stat("k", 1023, "")])
def test_an_object_that_is_not_the_listed_one_is_not_read(listed: Stat) -> None:
    store = MemoryStore()
    store.put("k", DATA)
    with pytest.raises(ConditionError, match=r"k changed after it was listed \(\d+ bytes then, 1024 now\)"):
        RangeFile(store, listed).read(5)
