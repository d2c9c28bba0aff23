"""Find: what recordings a folder holds, by its listing and its playlists; no slice is opened."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pipeline.errors import CommandError, InputError, NoRecordingError, PlaylistError
from pipeline.vendors import VENDORS
from pipeline.vendors.inventory import Inventory, Object, sort_objects, take_stock, with_unnamed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.model.ledger import Entry
    from pipeline.vendors.volcengine import Task

MOST_PLAYLIST_BYTES = 64_000_000
MOST_OBJECTS = 300_000
HIDDEN = "."
KNOWN = "ignored: a "
"""How the notes begin of files that a recorder does write, and that say why nothing is read of them."""


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
                yield Object(f"{prefix}{entry.name}", status.st_size)

    def open(self, key: str) -> BinaryIO:
        """A file of it, unbuffered."""
        return (self.root / key).open("rb", buffering=0)


@dataclass(frozen=True, slots=True)
class Found:
    """All recordings of a source, and what belongs to none of them."""

    inventories: tuple[Inventory, ...]
    notes: tuple[Entry, ...]


def find(folder: Folder) -> Found:
    """Read the listing and all playlists of single users.

    Raises:
        CommandError: no such folder.
        NoRecordingError: no object in it has a name that we know.
        InputError: a playlist cannot be read.
    """
    objects = folder.objects()
    if not objects:
        raise NoRecordingError(f"{folder.root} is empty: give the folder that holds playlists and slices.")
    listing = sort_objects(objects, folder.task)
    texts = {n.item.key: _text(folder, n.item) for group in listing.groups for n in group.indexes}
    playlists = {
        n.item.key: VENDORS[group.vendor].read_playlist(texts[n.item.key], n.item.key)
        for group in listing.groups
        for n in group.indexes
    }
    listing = with_unnamed(listing, objects, playlists)
    digests = {key: hashlib.sha256(text.encode()).hexdigest() for key, text in texts.items()}
    stocks = (take_stock(group, playlists, digests) for group in listing.groups)
    inventories = tuple(stock for stock in stocks if stock.recording.users)
    if not inventories:
        raise NoRecordingError(_no_recording(folder, len(objects), listing.notes))
    return Found(inventories, listing.notes)


def _no_recording(folder: Folder, count: int, notes: Sequence[Entry]) -> str:
    known = next((note for note in notes if note.key and note.what.startswith(KNOWN)), None)
    if known is not None:
        return (
            f"{folder.root} holds {count} files and nothing that can be merged: "
            f"{known.key} is a {known.what.removeprefix(KNOWN)}."
        )
    return (
        f"{folder.root} holds {count} files and no recording by Agora, TRTC or Volcengine: expected names "
        "as uploaded, such as <sid>_<channel>__uid_s_<uid>__uid_e_video_<utc>.ts."
    )


def _text(folder: Folder, item: Object) -> str:
    if item.size > MOST_PLAYLIST_BYTES:
        raise PlaylistError(
            f"{item.key} has {item.size} bytes, and a playlist at most {MOST_PLAYLIST_BYTES}: "
            "it is not what a recorder wrote; take it away or download it again."
        )
    try:
        with folder.open(item.key) as file:
            return file.read().decode("utf-8", "replace")
    except OSError as error:
        raise InputError(
            f"{item.key} cannot be read ({error.strerror}): make it readable and run again."
        ) from error
