"""Clean: remove the slices of a recording once its files are known to be good where they are.

In doubt nothing is removed: not where anything was lost, refused, or left out by what was asked for. What
goes was in the listing that the files were made from, and is still the same object.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pipeline.errors import ObjectMissingError
from pipeline.model.options import Options
from pipeline.storage.etags import whole_etag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline.model.manifest import Manifest, Output
    from pipeline.storage.protocol import Store

STEP = 8 << 20
"""Bytes that are read back at a time."""
HARMLESS = ("by", "container", "gaps", "on_change", "align", "missing", "max_audio_edits", "name", "verify")
"""Options that leave nothing of the recording out."""


def doubts(manifest: Manifest) -> str:
    """Why the slices must stay, by what the files hold; empty where nothing speaks against removing them."""
    asked, all_of_it = manifest.options, Options().as_text()
    narrowed = [name for name, text in all_of_it.items() if name not in HARMLESS and asked.get(name) != text]
    if manifest.options.get("gaps") == "drop":
        narrowed.append("gaps")
    if "compose" in asked:  # pictures made smaller and laid over one another, voices added up
        narrowed.append("compose")
    if manifest.losses:
        return f"{len(manifest.losses)} losses are in the ledger"
    if manifest.refused or len(manifest.files) != len(manifest.outputs) or not manifest.outputs:
        return "not every user has a good file"
    if any(output.verdict.level == "off" for output in manifest.outputs):
        return "the files were not verified"
    return f"{', '.join(narrowed)} left something of the recording out" if narrowed else ""


def changed(manifest: Manifest, store: Store) -> str:
    """What is not as it was made, read back where no hash vouches for it; empty where all is."""
    for output in manifest.outputs:
        try:
            there = store.stat(output.file)
        except ObjectMissingError:
            return f"{output.file} is gone"
        if there.size != output.size or not (_vouched(output, there.etag) or _read_back(output, store)):
            return f"{output.file} is not as it was made"
    return ""


def _vouched(output: Output, etag: str) -> bool:
    """Whether a store's ETag is the hash that the parts which left must have there."""
    md5s = {number: part.md5 for number, part in enumerate(output.parts, 1)}
    return bool(md5s) and etag == (md5s[1] if len(md5s) == 1 else whole_etag(md5s))


def _read_back(output: Output, store: Store) -> bool:
    sizes = [part.size for part in output.parts] or [output.size]
    kind = "md5" if output.parts else "sha256"
    told = [part.md5 for part in output.parts] or [output.sha256]
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    found = (_digest(store, output.file, at, size, kind) for at, size in zip(starts, sizes, strict=True))
    return all(digest == expected for digest, expected in zip(found, told, strict=True))


def _digest(store: Store, file: str, start: int, size: int, kind: str) -> str:
    digest = hashlib.new(kind, usedforsecurity=False)
    for at in range(start, start + size, STEP):
        digest.update(store.get_range(file, at, min(STEP, start + size - at)).data)
    return digest.hexdigest()


def remove(store: Store, etags: Mapping[str, str], check: Callable[[], None]) -> Iterator[str]:
    """Remove objects that are still what they were; a sentence for each that is another by now.

    Args:
        store: of the source.
        etags: of the objects, by key, as they were listed.
        check: asked before each whether the job is still ours.
    """
    for key, etag in etags.items():
        check()
        try:
            there = store.stat(key)
        except ObjectMissingError:
            continue  # an earlier run has removed it
        if etag and there.etag == etag:
            store.delete(key)
        else:
            yield f"{key} changed after it was listed and was left where it is"
