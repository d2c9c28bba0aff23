"""What the playlists of both vendors have in common: an entry per slice, and how lines become text.

The texts are made here and in the vendors' files of this room without a look at our parsers, so that the two
check one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.demo.scenario import Shape, Style


@dataclass(frozen=True, slots=True)
class Listed:
    """One slice as its playlist describes it.

    Attributes:
        name: file name.
        start_ms: UTC milliseconds of the first presented access unit, rounded down.
        duration_us: from there to the end of the last one, microseconds.
        size: bytes as they were recorded.
        starts: the stream began or came back after more than 15 s.
        shapes: of its pictures, each with the UTC milliseconds from which it holds, where it is tagged.
        resized: its pictures have another size than those before it.
    """

    name: str
    start_ms: int
    duration_us: int
    size: int
    starts: bool
    shapes: tuple[tuple[int, Shape], ...] = ()
    resized: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """A file that plays by itself: which of how many parts, UTC milliseconds of its start, whole seconds."""

    number: int
    parts: int
    start_ms: int
    seconds: int


def utc17(at_ms: int) -> str:
    """UTC milliseconds as ``YYYYMMDDHHMMSSmmm``.

    >>> utc17(1560238366073)
    '20190611073246073'
    """
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y%m%d%H%M%S}{at_ms % 1000:03d}"


def extinf(seconds: str, duration_us: int, style: Style, *, comma: bool) -> str:
    """An EXTINF line; ``seconds`` and ``comma`` are the vendor's habit, the style may overrule both."""
    if style.whole_seconds:
        seconds = str((duration_us + 500_000) // 1_000_000)
    if style.comma is not None:
        comma = style.comma
    return f"#EXTINF:{seconds}{',' * comma}"


def text(lines: Iterable[str], style: Style) -> bytes:
    """The bytes of a playlist: line ends, byte order mark and end tag as the style says."""
    ended = [*lines, *["#EXT-X-ENDLIST"] * style.ended]
    end = "\r\n" if style.crlf else "\n"
    return ("\ufeff" * style.bom + "".join(line + end for line in ended)).encode()
