"""Whose names outputs get, as ``--name`` asks for it: one of the vendors', or those of our own patterns.

``--name VENDOR[:TEXT]``: what TEXT may be is the vendor's; everything up to its last ``/`` are folders, which
go before all names of the recording. Adding a vendor is adding its ``written.py`` and a line in `WRITERS`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.vendors.agora import written as agora
from pipeline.vendors.trtc import written as trtc
from pipeline.vendors.volcengine import written as volcengine
from pipeline.vendors.written import shown

if TYPE_CHECKING:
    from pipeline.model.naming import Naming
    from pipeline.vendors.base import Name
    from pipeline.vendors.written import Writer

WRITERS: dict[str, Writer] = {"agora": agora, "trtc": trtc, "volcengine": volcengine}
_STYLE = re.compile(rf"({'|'.join(WRITERS)})(?::(.*))?", re.IGNORECASE | re.DOTALL | re.ASCII)


@dataclass(frozen=True, slots=True)
class Style:
    """A vendor's way to name files; made by `style_of`.

    Attributes:
        vendor: whose.
        folders: before all names, with ``/`` between them; empty for none.
        text: what the vendor makes of the rest: TRTC's UserDefineRecordId, Volcengine's pattern.
    """

    vendor: str
    folders: str = ""
    text: str = ""

    def naming(self, like: Name, key: str) -> Naming:
        """The naming of a recording.

        Args:
            like: the name of one of its objects.
            key: of the job.
        """
        return partial(WRITERS[self.vendor].names, self.text, like, key)


def style_of(name: str) -> Style | None:
    """The style that a ``--name`` asks for; None where it is a pattern of our own.

    Raises:
        CommandError: the vendor would not take what stands behind the colon, or it is Volcengine's without
            saying so.

    >>> style_of("trtc:calls/2026/lesson_7")
    Style(vendor='trtc', folders='calls/2026', text='lesson_7')
    >>> style_of("{uid}_{utc}") is None
    True
    """
    found = _STYLE.fullmatch(name)
    if found is None:
        if volcengine.is_pattern(name):
            raise CommandError(
                f"--name {shown(name)} has variables of Volcengine: put volcengine: before it."
            )
        return None
    vendor, text = found[1].lower(), found[2]
    if text == "":
        raise CommandError(f"--name {vendor}: has nothing behind the colon: leave the colon out.")
    return Style(vendor, *WRITERS[vendor].asked(text or ""))
