"""What a job noted is taken back by the next run of it, and nothing else."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from pipeline.errors import OwnedError
from pipeline.journal.journal import Guarded, Journal, folder_journal, left, store_journal
from pipeline.journal.notes import Begun, Claim, Notes
from pipeline.journal.owner import Owner, Runner
from pipeline.storage.below import Below
from pipeline.storage.local import LocalStore
from pipeline.storage.memory import MemoryStore
from pipeline.storage.protocol import PLAIN
from pipeline.storage.retrying import Patience, Retrying
from tests.storage.faults import Shaky

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.storage.protocol import Extras, Upload

JOB = "0123456789abcdef"


def now() -> int:
    return 0


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def journal(store: MemoryStore) -> Journal:
    return store_journal(store, JOB, now)


def test_notes_read_back_and_are_gone_with_the_job(store: MemoryStore, journal: Journal) -> None:
    assert journal.notes.claimed() == Claim()
    claim = Claim(frozenset({"a.mp4", "é.mp4"}), frozenset({"a.mp4"}))
    journal.notes.claim(claim)
    journal.notes.write("vod-1", {"session": "s"})
    assert journal.notes.claimed() == claim
    assert journal.own == {"é.mp4"}
    assert journal.notes.read("vod-1") == {"session": "s"}
    assert journal.notes.read("vod-2") == {}
    assert set(journal.notes.names()) == {"owner", "claim", "vod-1"}
    assert left(store, JOB)
    assert not left(store, JOB[::-1])
    journal.close()
    assert not left(store, JOB)
    assert list(store.list("")) == []


def test_a_note_that_is_none_says_nothing(store: MemoryStore, journal: Journal) -> None:
    for name, data in (("claim", b"{"), ("upload-1", b"[]"), ("upload-2", b'{"file": 3}')):
        store.put(f".recpipe/{JOB}/{name}.json", data)
    assert journal.notes.claimed() == Claim()
    journal.recover(store)
    assert set(journal.notes.names()) == {"owner", "claim"}


def test_uploads_are_noted_while_they_are_open(store: MemoryStore, journal: Journal) -> None:
    guarded = Guarded(store, journal)
    upload, other = guarded.upload("a.mp4"), guarded.upload("b.mp4")
    assert len([name for name in journal.notes.names() if name.startswith("upload-")]) == 2
    upload.part(1, b"x")
    upload.complete()
    other.abort()
    assert journal.notes.names() == ("owner",)
    assert store.get("a.mp4").data == b"x"


def test_a_run_that_was_killed_with_open_uploads_leaves_none(store: MemoryStore, journal: Journal) -> None:
    theirs = store.upload("a.mp4").id
    guarded = Guarded(store, journal)
    guarded.upload("a.mp4").part(1, b"x")
    guarded.upload("b.mp4")
    other = store.upload("a.mp4.more").id
    journal.recover(store)
    assert list(store.uploads("")) == [("a.mp4", theirs), ("a.mp4.more", other)]
    assert journal.notes.names() == ("owner",)


@pytest.mark.parametrize("after", [False, True], ids=["before the store began it", "before its id was noted"])
def test_a_run_that_was_killed_beginning_an_upload_leaves_none(
    store: MemoryStore, journal: Journal, *, after: bool
) -> None:
    class Killing(Below):
        def upload(self, key: str, extras: Extras = PLAIN) -> Upload:  # noqa: ARG002 - it never returns
            if after:
                store.upload(key)
            raise KeyboardInterrupt

    theirs = store.upload("a.mp4").id
    with pytest.raises(KeyboardInterrupt):
        Guarded(Killing(store, ""), journal).upload("a.mp4")
    assert journal.notes.begun(Begun("a.mp4", ()).name) == Begun("a.mp4", (theirs,))
    journal.recover(store)
    assert list(store.uploads("")) == [("a.mp4", theirs)]


def test_no_visible_act_without_the_token(store: MemoryStore, journal: Journal) -> None:
    guarded = Guarded(store, journal)
    guarded.put("a.mp4", b"mine")
    upload = guarded.upload("b.mp4")
    upload.part(1, b"x")
    another = Owner(Runner("there", "", "", 1, 1), "theirs", 10**12)
    store.put(f".recpipe/{JOB}/owner.json", another.to_json())
    acts: list[Callable[[], object]] = [
        lambda: guarded.put("c.mp4", b""),
        lambda: guarded.delete("a.mp4"),
        upload.complete,
        lambda: journal.notes.write("tell", {}),
        lambda: journal.notes.forget(Begun("b.mp4", ()).name),
    ]
    notes = journal.notes.names()
    for act in acts:
        with pytest.raises(OwnedError, match="taken this job over"):
            act()
    with pytest.raises(OwnedError):
        journal.recover(store)
    assert {stat.key for stat in store.list("") if not stat.key.startswith(".")} == {"a.mp4"}
    assert len(list(store.uploads(""))) == 1
    assert journal.notes.names() == notes


def test_an_upload_that_was_begun_twice_because_an_answer_was_lost_is_open_once(store: MemoryStore) -> None:
    theirs = store.upload("a.mp4").id
    patient = Retrying(Shaky(store, times=1, after=True), Patience(seconds=60, first=0, longest=0))
    guarded = Guarded(patient, store_journal(store, JOB, now))
    ours = guarded.upload("a.mp4").id
    assert set(store.uploads("")) == {("a.mp4", theirs), ("a.mp4", ours)}


def test_in_a_folder_nothing_of_a_journal_stays(tmp_path: Path) -> None:
    journal = folder_journal(tmp_path, JOB)
    journal.notes.claim(Claim(frozenset({"a.mp4"})))
    assert (tmp_path / ".recpipe" / JOB / "claim.json").is_file()
    with pytest.raises(OwnedError, match="another recpipe works on the job of"):
        folder_journal(tmp_path, JOB)
    other = folder_journal(tmp_path, JOB[::-1])
    journal.close()
    assert (tmp_path / ".recpipe" / JOB[::-1]).is_dir()
    other.close()
    assert list(tmp_path.iterdir()) == []


def test_notes_may_lie_anywhere(tmp_path: Path) -> None:
    store = MemoryStore()
    Notes(store, f"{tmp_path.name}/x/").write("claim", {"files": ["a"]})
    assert Notes(store, f"{tmp_path.name}/x/").claimed().files == {"a"}
    assert Notes(store, f"{tmp_path.name}/").names() == ()


def test_a_note_that_a_killed_run_did_not_finish_goes_with_the_next_run(tmp_path: Path) -> None:
    child = os.fork()
    if not child:
        with patch.object(LocalStore, "_finish", lambda *_: os.kill(os.getpid(), signal.SIGKILL)):
            folder_journal(tmp_path, JOB).notes.claim(Claim(frozenset({"a.mp4"})))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "lock"]
    journal = folder_journal(tmp_path, JOB)
    assert journal.notes.claimed() == Claim()
    journal.close()
    assert list(tmp_path.iterdir()) == []
