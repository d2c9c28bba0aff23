"""The objects of a listing, sorted into recordings by what their names say."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.model.ledger import Entry, Sort
from pipeline.vendors import parse
from pipeline.vendors.base import BadNameError, Ignored, Kind, Name

if TYPE_CHECKING:
    from collections.abc import Iterable

NOT_YET = {
    "agora_onpremise": "a file of the Agora on-premise SDK, which is not supported yet",
    "volcengine": "a file of Volcengine RTC, which is not supported yet",
}
"""Vendors whose names are read and whose media nothing merges yet: their objects are noted."""


@dataclass(frozen=True, slots=True, order=True)
class Object:
    """A file of the source: key relative to it, size in bytes."""

    key: str
    size: int


@dataclass(frozen=True, slots=True)
class Named:
    """An object and what its name says."""

    name: Name
    item: Object


@dataclass(frozen=True, slots=True)
class Group:
    """The objects of one recording."""

    vendor: str
    prefix: str
    recording: str
    items: tuple[Named, ...]

    @property
    def indexes(self) -> tuple[Named, ...]:
        """Its playlists of single users."""
        return tuple(
            n
            for n in self.items
            if n.name.kind is Kind.INDEX and n.name.uid is not None and n.name.extension in {"m3u8", "mpd"}
        )


@dataclass(frozen=True, slots=True)
class Sorted:
    """A listing by recording, with a note for each object that belongs to none."""

    groups: tuple[Group, ...]
    notes: tuple[Entry, ...]


def sort_objects(objects: Iterable[Object]) -> Sorted:
    """Group objects by recording; what is no recording's is a note, never an error."""
    groups: dict[tuple[str, str, str], list[Named]] = defaultdict(list)
    notes: list[Entry] = []
    for item in sorted(objects):
        if not _is_utf8(item.key):
            shown = item.key.encode("utf-8", "backslashreplace").decode("ascii", "backslashreplace")
            notes.append(Entry(Sort.NOTE, "ignored: its name is not UTF-8", key=shown))
            continue
        try:
            name = parse(item.key)
        except BadNameError as error:
            notes.append(Entry(Sort.NOTE, f"ignored: {error.expected}", key=item.key))
            continue
        if isinstance(name, Ignored):
            notes.append(Entry(Sort.NOTE, f"ignored: {name.reason}", key=item.key))
            continue
        if name.vendor in NOT_YET:
            notes.append(Entry(Sort.NOTE, f"ignored: {NOT_YET[name.vendor]}", key=item.key))
            continue
        groups[name.vendor, name.prefix, name.recording].append(Named(name, item))
    return Sorted(
        tuple(Group(*key, tuple(items)) for key, items in sorted(groups.items())),
        tuple(notes),
    )


def _is_utf8(key: str) -> bool:
    try:
        key.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
