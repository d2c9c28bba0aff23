"""Avatars: a colour of one's own, a disc with a letter, a name below."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.drawing.avatars import avatar, colours
from pipeline.drawing.fonts import BUILT_IN, Font, Fonts
from pipeline.drawing.paint import rgb
from pipeline.drawing.text import lay
from tests.drawing.written import Mask, fonts, ink

OWN = Fonts((Font(BUILT_IN),))


def pixels(uid: str, name: str, w: int = 320, h: int = 180, chain: Fonts | None = None) -> Mask:
    sprite = avatar(uid, name, w, h, chain or fonts()).sprite
    assert sprite
    assert (sprite.x, sprite.y) == (0, 0)
    return sprite.pixels


def test_the_colour_of_a_user_is_always_the_same() -> None:
    assert colours("7") == ((58, 89, 84), "#54998e")


@given(st.text(max_size=20))
def test_every_colour_is_calm_and_white_can_be_read_on_it(uid: str) -> None:
    back, front = colours(uid)
    assert max(back) <= 90
    assert max(rgb(front)) <= 160
    assert min(a - b for a, b in zip(rgb(front), back, strict=True)) >= 0


def test_users_differ_in_colour() -> None:
    assert len({colours(str(n)) for n in range(100)}) > 60


def test_a_disc_stands_in_the_middle_and_the_name_below_it() -> None:
    back, front = colours("7")
    drawn = pixels("7", "Ann")
    assert drawn[0, 0].tolist() == [*back, 255]
    disc = (drawn[..., :3] == rgb(front)).all(axis=2)
    columns, rows = np.flatnonzero(disc.any(axis=0)), np.flatnonzero(disc.any(axis=1))
    assert abs(columns[0] + columns[-1] - 319) <= 1
    assert 86 <= len(columns) <= 90
    white = np.asarray((drawn[..., :3] > 250).all(axis=2))
    assert white[rows[0] : rows[-1]].any()
    assert white[rows[-1] + 1 :].any()
    assert (drawn[..., 3] == 255).all()


@pytest.mark.parametrize(
    ("name", "initial"),
    [
        pytest.param("ann", "A", id="as a capital"),
        pytest.param("  bob", "B", id="not a space"),
        pytest.param("", "X", id="of the id where there is no name"),
        pytest.param("\n", "X", id="or none to see"),
        pytest.param("ßen", "ß", id="a letter that has no capital of its own"),
    ],
)
def test_the_disc_shows_the_first_letter(name: str, initial: str) -> None:
    assert np.array_equal(pixels("x", name, 240, 40), pixels("x", initial, 240, 40))
    assert not np.array_equal(pixels("x", name, 240, 40), pixels("x", "Q", 240, 40))


def test_the_letter_stands_in_the_middle_of_the_disc_as_its_font_draws_it() -> None:
    letter = lay("H", 200, fonts())
    wanted = ink(letter.mask(letter.width, letter.height, 0, letter.ascent))
    white = np.asarray(pixels("x", "H", 800, 800)[..., :3].min(axis=2) == 255)
    white[600:] = False  # the name
    rows, columns = np.flatnonzero(white.any(axis=1)), np.flatnonzero(white.any(axis=0))
    assert abs(len(rows) - wanted.shape[0]) <= 2
    assert abs(len(columns) - wanted.shape[1]) <= 2
    assert abs(columns[0] + columns[-1] - 799) <= 4
    assert rows[0] > 200


@given(st.text(max_size=30), st.integers(1, 200), st.integers(1, 200))
def test_an_avatar_of_any_name_fills_any_region(name: str, w: int, h: int) -> None:
    drawn = pixels("7", name, 2 * w, 2 * h)
    assert drawn.shape == (2 * h, 2 * w, 4)
    assert (drawn[..., 3] == 255).all()


@pytest.mark.parametrize("size", [(320, 180), (60, 30)], ids=["with the name", "too low for the name"])
def test_what_is_missing_is_told(size: tuple[int, int]) -> None:
    assert avatar("7", "会", *size, OWN).lack.characters == {"会"}
    assert not avatar("7", "Ann", *size, OWN).lack
