"""What the names that we write as a vendor does have in common: the folders before them, and their bounds.

Each vendor's own rules are in ``written.py`` of its folder; it offers what `Writer` says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pipeline.errors import CommandError
from pipeline.vendors.base import BadNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.model.naming import Facts
    from pipeline.vendors.base import Name

MOST_BYTES = 240
"""Of a whole name. File systems take 255; while a file is made, there is more before and behind its name."""
_MOST_SHOWN = 60
_WHOSE = {"agora": "Agora", "agora_onpremise": "Agora's on-premise SDK", "trtc": "TRTC"}


class Writer(Protocol):
    """What a vendor's ``written.py`` offers; the module is the value."""

    def asked(self, text: str) -> tuple[str, str]:
        """The folders in what stands behind ``--name VENDOR:``, without a slash at the end, and the rest.

        Raises:
            CommandError: the vendor would not take it.
        """

    def names(self, text: str, like: Name, key: str, files: Sequence[Facts]) -> list[str]:
        """The names of the outputs of a recording, endings included.

        Args:
            text: the rest that ``asked`` gave; empty for the vendor's default.
            like: the name of one of the recording's objects, by whichever vendor wrote it.
            key: of the job.
            files: what each name has to tell.

        Raises:
            CommandError: the recording lacks what a name needs, or a name would not be the vendor's.
        """


@dataclass(frozen=True, slots=True)
class Folders:
    """What a vendor takes as folders before its names.

    Attributes:
        style: in ``--name``.
        setting: what the vendor calls them.
        characters: that each may have, as in a regular expression.
        said: the same in words.
        most: characters of all, slashes included; None where no bound is known.
    """

    style: str
    setting: str
    characters: str
    said: str
    most: int | None = None

    def read(self, text: str) -> str:
        """The folders ``a/b/``, without the last slash; raises `CommandError`."""
        if not text:
            return ""
        whole = text.removesuffix("/")
        bad = next((f for f in whole.split("/") if not re.fullmatch(f"[{self.characters}]+", f)), None)
        if bad is not None:
            raise CommandError(
                f"--name {self.style} has the folder {shown(bad)}: a folder of {self.setting} is one or more "
                f"{self.said}, nothing else."
            )
        if self.most is not None and len(whole) + 1 > self.most:
            raise CommandError(
                f"--name {self.style} has folders of {len(whole) + 1} characters: {self.setting} has at most "
                f"{self.most}, slashes included."
            )
        return whole


def shown(text: str) -> str:
    """A text in quotes, cut where it is too long for a sentence."""
    return repr(text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…")


def lacking(style: str, field: str, like: Name) -> CommandError:
    """The error for a recording in whose names something is not told that this style needs."""
    whose = _WHOSE.get(like.vendor, "Volcengine")
    return CommandError(
        f"--name {style} needs the {field}, and names by {whose} tell none: use a pattern of {{uid}} and "
        "{utc} for this recording."
    )


def ending(style: str, file: Facts, known: frozenset[str]) -> str:
    """The end of a file's name as `Facts.ending`; raises `CommandError` where the vendor has none for it."""
    found = file.ending(known)
    if found is None:
        own = file.container.ending(pictures=file.pictures)
        raise CommandError(
            f"--name {style} has no names in {own} for such a file, only in {', '.join(sorted(known))}: "
            "choose another --container."
        )
    return found


def fitting(style: str, file: str) -> str:
    """The name, when a file system takes it; raises `CommandError`."""
    if (size := len(file.encode())) > MOST_BYTES:
        raise CommandError(
            f"--name {style} gives a name of {size} bytes, {shown(file)}: no more than {MOST_BYTES} are safe "
            "on a file system, and names are not cut."
        )
    return file


def read_back(style: str, written: Name, parse: Callable[[str], object]) -> str:
    """The text of a name, which is read as what was written; raises `CommandError` where it is not."""
    file = fitting(style, str(written))
    try:
        same = parse(file) == written
    except BadNameError:
        same = False
    if not same:
        raise CommandError(
            f"--name {style} gives {shown(file)}, which would be read as another name: "
            "use a pattern of {uid} and {utc}."
        )
    return file
