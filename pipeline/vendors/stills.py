"""Whose names pictures get, as ``--name`` asks for it: one of the vendors', or those of our own patterns.

Only Agora's are known: no page of TRTC or Volcengine tells how screenshots of theirs are called.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.vendors.agora import stills as agora
from pipeline.vendors.agora_onpremise import stills as onpremise
from pipeline.vendors.styles import style_of
from pipeline.vendors.written import fitting

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.model.snapshots import Facts, Naming
    from pipeline.vendors.base import Name

WRITERS: dict[str, Callable[[Name, Facts], str]] = {
    "agora": agora.screenshot,
    "agora-script": agora.of_script,
    "onpremise": onpremise.screenshot,
    "onpremise4": onpremise.screenshot_of_4,
}
_UNKNOWN = re.compile(r"(trtc|volcengine)(?::.*)?", re.IGNORECASE | re.DOTALL | re.ASCII)


def naming_of(name: str, like: Name) -> Naming | None:
    """The naming that a ``--name`` asks for; None where it is a pattern of our own.

    Args:
        name: as it was written.
        like: the name of one of the recording's objects.

    Raises:
        CommandError: the vendor names no screenshots.
    """
    style = name.partition(":")[0].lower()
    write = WRITERS.get(style)
    if write is None:
        checked(name)
        return None

    def naming(facts: Facts) -> str:
        if facts.ending != ".jpg":
            raise CommandError(f"--name {style} is for JPEG: leave --format png out.")
        return fitting(style, write(like, facts))

    return naming


def checked(name: str) -> None:
    """Raise `CommandError` where no pictures can be called so, whatever the recording is."""
    if found := _UNKNOWN.fullmatch(name):
        raise CommandError(
            f"--name {found[1].lower()}: how it names screenshots is not known: use "
            f"{', '.join(WRITERS)}, or a pattern of {{uid}} {{screen}} {{utc}} {{recording}}."
        )
    if name.partition(":")[0].lower() not in WRITERS:
        style_of(name)  # a pattern of a vendor's without saying so
