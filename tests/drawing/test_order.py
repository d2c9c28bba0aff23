"""The order of what runs from right to left, against the tables of UAX #9 and against fribidi."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from pipeline.drawing.fonts import Font, Fonts
from pipeline.drawing.order import levels, shown
from pipeline.drawing.text import lay
from tests.drawing.written import Mask, dejavu, ink, joining


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("abc", "000", id="Latin"),
        pytest.param("אבג", "111", id="Hebrew"),
        pytest.param("a אב c", "001100", id="Hebrew in Latin"),
        pytest.param("א ab", "1122", id="Latin in Hebrew"),
        pytest.param("א 12", "1122", id="numbers in Hebrew"),
        pytest.param("א 1.5", "11222", id="a point in a number"),
        pytest.param("א 5%", "1122", id="per cent of a number in Hebrew"),
        pytest.param("ع 5%", "1121", id="not of one in Arabic"),
        pytest.param("a 1-2", "00000", id="numbers after Latin are Latin"),
        pytest.param("א (a)", "11121", id="brackets are of the line"),
        pytest.param("12 אב", "221 11".replace(" ", ""), id="a line that begins with a number"),
        pytest.param("(1)", "000", id="nothing strong"),
    ],
)
def test_each_character_has_its_level(text: str, found: str) -> None:
    assert levels(list(text)) == list(map(int, found))


@pytest.mark.parametrize(
    ("runs", "order"),
    [
        pytest.param([(0, "a"), (1, "B"), (1, "C"), (0, "d")], "aCBd", id="from right to left inside"),
        pytest.param([(1, "A"), (2, "1"), (2, "2"), (1, "B")], "B12A", id="numbers from left to right"),
        pytest.param([], "", id="nothing"),
    ],
)
def test_runs_stand_in_the_order_of_their_levels(runs: list[tuple[int, str]], order: str) -> None:
    assert "".join(run for _level, run in shown(runs)) == order


def whole(text: str) -> Mask:
    """A line as the shaping library orders and draws it by itself."""
    font = ImageFont.truetype(str(dejavu()), 24)
    picture = Image.new("L", (60 + int(font.getlength(text)), 100))
    ImageDraw.Draw(picture).text((30, 60), text, fill=255, font=font, anchor="ls")
    return ink(np.asarray(picture))


words = st.lists(
    st.sampled_from(["Ann", "B", "علي", "محمد", "אבג", "12", "5%", "3.5", "-", "1/2", "!", "x2", "+"]),
    min_size=1,
    max_size=5,
)


@given(words)
def test_a_line_that_is_cut_into_runs_looks_as_one_that_is_not(drawn: list[str]) -> None:
    joining()
    text = " ".join(drawn)
    line = lay(text, 24, Fonts((Font(str(dejavu())),)))
    assert np.array_equal(ink(line.mask(line.width + 60, 100, 30, 60)), whole(text))
