"""From a path to connections that keep what they say, one a thread; what SQLite complains of, as sentences.

Queues and inboxes are opened alike; which of them a file is, is a `Kind`.

A connection is never used after a fork (sqlite.org/howtocorrupt.html 2.6): whoever forks without exec opens
an engine of its own. The database itself is opened by SQLite alone, because closing any other descriptor of
it would drop the locks that SQLite holds (the same, 2.2).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from pipeline.errors import CommandError, EngineBusyError, NoSpaceError, OutputError, RecpipeError
from pipeline.worker.queue.sqlite.schema import QUEUE, STEPS, migrate, recognise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pipeline.worker.queue.sqlite.schema import Kind, Step

    _File: TypeAlias = tuple[int, int]
    """Which one, whatever its name is now: its device and inode."""

T = TypeVar("T")

_LOST_RACE = sqlite3.SQLITE_PROTOCOL  # for the log, again and again (sqlite.org/rescode.html#protocol)
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, _LOST_RACE}
_CLOSED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
_PAUSE_S = 0.001
"""Between looks at a lock. SQLite's own waiting looks after 100 ms in the end: beside one process that wrote
without a pause, another one waited for 8 s."""


@contextmanager
def in_sentences(path: Path, kind: Kind = QUEUE) -> Iterator[None]:
    """What SQLite complains of becomes an error of ours; what it does not number is a bug and stays."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:
            raise
        raise _sentence(path, kind.noun, code & 0xFF, str(error)) from error


def _sentence(path: Path, noun: str, code: int, said: str) -> RecpipeError:
    """By the primary result code (sqlite.org/rescode.html)."""
    what = f"{noun} {path}"
    if code in _BUSY:
        return EngineBusyError(f"the {what} is locked by another process for too long: try again.")
    if code == sqlite3.SQLITE_NOTADB:
        return CommandError(f"{path} is no {noun} (no SQLite database): name another file.")
    if code in _CLOSED:
        return OutputError(
            f"the {what} cannot be written ({said}): it and its folder must be this user's to write."
        )
    if code == sqlite3.SQLITE_FULL:
        return NoSpaceError(f"there is no space left for the {what}: make some and run again.")
    if code == sqlite3.SQLITE_CORRUPT:
        return OutputError(f"the {what} is damaged ({said}): restore it, or move it away and start anew.")
    return OutputError(
        f"the {what} cannot be read or written ({said}): it needs a sound local disk with locks."
    )


def prepare_place(path: Path, kind: Kind = QUEUE) -> None:
    """Make the file, for its owner alone, unless it is there; see that its file system has locks.

    SQLite gives its other two files the same permissions.

    Raises:
        OutputError: it cannot be made, or nothing can be locked there.
    """
    try:
        with tempfile.TemporaryFile(dir=path.parent) as probe:  # a lock that fails looks "busy" in SQLite
            fcntl.lockf(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with suppress(FileExistsError):
            _make(path)
    except FileNotFoundError:
        raise OutputError(
            f"there is no folder {path.parent} for the {kind.noun}: make it, or name another."
        ) from None
    except OSError as error:
        raise OutputError(
            f"the {kind.noun} {path} cannot be kept there ({error.strerror}): it needs a local disk with"
            " locks, in a folder that is this user's to write."
        ) from error


def _make(path: Path) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def connect(
    path: Path, patience_s: float, steps: Sequence[Step] = STEPS, kind: Kind = QUEUE
) -> sqlite3.Connection:
    """A connection to a file of the newest version, whose every commit is on the disk when it returns.

    Raises:
        sqlite3.Error: to be told by `in_sentences`.
        CommandError: it is none, or of a newer version.
        OutputError: it lies where SQLite can share no memory.
    """
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=0,  # see `patiently`
        isolation_level=None,
        check_same_thread=False,  # used by one thread, closed by any
    )
    try:
        db.row_factory = sqlite3.Row
        patiently(lambda: _set(db, path, len(steps), kind), patience_s)
        with transaction(db, patience_s):
            migrate(db, path, steps, kind)
            # refused where it may only be read: BEGIN takes that
            db.execute(f"DELETE FROM {kind.table} WHERE 0")  # noqa: S608 - our own words
    except BaseException:
        db.close()
        raise
    return db


def _set(db: sqlite3.Connection, path: Path, newest: int, kind: Kind) -> None:
    """What a connection needs, harmless twice: each of these reads the file, and may find it locked."""
    db.execute("BEGIN")  # one view of a file that another process may be filling
    try:
        recognise(db, path, newest, kind)  # before anything of it is changed
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
    (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise OutputError(f"the {kind.noun} {path} lies where processes share no memory: name a local disk.")
    db.execute("PRAGMA synchronous = FULL")


def patiently(act: Callable[[], T], patience_s: float) -> T:
    """Do it when no other process is in the way. Raises what SQLite says where one is for too long."""
    until = time.monotonic() + patience_s
    while True:
        try:
            return act()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() > until:
                raise
        time.sleep(_PAUSE_S)


@contextmanager
def transaction(db: sqlite3.Connection, patience_s: float) -> Iterator[None]:
    """All or nothing, alone from the first statement on: what was read cannot change before it is used."""
    try:  # a signal may raise right behind BEGIN
        patiently(lambda: db.execute("BEGIN IMMEDIATE"), patience_s)
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


class Connections:
    """One a thread, opened when it first asks; those of threads that have ended are closed.

    A file that was removed or replaced would be written as before, and nobody would ever read that: it is
    looked for by name each time. SQLite leaves the files beside another one alone when the old one is closed.

    Args:
        path: of the database.
        patience_s: how long to wait for a lock.
        steps: of its schema.
        kind: what it is.
    """

    def __init__(
        self, path: Path, patience_s: float, steps: Sequence[Step] = STEPS, kind: Kind = QUEUE
    ) -> None:
        self._path = path
        self._steps = steps
        self._kind = kind
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._of: dict[threading.Thread, tuple[sqlite3.Connection, _File]] = {}

    def mine(self) -> sqlite3.Connection:
        """This thread's. Raises as `connect`."""
        me = threading.current_thread()
        file = self._file()
        found = self._of.get(me)
        if found is not None and found[1] == file:
            return found[0]
        with self._lock:
            for thread in [t for t in self._of if t is me or not t.is_alive()]:
                self._of.pop(thread)[0].close()
        made = connect(self._path, self._patience_s, self._steps, self._kind)
        with self._lock:
            self._of[me] = (made, file)
        return made

    def close(self) -> None:
        """All of them; no thread may be using one."""
        with self._lock:
            while self._of:
                self._of.popitem()[1][0].close()

    def _file(self) -> _File:
        try:
            seen = self._path.stat()
        except OSError as error:
            raise OutputError(
                f"the {self._kind.noun} {self._path} is gone ({error.strerror}): bring it back, or start"
                " anew."
            ) from error
        return (seen.st_dev, seen.st_ino)
