"""Which file an image is, of what a request calls it.

A request comes from somewhere else and may name anything. An address in it is never fetched, whoever asks
gives the file for it; a path must lie below the job's folder, wherever links lead.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://", re.ASCII)


@dataclass(frozen=True, slots=True)
class Images:
    """The files of images.

    Attributes:
        folder: of the job; every file lies below it.
        given: files by what a request calls them (``--image URL=FILE``); relative ones are below the folder.
    """

    folder: Path
    given: Mapping[str, Path] = field(default_factory=dict)

    def find(self, ref: str, where: str, what: str = "image") -> Path:
        """The file of an image, or of something else that a request names; its path without links.

        Args:
            ref: an address or a path, as somebody wrote it.
            where: the field that it is from, for the sentence of an error.
            what: it is.

        Raises:
            CommandError: an address has no file, or the file is not there, no file, or outside the folder.
        """
        told = f"{where}: the {what} {ref!r}"
        if ref in self.given:
            return self._below(self.given[ref], told)
        if _ADDRESS.match(ref):
            raise CommandError(f"{told} is an address, and nothing is fetched: give --image {ref}=FILE.")
        if Path(ref).is_absolute() or ".." in Path(ref).parts:
            raise CommandError(f"{told} must be a path inside the job's folder, without '..'.")
        return self._below(Path(ref), told)

    def _below(self, path: Path, told: str) -> Path:
        try:
            root = self.folder.resolve(strict=True)
            found = (root / path).resolve(strict=True)
            regular = stat.S_ISREG(found.stat().st_mode)
        except (OSError, ValueError, RuntimeError) as error:
            why = getattr(error, "strerror", None) or error
            raise CommandError(f"{told} cannot be found as {str(path)!r} ({why}): give a file.") from None
        if not found.is_relative_to(root):
            raise CommandError(
                f"{told} lies outside the job's folder {str(self.folder)!r}: put a copy there."
            )
        if not regular:
            raise CommandError(f"{told} is no file: give a file.")
        return found
