"""A look at both ends of a slice, whatever its container; nothing else decides what it is than its bytes.

The readers of containers are imported when the first slice of theirs is met: most recordings hold one kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pipeline.media.ts.peek import Peeker

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.media.unreadable import Unreadable
    from pipeline.model.slices import Ends, Format, Medium

_MAGIC = 8
_KINDS = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"moof"})
"""Boxes that an MP4 may begin with."""
_EBML = b"\x1aE\xdf\xa3"
_WEB = frozenset({"vp8", "vp9"})
_HEAD = 1 << 14
_ADTS_SYNC = b"\xff"


class Looker:
    """Looks at slices of one recording, asking for the picture size of each set of parameters once.

    Args:
        size_of: width and height in pixels of a codec name and its parameter sets in Annex B form.
    """

    def __init__(self, size_of: Callable[[str, bytes], tuple[int, int]]) -> None:
        self._ts = Peeker(size_of)

    def look(self, file: BinaryIO, size: int, medium: Medium, listed: int = 0) -> Ends | Unreadable:
        """What the ends of a slice say of one medium. Raises OSError when it cannot be read.

        Args:
            file: the slice.
            size: its bytes.
            medium: which track.
            listed: its length in ticks by the playlist; 0 if it is not listed.
        """
        magic = file.read(_MAGIC)
        file.seek(0)
        if magic[4:] in _KINDS:
            from pipeline.media.mp4 import ends

            return ends.look(file, size, medium, self._ts.form)
        if magic.startswith(_EBML):
            from pipeline.media.webm import formats

            return formats.look(file, size, medium)
        if magic.startswith(_ADTS_SYNC):
            from pipeline.media import adts

            head = file.read(_HEAD)
            file.seek(0)
            if adts.is_adts(head):
                return adts.look(file, medium)
        return self._ts.look(file, size, medium, listed)

    def form(self, codec: str, payload: bytes) -> Format | None:
        """Codec parameters that a packet tells; without ``parameters`` when it tells none."""
        if codec in _WEB:
            from pipeline.media.webm import formats

            return formats.form_of(codec, payload)
        return None if codec == "opus" else self._ts.form(codec, payload)
