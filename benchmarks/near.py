"""A file whose media ends less than one ``moov`` below 4 GiB, on its way into a store; part of ``make soak``.

There the last offsets fit in 32 bits by themselves and not behind the ``moov``. The store keeps no bytes but
their MD5s; the same recording merged into a folder must have the same parts, and its offsets are told.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import big
from pipeline.demo.listing import utc17
from pipeline.job.merge import merge_all
from pipeline.media.mp4.dump import dump
from pipeline.model.options import Options, Verify
from pipeline.sources.folder import Folder
from pipeline.steps.deliver import Target
from pipeline.steps.place import Limits
from pipeline.storage.below import Below
from pipeline.storage.etags import whole_etag
from pipeline.storage.memory import MemoryStore
from pipeline.storage.passing import Passing
from pipeline.storage.protocol import PLAIN, Stat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model.manifest import Manifest
    from pipeline.storage.protocol import Extras, Upload

FOUR_GIB = 1 << 32
UNCHECKED = Options(verify=Verify.OFF)
BELOW = 60_000
"""Bytes: less than the ``moov`` of half an hour of pictures."""
LAST_PADDING = 16
"""The last slice is small, so that its chunks begin near the end."""


class Hashing(Below):
    """Keeps small objects, and of those in parts the MD5s only."""

    def __init__(self) -> None:
        super().__init__(MemoryStore(), "")
        self.made: dict[str, Stat] = {}

    def upload(self, key: str, extras: Extras = PLAIN) -> Upload:
        """As `Writes.upload`."""
        return _Hashed(self, super().upload(key, extras), key)

    def stat(self, key: str) -> Stat:
        """As `Reads.stat`."""
        return self.made[key] if key in self.made else super().stat(key)


class _Hashed(Passing):
    def __init__(self, store: Hashing, upload: Upload, key: str) -> None:
        super().__init__(upload)
        self._store = store
        self._key = key
        self._parts: dict[int, tuple[int, str]] = {}

    def part(self, number: int, data: bytes) -> str:
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        self._parts[number] = len(data), md5
        return md5

    def complete(self) -> Stat:
        super().abort()
        etag = whole_etag({number: md5 for number, (_, md5) in self._parts.items()})
        size = sum(size for size, _ in self._parts.values())
        self._store.made[self._key] = Stat(self._key, size, etag)
        return self._store.made[self._key]


def main() -> int:
    """Make, merge into both, compare; prints what was measured."""
    with tempfile.TemporaryDirectory(prefix="recpipe-near-") as made:
        place = Path(made)
        paddings = _paddings(place)
        source = _record(place / "slices", paddings)
        stored = _merged(source, Target("store:", Hashing())).outputs[0]
        local = _merged(source, place / "out").outputs[0]
        path = place / "out" / local.file
        with path.open("rb") as file:
            md5s = [
                hashlib.md5(file.read(part.size), usedforsecurity=False).hexdigest() for part in stored.parts
            ]
            boxes = dump(file)
    moov, media = _size_of("moov", boxes), _size_of("mdat", boxes)
    same = md5s == [part.md5 for part in stored.parts] and stored.size == local.size
    near = 0 < FOUR_GIB - media < moov
    offsets = "co64" if "co64 " in boxes else "stco"
    sys.stdout.write(
        f"{local.size} bytes; the media ends {FOUR_GIB - media} bytes below 4 GiB, moov has {moov}; "
        f"{len(md5s)} parts, {'the same as in a folder' if same else 'OTHERS THAN IN A FOLDER'}; {offsets}\n"
    )
    return 0 if same and near and offsets == "co64" else 1


def _paddings(place: Path) -> list[int]:
    """Of the pictures of each slice, so that the media ends `BELOW` 4 GiB."""
    tiny = _media(place, "small", [LAST_PADDING, LAST_PADDING]) // 2
    large = _media(place, "large", [big.PADDING, LAST_PADDING]) - tiny
    many, left = divmod(FOUR_GIB - BELOW - tiny, large)
    each = (big.PADDING - LAST_PADDING) / (large - tiny)
    return [*[big.PADDING] * many, LAST_PADDING + int((left - tiny) * each), LAST_PADDING]


def _media(place: Path, name: str, paddings: Sequence[int]) -> int:
    out = place / f"{name}-out"
    output = _merged(_record(place / name, paddings), out).outputs[0]
    with (out / output.file).open("rb") as file:
        return _size_of("mdat", dump(file))


def _size_of(kind: str, boxes: str) -> int:
    line = next(line for line in boxes.splitlines() if line.startswith(f"{kind} "))
    return int(line.split()[1])


def _merged(source: Path, place: Path | Target) -> Manifest:
    (done,) = merge_all(Folder(source), place, UNCHECKED, Limits())
    return done.manifest


def _record(place: Path, paddings: Sequence[int]) -> Path:
    """As `benchmarks.big` makes it: slices of the same bytes are links to one file."""
    place.mkdir()
    stem = "0123456789abcdef0123456789abcdef_near__uid_s_1__uid_e_video"
    first: dict[int, Path] = {}
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{big.SLICE_SECONDS}"]
    for n, padding in enumerate(paddings):
        path = place / f"{stem}_{utc17(big.START_MS + n * big.SLICE_SECONDS * 1000)}.ts"
        if padding in first:
            path.symlink_to(first[padding])
        else:
            path.write_bytes(big.padded_slice(padding))
            first[padding] = path
        lines += [f"#EXTINF:{big.SLICE_SECONDS}.000000", path.name]
    (place / f"{stem}.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n", encoding="ascii")
    return place


if __name__ == "__main__":
    sys.exit(main())
