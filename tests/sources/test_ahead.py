from __future__ import annotations

import gc
import multiprocessing
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.ahead import Ahead

if TYPE_CHECKING:
    from collections.abc import Sequence

KEYS = [f"k{n}" for n in range(20)]


class Fetching:
    """Remembers what was fetched, and by whom."""

    def __init__(self, cost: int = 1) -> None:
        self.fetched: list[str] = []
        self.threads: set[int] = set()
        self.cost = cost
        self._lock = threading.Lock()

    def __call__(self, key: str) -> str:
        with self._lock:
            self.fetched.append(key)
            self.threads.add(threading.get_ident())
        if key == "bad":
            raise OSError(key)
        return key.upper()


def ahead(fetching: Fetching, keys: Sequence[str] = KEYS, room: int = 4) -> Ahead[str]:
    return Ahead(keys, fetching, lambda _: fetching.cost, room)


@given(st.lists(st.sampled_from([*KEYS, "other"]), max_size=40))
def test_every_key_gives_what_it_stands_for_in_any_order(asked: list[str]) -> None:
    coming = ahead(Fetching())
    assert [coming.take(key) for key in asked] == [key.upper() for key in asked]


def test_each_is_fetched_once_by_threads() -> None:
    fetching = Fetching()
    coming = ahead(fetching)
    assert [coming.take(key) for key in KEYS] == [key.upper() for key in KEYS]
    assert sorted(fetching.fetched) == sorted(KEYS)
    assert fetching.threads != {threading.get_ident()}


def test_the_first_is_fetched_alone_and_without_a_thread() -> None:
    fetching = Fetching()
    ahead(fetching).take("k3")
    assert fetching.fetched == ["k3"]
    assert fetching.threads == {threading.get_ident()}


@pytest.mark.parametrize(("cost", "room", "most"), [(1, 4, 4), (2, 4, 2), (100, 4, 1)])
def test_what_waits_is_bounded_but_one_always_may(cost: int, room: int, most: int) -> None:
    coming = ahead(Fetching(cost), room=room)
    coming.take("k0")
    coming.take("k1")
    assert len(coming._waiting) == most


def test_what_goes_wrong_is_told_when_it_is_asked_for_and_not_before() -> None:
    coming = ahead(Fetching(), ["k0", "k1", "bad", "k3"])
    assert [coming.take(key) for key in ("k0", "k1")] == ["K0", "K1"]
    with pytest.raises(OSError, match="bad"):
        coming.take("bad")
    assert coming.take("k3") == "K3"


def test_a_forked_process_fetches_anew_what_waited() -> None:
    """Its parent's threads are not there: whoever waited for them would wait for ever."""
    coming = ahead(Fetching())
    coming.take("k0")
    coming.take("k1")
    receiver, sender = multiprocessing.get_context("fork").Pipe(duplex=False)
    there = multiprocessing.get_context("fork").Process(
        target=lambda: sender.send([coming.take(key) for key in KEYS[2:]]), daemon=True
    )
    there.start()
    try:
        assert receiver.poll(20), "it hangs"
        assert receiver.recv() == [key.upper() for key in KEYS[2:]]
    finally:
        there.kill()
        there.join()
    assert coming.take("k2") == "K2"


class Gated:
    """From the second on, nothing comes before the gate is open; ``bad`` fails at once."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun: list[str] = []

    def __call__(self, key: str) -> str:
        self.begun.append(key)
        if key == "bad":
            raise OSError(key)
        if key != "k0":
            self.gate.wait(20)
        return key


def ended(begun: list[str], gated: Gated) -> list[str]:
    """What is fetched after it was forgotten, once all threads are gone."""
    gated.gate.set()
    for thread in threading.enumerate():
        if thread.name.startswith("ThreadPoolExecutor"):
            thread.join(20)
    return gated.begun[len(begun) :]


def test_after_an_error_nothing_more_is_fetched() -> None:
    gated = Gated()
    coming = Ahead(["k0", "bad", *KEYS[1:]], gated, lambda _: 1, 20, threads=2)
    coming.take("k0")
    with pytest.raises(OSError, match="bad"):
        coming.take("bad")
    assert len(ended(gated.begun.copy(), gated)) <= 2


def test_who_is_forgotten_fetches_nothing_more() -> None:
    gated = Gated()
    coming = Ahead(KEYS, gated, lambda _: 1, 20, threads=2)
    coming.take("k0")
    coming._fill()
    assert len(coming._waiting) > 2
    del coming
    gc.collect()
    assert len(ended(gated.begun.copy(), gated)) <= 2
