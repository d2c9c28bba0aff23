"""Folders: where below a place the files of a naming go.

Vendors put folders before names, and names like a vendor's are read as recordings. So the folders go below
the place of the outputs, and that place lies outside of the source.
"""

from __future__ import annotations

from os.path import realpath
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.vendors.styles import style_of

if TYPE_CHECKING:
    from pipeline.model.options import Options
    from pipeline.sources.protocol import Source
    from pipeline.steps.deliver import Target


def placed(source: Source, dest: Path | Target, options: Options) -> Path | Target:
    """The place of the outputs: DEST, and below it the folders that ``--name VENDOR:`` begins with.

    Args:
        source: what is merged.
        dest: as the caller wrote it.
        options: the wishes; a pattern of our own changes nothing.

    Raises:
        CommandError: the name is none, or names of a vendor would lie in the source, where the next run would
            take them for a recording.
    """
    style = style_of(options.name)
    if style is None:
        return dest
    if _inside(source, dest):
        where = dest if isinstance(dest, Path) else dest.name
        raise CommandError(
            f"--name {style.vendor} gives names like a recording's, and {where} lies in {source.name}, where "
            "they would be read as one: choose a place outside of it."
        )
    if not style.folders:
        return dest
    return dest / style.folders if isinstance(dest, Path) else dest.below(style.folders)


def _inside(source: Source, dest: Path | Target) -> bool:
    """Whether a place is the source or lies below it; of stores as they are written."""
    if isinstance(dest, Path):
        return not source.far and Path(realpath(dest)).is_relative_to(realpath(source.name))
    outer = source.name if source.name.endswith((":", "/")) else f"{source.name}/"
    return source.far and f"{dest.name}/".startswith(outer)
