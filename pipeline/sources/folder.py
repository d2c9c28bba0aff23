"""A downloaded folder as a source."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pipeline.errors import CommandError, InputError
from pipeline.sources.protocol import HIDDEN, MOST_OBJECTS
from pipeline.vendors.inventory import Object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.vendors.volcengine import Task


@dataclass(frozen=True, slots=True)
class Folder:
    """A downloaded recording: keys are paths below ``root``, with ``/`` between folders.

    ``task`` is what is known of the Volcengine task that wrote it; None where nothing is.
    """

    root: Path
    task: Task | None = None

    def objects(self) -> tuple[Object, ...]:
        """Its regular files, symbolic links to files included, hidden ones and linked folders left out.

        Raises:
            CommandError: there is no such folder.
            InputError: it cannot be listed, or holds more than `MOST_OBJECTS` files.
        """
        if not self.root.is_dir():
            what = "is a file" if self.root.exists() else "does not exist"
            raise CommandError(f"{self.root} {what}: give the folder that holds the playlists and slices.")
        found: list[Object] = []
        for item in self._walk(self.root, ""):
            found.append(item)
            if len(found) > MOST_OBJECTS:
                raise InputError(
                    f"{self.root} holds over {MOST_OBJECTS} files: give the folder of one recording."
                )
        return tuple(found)

    def _walk(self, place: Path, prefix: str) -> Iterator[Object]:
        try:
            entries = sorted(os.scandir(place), key=lambda e: e.name)
        except OSError as error:
            raise InputError(
                f"{place} cannot be listed ({error.strerror}): make it readable and run again."
            ) from error
        for entry in entries:
            if entry.name.startswith(HIDDEN):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(Path(entry.path), f"{prefix}{entry.name}/")
                continue
            try:
                status = entry.stat()
            except OSError:
                continue  # a link to nothing is no file
            if stat.S_ISREG(status.st_mode):
                yield Object(f"{prefix}{entry.name}", status.st_size, status.st_mtime_ns // 1_000_000)

    def fresh(self) -> Folder:
        """As `Source.fresh`: it is listed whenever it is asked."""
        return self

    @property
    def name(self) -> str:
        """As `Source.name`."""
        return str(self.root)

    @property
    def far(self) -> bool:
        """As `Source.far`."""
        return False

    @property
    def read(self) -> int:
        """As `Source.read`."""
        return 0

    def etags(self, keys: Sequence[str]) -> dict[str, str]:
        """As `Source.etags`."""
        return dict.fromkeys(keys, "")

    def open(self, key: str) -> BinaryIO:
        """As `Source.open`, unbuffered."""
        return (self.root / key).open("rb", buffering=0)

    def shared(self, processes: int) -> None:
        """As `Source.shared`: a folder's slices are read as they are asked for."""

    def ends(self, _keys: Sequence[str], *, again: bool) -> Callable[[str], BinaryIO]:  # noqa: ARG002 - files need no plan
        """As `Source.ends`."""
        return self.open

    def whole(self, *_tracks: Sequence[str]) -> Callable[[str], BinaryIO]:
        """As `Source.whole`."""
        return self.open
