"""The objects of a listing, sorted into recordings by what their names say."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pipeline.model.ledger import Entry, Sort
from pipeline.vendors import parse, volcengine
from pipeline.vendors.agora import AgoraName
from pipeline.vendors.agora_onpremise.names import DONE
from pipeline.vendors.base import BadNameError, Ignored, Kind, Name
from pipeline.vendors.keys import join_key
from pipeline.vendors.volcengine.batch import told_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.vendors.base import Playlist
    from pipeline.vendors.volcengine import Task

NAMED_BY_PLAYLISTS = frozenset({"volcengine"})
"""Vendors that do not tell how slices are called: what a playlist lists is one, whatever its name."""


_MEDIA = {Kind.INDEX, Kind.SLICE, Kind.FINISHED}
_SID = re.compile(r"[0-9a-f]{32}|sid[0-9A-Za-z]*", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Object:
    """A file of the source.

    Attributes:
        key: relative to the source.
        size: bytes.
        modified_ms: UTC at which it was last written, 0 where nothing tells; makes no other object of it.
    """

    key: str
    size: int
    modified_ms: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Named:
    """An object and what its name says."""

    name: Name
    item: Object


@dataclass(frozen=True, slots=True)
class Group:
    """The objects of one recording.

    Attributes:
        unnamed: slices that only its playlists tell to be such.
        ended: its folder has the mark that the recording ended, where the vendor leaves one.
    """

    vendor: str
    prefix: str
    recording: str
    items: tuple[Named, ...]
    unnamed: tuple[Object, ...] = ()
    ended: bool = True

    @property
    def mixed(self) -> bool:
        """Whether all that it holds is a composite: where single users are there, they are better."""
        return not any(n.name.uid is not None and n.name.kind in _MEDIA for n in self.items)

    @property
    def indexes(self) -> tuple[Named, ...]:
        """Its playlists and event files: of single users, or of the composite."""
        mixed = self.mixed
        return tuple(
            n
            for n in self.items
            if n.name.kind in {Kind.INDEX, Kind.EVENTS}
            and (mixed or n.name.uid is not None)
            and n.name.extension in {"m3u8", "mpd", "txt"}
        )

    def keys_of(self, uri: str) -> tuple[str, str]:
        """The keys that a playlist line may mean: as it is written, and percent-decoded."""
        folder = f"{self.prefix}/" if self.prefix else ""
        return folder + uri, folder + unquote(uri)


@dataclass(frozen=True, slots=True)
class Sorted:
    """A listing by recording, with a note for each object that belongs to none."""

    groups: tuple[Group, ...]
    notes: tuple[Entry, ...]


def sort_objects(objects: Iterable[Object], task: Task | None = None) -> Sorted:
    """Group objects by recording; what is no recording's is a note, never an error.

    The ``task`` of Volcengine tells the ids in its names apart.
    """
    named: list[Named] = []
    notes: list[Entry] = []
    for item in sorted(objects):
        if not _is_utf8(item.key):
            shown = item.key.encode("utf-8", "backslashreplace").decode("ascii", "backslashreplace")
            notes.append(Entry(Sort.NOTE, "ignored: its name is not UTF-8", key=shown))
            continue
        try:
            name = _parse(item.key, task)
        except BadNameError as error:
            notes.append(Entry(Sort.NOTE, f"ignored: {error.expected}", key=item.key))
            continue
        if isinstance(name, Ignored):
            notes.append(Entry(Sort.NOTE, f"ignored: {name.reason}", key=item.key))
        elif _is_doubtful(name):
            what = "ignored: it may be part of a composite, but its name may be anybody's"
            notes.append(Entry(Sort.NOTE, what, key=item.key))
        else:
            named.append(Named(name, item))
    groups: dict[tuple[str, str, str], list[Named]] = defaultdict(list)
    for each in _told_apart(named):
        groups[each.name.vendor, each.name.prefix, each.name.recording].append(each)
    marks = {note.key for note in notes if note.key.endswith(DONE)}
    return Sorted(
        tuple(
            Group(*key, tuple(items), ended=key[0] != "agora_onpremise" or join_key(key[1], DONE) in marks)
            for key, items in sorted(groups.items())
        ),
        tuple(notes),
    )


def _is_doubtful(name: Name) -> bool:
    """Whether only the form ``<word>_<word>`` speaks for a composite: a sid of Agora is longer."""
    return isinstance(name, AgoraName) and name.uid is None and _SID.fullmatch(name.sid) is None


def _parse(key: str, task: Task | None) -> Name | Ignored:
    """The name behind a key, by its task where that wrote it; raises `BadNameError`."""
    if task is not None:
        try:
            return volcengine.parse(key, task)
        except BadNameError:
            pass  # not of this task
    return parse(key)


def _told_apart(named: Sequence[Named]) -> list[Named]:
    """The same objects, the ids in Volcengine's names apart where they tell one another."""
    batch = [n.name for n in named if isinstance(n.name, volcengine.VolcengineName)]
    apart = {str(name): name for name in told_apart(batch)}
    return [replace(n, name=apart.get(n.item.key, n.name)) for n in named]


def with_unnamed(listing: Sorted, objects: Iterable[Object], playlists: Mapping[str, Playlist]) -> Sorted:
    """The listing with slices of any name in the recordings whose playlists list them.

    Args:
        listing: as `sort_objects` made it.
        objects: the same ones.
        playlists: the playlists of its groups by key.
    """
    sizes = {item.key: item for item in objects}
    claimed: dict[str, Group] = {}
    for group in listing.groups:
        if group.vendor in NAMED_BY_PLAYLISTS:
            own = {n.item.key for n in group.items}
            for index in group.indexes:
                lines = (line for s in playlists[index.item.key].segments for line in group.keys_of(s.uri))
                claimed |= {key: group for key in lines if key in sizes and key not in own}
    if not claimed:
        return listing
    groups = tuple(
        replace(
            group,
            items=tuple(n for n in group.items if n.item.key not in claimed),
            unnamed=tuple(sizes[key] for key, owner in sorted(claimed.items()) if owner is group),
        )
        for group in listing.groups
    )
    return Sorted(
        tuple(group for group in groups if group.items),
        tuple(note for note in listing.notes if note.key not in claimed),
    )


def _is_utf8(key: str) -> bool:
    try:
        key.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
