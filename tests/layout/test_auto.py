"""`auto` and `speaker`: as much as can be of everybody, and one large."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.layout.auto import FAIR, LIMIT, Span, auto, best, speaker
from pipeline.layout.canvas import Canvas
from pipeline.layout.scene import Seat
from pipeline.vendors.layouts import Wish
from tests.layout.seating import aspects, canvases, overlapping, places, seats

people = st.lists(aspects, min_size=1, max_size=25).map(
    lambda sizes: tuple(Seat(str(n), *size) for n, size in enumerate(sizes))
)
HD = Canvas(1280, 720)
PHONE = Canvas(720, 1280)


def room(canvas: Canvas) -> Span:
    return Span(Fraction(0), Fraction(0), Fraction(canvas.width), Fraction(canvas.height))


def fitted(w: Fraction, h: Fraction, aspect: Fraction) -> Fraction:
    """Square pixels of the largest picture of an aspect in a cell."""
    return min(w, h * aspect) ** 2 / aspect


@pytest.mark.parametrize(
    ("canvas", "users", "expected"),
    [
        pytest.param(HD, 1, {1: (0, 0, 1280, 720)}, id="alone: the whole"),
        pytest.param(HD, 2, {1: (0, 180, 640, 540), 2: (640, 180, 1280, 540)}, id="two: side by side"),
        pytest.param(
            HD,
            3,
            {1: (0, 0, 640, 360), 2: (640, 0, 1280, 360), 3: (320, 360, 960, 720)},
            id="three: the last in the middle",
        ),
        pytest.param(
            PHONE, 2, {1: (0, 118, 720, 522), 2: (0, 758, 720, 1162)}, id="on a phone: below another"
        ),
    ],
)
def test_where_auto_puts_users(
    canvas: Canvas, users: int, expected: dict[int, tuple[int, int, int, int]]
) -> None:
    assert places(auto(canvas, seats(users))) == expected


def test_portraits_stand_beside_one_another_and_landscapes_below() -> None:
    tall = [Seat(str(n), 9, 16) for n in range(3)]
    assert len({region.y for region in auto(HD, tall).regions}) == 1
    wide = [Seat(str(n), 32, 9) for n in range(3)]
    assert len({region.x for region in auto(HD, wide).regions}) == 1


@given(canvases, people)
def test_auto_shows_at_least_as_much_as_the_grid_of_a_cloud(canvas: Canvas, there: tuple[Seat, ...]) -> None:
    shapes = [seat.aspect for seat in there]
    found = sum(span.area for span in best(room(canvas), shapes))
    columns, rows = next(
        (c, r)
        for n, c, r in ((1, 1, 1), (2, 2, 1), (4, 2, 2), (9, 3, 3), (16, 4, 4), (25, 5, 5))
        if len(there) <= n
    )
    cell = Fraction(canvas.width, columns), Fraction(canvas.height, rows)
    assert found >= sum(fitted(*cell, shape) for shape in shapes)
    pixels = auto(canvas, there).area
    grid = Wish("grid").scene(canvas, there).area
    border = sum(2 * (region.w + region.h) for region in auto(canvas, there).regions)
    assert pixels >= grid - 2 * border - 8 * len(there)


@given(canvases, people)
def test_pictures_of_auto_lie_inside_the_room_and_apart(canvas: Canvas, there: tuple[Seat, ...]) -> None:
    spans = best(room(canvas), [seat.aspect for seat in there])
    for span, seat in zip(spans, there, strict=True):
        assert span.w / span.h == seat.aspect
        assert min(span.x, span.y) >= 0
        assert span.x + span.w <= canvas.width
        assert span.y + span.h <= canvas.height
    assert overlapping(auto(canvas, there)) == []


@given(st.integers(1, 25), canvases)
def test_nobody_of_one_shape_is_much_smaller_than_another(users: int, canvas: Canvas) -> None:
    areas = [span.area for span in best(room(canvas), [Fraction(16, 9)] * users)]
    assert max(areas) <= FAIR.value * min(areas)


@given(canvases, people, st.data())
def test_a_shared_screen_is_larger_than_all_others(
    canvas: Canvas, there: tuple[Seat, ...], data: st.DataObject
) -> None:
    sharing = data.draw(st.integers(0, len(there) - 1))
    with_screen = [
        Seat(seat.name, 16, 9, screen=True) if n == sharing else seat for n, seat in enumerate(there)
    ]
    scene = auto(canvas, with_screen)
    assert scene.regions[0].seat == sharing
    largest = max(scene.regions, key=lambda region: region.w * region.h)
    if canvas.width * 9 >= canvas.height * 12 or len(there) == 1:  # not on a phone's canvas
        assert largest.seat == sharing
    assert overlapping(scene) == []


@pytest.mark.parametrize(
    ("canvas", "strip"),
    [
        pytest.param(HD, (1024, 0, 1280, 720), id="beside it on a wide canvas"),
        pytest.param(PHONE, (0, 1024, 720, 1280), id="below it on a high one"),
    ],
)
def test_the_others_stand_in_a_strip(canvas: Canvas, strip: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = strip
    for n, (x0, y0, x1, y1) in places(auto(canvas, seats(6, sharing=3))).items():
        inside = left <= x0 and top <= y0 and x1 <= right and y1 <= bottom
        assert inside == (n != 4)


def test_the_first_of_several_screens_is_large() -> None:
    there = [Seat("a"), Seat("b", screen=True), Seat("c", screen=True)]
    assert auto(HD, there).regions[0].seat == 1
    assert auto(HD, there, large=2).regions[0].seat == 2


def test_who_speaks_is_large_and_a_screen_before_him_unless_somebody_is_named() -> None:
    assert speaker(HD, seats(4)).regions[0].seat == 0
    assert speaker(HD, seats(4), large=2).regions[0].seat == 2
    assert speaker(HD, seats(4, sharing=3)).regions[0].seat == 3
    assert places(speaker(HD, seats(4), large=2)) == places(auto(HD, seats(4), large=2))


@pytest.mark.parametrize("large", [None, 0, 27])
def test_over_the_limit_the_last_are_left_out_but_never_the_large_one(large: int | None) -> None:
    scene = auto(HD, seats(28), large)
    assert len(scene.regions) == LIMIT.value
    assert len(scene.left_out) == 3
    assert large not in scene.left_out


@settings(max_examples=20)  # areas of such aspects are long fractions
@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_no_aspect_makes_a_region_vanish(width: int, height: int) -> None:
    there = [Seat("odd", width, height), *seats(24)]
    assert len(auto(Canvas(320, 240), there).regions) == 25
    assert len(speaker(Canvas(320, 240), there, large=1).regions) == 25
