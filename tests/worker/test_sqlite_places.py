"""Where a queue cannot be: one sentence, and whatever is there stays as it is."""

from __future__ import annotations

import errno
import sqlite3
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from pipeline.errors import CommandError, OutputError
from pipeline.worker.queue.jobs import Order
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from tests.worker.clocks import Hands
from tests.worker.contract import order
from tests.worker.sqlite_queue import Kept, queue

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["queue"]  # the fixture


def refused(path: Path, error: type[Exception], words: str) -> None:
    """Whatever is there stays as it is."""
    before = {p: p.read_bytes() for p in path.parent.glob("*") if p.is_file()}
    with pytest.raises(error, match=words) as told:
        SqliteEngine(path, clock=Hands(), patience_s=0.1)
    assert str(path.parent) in str(told.value)
    assert {p: p.read_bytes() for p in path.parent.glob("*") if p.is_file()} == before


@pytest.mark.parametrize("what", [b"#EXTM3U\n" * 200, b"xy", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, what: bytes) -> None:
    (tmp_path / "notes.txt").write_bytes(what)
    refused(tmp_path / "notes.txt", CommandError, "is no queue")


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE jobs (id)", "PRAGMA user_version = 1", "PRAGMA application_id = 77"]
)
def test_a_database_of_something_else_is_refused(tmp_path: Path, statement: str) -> None:
    db = sqlite3.connect(tmp_path / "other.db")
    db.execute(statement)
    db.close()
    refused(tmp_path / "other.db", CommandError, "of something else")


def test_without_a_folder_there_is_no_queue(tmp_path: Path) -> None:
    refused(tmp_path / "no" / "queue.db", OutputError, "there is no folder")


def test_a_folder_is_no_queue(tmp_path: Path) -> None:
    (tmp_path / "queue.db").mkdir()
    refused(tmp_path / "queue.db", OutputError, "cannot be written")


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_without_locks_is_refused(tmp_path: Path, code: int) -> None:
    fault = OSError(code, "no locks")
    with patch("fcntl.lockf", side_effect=fault):
        refused(tmp_path / "queue.db", OutputError, "a local disk with locks")


def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    with patch("tempfile.TemporaryFile", side_effect=OSError(errno.EROFS, "Read-only file system")):
        refused(tmp_path / "queue.db", OutputError, "Read-only file system.*this user's to write")


def test_a_place_where_processes_share_no_memory_is_refused(tmp_path: Path) -> None:
    """SQLite keeps its old journal there (sqlite.org/wal.html 8), as it does with a database in memory."""
    real = sqlite3.connect

    def in_memory(_: str, **values: object) -> sqlite3.Connection:
        return real("file::memory:", **values)  # type: ignore[call-overload, no-any-return]  # handed on

    with patch("sqlite3.connect", in_memory), pytest.raises(OutputError, match="share no memory"):
        SqliteEngine(tmp_path / "queue.db", clock=Hands())


def test_a_database_that_may_only_be_read_is_refused(queue: Kept) -> None:
    """As SQLite tells it, where the folder may be written but the file not."""
    queue.engine.submit(order())
    real = sqlite3.connect

    def read_only(name: str, **values: object) -> sqlite3.Connection:
        return real(name.replace("mode=rw", "mode=ro"), **values)  # type: ignore[call-overload, no-any-return]  # handed on

    with (
        patch("sqlite3.connect", read_only),
        pytest.raises(OutputError, match=r"cannot be written \(attempt to write a readonly database\)"),
    ):
        queue.beside()


def test_a_damaged_queue_says_so(queue: Kept) -> None:
    for number in range(50):
        queue.engine.submit(Order(str(number), "x" * 5000))
    queue.engine.close()
    whole = queue.path.read_bytes()
    queue.path.write_bytes(whole[:8192] + b"\xa5" * (len(whole) - 8192))
    with pytest.raises(OutputError, match="damaged"):
        queue.beside().jobs()
