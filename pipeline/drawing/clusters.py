"""What a reader takes for one character: letters with their marks, emoji of several parts, syllables.

A cluster is drawn with one font, and where text is too long, whole clusters are left out. This is a small
part of UAX #29 (extended grapheme clusters), as far as the standard library knows the properties.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

JOINER = "\u200d"
_MARKS = {"Mn", "Me", "Mc"}
_SKIN = range(0x1F3FB, 0x1F400)
_FLAGS = range(0x1F1E6, 0x1F200)
_TAGS = range(0xE0020, 0xE0080)
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0), _TAGS)
"""They choose between glyphs and have none of their own."""
_LEADING, _VOWELS, _TRAILING = range(0x1100, 0x1160), range(0x1160, 0x11A8), range(0x11A8, 0x1200)
_OVERRIDES = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
"""Turn the order of what follows; a name could disguise itself with them."""
_UNSEEN = {JOINER, "\u200c", "\u200e", "\u200f", "\u061c", "\u2060"}


def cleaned(text: str) -> str:
    """Text as one line: controls and line ends are spaces, what turns the order of letters is left out."""
    seen = "".join(" " if _is_control(each) else each for each in text if each not in _OVERRIDES)
    return " ".join(unicodedata.normalize("NFC", seen).split())


def clusters(text: str) -> list[str]:
    """Text in pieces that stay together; joined they are the text."""
    found: list[str] = []
    start = 0
    for at, (before, after) in enumerate(pairwise(text), 1):
        if not _stays(text[start:at], before, after):
            found.append(text[start:at])
            start = at
    return [*found, text[start:]] if text else []


def needed(cluster: str) -> str:
    """The characters of a cluster that a font must have a glyph for."""
    return "".join(_seen(cluster))


def _seen(cluster: str) -> Iterator[str]:
    for each in cluster:
        if each not in _UNSEEN and not any(ord(each) in some for some in _SELECTORS):
            yield each


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Zl", "Zp", "Cs"}


def _stays(cluster: str, before: str, after: str) -> bool:
    """Whether a character belongs to the cluster before it."""
    code, last = ord(after), ord(before)
    if unicodedata.category(after) in _MARKS or after in {JOINER, "\u200c"}:
        return True
    if code in _SKIN or code in _TAGS:
        return True
    if before == JOINER:  # of emoji; between letters it only shapes them
        return unicodedata.category(after) == "So"
    if code in _FLAGS and last in _FLAGS:
        return len(cluster) % 2 == 1
    if last in _LEADING:
        return code in _LEADING or code in _VOWELS
    return (last in _VOWELS and (code in _VOWELS or code in _TRAILING)) or (
        last in _TRAILING and code in _TRAILING
    )
