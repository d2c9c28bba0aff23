"""What a batch is asked to do: lines of a list, and how its sources and places are called."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.model.batch import Item, distinct, folder_name, inside, place_for
from pipeline.storage.address import Folder, parse_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MOST_BYTES = 64_000_000
STATE = ".recpipe-batch.jsonl"
"""In the folder of a batch; hidden, so that nobody takes it for a part of a recording."""
FIELDS = frozenset({"source", "place"})
EXPECTED = 'expected a source, or {"source": "…", "place": "…"}'


@dataclass(frozen=True, slots=True)
class Entry:
    """A source, and its place where the caller chose one; else that is made of the source's name.

    Raises:
        CommandError: the source is empty.
    """

    source: str
    place: str = ""

    def __post_init__(self) -> None:
        if not self.source:
            raise CommandError("a source is empty: give a folder, s3://bucket/prefix, or NAME:prefix.")


def read_list(data: bytes, name: str) -> tuple[Entry, ...]:
    """The entries of a list: a line each, blank ones and those that begin with ``#`` left out.

    A line is a source, or an object in JSON with ``source`` and, if wanted, ``place``.

    Args:
        data: the file, in the coding of file names.
        name: of the list, for sentences.

    Raises:
        CommandError: a line is neither, or there is too much of it.
    """
    if len(data) > MOST_BYTES:
        raise CommandError(f"{name} is no list of sources: it has over {MOST_BYTES} bytes.")
    lines = ((n, os.fsdecode(line.strip())) for n, line in enumerate(data.split(b"\n"), 1))
    return tuple(_entry(line, f"{name}, line {n}") for n, line in lines if line and line[0] != "#")


def _entry(line: str, where: str) -> Entry:
    if not line.startswith("{"):
        return Entry(line)
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{where} is no JSON ({error}): {EXPECTED}.") from error
    if strange := sorted(found.keys() - FIELDS):
        raise CommandError(f"{where} has {strange[0]!r}: {EXPECTED}.")
    source, place = found.get("source", ""), found.get("place", "")
    if not (isinstance(source, str) and source and isinstance(place, str)):
        raise CommandError(f"{where} names no source: {EXPECTED}.")
    return Entry(source, place)


def identity(text: str) -> tuple[str, str]:
    """The same text for the same place, however it is written, and the last part of it.

    Folders are told apart by their whole path, links and all; stores by their name and prefix.

    Raises:
        CommandError: it is no address.
    """
    where = parse_address(text)
    if isinstance(where, Folder):
        path = Path(os.path.abspath(where.path))  # noqa: PTH100 - resolve() would follow links
        return str(path), path.name
    last = where.prefix.rstrip("/").rpartition("/")[2]
    return str(where), last or where.store or where.bucket


def items_of(entries: Iterable[Entry], place: str) -> list[Item]:
    """What is to be done, each source once.

    Args:
        entries: the sources.
        place: where their folders go; "" where each has a place of its own.

    Raises:
        CommandError: there is none, one is no address or has no place, or two have the same place.
    """
    items = [_item(entry, place) for entry in entries]
    if not items:
        raise CommandError("there is no source: give SOURCE, or a list that has one with --list.")
    return distinct(items)


def _item(entry: Entry, place: str) -> Item:
    known, last = identity(entry.source)
    if entry.place:
        return Item(entry.source, known, entry.place, identity(entry.place)[0], own=True)
    if not place:
        raise CommandError(f"{entry.source} has no place: give one in the list, or DEST with -o.")
    where = place_for(place, folder_name(last, known))
    return Item(entry.source, known, where, identity(where)[0])


def parts_of(item: Item, place: str, prefixes: tuple[str, ...]) -> Iterator[Item]:
    """The folders of a source that hold recordings, as sources.

    Args:
        item: the source.
        place: as for `items_of`.
        prefixes: of the folders.
    """
    for prefix in prefixes:
        source = inside(item.source, f"{prefix}/")
        known, last = identity(source)
        where = place_for(place, folder_name(last, known))
        if item.own:
            where = item.place if len(prefixes) == 1 else inside(item.place, folder_name(last, known))
        yield Item(source, known, where, identity(where)[0], own=item.own, whole=True)


def state_of(place: str, environ: Mapping[str, str]) -> Path:
    """The file that remembers what is finished, where none is chosen: in the folder, or at home for a store.

    Args:
        place: as for `items_of`.
        environ: the environment; ``XDG_STATE_HOME`` as the XDG Base Directory Specification 0.8 has it.
    """
    above = re.sub(r"[^/:]*\{name\}.*", "", place, flags=re.DOTALL) or "."
    where = parse_address(above)
    if isinstance(where, Folder):
        return where.path / STATE
    home = environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()
    known = hashlib.sha256(identity(above)[0].encode()).hexdigest()[:16]
    return Path(home) / "recpipe" / f"batch-{known}.jsonl"
