"""Fonts of this machine for tests, and text drawn by Pillow alone to compare with."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline.drawing.fonts import Fonts, can_join, find_fonts
from tests.servers.fixtures import require

Mask = NDArray[np.uint8]
DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
SIZE = 40


@cache
def fonts() -> Fonts:
    return find_fonts()


def writing(text: str) -> Fonts:
    """The chain of fonts, if they have these characters: which there are is the machine's business."""
    known = all(fonts().drawing(each) for each in text)
    require("" if known else f"no font on this machine writes {text!r}: install fonts-droid-fallback")
    return fonts()


def dejavu() -> Path:
    """A font that letters can be compared with: Pillow's own has no file."""
    require("" if DEJAVU.is_file() else "fonts-dejavu-core is not installed")
    return DEJAVU


def joining() -> None:
    """Letters are joined by a library of the system, which Pillow's wheel does not bring."""
    require("" if can_join() else "libfribidi0 is not installed")


def ink(mask: Mask) -> Mask:
    """The part of a mask that anything covers."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if rows.size else mask[:0, :0]


def alone(character: str, path: Path, size: int = SIZE) -> Mask:
    """Text as the font has it, letter by letter from left to right: nothing is shaped."""
    font = ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
    picture = Image.new("L", (size * (2 + len(character)), 3 * size))
    ImageDraw.Draw(picture).text((size, 2 * size), character, fill=255, font=font, anchor="ls")
    return ink(np.asarray(picture))
