"""Keep: whole small files, such as pictures, put where a job's files go, each in one piece."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import PurePath
from typing import TYPE_CHECKING

from pipeline.errors import CorruptError
from pipeline.steps.render import blame, lock, part_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.storage.protocol import Extras, Store

THREADS = 8
"""Pictures on their way to a store at a time, of each process."""
TYPES = {".jpg": "image/jpeg", ".png": "image/png"}


@dataclass(frozen=True, slots=True)
class KeepInFolder:
    """As `Keeper`: hidden beside its name, which it gets with the manifest."""

    path: Path

    @property
    def at_once(self) -> int:
        """As `Keeper.at_once`: a disk answers at once."""
        return 1

    def __call__(self, file: str, data: bytes, sha256: str) -> str:  # noqa: ARG002 - `kept` and `verify` hash the file itself
        """As `Keeper`; raises OutputError or NoSpaceError."""
        part = part_of(self.path, file)
        try:
            part.write_bytes(data)
        except OSError as error:
            raise blame(error, part) from error
        return ""


@dataclass(frozen=True, slots=True)
class KeepInStore:
    """As `Keeper`: an object at once; it counts when the manifest is there."""

    store: Store
    extras: Extras

    @property
    def at_once(self) -> int:
        """As `Keeper.at_once`."""
        return THREADS

    def __call__(self, file: str, data: bytes, sha256: str) -> str:
        """As `Keeper`; raises StorageError."""
        from pipeline.storage.sending import compare, send_file  # folders need none of it

        told = {**(self.extras.metadata or {}), "recpipe-sha256": sha256}
        extras = replace(self.extras, content_type=TYPES[PurePath(file).suffix], metadata=told)
        sent = send_file(self.store, file, len(data), lambda: BytesIO(data), extras)
        try:
            return compare(self.store, file, sent, lambda: BytesIO(data)).etag
        except CorruptError:
            self.store.delete(file)
            raise


@contextmanager
def alone_in(place: Path) -> Iterator[None]:
    """Have a folder for this run's pictures; raises OutputError where another run has it."""
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        lock(descriptor, part_of(place, "pictures"))
        yield
    finally:
        os.close(descriptor)
