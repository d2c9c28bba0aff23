"""Fonts of this machine for tests, and text drawn by Pillow alone to compare with."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline.drawing.fonts import Fonts, can_join, find_fonts

Mask = NDArray[np.uint8]
DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
SIZE = 40


@cache
def fonts() -> Fonts:
    return find_fonts()


def writing(text: str) -> Fonts:
    """The chain of fonts; the test is skipped where none has these characters."""
    if any(fonts().drawing(each) is None for each in text):
        pytest.skip(f"no font on this machine writes {text!r}")
    return fonts()


def dejavu() -> Path:
    if not DEJAVU.is_file():
        pytest.skip("fonts-dejavu-core is not installed")
    return DEJAVU


def joining() -> None:
    if not can_join():
        pytest.skip("libfribidi0 is not installed")


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
