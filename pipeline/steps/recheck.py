"""Recheck: find the manifests of a place, and verify again every output that they name.

A manifest may come from anywhere: what it names is opened only inside its own folder.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.model.manifest import (
    FILE,
    MOST_MANIFEST_BYTES,
    Manifest,
    Output,
    Picture,
    Verdict,
    from_json,
)
from pipeline.model.verification import Checked, Verification
from pipeline.steps.verify import verify, verify_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.model.options import Verify


TOO_LARGE = f"it has over {MOST_MANIFEST_BYTES} bytes, which no merge writes"


def recheck(path: Path, level: Verify) -> Verification:
    """Verify a folder with a manifest, the folders below it that have one, or one output.

    Raises:
        CommandError: there is no manifest, or it does not name the file asked for.
    """
    return Verification(tuple(_checked(path, level)))


def _checked(path: Path, level: Verify) -> Iterator[Checked]:
    if path.is_dir():
        for folder in _folders(path):
            yield from _all_of(folder, level)
    elif path.name == FILE and path.is_file():
        yield from _all_of(path.parent, level)
    else:
        yield _one(path, level)


def _folders(path: Path) -> list[Path]:
    if (path / FILE).is_file():
        return [path]
    try:
        below = sorted(child for child in path.iterdir() if (child / FILE).is_file())
    except OSError as error:
        raise CommandError(
            f"{path} cannot be listed ({error.strerror}): make it readable and run again."
        ) from error
    if not below:
        raise CommandError(
            f"{path} has no {FILE}, nor has a folder in it: give a folder that recpipe merge has written."
        )
    return below


def _all_of(folder: Path, level: Verify) -> Iterator[Checked]:
    found = _read(folder)
    if isinstance(found, str):
        yield Checked(str(folder / FILE), "", Verdict(level, 1, 0, (found,)))
        return
    for entry in found.entries:
        yield Checked(str(folder / entry.file), entry.uid, _verdict(folder, entry, level))


def _one(path: Path, level: Verify) -> Checked:
    """One output by its own path; it may be gone as long as the manifest beside it names it."""
    folder = path.parent
    if not (folder / FILE).is_file():
        what = "has no manifest beside it" if path.exists() else "does not exist"
        raise CommandError(
            f"{path} {what}: give a folder that recpipe merge has written, or a file next to its {FILE}."
        )
    found = _read(folder)
    if isinstance(found, str):
        return Checked(str(folder / FILE), "", Verdict(level, 1, 0, (found,)))
    entry = next((e for e in found.entries if e.file == path.name), None)
    if entry is None:
        raise CommandError(f"{folder / FILE} does not name {path.name}: give one of the files it names.")
    return Checked(str(path), entry.uid, _verdict(folder, entry, level))


def _read(folder: Path) -> Manifest | str:
    """The manifest of a folder, or what is wrong with it."""
    file = folder / FILE
    try:
        if file.stat().st_size > MOST_MANIFEST_BYTES:
            return TOO_LARGE
        return parsed(file.read_bytes())
    except OSError as error:
        return f"it cannot be read ({error.strerror})"


def parsed(data: bytes) -> Manifest | str:
    """A manifest, or why these bytes are none."""
    try:
        return from_json(data.decode("utf-8"))
    except UnicodeDecodeError:
        return "it is not UTF-8"
    except (ValueError, RecursionError) as error:
        return f"it is no manifest that we know: {' '.join(str(error).split())[:200]}"


def _verdict(folder: Path, entry: Output | Picture, level: Verify) -> Verdict:
    path = folder / entry.file
    problem = unfit(entry) or _not_there(path)
    if problem:
        return Verdict(level, 1, 0, (problem,))
    if isinstance(entry, Picture):
        return verify_picture(path.read_bytes, entry, level)
    return sensible(lambda: verify(path, entry, level)[0], level)


def sensible(check: Callable[[], Verdict], level: Verify) -> Verdict:
    """What a check says; a manifest from anywhere may hold numbers that it stumbles over."""
    try:
        return check()
    except (ValueError, ArithmeticError, LookupError, MemoryError) as error:
        return Verdict(level, 1, 0, (f"its entry in {FILE} makes no sense ({error})",))


def unfit(entry: Output | Picture) -> str:
    """Why there is nothing to verify by a manifest's entry; empty where there is."""
    name = entry.file
    if not name or name.startswith(".") or "/" in name or "\\" in name or "\0" in name:
        return f"its entry in {FILE} names {name!r}, which is no bare file name"
    parts = () if isinstance(entry, Picture) else entry.parts
    if entry.size <= 0 or not (entry.sha256 or parts):
        return f"its entry in {FILE} has no size or no SHA-256"
    if isinstance(entry, Picture):
        return ""
    if parts and sum(part.size for part in parts) != entry.size:
        return f"its parts in {FILE} are not as large as it is"
    told = "; ".join(entry.verdict.problems)
    return f"merge found it bad and removed it: {told}" if told else ""


def _not_there(path: Path) -> str:
    """Why there is no file to verify; empty when there is one."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "it is not there"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return "" if stat.S_ISREG(mode) else "it is no regular file"
