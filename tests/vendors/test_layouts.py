"""The clouds' tables of layouts, row by row as their pages have them, and what of each row is inferred.

Fractions here are typed from the pages, not taken from the code: ``x y w h`` of some users of a row, those at
its ends among them.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import pytest

from pipeline.errors import CommandError
from pipeline.layout.canvas import WHOLE, Box, Canvas, Mode
from pipeline.layout.rules import Mark
from pipeline.vendors.layouts import (
    GENERAL,
    LIMITS,
    MODES,
    NAMES,
    SIZES,
    TEMPLATES,
    Wish,
    offered,
    template,
)
from tests.layout.seating import EVERY, EVERY_ID, near, placed, places, scene, seats

NUMBERS_OF_CELLS = {"columns", "cell width", "cell height", "order"}
NUMBERS_BESIDE = {"large width", "large height", "small width", "small height"}


class Case(NamedTuple):
    """A number of users, where some of them are, and which numbers are inferred; (doc) are the others."""

    layout: str
    vendor: str
    users: int
    where: dict[int, str]
    inferred: frozenset[str]
    large: int | None = None

    def __str__(self) -> str:
        named = "" if self.large is None else f", user {self.large + 1} named"
        return f"{self.layout} of {self.vendor} for {self.users}{named}"


def case(
    layout: str, vendor: str, users: int, where: dict[int, str], *inferred: str, large: int | None = None
) -> Case:
    return Case(layout, vendor, users, where, frozenset(inferred), large)


ONE = {1: "0 0 1 1"}
TWO = {1: "0 0 1/2 1", 2: "1/2 0 1/2 1"}
THREE = {1: "0 0 1/2 1/2", 2: "1/2 0 1/2 1/2", 3: "0 1/2 1/2 1/2"}
FOUR = {**THREE, 4: "1/2 1/2 1/2 1/2"}
FIVE = {1: "0 0 1/3 1/3", 3: "2/3 0 1/3 1/3", 5: "1/3 1/3 1/3 1/3"}
NINE = {**FIVE, 7: "0 2/3 1/3 1/3", 9: "2/3 2/3 1/3 1/3"}
TEN = {1: "0 0 1/4 1/4", 5: "0 1/4 1/4 1/4", 10: "1/4 1/2 1/4 1/4"}
SIXTEEN = {**TEN, 16: "3/4 3/4 1/4 1/4"}
SEVENTEEN = {1: "0.1 0 0.2 0.2", 4: "0.7 0 0.2 0.2", 16: "0.7 0.6 0.2 0.2", 17: "0.4 0.8 0.2 0.2"}

FLOATING = {
    1: "0 0 1 1",
    2: "0.012 0.753 0.235 0.235",
    5: "0.753 0.753 0.235 0.235",
    6: "0.012 0.506 0.235 0.235",
    17: "0.753 0.012 0.235 0.235",
}
FLOATING_25 = {
    1: "0 0 1 1",
    2: "0.01 0.802 0.188 0.188",
    6: "0.802 0.802 0.188 0.188",
    7: "0.01 0.604 0.188 0.188",
    25: "0.604 0.01 0.188 0.188",
}

UP_TO_5 = {1: "0 0 4/5 1", 2: "4/5 0 1/5 1/4", 5: "4/5 3/4 1/5 1/4"}
UP_TO_7 = {1: "0 0 6/7 1", 2: "6/7 0 1/7 1/6", 7: "6/7 5/6 1/7 1/6"}
UP_TO_9 = {1: "0 0 8/9 1", 2: "8/9 0 1/9 1/8", 9: "8/9 7/8 1/9 1/8"}
OUTER_FIRST = {
    1: "0 0 4/5 1",
    2: "0.9 0 1/10 1/8",
    9: "0.9 7/8 1/10 1/8",
    10: "0.8 0 1/10 1/8",
    17: "0.8 7/8 1/10 1/8",
}
INNER_FIRST = {
    1: "0 0 4/5 1",
    2: "0.8 0 1/10 1/8",
    9: "0.8 7/8 1/10 1/8",
    10: "0.9 0 1/10 1/8",
    17: "0.9 7/8 1/10 1/8",
}
ALONG = {
    1: "0 0 4/5 7/8",
    2: "0.8 0 1/10 1/8",
    17: "0.9 7/8 1/10 1/8",
    18: "0 7/8 1/10 1/8",
    25: "0.7 7/8 1/10 1/8",
}


def first(where: dict[int, str], users: int) -> dict[int, str]:
    """Those of a row who are there when fewer are."""
    return {user: text for user, text in where.items() if user <= users}


CELLS = {1: ONE, 2: TWO, 3: THREE, 4: FOUR, 5: FIVE, 9: NINE, 10: TEN, 16: SIXTEEN}
_SIZES = NUMBERS_OF_CELLS - {"order"}
CASES = [
    *(case("floating", "agora", n, first(FLOATING, n)) for n in (1, 2, 6, 17)),
    case("best-fit", "agora", 1, ONE, *_SIZES),
    *(case("best-fit", "agora", n, CELLS[n], *NUMBERS_OF_CELLS) for n in CELLS if n > 1),
    case("best-fit", "agora", 17, SEVENTEEN),
    *(case("vertical", "agora", n, first(UP_TO_5, n), large=0) for n in (1, 2, 5)),
    *(case("vertical", "agora", n, first(UP_TO_7, n), large=0) for n in (6, 7)),
    *(case("vertical", "agora", n, first(UP_TO_9, n), large=0) for n in (8, 9)),
    *(case("vertical", "agora", n, first(OUTER_FIRST, n), "order", large=0) for n in (10, 17)),
    case("vertical", "agora", 1, ONE),
    case("grid", "trtc", 1, ONE),
    *(case("grid", "trtc", n, CELLS[n], "order") for n in CELLS if n > 1),
    case("grid", "trtc", 17, {1: "0 0 1/5 1/5", 17: "1/5 3/5 1/5 1/5"}, "order"),
    case("grid", "trtc", 25, {6: "0 1/5 1/5 1/5", 25: "4/5 4/5 1/5 1/5"}, "order"),
    *(case("floating", "trtc", n, first(FLOATING, n)) for n in (1, 2, 17)),
    *(case("floating", "trtc", n, first(FLOATING_25, n)) for n in (18, 25)),
    *(case("screen", "trtc", n, first(UP_TO_5, n), large=0) for n in (1, 5)),
    *(case("screen", "trtc", n, first(UP_TO_7, n), large=0) for n in (6, 7)),
    *(case("screen", "trtc", n, first(UP_TO_9, n), large=0) for n in (8, 9)),
    *(case("screen", "trtc", n, first(INNER_FIRST, n), "order", large=0) for n in (10, 17)),
    *(case("screen", "trtc", n, first(ALONG, n), "order", large=0) for n in (18, 25)),
    case("best-fit", "volcengine", 1, ONE, *_SIZES, "mode"),
    *(case("best-fit", "volcengine", n, CELLS[n], *NUMBERS_OF_CELLS, "mode") for n in CELLS if n > 1),
    case("best-fit", "volcengine", 17, SEVENTEEN, "columns", "cell side", "order", "mode"),
    *(
        case(
            "vertical",
            "volcengine",
            n,
            where,
            *NUMBERS_BESIDE,
            "order",
            "mode of the large",
            "mode of the small",
        )
        for n, where in ((5, UP_TO_5), (7, UP_TO_7), (9, UP_TO_9), (17, OUTER_FIRST))
    ),
    *(
        case("side-by-side", "volcengine", n, where, *NUMBERS_OF_CELLS, "mode")
        for n, where in (
            (2, TWO),
            (3, {3: "2/3 0 1/3 1"}),
            (4, {4: "3/4 0 1/4 1"}),
            (6, {1: "0 0 1/3 1/2", 6: "2/3 1/2 1/3 1/2"}),
            (8, {8: "3/4 1/2 1/4 1/2"}),
            (10, {10: "4/5 1/2 1/5 1/2"}),
            (12, {12: "3/4 2/3 1/4 1/3"}),
            (15, {15: "4/5 2/3 1/5 1/3"}),
            (17, {17: "2/3 2/3 1/6 1/3"}),
        )
    ),
]


@pytest.mark.parametrize("row", CASES, ids=str)
def test_a_row_of_a_table_puts_users_where_its_page_does(row: Case) -> None:
    found = scene(row.layout, row.vendor, row.users, large=row.large)
    assert [user for user, text in row.where.items() if not near(found, user, text)] == []
    assert len(found.regions) == row.users


@pytest.mark.parametrize("row", CASES, ids=str)
def test_what_is_inferred_makes_a_scene_approximate_and_nothing_else_does(row: Case) -> None:
    found = scene(row.layout, row.vendor, row.users, large=row.large)
    assert {each.what for each in found.inferred} == row.inferred
    assert found.approximate == bool(row.inferred)
    assert {each.mark for each in found.known} <= {Mark.DOC, Mark.INFERRED}


@pytest.mark.parametrize(("name", "vendor"), EVERY, ids=EVERY_ID)
@pytest.mark.parametrize("users", range(1, 26))
def test_every_layout_knows_what_it_rests_on(name: str, vendor: str, users: int) -> None:
    found = scene(name, vendor, users, Canvas(1280, 720))
    assert found.known
    assert all(each.source and each.what for each in found.known)
    assert found.approximate == any(each.mark is Mark.INFERRED for each in found.known)


def test_floating_fills_the_canvas_exactly() -> None:
    assert 4 * Fraction("0.235") + 5 * Fraction("0.012") == 1
    assert 5 * Fraction("0.188") + 6 * Fraction("0.010") == 1


@pytest.mark.parametrize(
    ("vendor", "limit", "size"),
    [("", 25, "1280x720"), ("agora", 17, "360x640"), ("trtc", 25, "360x640"), ("volcengine", 17, "640x480")],
)
def test_limits_and_canvases_are_those_of_the_pages(vendor: str, limit: int, size: str) -> None:
    assert (LIMITS[vendor].value, SIZES[vendor].value) == (limit, size)
    mark = Mark.DOC if vendor else Mark.OURS
    assert (LIMITS[vendor].mark, SIZES[vendor].mark) == (mark, mark)
    assert {layout.limit.value for layout in TEMPLATES.get(vendor, GENERAL)} == {limit}


@pytest.mark.parametrize(
    ("name", "vendor", "large", "small"),
    [
        pytest.param("floating", "agora", Mode.CROP, Mode.CROP, id="Agora's floating"),
        pytest.param("vertical", "agora", Mode.FIT, Mode.CROP, id="Agora's vertical fits the large one"),
        pytest.param("screen", "trtc", Mode.CROP, Mode.CROP, id="TRTC's RenderMode 1"),
        pytest.param("screen", "", Mode.CROP, Mode.CROP, id="as TRTC"),
        pytest.param("vertical", "", Mode.FIT, Mode.CROP, id="nobody's vertical"),
    ],
)
def test_modes_are_those_of_the_pages(name: str, vendor: str, large: Mode, small: Mode) -> None:
    found = scene(name, vendor, 5, large=0)
    assert [region.mode for region in found.regions] == [large, *[small] * 4]


def test_floating_puts_the_small_ones_in_front() -> None:
    assert [region.z for region in scene("floating", "trtc", 4).regions] == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("name", "vendor", "large"),
    [
        pytest.param("floating", "agora", 1, id="Agora's floating: the first to join"),
        pytest.param("floating", "trtc", 1, id="TRTC's floating: the first to join"),
        pytest.param("vertical", "agora", None, id="Agora's vertical: the background"),
        pytest.param("screen", "trtc", None, id="TRTC's screen: the background"),
        pytest.param("vertical", "volcengine", 1, id="Volcengine's vertical: any, so the first"),
        pytest.param("screen", "", 3, id="nobody's screen: who shares one"),
        pytest.param("vertical", "", 1, id="nobody's vertical: the first to join"),
    ],
)
def test_who_is_large_when_nobody_is_named(name: str, vendor: str, large: int | None) -> None:
    found = Wish(name, vendor).scene(Canvas(1280, 720), seats(4, sharing=2))
    widest = max(found.regions, key=lambda region: region.w * region.h)
    alike = all(region.w == widest.w for region in found.regions)
    assert (None if alike else widest.seat + 1) == large
    assert len(found.regions) == 4


def test_without_a_large_one_the_others_stand_as_if_there_were_and_that_is_inferred() -> None:
    found = scene("vertical", "agora", 5)
    assert near(found, 1, "6/7 0 1/7 1/6")
    assert near(found, 5, "6/7 4/6 1/7 1/6")
    assert {each.what for each in found.inferred} == {"row when nobody is large"}


def test_a_large_one_who_joined_late_leaves_the_order_of_the_others() -> None:
    found = scene("screen", "trtc", 4, large=2)
    assert near(found, 3, "0 0 4/5 1")
    assert [near(found, user, f"4/5 {n}/4 1/5 1/4") for n, user in enumerate((1, 2, 4))] == [True] * 3


def test_the_large_one_of_trtc_may_stand_at_the_right() -> None:
    found = Wish("screen", "trtc", large=0, right=True).scene(Canvas(1280, 720), seats(3))
    assert places(found)[1] == (256, 0, 1280, 720)
    assert places(found)[2] == (0, 0, 256, 180)
    assert {each.what for each in found.inferred} == {"MaxResolutionUserAlign 1"}


@pytest.mark.parametrize(("name", "vendor"), EVERY, ids=EVERY_ID)
def test_over_the_limit_the_last_to_join_are_left_out(name: str, vendor: str) -> None:
    limit = LIMITS[vendor].value
    found = Wish(name, vendor).scene(Canvas(1920, 1080), seats(limit + 3))
    empty = not any(region.seat == 0 and region.w > 600 for region in found.regions)
    unfilled = name in {"vertical", "screen"} and vendor in {"agora", "trtc"} and empty
    shown = limit - unfilled
    assert sorted(region.seat for region in found.regions) == list(range(shown))
    assert found.left_out == tuple(range(shown, limit + 3))
    assert "most users" in {each.what for each in found.known}


def test_who_is_large_is_never_left_out() -> None:
    found = scene("floating", "agora", 20, large=19)
    assert near(found, 20, "0 0 1 1")
    assert found.left_out == (16, 17, 18)


@pytest.mark.parametrize(
    ("vendor", "mode"),
    [("agora", Mode.CROP), ("trtc", Mode.CROP), ("volcengine", Mode.STRETCH)],
)
def test_custom_regions_fill_as_the_pages_say(vendor: str, mode: Mode) -> None:
    assert MODES[vendor].value is mode
    assert MODES[vendor].mark is Mark.DOC


def test_a_custom_layout_has_a_region_a_user_and_no_more_than_the_limit() -> None:
    half = Box(Fraction(0), Fraction(0), Fraction(1, 2), Fraction(1))
    found = Wish("custom", "agora", places=placed(half, half.mirrored)).scene(Canvas(640, 480), seats(3))
    assert places(found) == {1: (0, 0, 320, 480), 2: (320, 0, 640, 480)}
    assert (found.left_out, found.approximate) == ((2,), False)
    assert (
        len(Wish("custom", "trtc", places=placed(half, half)).scene(Canvas(640, 480), seats(1)).regions) == 1
    )
    with pytest.raises(CommandError) as caught:
        Wish("custom", "agora", places=placed(*[half] * 18)).scene(Canvas(640, 480), seats(2))
    assert str(caught.value) == "a custom layout of agora has at most 17 regions, 18 were given."


def test_every_layout_is_somebodys_and_every_vendor_has_custom() -> None:
    assert set(NAMES) == {name for vendor in ("", *TEMPLATES) for name in offered(vendor)}
    assert all(offered(vendor)[-1] == "custom" for vendor in TEMPLATES)
    assert [template(layout.name, layout.vendor) for layout in GENERAL] == list(GENERAL)


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        pytest.param(
            {"name": "tiles"},
            "there is no layout 'tiles': there are auto, speaker, grid, best-fit, floating, vertical, "
            "screen, side-by-side, custom.",
            id="no such layout",
        ),
        pytest.param(
            {"name": "grid", "vendor": "zoom"},
            "no layouts of 'zoom' are known: of agora, trtc, volcengine they are.",
            id="no such vendor",
        ),
        pytest.param(
            {"name": "grid", "vendor": "agora"},
            "agora has no layout grid: it has floating, best-fit, vertical, custom.",
            id="another vendor's",
        ),
        pytest.param(
            {"name": "custom"},
            "a custom layout needs regions, and no other layout takes any.",
            id="custom without regions",
        ),
        pytest.param(
            {"name": "custom", "large": 1, "places": placed(WHOLE)},
            "a custom layout has no large region: give each user's region.",
            id="custom with a large one",
        ),
        pytest.param(
            {"name": "grid", "places": placed(WHOLE)},
            "a custom layout needs regions, and no other layout takes any.",
            id="regions of a grid",
        ),
        pytest.param(
            {"name": "auto", "right": True},
            "the layout auto chooses itself where the large region is.",
            id="auto at the right",
        ),
    ],
)
def test_a_wish_that_nobody_can_fulfil_is_refused(wish: dict[str, object], told: str) -> None:
    with pytest.raises(CommandError) as caught:
        Wish(**wish)  # type: ignore[arg-type] # a table of keyword arguments
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        pytest.param(Wish("grid", large=0), "the layout grid has no large region.", id="a grid"),
        pytest.param(
            Wish("floating", "agora", right=True),
            "the layout floating of agora has its large region in one place only.",
            id="floating at the right",
        ),
        pytest.param(
            Wish("screen", large=9), "user 10 cannot be large: there are 3.", id="nobody of that number"
        ),
        pytest.param(Wish("auto", large=3), "user 4 cannot be large: there are 3.", id="nor of that"),
    ],
)
def test_a_large_region_that_cannot_be_is_refused(wish: Wish, told: str) -> None:
    with pytest.raises(CommandError) as caught:
        wish.scene(Canvas(640, 480), seats(3))
    assert str(caught.value) == told
