"""Deliver: finished, verified files of a folder into a store, the manifest last.

A file that is larger than a part goes up in parts, several at a time. What arrived is compared with what was
sent; an object that differs is removed again.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.errors import CommandError, CorruptError, ObjectMissingError
from pipeline.model.containers import Container
from pipeline.model.manifest import FILE, MOST_MANIFEST_BYTES, from_json
from pipeline.steps.publish import PENDING
from pipeline.storage.below import Below
from pipeline.storage.etags import whole_etag
from pipeline.storage.protocol import Extras

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pipeline.model.manifest import Manifest, Output
    from pipeline.storage.protocol import Stat, Store, Upload

PART = 8 << 20
"""Bytes of a part, unless there would be too many."""
MOST_PARTS = 1000
"""What Swift takes of an upload; the others take more."""
THREADS = 4
"""Parts on their way at a time: what waits in memory is so many parts."""
SAMPLE = 1 << 16
"""Bytes read back at each of nine places where the store vouches for no hash."""
TYPES = {
    Container.MP4: "video/mp4",
    Container.M4A: "audio/mp4",
    Container.MKV: "video/x-matroska",
    Container.WEBM: "video/webm",
    Container.MP3: "audio/mpeg",
}
_JSON = Extras("application/json")


@dataclass(frozen=True, slots=True)
class Target:
    """A prefix of a store.

    Attributes:
        name: as the user wrote it.
        store: its keys are relative to the prefix.
    """

    name: str
    store: Store

    def at(self, key: str) -> str:
        """The name of something in it."""
        return f"{self.name}{key}" if self.name.endswith(("/", ":")) else f"{self.name}/{key}"

    def below(self, folder: str) -> Target:
        """A folder of it."""
        return Target(self.at(folder), Below(self.store, f"{folder}/"))


def delivered(target: Target, wanted: Manifest) -> Manifest | None:
    """The manifest of an earlier run that did the same, if all its objects are still what it put there."""
    found = _same_work(target, FILE, wanted)
    return found if found and all(_is_there(target, output) for output in found.outputs) else None


def _same_work(target: Target, key: str, wanted: Manifest) -> Manifest | None:
    try:
        if target.store.stat(key).size > MOST_MANIFEST_BYTES:
            return None
        found = from_json(target.store.get(key).data.decode())
    except (ObjectMissingError, ValueError, RecursionError):
        return None
    same = (found.recording, found.options, found.tool) == (wanted.recording, wanted.options, wanted.tool)
    return found if same else None


def _is_there(target: Target, output: Output) -> bool:
    try:
        there = target.store.stat(output.file)
    except ObjectMissingError:
        return False
    return bool(output.etag) and (there.size, there.etag) == (output.size, output.etag)


def refuse_taken(target: Target, files: Sequence[str], wanted: Manifest, *, overwrite: bool) -> None:
    """Stop before the work when a name is taken by an object that this work did not make.

    What an earlier run of the same work left behind when it was stopped is replaced.

    Raises:
        CommandError: an object of that name exists.
    """
    if overwrite:
        return
    begun = _same_work(target, PENDING, wanted)
    others = set(files) - ({output.file for output in begun.outputs} if begun else set())
    taken = next((file for file in sorted(others) if _is_taken(target, file)), None)
    if taken is not None:
        raise CommandError(
            f"{target.at(taken)} exists and is not the result of this merge: use "
            "--overwrite to replace it, or another place with -o."
        )


def _is_taken(target: Target, file: str) -> bool:
    try:
        target.store.stat(file)
    except ObjectMissingError:
        return False
    return True


def deliver(place: Path, target: Target, manifest: Manifest) -> Manifest:
    """Put the files of a manifest into a store, then the manifest, which tells their ETags.

    While it lasts, a hidden manifest says whose the objects are.

    Raises:
        StorageError: the store does not take them; nothing unfinished is left there.
        OSError: a file cannot be read.
    """
    target.store.put(PENDING, manifest.to_json().encode(), _JSON)
    outputs = tuple(
        replace(output, etag=_sent(place / output.file, target, output).etag)
        if output.verdict.good
        else output
        for output in manifest.outputs
    )
    told = replace(manifest, outputs=outputs)
    target.store.put(FILE, told.to_json().encode(), _JSON)
    target.store.delete(PENDING)
    return told


def _sent(path: Path, target: Target, output: Output) -> Stat:
    extras = Extras(TYPES[Container(output.container)], metadata={"recpipe-sha256": output.sha256})
    upload = target.store.upload(output.file, extras) if output.size > PART else None
    # Of an upload nothing is seen before it is complete; what was put is there, right or wrong.
    in_parts = _in_parts(path, upload, output.size) if upload else None
    try:
        sent, vouched = in_parts or _whole(path, target, output.file, extras)
        return _confirmed(path, target, replace(sent, size=output.size), vouched=vouched)
    except CorruptError:
        target.store.delete(output.file)
        raise


def _whole(path: Path, target: Target, file: str, extras: Extras) -> tuple[Stat, bool]:
    """The object, and whether the store vouched for its bytes."""
    sent = target.store.put(file, path.read_bytes(), extras)
    return sent, bool(sent.md5)


def _in_parts(path: Path, upload: Upload, size: int) -> tuple[Stat, bool]:
    """The object, and whether the store vouched for every part and for their order."""
    length = max(PART, -(-size // MOST_PARTS))
    try:
        numbers = range(1, -(-size // length) + 1)
        with ThreadPoolExecutor(THREADS) as pool:
            sent = pool.map(_part_sender(path, upload, length), numbers)
            etags = dict(zip(numbers, sent, strict=True))
        done = upload.complete()
    except BaseException:
        upload.abort()
        raise
    return done, upload.md5 and done.etag == whole_etag(etags)


def _part_sender(path: Path, upload: Upload, length: int) -> Callable[[int], str]:
    def send(number: int) -> str:
        with path.open("rb") as file:
            file.seek((number - 1) * length)
            return upload.part(number, file.read(length))

    return send


def _confirmed(path: Path, target: Target, sent: Stat, *, vouched: bool) -> Stat:
    """What the store says of an object afterwards.

    Raises:
        CorruptError: it is not what was sent.
    """
    there = target.store.stat(sent.key)
    if there.size != sent.size:
        raise CorruptError(f"{target.at(sent.key)} has {there.size} bytes of {sent.size} in the store.")
    if not (vouched and there.etag == sent.etag):
        for start, data in _samples(path, sent.size):
            if target.store.get_range(sent.key, start, len(data)).data != data:
                raise CorruptError(f"{target.at(sent.key)} has other bytes in the store than were sent.")
    return there


def _samples(path: Path, size: int) -> Iterator[tuple[int, bytes]]:
    """Both ends of a file and what lies between, an eighth apart."""
    with path.open("rb") as file:
        for number in range(9):
            start = max(0, (size - SAMPLE) * number // 8)
            file.seek(start)
            yield start, file.read(SAMPLE)
