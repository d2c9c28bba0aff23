"""Images: the files of those that a composite names, looked for before anything is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.layout.images import named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.layout.composing import Composing


def files_of(
    composing: Composing, folder: Path, given: Mapping[str, Path], *, anywhere: bool = False
) -> tuple[tuple[str, str], ...]:
    """References and the absolute paths of their files.

    Args:
        composing: what names them.
        folder: of the job, below which every file lies.
        given: files of references, by whoever asks.
        anywhere: files that were given may lie outside of the folder.

    Raises:
        CommandError: an image has no file, or its file lies elsewhere.
    """
    wanted = named(composing)
    if not wanted:
        return ()
    from pipeline.drawing.images import Images  # few composites have any

    inside = Images(folder, {} if anywhere else given)
    outside = Images(Path(folder.resolve().anchor), {ref: (Path.cwd() / path) for ref, path in given.items()})
    found = []
    for ref, where in sorted(wanted.items()):
        images = outside if anywhere and ref in given else inside
        found.append((ref, str(images.find(ref, where))))
    return tuple(found)
