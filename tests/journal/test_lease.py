"""A job is one runner's at a time: by a record in a store, by a lock in a folder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import ConditionError, OwnedError
from pipeline.journal import lease as leases
from pipeline.journal.here import is_alive, this_runner
from pipeline.journal.lease import LOOKS, RENEWALS, FolderLease, StoreLease
from pipeline.journal.owner import LEASE_MS, MARGIN_MS, Owner, Runner, owner_of
from pipeline.storage.local import LocalStore
from pipeline.storage.memory import MemoryStore
from pipeline.storage.open import open_store
from pipeline.storage.protocol import ALWAYS, PLAIN, Extras, Unless
from tests.documents import ROOT
from tests.storage.servers import HOSTILE, bucket, environ, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.storage.protocol import Stat, Store
    from tests.servers.s3 import S3Server

KEY = ".recpipe/job/owner.json"
NOW = 1_000_000
ELSEWHERE = Runner("there", "another boot", "", 8, 100)

HOLD = """
import sys
from pathlib import Path
from pipeline.journal.lease import FolderLease, StoreLease
from pipeline.storage.local import LocalStore

place = Path(sys.argv[2])
if sys.argv[1] == "store":
    held = StoreLease(LocalStore(place), "owner.json", lambda: 10**12)
else:
    held = FolderLease(place / "lock")
print("held", flush=True)
sys.stdin.read()
"""


def now() -> int:
    return NOW


def owner(store: Store) -> Owner | None:
    return owner_of(store.get(KEY).data)


class Sleepy(MemoryStore):
    """A store without conditional writes; who writes there may fall asleep after the look."""

    def __init__(self) -> None:
        super().__init__()
        self.sleep: Callable[[], None] = lambda: None

    def put(self, key: str, data: bytes, extras: Extras = PLAIN, unless: Unless = ALWAYS) -> Stat:
        there = {stat.key: stat.etag for stat in self.list("")}
        if (unless.exists and there) or (unless.changed_from and there.get(key) != unless.changed_from):
            raise ConditionError("somebody else's by now.")
        self.sleep()
        return super().put(key, data, extras)


def test_this_process_is_alive_and_one_that_ended_is_not() -> None:
    me = this_runner()
    assert me.pid == os.getpid()
    assert me.began > 0
    assert me.boot
    assert is_alive(me)
    assert not is_alive(replace(me, began=me.began + 1)), "its number is another's by now"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        began = int(Path(f"/proc/{child.pid}/stat").read_text("ascii").rpartition(")")[2].split()[19])
        runner = replace(me, pid=child.pid, began=began)
        assert is_alive(runner)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(runner), "it only waits to be buried"
    assert not is_alive(runner)


@pytest.fixture(params=["memory", "folder", "swift", "cos"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param in {"memory", "folder"}:
        yield MemoryStore() if request.param == "memory" else LocalStore(tmp_path / "place")
        return
    server: S3Server = request.getfixturevalue("swift_http" if request.param == "swift" else "rclone_tls")
    profile = [HOSTILE] if request.param == "cos" else []
    yield open_store(settings(server, bucket(server), "", *profile), environ(server))


def test_a_job_is_taken_kept_and_let_go(store: Store) -> None:
    lease = StoreLease(store, KEY, now)
    lease.check()
    with pytest.raises(OwnedError, match=rf"another recpipe works on this job \(process {os.getpid()} on"):
        StoreLease(store, KEY, now)
    lease.check()
    lease.release()
    assert [stat.key for stat in store.list(".recpipe/")] == []
    lease.release()
    StoreLease(store, KEY, now).check()


def test_a_job_of_a_machine_that_fell_silent_is_taken_over(store: Store) -> None:
    store.put(KEY, Owner(ELSEWHERE, "theirs", NOW).to_json())
    with pytest.raises(OwnedError, match=r"process 8 on there.*after 00:16:40 UTC"):
        StoreLease(store, KEY, now)
    later = StoreLease(store, KEY, lambda: NOW + MARGIN_MS + 1)
    later.check()
    found = owner(store)
    assert found
    assert found.until_ms == NOW + MARGIN_MS + 1 + LEASE_MS


def test_who_was_taken_over_stops_before_the_next_act(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = StoreLease(store, KEY, now)
    store.put(KEY, Owner(ELSEWHERE, "theirs", NOW).to_json())
    with pytest.raises(OwnedError, match=r"taken this job over \(process 8 on there\)"):
        lease.check()
    monkeypatch.setattr(leases, "LEASE_MS", 0)
    with pytest.raises(OwnedError, match="taken this job over"):
        lease.beat()
    lease.release()
    found = owner(store)
    assert found
    assert found.runner == ELSEWHERE
    store.delete(KEY)
    with pytest.raises(OwnedError, match="taken this job over: this run stops"):
        lease.check()


def test_a_beat_moves_the_time_on_and_asks_seldom(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Hand(1)
    lease = StoreLease(store, KEY, clock)
    for _ in range(1000):
        lease.beat()
    first = owner(store)
    monkeypatch.setattr(leases, "LEASE_MS", 0)
    clock.ms = 2
    lease.beat()
    second = owner(store)
    assert first
    assert second
    assert (first.until_ms, second.until_ms) == (1 + LEASE_MS, 2)
    lease.beat()
    lease.check()


@dataclass(slots=True)
class Hand:
    """A clock that a test moves."""

    ms: int = NOW

    def __call__(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    clock = Hand()
    monkeypatch.setattr(time, "monotonic", clock.monotonic)
    return clock


def test_a_record_that_was_written_after_another_had_done_the_job_is_not_trusted(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer fell asleep after the look, where a store has no conditional writes."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    store = Sleepy()
    lease = StoreLease(store, KEY, hand)
    fork = copy(lease)
    fork._keeper = 0
    hand.ms += LEASE_MS // RENEWALS

    def sleep() -> None:
        hand.ms = NOW + LEASE_MS + MARGIN_MS + 1
        store.delete(KEY)  # another had taken the job, done it, and let it go

    store.sleep = sleep
    release = lease.release

    def let_go() -> None:
        with pytest.raises(OwnedError, match="while this run stood still"):
            fork.check()
        release()

    monkeypatch.setattr(lease, "release", let_go)
    with pytest.raises(OwnedError, match="while this run stood still"):
        lease.beat()
    for act in (lease.check, lease.beat, fork.check):
        with pytest.raises(OwnedError):
            act()


@pytest.mark.parametrize("slept_ms", [0, 1, LEASE_MS, 100 * LEASE_MS])
def test_who_slept_and_finds_the_job_its_own_goes_on(slept_ms: int, hand: Hand) -> None:
    store = Sleepy()
    lease = StoreLease(store, KEY, hand)
    hand.ms += slept_ms
    lease.check()
    lease.beat()
    found = owner(store)
    assert found
    assert found.until_ms >= hand.ms
    lease.check()


def test_a_fork_waits_for_the_process_that_took_the_job(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Sleepy()
    lease = StoreLease(store, KEY, hand)
    fork = copy(lease)
    fork._keeper = 0
    hand.ms += 100 * LEASE_MS
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == LOOKS - 1:
            lease.beat()

    monkeypatch.setattr(time, "sleep", wait)
    fork.check()
    assert len(waits) == LOOKS - 1
    hand.ms += 100 * LEASE_MS
    with pytest.raises(OwnedError, match="while this run stood still"):
        fork.check()


@pytest.mark.parametrize("kind", ["store", "folder"])
def test_a_process_that_was_killed_holds_nothing(kind: str, tmp_path: Path) -> None:
    place = tmp_path / "place"

    def taken() -> StoreLease | FolderLease:
        return (
            StoreLease(LocalStore(place), "owner.json", now)
            if kind == "store"
            else FolderLease(place / "lock")
        )

    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, kind, str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT)},
        text=True,
    )
    with child:
        assert child.stdout
        assert child.stdout.readline() == "held\n"
        with pytest.raises(OwnedError, match="another recpipe works on"):
            taken()
        child.kill()
        child.wait()
        lease = taken()
    lease.check()
    lease.release()
    taken().release()


def test_a_folder_is_let_go_once(tmp_path: Path) -> None:
    lease = FolderLease(tmp_path / "job" / "lock")
    lease.beat()
    lease.release()
    other = FolderLease(tmp_path / "job" / "lock")
    lease.release()
    with pytest.raises(OwnedError):
        FolderLease(tmp_path / "job" / "lock")
    other.release()
    assert list((tmp_path / "job").iterdir()) == []
