"""Fractions become even pixels; what is no canvas, box or region is refused."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import CommandError
from pipeline.layout.canvas import WHOLE, Box, Canvas, Mode, Place, Region
from pipeline.layout.scene import Seat
from tests.layout.seating import canvases

fractions = st.fractions(0, 1, max_denominator=1000)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x, y = draw(fractions.filter(lambda f: f < 1)), draw(fractions.filter(lambda f: f < 1))
    w = draw(st.fractions(Fraction(1, 50), 1, max_denominator=1000))
    h = draw(st.fractions(Fraction(1, 50), 1, max_denominator=1000))
    return Box(min(x, 1 - min(w, 1 - x)), y, min(w, 1 - x), min(h, 1 - y))


@pytest.mark.parametrize(
    ("size", "box", "edges"),
    [
        pytest.param(
            "1920x1080", "33/100 0 1/2 1", (634, 0, 1594, 1080), id="633.6 is 634, as Volcengine says"
        ),
        pytest.param(
            "640x480", "1/3 0 1/3 1/3", (214, 0, 426, 160), id="a third lies between its neighbours"
        ),
        pytest.param("360x640", "0 0 1/7 1/6", (0, 0, 52, 106), id="51.4 by 106.7"),
        pytest.param("6x6", "1/2 1/2 1/2 1/2", (4, 4, 6, 6), id="halves go up"),
        pytest.param("1280x720", "0 0 1 1", (0, 0, 1280, 720), id="the whole"),
    ],
)
def test_edges_lie_on_the_nearest_even_pixel(size: str, box: str, edges: tuple[int, int, int, int]) -> None:
    region = Canvas.parse(size).region(0, Place(Box(*map(Fraction, box.split()))))
    assert (region.x, region.y, region.right, region.bottom) == edges


@given(canvases, boxes())
def test_no_edge_is_further_than_a_pixel_from_its_fraction(canvas: Canvas, box: Box) -> None:
    try:
        region = canvas.region(0, Place(box))
    except CommandError:
        assert min(box.w * canvas.width, box.h * canvas.height) < 2
        return
    exact = (
        box.x * canvas.width,
        box.right * canvas.width,
        box.y * canvas.height,
        box.bottom * canvas.height,
    )
    edges = (region.x, region.right, region.y, region.bottom)
    assert all(abs(edge - wanted) <= 1 for edge, wanted in zip(edges, exact, strict=True))
    assert all(edge % 2 == 0 for edge in edges)
    assert region.right <= canvas.width
    assert region.bottom <= canvas.height


@given(canvases, fractions.filter(lambda f: Fraction(1, 10) < f < Fraction(9, 10)))
def test_boxes_that_touch_stay_touching(canvas: Canvas, at: Fraction) -> None:
    left = canvas.region(0, Place(Box(Fraction(0), Fraction(0), at, Fraction(1))))
    right = canvas.region(1, Place(Box(at, Fraction(0), 1 - at, Fraction(1))))
    assert left.right == right.x
    assert not left.overlaps(right)


@given(boxes())
def test_a_mirrored_box_mirrored_is_itself(box: Box) -> None:
    assert box.mirrored.mirrored == box
    assert box.mirrored.x == 1 - box.right


@given(canvases, boxes())
def test_pixels_are_fractions_of_their_canvas(canvas: Canvas, box: Box) -> None:
    try:
        region = canvas.region(0, Place(box))
    except CommandError:
        return
    again = canvas.box(region.x, region.y, region.w, region.h)
    assert canvas.region(0, Place(again)) == region


@pytest.mark.parametrize(
    ("text", "box", "z"),
    [
        pytest.param("0,0,1,1", "0,0,1,1", 0, id="the whole, in fractions"),
        pytest.param("0.5,0,0.5,1,7", "0.5,0,0.5,1", 7, id="with a depth"),
        pytest.param("1/4,1/4,1/2,1/2", "0.25,0.25,0.5,0.5", 0, id="as quotients"),
        pytest.param("320,120,160,240,2", "0.5,0.25,0.25,0.5", 2, id="in pixels"),
    ],
)
def test_a_region_is_typed_in_fractions_or_in_pixels(text: str, box: str, z: int) -> None:
    found, depth = Canvas(640, 480).parse_region(text)
    assert (str(found), depth) == (box, z)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0,0,1", "a region is X,Y,W,H or X,Y,W,H,Z in fractions or in pixels, not '0,0,1'."),
        ("a,b,c,d", "a region is X,Y,W,H or X,Y,W,H,Z in fractions or in pixels, not 'a,b,c,d'."),
        ("0,0,-1,1", "a region is X,Y,W,H or X,Y,W,H,Z in fractions or in pixels, not '0,0,-1,1'."),
        ("0,0,1/0,1", "a region is X,Y,W,H or X,Y,W,H,Z in fractions or in pixels, not '0,0,1/0,1'."),
        ("0,0,1e9,1", "a region is X,Y,W,H or X,Y,W,H,Z in fractions or in pixels, not '0,0,1e9,1'."),
        ("0,0,100.5,100", "the region '0,0,100.5,100' is in pixels: give whole numbers."),
        ("0,0,1,1,0.5", "the region '0,0,1,1,0.5' has a z that is no whole number."),
        ("0.5,0,0.6,1", "the region 0.5,0,0.6,1 ends outside the canvas."),
        ("0,0,700,480", "the region 0,0,700,480 leaves the canvas of 640x480."),
        ("0,0,0,1", "the region 0,0,0,1 has no area or begins outside the canvas."),
    ],
)
def test_what_is_no_region_is_refused(text: str, told: str) -> None:
    with pytest.raises(CommandError) as caught:
        Canvas(640, 480).parse_region(text)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1280", "a size is WIDTHxHEIGHT in pixels, such as 1280x720, not '1280'."),
        ("1281x720", "a canvas' width is an even number from 2 to 8192, not 1281."),
        ("1280x0", "a canvas' height is an even number from 2 to 8192, not 0."),
        ("99998x720", "a canvas' width is an even number from 2 to 8192, not 99998."),
        ("0x500x720", "a size is WIDTHxHEIGHT in pixels, such as 1280x720, not '0x500x720'."),
    ],
)
def test_what_is_no_canvas_is_refused(text: str, told: str) -> None:
    with pytest.raises(CommandError) as caught:
        Canvas.parse(text)
    assert str(caught.value) == told


def test_a_colour_is_six_hex_digits_of_any_case() -> None:
    assert Canvas(2, 2, "#aBcDeF").background == "#aBcDeF"
    with pytest.raises(CommandError) as caught:
        Canvas(2, 2, "black")
    assert str(caught.value) == "a background is a colour such as #1a2b3c, not 'black'."


def test_a_canvas_too_small_for_a_region_is_refused() -> None:
    with pytest.raises(CommandError) as caught:
        Canvas(4, 4).region(2, Place(Box(Fraction(0), Fraction(0), Fraction(1, 9), Fraction(1))))
    assert str(caught.value) == "a canvas of 4x4 is too small: the region of user 3 has no pixels."


@pytest.mark.parametrize(
    "sides",
    [(1, 0, 2, 2), (0, 0, 0, 2), (0, -2, 2, 2), (0, 0, 2, 3)],
    ids=["odd", "no area", "outside", "odd height"],
)
def test_a_region_that_exists_is_valid(sides: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="a region lies on even pixels"):
        Region(0, *sides)


def test_an_opacity_and_a_picture_have_bounds() -> None:
    with pytest.raises(ValueError, match="an opacity is 0 to 255"):
        Region(0, 0, 0, 2, 2, 0, Mode.CROP, 256)
    with pytest.raises(ValueError, match="a picture has a width and a height"):
        Seat("ann", 0, 9)
    assert Canvas(4, 4).region(0, Place(WHOLE, opacity=0)).opacity == 0
