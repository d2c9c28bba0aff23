"""What holds for every layout, vendor, number of users and canvas."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.layout.canvas import Canvas, Mode, Place
from pipeline.layout.rules import Mark, Page
from pipeline.layout.scene import Seat
from pipeline.layout.templates import Large, Layout, Row, grid
from pipeline.vendors.layouts import GENERAL, LIMITS, TEMPLATES, Wish, offered
from tests.layout.seating import EVERY, EVERY_ID, aspects, canvases, overlapping, seats

wishes = st.sampled_from(EVERY)
users = st.integers(1, 25)
ALL_TEMPLATES = [layout for table in (GENERAL, *TEMPLATES.values()) for layout in table]


@given(wishes, users, canvases)
def test_regions_lie_on_even_pixels_inside_the_canvas(
    wish: tuple[str, str], count: int, canvas: Canvas
) -> None:
    for region in Wish(*wish).scene(canvas, seats(count)).regions:
        assert region.right <= canvas.width
        assert region.bottom <= canvas.height
        assert not any(side % 2 for side in (region.x, region.y, region.w, region.h))


@given(wishes, users, canvases)
def test_regions_of_one_depth_never_overlap(wish: tuple[str, str], count: int, canvas: Canvas) -> None:
    assert overlapping(Wish(*wish).scene(canvas, seats(count))) == []


@given(wishes, users, canvases)
def test_every_user_has_one_region_or_is_left_out(wish: tuple[str, str], count: int, canvas: Canvas) -> None:
    scene = Wish(*wish).scene(canvas, seats(count))
    shown = [region.seat for region in scene.regions]
    assert sorted([*shown, *scene.left_out]) == list(range(count))
    if count < LIMITS[wish[1]].value:
        assert scene.left_out == ()


@given(wishes, users, canvases, st.data())
def test_places_depend_on_the_order_of_joining_and_on_no_name(
    wish: tuple[str, str], count: int, canvas: Canvas, data: st.DataObject
) -> None:
    ordered = seats(count)
    mixed = data.draw(st.permutations(ordered))
    wanted = Wish(*wish)
    assert wanted.scene(canvas, ordered).regions == wanted.scene(canvas, mixed).regions


@given(wishes, users, canvases)
def test_the_same_again_gives_the_same(wish: tuple[str, str], count: int, canvas: Canvas) -> None:
    assert Wish(*wish).scene(canvas, seats(count)) == Wish(*wish).scene(canvas, seats(count))


@given(wishes, users, canvases)
def test_the_hindmost_region_comes_first(wish: tuple[str, str], count: int, canvas: Canvas) -> None:
    depths = [region.z for region in Wish(*wish).scene(canvas, seats(count)).regions]
    assert depths == sorted(depths)


@pytest.mark.parametrize(("name", "vendor"), EVERY, ids=EVERY_ID)
def test_nobody_there_is_an_empty_canvas(name: str, vendor: str) -> None:
    scene = Wish(name, vendor).scene(Canvas(640, 480), ())
    assert (scene.regions, scene.left_out, scene.approximate) == ((), (), False)


@pytest.mark.parametrize("layout", ALL_TEMPLATES, ids=str)
def test_cells_of_a_row_are_alike_to_two_pixels(layout: Layout) -> None:
    for row in layout.rows:
        regions = [Canvas(1278, 722).region(0, place) for place in row.small]
        for sizes in ([r.w for r in regions], [r.h for r in regions]):
            assert max(sizes) - min(sizes) <= 2


@pytest.mark.parametrize("name", ["grid", "best-fit", "side-by-side"])
def test_full_grids_leave_no_pixel_of_the_canvas(name: str) -> None:
    canvas = Canvas(1278, 722)
    full = {"grid": (1, 2, 4, 9, 16, 25), "best-fit": (1, 2, 4, 9, 16, 25), "side-by-side": (3, 8, 15, 24)}
    for count in full[name]:
        scene = Wish(name).scene(canvas, seats(count))
        assert sum(r.w * r.h for r in scene.regions) == canvas.width * canvas.height


@given(
    st.sampled_from([name for name in offered("") if name in {"auto", "speaker"}]),
    st.lists(aspects, min_size=1, max_size=25),
    canvases,
)
def test_our_own_layouts_keep_aspects(name: str, sizes: list[tuple[int, int]], canvas: Canvas) -> None:
    people = [Seat(str(n), *size) for n, size in enumerate(sizes)]
    scene = Wish(name).scene(canvas, people)
    for region in scene.regions:
        aspect = people[region.seat].aspect
        assert region.mode is Mode.FIT
        assert abs(region.w - region.h * aspect) <= 2 + 2 * aspect  # each edge moves by a pixel at most


PAGE = Page("a page", "https://example.com")
_ROW = grid(
    (1, 4),
    PAGE.doc("columns", 2),
    (PAGE.doc("cell width", Fraction(1, 2)), PAGE.doc("cell height", Fraction(1, 2))),
    PAGE.inferred("order", "row by row", "a drawing"),
    PAGE.doc("mode", Mode.CROP),
)


def test_a_number_tells_where_it_is_from() -> None:
    assert str(PAGE.doc("columns", 2)) == "columns 2 (doc)"
    assert str(PAGE.doc("cell width", Fraction(1, 9))) == "cell width 1/9 (doc)"
    assert str(PAGE.doc("margin", Fraction(12, 1000))) == "margin 0.012 (doc)"
    inferred = PAGE.inferred("columns", 2, "a drawing")
    assert (inferred.mark, inferred.source) == (Mark.INFERRED, "a drawing; a page, https://example.com")


def test_a_row_has_a_place_for_each_user_and_a_table_a_row() -> None:
    with pytest.raises(ValueError, match="a row for 1 to 5 users needs a place for each"):
        Row(1, 5, _ROW.small, (), _ROW.order)
    with pytest.raises(ValueError, match="rows of x cover each number of users once"):
        Layout(
            "x",
            "",
            "",
            PAGE.doc("most users", 5),
            PAGE.doc("canvas", "640x480"),
            (_ROW,),
            PAGE.doc("large", Large.NOBODY),
        )


def test_a_single_user_has_no_order_to_be_unsure_of() -> None:
    layout = Layout(
        "x",
        "",
        "",
        PAGE.doc("most users", 4),
        PAGE.doc("canvas", "640x480"),
        (_ROW,),
        PAGE.doc("large", Large.NOBODY),
    )
    found = [layout.arrange(Canvas(640, 480), seats(count)).approximate for count in (1, 2)]
    assert found == [False, True]
    assert isinstance(_ROW.small[0], Place)
