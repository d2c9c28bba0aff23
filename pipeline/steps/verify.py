"""Verify: reopen a finished file and compare it with what the manifest says of it."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO

from pipeline.media.reopen import decode_joins, movie_facts, read_facts
from pipeline.model.checks import FileFacts, compare
from pipeline.model.manifest import Output, Part, Picture, Verdict
from pipeline.model.options import Verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


def verify(path: Path, output: Output, level: Verify) -> tuple[Verdict, FileFacts | None]:
    """The verdict on one file, and its facts where it could be read.

    Args:
        path: where the file lies, whatever its name.
        output: what the manifest says; a size of 0 means that size and hash are not known yet.
        level: how much to check.
    """
    verdict, facts = _verdict(
        lambda: read_facts(path, output), lambda: decode_joins(path, output), output, level
    )
    if facts is None or not output.parts or output.sha256:
        return verdict, facts
    return _with(verdict, _changed_parts(path, output.parts), len(output.parts)), facts


def verify_movie(
    opened: Callable[[], BinaryIO], size: int, output: Output, level: Verify, *, whole: bool
) -> tuple[Verdict, FileFacts | None]:
    """The same for an MP4 that lies anywhere.

    Args:
        opened: opens it; called for each that reads it, from two threads.
        size: its bytes.
        output: as for `verify`.
        level: as for `verify`.
        whole: read all of it; else its tables and the places that are decoded.
    """
    return _verdict(
        lambda: movie_facts(opened(), size, output, whole=whole),
        lambda: decode_joins(opened(), output),
        output,
        level,
    )


def verify_picture(read: Callable[[], bytes], picture: Picture, level: Verify) -> Verdict:
    """The verdict on a picture.

    Args:
        read: all its bytes.
        picture: what the manifest says.
        level: with ``FULL`` it is decoded.
    """
    from pipeline.media.reopen_picture import picture_facts  # no film needs it

    try:
        data = read()
    except OSError as error:
        return Verdict(level, 1, 0, (f"it cannot be read back: {error}",))
    if len(data) != picture.size:
        return Verdict(level, 1, 0, (f"{len(data)} bytes instead of {picture.size}",))
    if hashlib.sha256(data).hexdigest() != picture.sha256:
        return Verdict(level, 2, 0, ("its SHA-256 is not that of the manifest",))
    if level is not Verify.FULL:
        return Verdict(level, 2, 0)
    try:
        width, height = picture_facts(data)
    except ValueError as error:
        return Verdict(level, 3, 0, (str(error),))
    told = f"{width}x{height} pixels instead of {picture.width}x{picture.height}"
    same = (width, height) == (picture.width, picture.height)
    return Verdict(level, 3, 1, () if same else (told,))


def _verdict(
    read: Callable[[], FileFacts],
    decode: Callable[[], tuple[int, tuple[str, ...]]],
    output: Output,
    level: Verify,
) -> tuple[Verdict, FileFacts | None]:
    if level is Verify.OFF:
        return Verdict(level, 0, 0), None
    with ThreadPoolExecutor(1) as beside:
        joins = beside.submit(decode) if level is Verify.FULL else None
        try:
            facts = read()
        except (ValueError, OSError) as error:
            return Verdict(level, 1, 0, (f"it cannot be read back: {error}",)), None
        checks = list(compare(output, facts))
        problems = [check.problem for check in checks if not check.good]
        decoded = 0
        if joins is not None and not problems:
            decoded, failed = joins.result()
            problems += failed
    return Verdict(level, len(checks), decoded, tuple(problems)), facts


def _changed_parts(path: Path, parts: Sequence[Part]) -> Iterator[str]:
    """A sentence for each part of a file that has other bytes than left for the store."""
    with path.open("rb") as file:
        for number, part in enumerate(parts, 1):
            if hashlib.md5(file.read(part.size), usedforsecurity=False).hexdigest() != part.md5:
                yield f"part {number} has other bytes than its MD5 in the manifest says"


def _with(verdict: Verdict, problems: Iterator[str], checks: int) -> Verdict:
    return Verdict(verdict.level, verdict.checks + checks, verdict.decoded, (*verdict.problems, *problems))
