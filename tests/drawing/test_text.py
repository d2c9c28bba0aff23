"""Lines of text read back from their pixels: each script leaves its letters, what is missing is told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.drawing.fonts import BUILT_IN, Font, Fonts, _sized
from pipeline.drawing.text import Lack, Line, lay, shortened
from tests.drawing.written import SIZE, Mask, alone, dejavu, fonts, ink, joining, writing

OWN = Fonts((Font(BUILT_IN),))


def mask(line: Line) -> Mask:
    return line.mask(line.width + 2 * SIZE, 3 * SIZE, SIZE, 2 * SIZE)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Zoë", id="Latin"),
        pytest.param("会议录制", id="Chinese"),
        pytest.param("あかりカメラ", id="Japanese"),
        pytest.param("😀", id="emoji"),
        pytest.param("ΩЖ", id="Greek and Cyrillic"),
    ],
)
def test_letters_are_those_of_a_font_that_has_them(text: str) -> None:
    line = lay(text, SIZE, writing(text))
    (run,) = line.runs
    assert not line.lack
    assert run.font.path != BUILT_IN
    box = ink(mask(lay("\U0010ffff", SIZE, Fonts((run.font,)))))
    for each in text:
        letter = ink(mask(lay(each, SIZE, fonts())))
        assert letter.any()
        assert not np.array_equal(letter, box)


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        pytest.param("مل", "\ufede\ufee3", id="the first letter stands on the right, both joined"),
        pytest.param("بيت", "\ufe96\ufef4\ufe91", id="three letters: initial, medial, final"),
        pytest.param("لا", "\ufefb", id="lam and alef are one sign"),
        pytest.param("دل", "\ufedd\u062f", id="dal joins nothing after it"),
    ],
)
def test_arabic_joins_and_runs_from_right_to_left(text: str, forms: str) -> None:
    joining()
    line = lay(text, SIZE, Fonts((Font(str(dejavu())),)))
    assert np.array_equal(ink(mask(line)), alone(forms, dejavu()))


def test_a_mark_stands_above_its_letter() -> None:
    plain, marked = (mask(lay(each, SIZE, Fonts((Font(str(dejavu())),)))) for each in ("g", "g\u0308"))
    assert ink(marked).shape[0] > ink(plain).shape[0]
    assert ink(marked).shape[1] == ink(plain).shape[1]


def test_each_part_of_a_mixed_text_is_drawn_by_a_font_that_has_it() -> None:
    line = lay("Ali علي 会", SIZE, writing("Aعل会"))
    assert not line.lack
    assert all(each in run.font for run in line.runs for each in run.text)
    assert "".join(run.text for run in line.runs) == "Ali علي 会"


def test_a_part_from_right_to_left_stands_in_its_place_among_others() -> None:
    line = lay("علي 会 Ali", SIZE, writing("Aعل会"))
    assert line.runs[0].text.strip() != "علي"
    assert line.runs[-1].text.startswith("علي")
    assert line.runs[-1].right_to_left


@pytest.mark.parametrize(
    ("text", "missing"),
    [("Ann", ""), ("Ann 会议", "会议"), ("ع\u200d", "ع"), ("😀\ufe0f x", "😀"), ("\n\t", "")],
)
def test_what_no_font_has_is_told(text: str, missing: str) -> None:
    lack = lay(text, SIZE, OWN).lack
    assert lack.characters == frozenset(missing)
    assert bool(lack) == bool(missing)


def test_a_box_stands_in_the_place_of_what_no_font_has() -> None:
    line = lay("会", SIZE, OWN)
    assert ink(mask(line)).size


def test_of_a_cluster_only_what_is_missing_is_told() -> None:
    assert lay("e\u0353", SIZE, OWN).lack.characters == {"\u0353"}


def test_a_lack_says_what_and_where_and_what_to_do() -> None:
    told = Lack(frozenset("😀会")).told("the name of user 7")
    assert told.startswith("no font here has a glyph for U+4F1A, U+1F600 in the name of user 7: give --font")
    assert Lack(unjoined=True).told("the name of user 7") == (
        "letters of the name of user 7 stand alone that should join: install libfribidi0"
    )
    assert Lack().told("the name of user 7") == ""


def test_without_its_library_arabic_is_told_to_be_unjoined_but_runs_from_the_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.drawing.fonts.features.check", lambda _feature: False)
    monkeypatch.setattr("pipeline.drawing.fonts._sized", _sized.__wrapped__)
    line = lay("مل", SIZE, Fonts((Font(str(dejavu())),)))
    assert line.lack == Lack(unjoined=True)
    assert np.array_equal(ink(mask(line)), alone("لم", dejavu()))
    assert not lay("Ann 会", SIZE, fonts()).lack.unjoined


@pytest.mark.parametrize(
    ("text", "language"),
    [("山田", "zh-Hans"), ("山田あ", "ja"), ("カ", "ja"), ("金 김", "ko"), ("Ann", ""), ("علي", "")],
)
def test_the_language_of_chinese_characters_is_known_by_what_stands_beside_them(
    text: str, language: str
) -> None:
    assert lay(text, SIZE, fonts()).language == language


@given(st.text(max_size=30))
def test_any_text_can_be_drawn(text: str) -> None:
    line = lay(text, 12, fonts())
    assert line.mask(line.width + 1, line.height + 1, 0, line.ascent).shape == (
        line.height + 1,
        line.width + 1,
    )


@given(st.text(max_size=40), st.integers(0, 300), st.integers(8, 40))
def test_a_shortened_text_is_never_too_wide_and_whole_where_it_fits(text: str, most: int, size: int) -> None:
    line = shortened(text, size, fonts(), most)
    whole = lay(text, size, fonts())
    assert line is None or line.width <= most
    assert (line == whole) == (whole.width <= most)


def test_what_is_too_long_ends_in_an_ellipsis_and_as_late_as_it_can() -> None:
    name = "A name that goes on"
    whole = lay(name, SIZE, fonts()).width
    seen = []
    for most in range(whole, 0, -1):
        line = shortened(name, SIZE, fonts(), most)
        seen.append("".join(run.text for run in line.runs) if line else None)
    told = list(dict.fromkeys(seen))
    assert told[:3] == [name, "A name that goes…", "A name that goe…"]
    assert told[-2:] == ["A…", None]


def test_dots_stand_where_no_font_has_an_ellipsis() -> None:
    line = shortened("A name", SIZE, Fonts((Font(BUILT_IN),)), 120)
    assert line
    assert line.runs[0].text.endswith("…" if "…" in Font(BUILT_IN) else "...")


def test_a_shortened_text_tells_what_the_whole_one_lacks() -> None:
    line = shortened("A long name, 会", SIZE, OWN, 150)
    assert line
    assert line.lack.characters == {"会"}
    assert "会" not in "".join(run.text for run in line.runs)
