"""A line of text as pixels: which font draws what, in which order, how wide it is, and what no font has.

Letters are shaped by raqm (fribidi and harfbuzz) where Pillow has it: Arabic joins and runs from the right.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from itertools import groupby
from math import ceil
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from PIL import Image, ImageDraw

from pipeline.drawing.clusters import cleaned, clusters, needed
from pipeline.drawing.fonts import can_join
from pipeline.drawing.order import levels, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.drawing.fonts import Font, Fonts
    from pipeline.media.compose.sprite import Sprite

LONGEST = 2000
"""So many characters of a text are drawn; it would be wider than any canvas anyway."""
_OPAQUE = 255
_HAN = range(0x3400, 0xA000)
_JOINED = (range(0x0600, 0x0900), range(0x0900, 0x1100), range(0x1780, 0x1800))
"""Scripts whose letters change with their neighbours: Arabic and Syriac; those of India to Burma; Khmer."""


class _Hints(TypedDict, total=False):
    direction: str
    language: str


@dataclass(frozen=True, slots=True)
class Lack:
    """What of a text could not be drawn as it should.

    Attributes:
        characters: no font has a glyph for them; a box stands in their place.
        unjoined: letters stand alone that should join, because a library is missing.
    """

    characters: frozenset[str] = frozenset()
    unjoined: bool = False

    def __bool__(self) -> bool:
        return bool(self.characters) or self.unjoined

    def told(self, where: str) -> str:
        """One sentence of it, about the text of something such as ``the name of user 7``."""
        parts = []
        if self.characters:
            names = ", ".join(f"U+{ord(each):04X}" for each in sorted(self.characters))
            parts.append(
                f"no font here has a glyph for {names} in {where}: "
                "give --font FILE, or install fonts-noto-core or recpipe[fonts]"
            )
        if self.unjoined:
            parts.append(f"letters of {where} stand alone that should join: install libfribidi0")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn, None where there is no room for it, and what of its text is lacking."""

    sprite: Sprite | None
    lack: Lack = field(default_factory=Lack)


@dataclass(frozen=True, slots=True)
class Run:
    """Text that one font draws in one direction."""

    text: str
    font: Font
    right_to_left: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, laid out.

    Attributes:
        runs: from left to right as they stand.
        size: height of the letters in pixels.
        language: whose forms Chinese characters take; empty if it has none.
        lack: what is missing.
    """

    runs: tuple[Run, ...]
    size: int
    language: str = ""
    lack: Lack = field(default_factory=Lack)

    @property
    def width(self) -> int:
        """In pixels, whole ones."""
        return ceil(sum(self._length(run) for run in self.runs))

    @property
    def ascent(self) -> int:
        """From the baseline up, in pixels: the most of the fonts'."""
        return max((run.font.sized(self.size).getmetrics()[0] for run in self.runs), default=0)

    @property
    def descent(self) -> int:
        """From the baseline down, in pixels."""
        return max((run.font.sized(self.size).getmetrics()[1] for run in self.runs), default=0)

    @property
    def height(self) -> int:
        """In pixels."""
        return self.ascent + self.descent

    def mask(self, width: int, height: int, x: int, baseline: int) -> NDArray[np.uint8]:
        """How much of each pixel the letters cover, height x width, 0 to 255."""
        picture = Image.new("L", (width, height), 0)
        draw = ImageDraw.Draw(picture)
        at = float(x)
        for run in self.runs:
            font = run.font.sized(self.size)
            draw.text(
                (at, baseline), self._text(run), fill=_OPAQUE, font=font, anchor="ls", **self._hints(run)
            )
            at += self._length(run)
        return np.asarray(picture)

    def _length(self, run: Run) -> float:
        return run.font.sized(self.size).getlength(self._text(run), **self._hints(run))

    def _text(self, run: Run) -> str:
        if can_join() or not run.right_to_left:
            return run.text
        return "".join(reversed(clusters(run.text)))

    def _hints(self, run: Run) -> _Hints:
        if not can_join():
            return {}
        hints: _Hints = {"direction": "rtl" if run.right_to_left else "ltr"}
        if self.language:
            hints["language"] = self.language
        return hints


def lay(text: str, size: int, fonts: Fonts) -> Line:
    """A text as one line; controls in it are spaces, and no more than `LONGEST` characters are taken."""
    pieces = clusters(cleaned(text[:LONGEST]))
    chosen: list[tuple[int, Font]] = []
    missing: set[str] = set()
    for piece, level in zip(pieces, levels(pieces), strict=True):
        before = chosen[-1][1] if chosen else None
        font = before if before and _stays(piece, before) else fonts.drawing(needed(piece))
        if font is None:
            font, lacking = _best(piece, fonts)
            missing |= lacking
        chosen.append((level, font))
    runs: list[tuple[int, Run]] = []
    for (level, font), group in groupby(zip(pieces, chosen, strict=True), key=lambda pair: pair[1]):
        runs.append((level, Run("".join(piece for piece, _choice in group), font, level % 2 == 1)))
    lack = Lack(frozenset(missing), unjoined=not can_join() and _joins(pieces))
    return Line(tuple(run for _level, run in shown(runs)), size, _language(pieces), lack)


def _stays(piece: str, font: Font) -> bool:
    """Whether a space or a sign stays in the font before it, so that words are not cut."""
    return unicodedata.category(piece[0])[0] in "ZP" and needed(piece) in font


def _best(piece: str, fonts: Fonts) -> tuple[Font, set[str]]:
    """The font that draws most of a cluster that none draws whole, and what it lacks."""
    lacking = [{each for each in needed(piece) if each not in font} for font in fonts.chain]
    n = min(range(len(lacking)), key=lambda each: len(lacking[each]))
    return fonts.chain[n], lacking[n]


def _joins(pieces: list[str]) -> bool:
    return any(ord(each[0]) in script for each in pieces for script in _JOINED)


def _language(pieces: list[str]) -> str:
    """Chinese characters look different in Japanese and Korean text; kana and hangul tell whose it is."""
    names = {unicodedata.name(each[0], "").partition(" ")[0] for each in pieces}
    if names & {"HIRAGANA", "KATAKANA"}:
        return "ja"
    if "HANGUL" in names:
        return "ko"
    return "zh-Hans" if any(ord(each[0]) in _HAN for each in pieces) else ""


def shortened(text: str, size: int, fonts: Fonts, most: int) -> Line | None:
    """The text if it is no wider than so many pixels, else as much of it as is, and an ellipsis; or None.

    What it lacks is told of the whole text.
    """
    whole = lay(text, size, fonts)
    if whole.width <= most:
        return whole
    dots = "…" if fonts.drawing("…") else "..."
    pieces = clusters(cleaned(text[:LONGEST]))
    fits, too_many = -1, len(pieces)
    while too_many - fits > 1:
        tried = (fits + too_many) // 2
        line = lay("".join(pieces[:tried]).rstrip() + dots, size, fonts)
        fits, too_many = (tried, too_many) if line.width <= most else (fits, tried)
    if fits < 1:
        return None
    line = lay("".join(pieces[:fits]).rstrip() + dots, size, fonts)
    return Line(line.runs, size, line.language, whole.lack)
