"""Stock: finished pieces of a composite where every host reaches them, below the journal of its job.

A piece is named by its number, the work that it is of, and its bytes; its note tells these and comes last.
Two hosts that make the same piece are in nobody's way, and one that is not what its note says is made anew.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from pipeline.errors import ObjectMissingError, OutputError
from pipeline.steps.deliver import Target
from pipeline.steps.publish import JOURNALS, FolderPlace
from pipeline.steps.render import blame
from pipeline.storage.below import Below
from pipeline.storage.protocol import Extras
from pipeline.storage.sending import MOST_PARTS, send_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.steps.pieces import Workshop
    from pipeline.steps.place import Place
    from pipeline.storage.protocol import Store

FOLDER = "pieces"
"""In the journal of a job."""
OLD_MS = 7 * 86_400_000
"""Far longer than any job waits for its shares, or anybody before trying it again."""
MOST_NOTE = 16 << 20
_BLOCK = 8 << 20
_DIGITS = 16
"""Of a SHA-256, in names."""
_MARK, _NOTE, _PIECE = ".plan", ".json", ".mp4"


class Files(Protocol):
    """Small ways to reach the files of a stock, in a folder or in a store."""

    def names(self) -> Iterable[str]:
        """Of all that are there."""
        ...

    def read(self, name: str) -> bytes | None:
        """A small file; None where there is none."""
        ...

    def write(self, name: str, data: bytes, *, first: bool = False) -> None:
        """A small file; if it is the first one the stock may have to be made for it."""
        ...

    def send(self, name: str, path: Path) -> None:
        """Put a file there, which may be moved."""
        ...

    def receive(self, name: str, path: Path) -> None:
        """Have a file at a path, not to be written. Raises ObjectMissingError where it is not there."""
        ...

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for making pieces, removed afterwards."""
        ...

    def clear(self) -> None:
        """Remove all."""
        ...


class Stock:
    """The finished pieces of the composites of a job.

    Args:
        files: where they lie.
        name: of their place, for sentences.
    """

    def __init__(self, files: Files, name: str) -> None:
        self._files = files
        self._name = name

    def begin(self, identity: str) -> None:
        """Pieces of a work may come."""
        self._files.write(_short(identity) + _MARK, identity.encode("ascii"), first=True)

    def check(self, identity: str) -> None:
        """Raises OutputError where pieces of a work are not waited for: nobody began it, or it is done."""
        if self._files.read(_short(identity) + _MARK) != identity.encode("ascii"):
            raise OutputError(
                f"no pieces are waited for in {self._name}: give a place that every worker reaches, or "
                '"spread": "never" in the limits of the job.'
            )

    def finished(self, identity: str) -> frozenset[str]:
        """The names of those pieces of a work whose notes are there."""
        before = f"{_short(identity)}-"
        return frozenset(
            name[len(before) : -len(_NOTE)]
            for name in self._files.names()
            if name.startswith(before) and name.endswith(_NOTE)
        )

    def put(self, shop: Workshop, name: str) -> None:
        """Put a piece there that was finished in a workshop. Raises as `check`."""
        note = (shop.folder / f"{name}{_NOTE}").read_bytes()
        self.check(shop.identity)
        self._files.send(_piece(shop.identity, name, json.loads(note)), shop.file(name))
        self._files.write(f"{_short(shop.identity)}-{name}{_NOTE}", note)

    def fetch(self, identity: str, name: str, folder: Path) -> None:
        """Have a piece and its note in a folder as a workshop leaves them; nothing where it is lost.

        Whether it is what its note says is for the workshop to see.
        """
        note = self._files.read(f"{_short(identity)}-{name}{_NOTE}")
        try:
            piece = _piece(identity, name, json.loads(note or b""))
            self._files.receive(piece, folder / f"{name}{_PIECE}")
        except (ValueError, KeyError, TypeError, ObjectMissingError):
            return
        (folder / f"{name}{_NOTE}").write_bytes(note or b"")

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """As `Files.scratch`."""
        with self._files.scratch() as folder:
            yield folder

    def clear(self) -> None:
        """Remove all pieces, of whatever work, and what was left of their making."""
        self._files.clear()


def stock_of(place: Place, job: str) -> Stock:
    """The stock of a job in its place.

    Raises:
        TypeError: it is another kind of place.
    """
    if isinstance(place, FolderPlace):
        return Stock(InFolder(place.path / JOURNALS / job / FOLDER), place.name)
    if isinstance(place, Target):
        extras = place.extras  # tags and classes of storage are for what stays
        kept = Extras("video/mp4", encryption=extras.encryption, kms_key=extras.kms_key)
        return Stock(InStore(Below(place.store, f"{JOURNALS}/{job}/{FOLDER}/"), kept), place.name)
    raise TypeError(f"{place!r} has no stock")


def forget_old(place: Place, job: str, now_ms: int) -> None:
    """Remove the stocks of other jobs that nobody goes on with: nothing was put there for `OLD_MS`.

    Args:
        place: of all these jobs.
        job: whose stock stays.
        now_ms: UTC.
    """
    newest: dict[str, int] = {}
    for stat in place.objects.list(f"{JOURNALS}/"):
        _, other, *rest = stat.key.split("/")
        if len(rest) > 1 and rest[0] == FOLDER and other != job:
            at = stat.modified_ms or now_ms  # of an age that the store does not tell
            newest[other] = max(newest.get(other, 0), at)
    for other, at in newest.items():
        if at < now_ms - OLD_MS:
            stock_of(place, other).clear()


def _short(identity: str) -> str:
    return identity[:_DIGITS]


def _piece(identity: str, name: str, note: dict[str, Any]) -> str:
    return f"{_short(identity)}-{name}-{note['sha256'][:_DIGITS]}{_PIECE}"


class InFolder:
    """As `Files`, in a folder that only `write` with ``first`` makes: who comes late makes no new one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """As `Files.names`."""
        return [path.name for path in self._path.iterdir()] if self._path.is_dir() else []

    def read(self, name: str) -> bytes | None:
        """As `Files.read`."""
        try:
            return (self._path / name).read_bytes()
        except OSError:
            return None

    def write(self, name: str, data: bytes, *, first: bool = False) -> None:
        """As `Files.write`."""
        part = self._path / f".{name}.{uuid4()}"
        try:
            if first:
                self._path.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            part.replace(self._path / name)
        except OSError as error:
            raise blame(error, part) from error

    def send(self, name: str, path: Path) -> None:
        """As `Files.send`: scratch lies on the same disk."""
        try:
            path.replace(self._path / name)
        except OSError as error:
            raise blame(OSError(error.errno, error.strerror), self._path / name) from error

    def receive(self, name: str, path: Path) -> None:
        """As `Files.receive`."""
        path.unlink(missing_ok=True)
        try:
            os.link(self._path / name, path)
        except FileNotFoundError:
            raise ObjectMissingError(f"{name} is not there any more: run again.") from None
        except OSError:  # there are file systems without links
            shutil.copyfile(self._path / name, path)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """As `Files.scratch`: what a killed process leaves there goes with the stock."""
        try:
            folder = Path(mkdtemp(prefix=".", suffix=f".{FOLDER}", dir=self._path))
        except OSError as error:
            raise blame(OSError(error.errno, error.strerror), self._path) from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def clear(self) -> None:
        """As `Files.clear`; twice, for somebody may just have written who does not know yet."""
        for _ in range(2):
            shutil.rmtree(self._path, ignore_errors=True)
        with suppress(OSError):
            self._path.parent.rmdir()  # unless the job has a journal


class InStore:
    """As `Files`, below a prefix of a store.

    Args:
        store: its keys are relative to the prefix.
        extras: that go with each piece.
    """

    def __init__(self, store: Store, extras: Extras) -> None:
        self._store = store
        self._extras = extras

    def names(self) -> list[str]:
        """As `Files.names`."""
        return [stat.key for stat in self._store.list("")]

    def read(self, name: str) -> bytes | None:
        """As `Files.read`."""
        try:
            if self._store.stat(name).size > MOST_NOTE:
                return None
            return self._store.get(name).data
        except ObjectMissingError:
            return None

    def write(self, name: str, data: bytes, *, first: bool = False) -> None:  # noqa: ARG002 - a prefix is not made
        """As `Files.write`."""
        self._store.put(name, data, self._extras)

    def send(self, name: str, path: Path) -> None:
        """As `Files.send`."""
        store = self._store
        size, most = path.stat().st_size, min(MOST_PARTS, store.parts.most)
        send_file(store, name, size, lambda: path.open("rb"), self._extras, most=most)
        path.unlink()

    def receive(self, name: str, path: Path) -> None:
        """As `Files.receive`."""
        with path.open("wb") as file:
            while data := self._store.get_range(name, file.tell(), _BLOCK).data:
                file.write(data)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """As `Files.scratch`."""
        with TemporaryDirectory(prefix="recpipe-", suffix=f".{FOLDER}") as folder:
            yield Path(folder)

    def clear(self) -> None:
        """As `Files.clear`, and uploads that a killed process has left."""
        names = sorted(self.names(), key=lambda name: name.endswith(_MARK))  # the marks last
        if names:
            for key, upload in list(self._store.uploads("")):
                self._store.abort(key, upload)
        for name in names:
            self._store.delete(name)
