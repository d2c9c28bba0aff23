"""Watermarks: where they lie, what they show, and the clock second by second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.drawing.marks import clock, image_mark, text_mark, told
from pipeline.layout.canvas import Canvas
from pipeline.layout.looks import ClockMark, Corner, ImageMark, TextMark
from tests.drawing.written import fonts

if TYPE_CHECKING:
    from pathlib import Path

CANVAS = Canvas(1280, 720)
AT = 1_768_905_022_000  # 2026-01-20 10:30:22 UTC


@pytest.mark.parametrize(
    ("utc_ms", "zone", "text"),
    [
        pytest.param(AT, 0, "2026-01-20 10:30:22", id="UTC"),
        pytest.param(AT + 999, 0, "2026-01-20 10:30:22", id="until the last millisecond"),
        pytest.param(AT + 1000, 0, "2026-01-20 10:30:23", id="then the next"),
        pytest.param(AT, 480, "2026-01-20 18:30:22", id="east, the zone of TRTC"),
        pytest.param(AT, 345, "2026-01-20 16:15:22", id="a zone of quarters"),
        pytest.param(AT, -660, "2026-01-19 23:30:22", id="west, the day before"),
        pytest.param(951_782_399_999, 0, "2000-02-28 23:59:59", id="before a leap day"),
        pytest.param(951_782_400_000, 0, "2000-02-29 00:00:00", id="on it"),
        pytest.param(-1, 0, "1969-12-31 23:59:59", id="before 1970"),
    ],
)
def test_a_clock_tells_the_second_in_its_zone(utc_ms: int, zone: int, text: str) -> None:
    assert told(utc_ms, zone) == text


def test_the_picture_of_a_clock_changes_with_the_second_and_only_then() -> None:
    made = clock(ClockMark(), CANVAS, fonts())
    pictures = [made.at(AT + ms).pixels for ms in (-1, 0, 999, 1000)]
    assert not np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[1], pictures[2])
    assert not np.array_equal(pictures[2], pictures[3])


def test_each_digit_of_a_clock_is_read_back_in_its_place() -> None:
    made = clock(ClockMark(size=20, behind="#000000"), CANVAS, fonts())
    for ms in (AT, AT + 37_000_000_000):
        x = made.pad.shape[1]
        for character in told(ms, 0):
            width = made.glyphs[character].shape[1]
            part = made.at(ms).pixels[:, x : x + width]
            alike = {c for c, glyph in made.glyphs.items() if np.array_equal(glyph, part)}
            assert alike == {character}
            x += width
        assert x + made.pad.shape[1] == made.at(ms).w


@pytest.mark.parametrize(
    ("corner", "x", "y"),
    [
        (Corner.TOP_LEFT, "left", "top"),
        (Corner.TOP, "middle", "top"),
        (Corner.TOP_RIGHT, "right", "top"),
        (Corner.MIDDLE, "middle", "middle"),
        (Corner.BOTTOM_LEFT, "left", "bottom"),
        (Corner.BOTTOM, "middle", "bottom"),
        (Corner.BOTTOM_RIGHT, "right", "bottom"),
    ],
)
def test_a_clock_stands_in_its_corner(corner: Corner, x: str, y: str) -> None:
    sprite = clock(ClockMark(corner, size=20), CANVAS, fonts()).at(AT)
    across = {"left": 20, "middle": (1280 - sprite.w) // 2, "right": 1260 - sprite.w}
    down = {"top": 20, "middle": (720 - sprite.h) // 2, "bottom": 700 - sprite.h}
    assert (sprite.x, sprite.y) == (across[x], down[y])


@given(st.integers(0, 4_000_000_000_000))
def test_a_clock_never_moves(utc_ms: int) -> None:
    made = clock(ClockMark(Corner.MIDDLE), CANVAS, fonts())
    first, other = made.at(AT), made.at(utc_ms)
    assert (first.x, first.y, first.pixels.shape) == (other.x, other.y, other.pixels.shape)


def test_a_box_of_text_begins_where_the_mark_says() -> None:
    sprite = text_mark(TextMark("Secret", 100, 60, 24, "#ff0000", "#00ff00"), CANVAS, fonts()).sprite
    assert sprite
    assert (sprite.x, sprite.y) == (100, 60)
    assert sprite.pixels[0, 0].tolist() == [0, 255, 0, 255]
    assert [255, 0, 0, 255] in sprite.pixels.reshape(-1, 4).tolist()


def test_letters_without_a_box_begin_there_too() -> None:
    sprite = text_mark(TextMark("H", 100, 60, 40), CANVAS, fonts()).sprite
    assert sprite
    left = int(np.flatnonzero(sprite.pixels[..., 3].any(axis=0))[0])
    assert 100 <= sprite.x + left <= 105
    assert sprite.y <= 60


def test_text_ends_with_the_canvas() -> None:
    sprite = text_mark(TextMark("long " * 1000, 1000, 60, 40, behind="#000000"), CANVAS, fonts()).sprite
    assert sprite
    assert sprite.x + sprite.w == 1280
    assert text_mark(TextMark("out", 1400, 0), CANVAS, fonts()).sprite is None
    assert text_mark(TextMark(" ", 0, 0), CANVAS, fonts()).sprite is None


def test_an_image_is_fitted_into_its_rectangle_with_its_alpha(tmp_path: Path) -> None:
    image = Image.new("RGBA", (40, 20), (200, 100, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 20, 20))
    image.save(tmp_path / "logo.png")
    sprite = image_mark(ImageMark("logo.png", 11, 21, 80, 80), tmp_path / "logo.png")
    assert (sprite.x, sprite.y, sprite.w, sprite.h) == (11, 41, 80, 40)
    assert sprite.pixels[20, 10, 3] == 0
    assert sprite.pixels[20, 70].tolist() == [200, 100, 0, 255]
    assert sprite.pixels[:, 50, :3].reshape(-1, 3).tolist() == [[200, 100, 0]] * 40
