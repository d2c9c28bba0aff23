"""What stays together when text is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.drawing.clusters import cleaned, clusters, needed


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param(["A", "b", " ", "c"], id="letters"),
        pytest.param(["e\u0301", "g\u0308\u0331", "x"], id="letters with marks"),
        pytest.param(["👩\u200d👩\u200d👧", "😀"], id="a family is one"),
        pytest.param(["👍🏽", "👍"], id="a skin tone"),
        pytest.param(["❤\ufe0f", "!"], id="a selector of emoji"),
        pytest.param(["🇩🇪", "🇫🇷", "🇯"], id="flags by pairs"),
        pytest.param(["🏴\U000e0067\U000e0062\U000e007f", "a"], id="a flag of tags"),
        pytest.param(["\u1112\u1161\u11ab", "\u1100\u1173\u11af"], id="Korean syllables in parts"),
        pytest.param(["न", "म", "स\u094d", "त\u0947"], id="vowel signs"),
        pytest.param(["س", "ل\u064e", "م"], id="Arabic with a vowel mark"),
        pytest.param(["ن\u200c", "س", "ل\u200d", "م"], id="joiners between letters end a cluster"),
        pytest.param([], id="nothing"),
    ],
)
def test_text_is_cut_between_what_a_reader_takes_for_characters(pieces: list[str]) -> None:
    assert clusters("".join(pieces)) == pieces


@given(st.text())
def test_clusters_joined_are_the_text(text: str) -> None:
    assert "".join(clusters(text)) == text
    assert all(clusters(text))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(" Ann\tB.\r\n C ", "Ann B. C", id="white space is one space"),
        pytest.param("a\x00b\ud800c", "a b c", id="controls and half characters"),
        pytest.param("\u202egnp.exe\u2066x\u2069", "gnp.exex", id="nothing turns the order"),
        pytest.param("e\u0301", "\xe9", id="letter and mark are one where they can be"),
        pytest.param("\n", "", id="nothing is left"),
    ],
)
def test_a_text_becomes_one_line(text: str, line: str) -> None:
    assert cleaned(text) == line


def test_what_only_shapes_needs_no_glyph() -> None:
    assert needed("👩\u200d👧\ufe0f\U000e0067") == "👩👧"
