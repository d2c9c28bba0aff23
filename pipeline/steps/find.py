"""Find: what recordings a source holds, by its listing and its playlists; no slice is opened."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import InputError, NoRecordingError, PlaylistError
from pipeline.vendors import VENDORS
from pipeline.vendors.inventory import Inventory, sort_objects, take_stock, with_unnamed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model.ledger import Entry
    from pipeline.sources.protocol import Source
    from pipeline.vendors.inventory import Object

MOST_PLAYLIST_BYTES = 64_000_000
KNOWN = "ignored: a "
"""How the notes begin of files that a recorder does write, and that say why nothing is read of them."""


@dataclass(frozen=True, slots=True)
class Found:
    """All recordings of a source, and what belongs to none of them."""

    inventories: tuple[Inventory, ...]
    notes: tuple[Entry, ...]


def find(source: Source) -> Found:
    """Read the listing and all playlists of single users.

    Raises:
        CommandError: no such folder.
        NoRecordingError: no object in it has a name that we know.
        InputError: a playlist cannot be read.
    """
    objects = source.objects()
    if not objects:
        raise NoRecordingError(f"{source.name} is empty: give the folder that holds playlists and slices.")
    listing = sort_objects(objects, source.task)
    texts = {n.item.key: _text(source, n.item) for group in listing.groups for n in group.indexes}
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
        raise NoRecordingError(_no_recording(source, len(objects), listing.notes))
    return Found(inventories, listing.notes)


def _no_recording(source: Source, count: int, notes: Sequence[Entry]) -> str:
    known = next((note for note in notes if note.key and note.what.startswith(KNOWN)), None)
    if known is not None:
        return (
            f"{source.name} holds {count} files and nothing that can be merged: "
            f"{known.key} is a {known.what.removeprefix(KNOWN)}."
        )
    return (
        f"{source.name} holds {count} files and no recording by Agora, TRTC or Volcengine: expected names "
        "as uploaded, such as <sid>_<channel>__uid_s_<uid>__uid_e_video_<utc>.ts."
    )


def _text(source: Source, item: Object) -> str:
    if item.size > MOST_PLAYLIST_BYTES:
        raise PlaylistError(
            f"{item.key} has {item.size} bytes, and a playlist at most {MOST_PLAYLIST_BYTES}: "
            "it is not what a recorder wrote; take it away or download it again."
        )
    try:
        with source.open(item.key) as file:
            return file.read().decode("utf-8", "replace")
    except OSError as error:
        raise InputError(
            f"{item.key} cannot be read ({error.strerror}): make it readable and run again."
        ) from error
