"""Hostile text in a terminal: laws of visibility and of width."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.words import between, cells, columns, fit, size, visible

ANY_TEXT = st.text(st.characters(), max_size=40)


@given(ANY_TEXT)
def test_visible_text_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=40))
def test_letters_digits_and_signs_stay_as_they_are(text: str) -> None:
    assert visible(text) == text


@given(ANY_TEXT.map(visible), st.integers(1, 60))
def test_fitted_text_takes_exactly_its_cells(text: str, width: int) -> None:
    assert cells(fit(text, width)) == width


@given(ANY_TEXT.map(visible), st.integers(1, 60))
def test_text_that_has_room_is_not_changed_by_fitting(text: str, width: int) -> None:
    if cells(text) <= width:
        assert fit(text, width).startswith(text)


@given(st.integers(0, 10**17))
def test_a_size_is_written_with_at_most_six_digits(number: int) -> None:
    value, unit = size(number).split()
    assert unit in {"B", "kB", "MB", "GB", "TB"}
    assert unit == "TB" or float(value) < 1000


@pytest.mark.parametrize(
    ("number", "text"),
    [
        pytest.param(0, "0 B", id="nothing"),
        pytest.param(999, "999 B", id="just below a kilobyte"),
        pytest.param(1000, "1.0 kB", id="a kilobyte"),
        pytest.param(999_949, "999.9 kB", id="just below what rounds to a megabyte"),
        pytest.param(999_950, "1.0 MB", id="what rounds to a megabyte is one"),
        pytest.param(5 * 10**15, "5000.0 TB", id="petabytes stay terabytes"),
    ],
)
def test_sizes(number: int, text: str) -> None:
    assert size(number) == text


def test_columns_stand_under_one_another_by_cells_and_not_by_characters() -> None:
    assert list(columns([("张三", "x"), ("ann", "yy"), ("a name too long", "z")], most=6)) == [
        "张三    x",
        "ann     yy",
        "a nam~  z",
    ]


def test_a_moment_without_an_end_is_one_time() -> None:
    assert between(0, None) == "00:00:00.000"
