"""How values look in a terminal: hostile text made visible, widths in cells, columns, sizes and times.

User ids and file names come from strangers. What a terminal would obey instead of show (control characters,
changes of direction, lone surrogates) is written as an escape, so that a line stays one line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import category, combining, east_asian_width

from pipeline.model import ticks
from pipeline.model.outputs import MIXED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_OBEYED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_WIDE = frozenset({"W", "F"})
_NO_CELL = frozenset({"Mn", "Me"})
_KILO = 1000


@dataclass(frozen=True, slots=True)
class Screen:
    """Where lines will stand: how many cells wide, and whether it shows more than ASCII."""

    width: int = 100
    unicode: bool = True


def visible(text: str) -> str:
    r"""``text`` on one line, with what a terminal would obey written as escapes.

    >>> visible("a\x1b[31m\n张"), visible("\u202eb"), visible("\udcff")
    ('a\\x1b[31m\\n张', '\\u202eb', '\\udcff')
    """
    return "".join(
        char.encode("unicode_escape").decode("ascii") if category(char) in _OBEYED else char for char in text
    )


def whose(uid: str) -> str:
    """A user id on one line; a composite has none and is called by the word in its file's name.

    >>> whose("ann"), whose("")
    ('ann', 'mixed')
    """
    return visible(uid or MIXED)


def cells(text: str) -> int:
    """Terminal cells of visible text (Unicode Standard Annex 11: wide and fullwidth take two).

    >>> cells("ab"), cells("张三"), cells("e\u0301")
    (2, 4, 1)
    """
    return sum(
        0 if combining(c) or category(c) in _NO_CELL else 2 if east_asian_width(c) in _WIDE else 1
        for c in text
    )


def fit(text: str, width: int) -> str:
    """``text`` in exactly ``width`` cells: filled with spaces, or cut and ended with ``~``.

    >>> fit("ann", 5), fit("张三李四", 6)
    ('ann  ', '张三~ ')
    """
    if cells(text) > width:
        kept, used = "", 0
        for char in text:
            if used + cells(char) > width - 1:
                break
            kept, used = kept + char, used + cells(char)
        text = f"{kept}~"
    return text + " " * (width - cells(text))


def columns(rows: Sequence[Sequence[str]], most: int = 60) -> Iterator[str]:
    """Rows with their columns under one another; each at most ``most`` cells wide but the last."""
    count = max((len(row) for row in rows), default=0)
    widths = [min(most, max(cells(row[n]) for row in rows if n < len(row))) for n in range(count)]
    for row in rows:
        yield "  ".join([*(fit(cell, widths[n]) for n, cell in enumerate(row[:-1])), *row[-1:]]).rstrip()


def count(number: int, what: str, plural: str = "") -> str:
    """A number of things.

    >>> count(1, "loss", "losses"), count(1200, "slice")
    ('1 loss', '1,200 slices')
    """
    return f"{number:,} {what if number == 1 else plural or what + 's'}"


def size(number: int) -> str:
    """Bytes for a person, in powers of 1000.

    >>> size(999), size(1_250_000), size(3_000_000_000_000)
    ('999 B', '1.2 MB', '3.0 TB')
    """
    value, units = float(number), iter(("kB", "MB", "GB", "TB"))
    if number < _KILO:
        return f"{number} B"
    unit = "B"
    while value >= _KILO - 0.05 and (larger := next(units, "")):
        value, unit = value / _KILO, larger
    return f"{value:.1f} {unit}"


def length(ms: int) -> str:
    """Milliseconds as ``1:02:03.004``."""
    return ticks.duration(ticks.from_ms(ms))


def moment(ms: int) -> str:
    """UTC ms as an ISO date and time."""
    return ticks.iso(ticks.from_ms(ms))


def between(start_ms: int | None, end_ms: int | None) -> str:
    """UTC times of day from and to; empty where there is no time.

    >>> between(1768908622488, 1768908632488), between(1768908622488, None), between(None, None)
    ('11:30:22.488 - 11:30:32.488', '11:30:22.488', '')
    """
    return " - ".join(ticks.clock(ticks.from_ms(ms)) for ms in (start_ms, end_ms) if ms is not None)


def indented(lines: Iterable[str], by: int = 2) -> Iterator[str]:
    """Lines moved right."""
    return (" " * by + line for line in lines)
