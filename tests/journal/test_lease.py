"""A job is one runner's at a time: by a record in a store, by a lock in a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import OwnedError
from pipeline.journal import lease as leases
from pipeline.journal.here import is_alive, this_runner
from pipeline.journal.lease import FolderLease, StoreLease
from pipeline.journal.owner import LEASE_MS, MARGIN_MS, Owner, Runner, owner_of
from pipeline.storage.local import LocalStore
from pipeline.storage.memory import MemoryStore
from pipeline.storage.open import open_store
from tests.documents import ROOT
from tests.storage.servers import HOSTILE, bucket, environ, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.storage.protocol import Store
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
    times = iter([1, 2, 3])
    lease = StoreLease(store, KEY, lambda: next(times))
    for _ in range(1000):
        lease.beat()
    first = owner(store)
    monkeypatch.setattr(leases, "LEASE_MS", 0)
    lease.beat()
    second = owner(store)
    assert first
    assert second
    assert (first.until_ms, second.until_ms) == (1 + LEASE_MS, 2)
    lease.beat()
    lease.check()


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
