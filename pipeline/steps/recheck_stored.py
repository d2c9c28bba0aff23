"""Recheck in a store: outputs verified where they lie, against the manifest beside them.

What an MP4 says of itself is read in ranges; a file of another container that has to be read is fetched into
a temporary folder. With ``full`` every byte is read back and hashed.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from pipeline.errors import CommandError, NoSpaceError, ObjectMissingError
from pipeline.model.containers import Container
from pipeline.model.manifest import FILE, MOST_MANIFEST_BYTES, Manifest, Output, Picture, Verdict
from pipeline.model.options import Verify
from pipeline.model.verification import Checked, Verification
from pipeline.sources.protocol import HIDDEN
from pipeline.sources.ranges import RangeFile
from pipeline.steps.recheck import TOO_LARGE, parsed, sensible, unfit
from pipeline.steps.verify import verify, verify_movie, verify_picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.model.manifest import Part
    from pipeline.steps.deliver import Target
    from pipeline.storage.protocol import Stat, Store

STEP = 8 << 20
"""Bytes that are fetched at a time for a temporary file."""
TABLES = 128 << 10
"""Bytes that are asked for at least while tables are read."""
BEHIND = "0"
"""The character behind the slash in the order of keys."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What a place may mean if it is no folder: one file in the folder above.

    Attributes:
        place: the folder above.
        file: the rest of what was written.
    """

    place: Target
    file: str


def recheck_stored(place: Target, level: Verify, beside: Beside | None = None) -> Verification:
    """Verify a prefix with a manifest, the folders below it that have one, or one output.

    Args:
        place: what was written, as a folder.
        level: ``FULL`` reads every byte and decodes, ``FAST`` reads what the store and the tables say.
        beside: the same, as a file.

    Raises:
        CommandError: there is no manifest, or it does not name the file asked for.
        StorageError: the store does not answer, or an object changes meanwhile.
        NoSpaceError: a file that has to be fetched has no room.
    """
    return Verification(tuple(_checked(place, level, beside)))


def _checked(place: Target, level: Verify, beside: Beside | None) -> Iterator[Checked]:
    found = _read(place)
    if found is not None:
        yield from _all_of(place, found, level)
        return
    none = True
    for below in _folders(place):
        found = _read(below)
        if found is not None:
            none = False
            yield from _all_of(below, found, level)
    if none:
        yield from _beside(place, level, beside)


def _folders(place: Target) -> Iterator[Target]:
    """What lies below a place, a level deep; what is in the folders is not listed."""
    after = ""
    while True:
        stat = next((stat for stat in place.store.list("", after) if "/" in stat.key), None)
        if stat is None:
            return
        folder, _, _ = stat.key.partition("/")
        if folder and not folder.startswith(HIDDEN):
            yield place.below(folder)
        after = f"{folder}{BEHIND}"


def _beside(place: Target, level: Verify, beside: Beside | None) -> Iterator[Checked]:
    found = _read(beside.place) if beside else None
    if beside is None or found is None:
        raise CommandError(
            f"{place.name} has no {FILE}, nor has a folder in it: give a prefix that recpipe has written to."
        )
    if beside.file == FILE or isinstance(found, str):
        yield from _all_of(beside.place, found, level)
        return
    entry = next((entry for entry in found.entries if entry.file == beside.file), None)
    if entry is None:
        raise CommandError(
            f"{beside.place.at(FILE)} does not name {beside.file}: give one of the files it names."
        )
    yield _one(beside.place, entry, level)


def _read(place: Target) -> Manifest | str | None:
    """The manifest of a place, what is wrong with it, or None where none is."""
    try:
        if place.store.stat(FILE).size > MOST_MANIFEST_BYTES:
            return TOO_LARGE
        return parsed(place.store.get(FILE).data)
    except ObjectMissingError:
        return None


def _all_of(place: Target, found: Manifest | str, level: Verify) -> Iterator[Checked]:
    if isinstance(found, str):
        yield Checked(place.at(FILE), "", Verdict(level, 1, 0, (found,)))
        return
    for entry in found.entries:
        yield _one(place, entry, level)


def _one(place: Target, entry: Output | Picture, level: Verify) -> Checked:
    verdict = sensible(lambda: _verdict(place.store, entry, level), level)
    return Checked(place.at(entry.file), entry.uid, verdict)


def _verdict(store: Store, entry: Output | Picture, level: Verify) -> Verdict:
    problem = unfit(entry)
    if problem:
        return Verdict(level, 1, 0, (problem,))
    try:
        there = store.stat(entry.file)
    except ObjectMissingError:
        return Verdict(level, 1, 0, ("it is not there",))
    if there.size != entry.size:
        return Verdict(level, 2, 0, (f"{there.size} bytes instead of {entry.size}",))
    if isinstance(entry, Picture) and (level is Verify.FULL or not entry.etag):
        return verify_picture(lambda: store.get(entry.file).data, entry, level)
    if level is Verify.FULL and isinstance(entry, Output):
        return _full(store, there, entry)
    return _fast(store, there, entry)


def _fast(store: Store, there: Stat, entry: Output | Picture) -> Verdict:
    """By what the store says, and by the tables of an MP4.

    A copy that another tool has made has other ETags and the same bytes: ``full`` reads them.
    """
    if entry.etag and there.etag != entry.etag:
        said = (
            f"its ETag is {there.etag or 'gone'} instead of {entry.etag}: it was written anew; "
            f"--level {Verify.FULL} tells whether its bytes are the same"
        )
        return Verdict(Verify.FAST, 3, 0, (said,))
    known = 2 + bool(entry.etag)
    if isinstance(entry, Picture):
        return Verdict(Verify.FAST, known, 0)
    return _fast_output(store, there, entry, known)


def _fast_output(store: Store, there: Stat, output: Output, known: int) -> Verdict:
    """The same for a file of sound or pictures, ``known`` checks of which were made."""
    if not _is_movie(output):
        return Verdict(Verify.FAST, known, 0) if output.etag else _fetched(store, there, output, Verify.FAST)
    # The hash of what is not read is not asked for.
    asked = replace(output, sha256="")
    file = cast("BinaryIO", RangeFile(store, there, step=TABLES))
    found, _ = verify_movie(lambda: file, there.size, asked, Verify.FAST, whole=False)
    return replace(found, checks=found.checks + known)


def _full(store: Store, there: Stat, output: Output) -> Verdict:
    if not _is_movie(output):
        return _fetched(store, there, output, Verify.FULL)
    readers: list[Hashing] = []

    def opened() -> BinaryIO:
        parts = () if output.sha256 else output.parts
        readers.append(Hashing(RangeFile(store, there), parts))
        return cast("BinaryIO", readers[-1])

    found, _ = verify_movie(opened, there.size, output, Verify.FULL, whole=True)
    whole = next((reader for reader in readers if reader.ended), None)
    if whole is None:
        return found  # it could not be read to its end, which the verdict says
    return replace(
        found,
        checks=found.checks + len(whole.parts),
        problems=(*found.problems, *whole.changed()),
    )


def _is_movie(output: Output) -> bool:
    return Container(output.container) in {Container.MP4, Container.M4A}


def _fetched(store: Store, there: Stat, output: Output, level: Verify) -> Verdict:
    """The verdict on a file that is looked at on the disk."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < there.size:
        raise NoSpaceError(
            f"{output.file} has {there.size} bytes and {tempfile.gettempdir()}, where it is fetched to, has "
            f"{free}: free some space, or set TMPDIR to another place."
        )
    with tempfile.TemporaryDirectory(prefix="recpipe-") as scratch:
        path = Path(scratch) / "output"
        source = RangeFile(store, there, step=STEP)
        with path.open("wb") as file:
            shutil.copyfileobj(source, file, STEP)
        return verify(path, output, level)[0]


class Hashing(io.RawIOBase):
    """A file whose parts are hashed by MD5 as its bytes are read for the first time, from its beginning on.

    Args:
        file: which may be read anywhere.
        parts: that it is made of.

    Attributes:
        parts: as given.
    """

    def __init__(self, file: RangeFile, parts: tuple[Part, ...]) -> None:
        super().__init__()
        self._file = file
        self.parts = parts
        ends = [0]
        for part in parts:
            ends.append(ends[-1] + part.size)
        self._places = list(pairwise(ends))
        self._digests = [hashlib.md5(usedforsecurity=False) for _ in parts]
        self._now = 0
        self._seen = 0

    @property
    def ended(self) -> bool:
        """All bytes of all parts were read."""
        return bool(self.parts) and self._seen == self._places[-1][1]

    def changed(self) -> Iterator[str]:
        """A sentence for each part that has other bytes than left for the store."""
        for number, (part, digest) in enumerate(zip(self.parts, self._digests, strict=True), 1):
            if digest.hexdigest() != part.md5:
                yield f"part {number} has other bytes than its MD5 in the manifest says"

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of any file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """As of any file."""
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        """As of any file."""
        at = self._file.tell()
        data = self._file.read(size)
        if at <= self._seen < at + len(data):
            self._see(memoryview(data)[self._seen - at :])
        return data

    def _see(self, view: memoryview) -> None:
        begin, stop = self._seen, self._seen + len(view)
        while self._now < len(self._places):
            start, end = self._places[self._now]
            self._digests[self._now].update(view[max(0, start - begin) : end - begin])
            if end > stop:
                break
            self._now += 1
        self._seen = stop
