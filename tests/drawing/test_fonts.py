"""Which fonts are found, in which order, and which one draws what."""

from __future__ import annotations

import shutil
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from pipeline.drawing.fonts import BUILT_IN, Font, Fonts, find_fonts
from pipeline.errors import CommandError
from tests.drawing.written import dejavu, writing

if TYPE_CHECKING:
    from pathlib import Path

PLACES = {
    "truetype/noto/NotoSans-Regular.ttf": 0,
    "truetype/dejavu/DejaVuSans.ttf": 0,
    "truetype/noto/NotoSansArabic-Regular.ttf": 0,
    "opentype/noto/NotoSansCJK-Regular.ttc": 2,
    "truetype/droid/DroidSansFallbackFull.ttf": 0,
    "truetype/noto/NotoSansThai-Regular.ttf": 0,
}


@pytest.fixture(autouse=True)
def no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "noto_cjk", None)


def test_given_fonts_come_first_then_debians_then_the_one_in_pillow(tmp_path: Path) -> None:
    for place in PLACES:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    mine = tmp_path / "mine.ttf"
    shutil.copy(dejavu(), mine)
    found = find_fonts([mine], tmp_path)
    wanted = [Font(str(tmp_path / place), index) for place, index in PLACES.items()]
    assert found.chain == (Font(str(mine)), *wanted, Font(BUILT_IN))


def test_the_font_of_the_extra_comes_after_those_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = SimpleNamespace(otc_path=lambda family: tmp_path / f"{family}.ttc")
    monkeypatch.setitem(sys.modules, "noto_cjk", extra)
    assert find_fonts((), tmp_path).chain == (Font(str(tmp_path / "sans.ttc"), 2), Font(BUILT_IN))


def test_the_extra_without_that_font_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_installed(_family: str) -> Path:
        raise RuntimeError("noto-cjk-sans-otc is not installed")

    monkeypatch.setitem(sys.modules, "noto_cjk", SimpleNamespace(otc_path=not_installed))
    assert find_fonts((), tmp_path).chain == (Font(BUILT_IN),)


def test_a_machine_without_fonts_writes_latin(tmp_path: Path) -> None:
    found = find_fonts((), tmp_path)
    assert found.chain == (Font(BUILT_IN),)
    assert found.scripts == ("Latin",)
    assert found.chain[0].name == "Aileron"


@pytest.mark.parametrize("text", ["Zoë", "会议", "あカ", "سلام", "😀"])
def test_the_first_font_that_has_every_character_draws_them(text: str) -> None:
    found = writing(text).drawing(text)
    assert found
    before = writing(text).chain[: writing(text).chain.index(found)]
    assert not any(text in font for font in before)


def test_what_no_font_has_is_drawn_by_none() -> None:
    assert Fonts((Font(str(dejavu())), Font(BUILT_IN))).drawing("会") is None


@pytest.mark.parametrize("kind", ["none", "a folder", "text", "cut off"])
def test_a_given_file_that_is_no_font_is_named(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.ttf"
    if kind == "a folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("Hello " * 100)
    elif kind == "cut off":
        path.write_bytes(dejavu().read_bytes()[:5000])
    with pytest.raises(CommandError, match=r"the font '.*mine\.ttf'.*give a .ttf, .otf or .ttc file"):
        find_fonts([path])
