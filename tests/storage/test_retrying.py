from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import BusyError, ConditionError, DeniedError, ObjectMissingError
from pipeline.storage.below import Below
from pipeline.storage.local import LocalStore
from pipeline.storage.memory import MemoryStore
from pipeline.storage.protocol import Unless
from pipeline.storage.retrying import Patience, Retrying
from tests.storage.contract import StoreContract
from tests.storage.faults import Shaky

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.storage.protocol import Stat

HASTE = Patience(seconds=60, first=0, longest=0)


class TestRetryingAStoreThatFailsTwice(StoreContract):
    @pytest.fixture
    def store(self) -> Retrying:
        return Retrying(Shaky(MemoryStore()), HASTE)


class TestRetryingAStoreWhoseAnswersAreLostTwice(StoreContract):
    @pytest.fixture
    def store(self) -> Retrying:
        return Retrying(Shaky(MemoryStore(), after=True), HASTE)

    def test_another_process_finds_and_aborts_an_upload(self, store: Retrying) -> None:  # type: ignore[override] # the others may be left behind
        """Beside the one that is known there may be those whose answers were lost: all are found."""
        upload = store.upload("room/k")
        assert ("room/k", upload.id) in set(store.uploads("room/"))
        for key, name in store.uploads("room/"):
            store.abort(key, name)
        assert list(store.uploads("room/")) == []

    def test_parts_in_any_order_make_one_object(self, store: Retrying) -> None:  # type: ignore[override] # as above
        upload = store.upload("k")
        upload.part(2, b"b")
        upload.part(1, b"a")
        assert upload.complete().size == 2
        assert store.get("k").data == b"ab"

    def test_nothing_stays_of_what_was_aborted(self, store: Retrying) -> None:  # type: ignore[override] # as above
        upload = store.upload("k")
        upload.part(1, b"x")
        upload.abort()
        assert list(store.list("")) == []
        assert upload.id not in {name for _, name in store.uploads("")}


def test_a_long_listing_goes_on_where_it_failed() -> None:
    store = MemoryStore()
    keys = [f"{n:05}" for n in range(5000)]
    for key in keys:
        store.put(key, b"")

    class Failing(Below):
        """Each listing breaks off after 1500 keys."""

        def list(self, prefix: str, after: str = "") -> Iterator[Stat]:
            for number, stat in enumerate(super().list(prefix, after)):
                if number == 1500:
                    raise BusyError("the connection broke.")
                yield stat

    assert [stat.key for stat in Retrying(Failing(store, ""), HASTE).list("")] == keys


@pytest.mark.parametrize("error", [DeniedError("no"), ObjectMissingError("gone"), ConditionError("late")])
def test_what_trying_cannot_help_is_tried_once(error: Exception) -> None:
    shaky = Shaky(MemoryStore(), error=error)
    with pytest.raises(type(error)):
        Retrying(shaky, HASTE).stat("k")
    assert shaky.calls == ["stat k"]


def test_it_gives_up_when_the_time_is_over() -> None:
    shaky = Shaky(MemoryStore(), times=10**9)
    with pytest.raises(BusyError, match="the connection broke"):
        Retrying(shaky, Patience(seconds=0.2, first=0.01, longest=0.01)).stat("k")
    assert len(shaky.calls) > 1


def test_a_store_that_asks_for_no_wait_is_asked_less_and_less_often_all_the_same() -> None:
    shaky = Shaky(MemoryStore(), times=10**9, error=BusyError("busy.", 0.0))
    with pytest.raises(BusyError):
        Retrying(shaky, Patience(seconds=0.5, first=0.05, longest=0.05)).stat("k")
    assert 1 < len(shaky.calls) <= 12


@pytest.mark.parametrize(
    ("after", "calls"),
    [
        pytest.param(0.0, 3, id="at once"),
        pytest.param(59.0, 1, id="longer than what is left"),
        pytest.param(3600.0, 1, id="an hour"),
    ],
)
def test_the_wait_that_the_store_asks_for_is_kept_if_there_is_time(after: float, calls: int) -> None:
    store = MemoryStore()
    store.put("k", b"x")
    shaky = Shaky(store, error=BusyError("busy.", after))
    clock = count(0, 2)  # two seconds between looks
    retrying = Retrying(shaky, HASTE, clock=lambda: float(next(clock)))
    if calls == 1:
        with pytest.raises(BusyError):
            retrying.stat("k")
    else:
        assert retrying.stat("k").size == 1
    assert len(shaky.calls) == calls


def notices(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "recpipe.retrying"]


def test_what_is_tried_again_for_long_is_told_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    """At once nobody needs to know, and every time nobody wants to."""
    shaky = Shaky(MemoryStore(), times=10**9, error=BusyError("s3://b/k is busy: run again later."))
    seconds = count()

    def clock() -> float:  # the first look is when the call began, then one a try
        return float(next(seconds))

    with caplog.at_level("WARNING", "recpipe"), pytest.raises(BusyError):
        Retrying(shaky, Patience(seconds=0.3, first=0, longest=0), clock).stat("k")
    assert notices(caplog) == []
    shaky = Shaky(MemoryStore(), times=70, error=BusyError("s3://b/k is busy: run again later."))
    with caplog.at_level("WARNING", "recpipe"), pytest.raises(ObjectMissingError):
        Retrying(shaky, Patience(seconds=100, first=0, longest=0), clock).stat("k")
    told = [f"s3://b/k is busy; it is tried again for {left} s more." for left in (97, 67, 37)]
    assert notices(caplog) == told


def test_calls_that_fail_together_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    seconds = count()
    shaky = Shaky(MemoryStore(), times=10, error=BusyError("busy."))
    retrying = Retrying(shaky, Patience(seconds=100, first=0, longest=0), lambda: float(next(seconds)))
    with caplog.at_level("WARNING", "recpipe"):
        for key in ("a", "b"):
            with pytest.raises(ObjectMissingError):
                retrying.stat(key)
    assert notices(caplog) == ["busy; it is tried again for 97 s more."]


def test_a_write_that_was_done_although_its_answer_was_lost_is_no_conflict() -> None:
    retrying = Retrying(Shaky(MemoryStore(), after=True), HASTE)
    assert retrying.put("k", b"mine", unless=Unless(exists=True)).size == 4


def test_a_write_that_somebody_else_did_meanwhile_is_a_conflict() -> None:
    store = MemoryStore()
    store.put("k", b"theirs")
    with pytest.raises(ConditionError):
        Retrying(Shaky(store), HASTE).put("k", b"mine", unless=Unless(exists=True))
    assert store.get("k").data == b"theirs"


def test_an_upload_that_is_gone_is_done_only_if_the_object_is_made_of_its_parts() -> None:
    store = MemoryStore()
    upload = Retrying(Shaky(store, times=1), HASTE).upload("k")
    upload.part(1, b"mine")
    store.abort("k", upload.id)
    store.put("k", b"them")
    with pytest.raises(ObjectMissingError):
        upload.complete()


def test_an_object_that_was_made_although_its_answer_was_lost_is_read_back_where_no_etag_tells(
    tmp_path: Path,
) -> None:
    upload = Retrying(Shaky(LocalStore(tmp_path), times=1, after=True), HASTE).upload("k")
    upload.part(2, b"of two parts")
    upload.part(1, b"an object ")
    there = upload.complete()
    assert there == LocalStore(tmp_path).stat("k")
    assert LocalStore(tmp_path).get("k").data == b"an object of two parts"


def test_an_object_of_the_same_size_that_somebody_else_made_is_not_taken_for_ours(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    upload = Retrying(Shaky(store, times=1), HASTE).upload("k")
    upload.part(1, b"mine")
    store.abort("k", upload.id)
    store.put("k", b"them")
    with pytest.raises(ObjectMissingError):
        upload.complete()
