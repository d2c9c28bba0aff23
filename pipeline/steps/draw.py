"""Draw: a picture gets its name when all of it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.steps.render import blame, part_of

if TYPE_CHECKING:
    from pathlib import Path


def draw(path: Path, picture: bytes, *, overwrite: bool) -> None:
    """Write a picture.

    Raises:
        CommandError: the file exists.
        OutputError: it cannot be written.
        NoSpaceError: its disk is full.
    """
    if path.exists() and not overwrite:
        raise CommandError(f"{path} exists: use --overwrite to replace it, or another name with -o.")
    part = part_of(path.parent, path.name)
    try:
        part.write_bytes(picture)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise blame(error, part) from error
