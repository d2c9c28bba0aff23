"""Names in regions: where their boxes lie, what colours they have, how long they may be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.drawing.fonts import BUILT_IN, Font, Fonts
from pipeline.drawing.labels import fitting, label
from pipeline.layout.canvas import Region
from pipeline.layout.fill import Rect
from pipeline.layout.looks import Label
from tests.drawing.written import fonts

PLACE = Rect(320, 180, 320, 180)


def test_a_name_stands_at_the_bottom_left_of_its_region() -> None:
    sprite = label("Ann", Label(), PLACE, fonts()).sprite
    assert sprite
    assert (sprite.x, sprite.y + sprite.h) == (320, 360)
    assert sprite.w < 100
    assert sprite.h < 30


def test_letters_are_opaque_on_a_box_of_the_opacity_that_was_asked_for() -> None:
    look = Label(size=30, colour="#ff8000", behind="#0000ff", opacity=100)
    sprite = label("Ann", look, PLACE, fonts()).sprite
    assert sprite
    colours, counts = np.unique(sprite.pixels.reshape(-1, 4), axis=0, return_counts=True)
    assert colours[counts.argmax()].tolist() == [0, 0, 255, 100]
    assert [255, 128, 0, 255] in colours.tolist()
    assert set(sprite.pixels[0, 0].tolist()) == {0, 255, 100}


def test_without_a_box_there_are_only_letters() -> None:
    sprite = label("Ann", Label(behind=""), PLACE, fonts()).sprite
    assert sprite
    assert sprite.pixels[0, 0, 3] == 0
    assert sprite.pixels[..., 3].max() > 250


@pytest.mark.parametrize(("height", "size"), [(90, 10), (180, 11), (360, 22), (720, 28), (2160, 28)])
def test_letters_fit_the_height_of_the_region(height: int, size: int) -> None:
    assert fitting(height) == size


def test_a_region_of_a_scene_is_a_place() -> None:
    region = Region(0, 320, 180, 320, 180)
    mine, other = (label("Ann", Label(), place, fonts()).sprite for place in (region, PLACE))
    assert mine
    assert other
    assert (mine.x, mine.y) == (other.x, other.y)
    assert np.array_equal(mine.pixels, other.pixels)


@given(st.text(max_size=60), st.integers(1, 400), st.integers(1, 200), st.sampled_from([0, 8, 14, 60]))
def test_a_label_never_leaves_its_region(text: str, w: int, h: int, size: int) -> None:
    sprite = label(text, Label(size=size), Rect(40, 60, w, h), fonts()).sprite
    if sprite:
        assert sprite.x == 40
        assert sprite.w <= w
        assert sprite.h <= h
        assert sprite.y + sprite.h == 60 + h


@pytest.mark.parametrize(
    ("text", "place"),
    [("Ann", Rect(0, 0, 6, 180)), ("Ann", Rect(0, 0, 320, 6)), ("", PLACE), ("\n", PLACE)],
    ids=["too narrow", "too low", "no name", "nothing to see"],
)
def test_where_no_letter_has_room_there_is_no_label(text: str, place: Rect) -> None:
    assert label(text, Label(), place, fonts()).sprite is None


def test_what_the_name_lacks_is_told() -> None:
    drawn = label("会", Label(), PLACE, Fonts((Font(BUILT_IN),)))
    assert drawn.sprite
    assert drawn.lack.characters == {"会"}
