"""What of a shot can be seen: a table of two regions, and painting all as the judge of every other one."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.layout.canvas import OPAQUE, WHOLE, Canvas, Mode, Place, Region
from pipeline.layout.looks import Cell, Image
from pipeline.layout.scene import Scene, Seat
from pipeline.layout.stage import Face, Role, Shot
from pipeline.layout.visible import covers, visible

CANVAS = Canvas(64, 64)
BEHIND = Region(0, 16, 16, 16, 16)
FRONT = Region(1, 8, 8, 40, 40, z=1)


def shot(*shown: tuple[Region, Face]) -> Shot:
    """The regions in their order, the hindmost first, and what each shows."""
    roles = tuple(
        Role(f"u{n}", "camera", face, 0, Image("x") if face is Face.IMAGE else None)
        for n, (_, face) in enumerate(shown)
    )
    regions = tuple(replace(region, seat=n) for n, (region, _) in enumerate(shown))
    seats = tuple(Seat(role.uid) for role in roles)
    return Shot(0, Scene("custom", "", CANVAS, seats, regions, ()), roles)


def seen(made: Shot, cells: tuple[Cell, ...] = ()) -> list[int]:
    return [region.seat for region in visible(made, cells)]


@pytest.mark.parametrize(
    ("front", "face", "expected"),
    [
        pytest.param(FRONT, Face.LIVE, [1], id="a picture hides who lies whole behind it"),
        pytest.param(FRONT, Face.HELD, [1], id="a picture that is held too"),
        pytest.param(FRONT, Face.BLACK, [1], id="black too"),
        pytest.param(FRONT, Face.AVATAR, [1], id="an avatar too"),
        pytest.param(FRONT, Face.IMAGE, [0, 1], id="an image may be transparent"),
        pytest.param(FRONT, Face.NOTHING, [0], id="nothing hides nothing and is not seen"),
        pytest.param(replace(FRONT, mode=Mode.FIT), Face.LIVE, [0, 1], id="beside a fitted picture"),
        pytest.param(replace(FRONT, mode=Mode.FIT), Face.BLACK, [1], id="black fills what it may be"),
        pytest.param(replace(FRONT, mode=Mode.SMART), Face.LIVE, [1], id="a smart crop fills its region"),
        pytest.param(replace(FRONT, mode=Mode.STRETCH), Face.LIVE, [1], id="a stretched picture too"),
        pytest.param(replace(FRONT, opacity=254), Face.LIVE, [0, 1], id="through what is not opaque"),
        pytest.param(replace(FRONT, x=18), Face.LIVE, [0, 1], id="at the left"),
        pytest.param(replace(FRONT, w=22), Face.LIVE, [0, 1], id="at the right"),
        pytest.param(replace(FRONT, y=18), Face.LIVE, [0, 1], id="above"),
        pytest.param(replace(FRONT, h=22), Face.LIVE, [0, 1], id="below"),
        pytest.param(replace(BEHIND, z=1), Face.LIVE, [1], id="of the same place the one in front"),
        pytest.param(replace(FRONT, z=0), Face.LIVE, [1], id="of one depth the later one"),
    ],
)
def test_who_is_seen_behind_another(front: Region, face: Face, expected: list[int]) -> None:
    assert seen(shot((BEHIND, Face.LIVE), (front, face))) == expected


def test_two_together_hide_nobody() -> None:
    halves = [replace(BEHIND, w=8), replace(BEHIND, x=24, w=8)]
    assert seen(shot((BEHIND, Face.LIVE), *((half, Face.LIVE) for half in halves))) == [0, 1, 2]


@pytest.mark.parametrize(("radius", "expected"), [("1/10", [0, 1]), ("0", [1])], ids=["round", "square"])
def test_behind_round_corners_one_is_seen(radius: str, expected: list[int]) -> None:
    cells = tuple(Cell(Place(WHOLE), radius=Fraction(each)) for each in ("0", radius))
    made = shot((replace(BEHIND, cell=0), Face.LIVE), (replace(FRONT, cell=1), Face.LIVE))
    assert seen(made, cells) == expected


even = st.integers(0, 7).map(lambda side: 2 * side)
lengths = st.integers(1, 8).map(lambda side: 2 * side)
regions = st.builds(
    Region,
    st.just(0),
    even,
    even,
    lengths,
    lengths,
    mode=st.sampled_from([Mode.CROP, Mode.FIT]),
    opacity=st.sampled_from([OPAQUE, OPAQUE, 128]),
)


@given(st.lists(st.tuples(regions, st.sampled_from(Face)), min_size=1, max_size=7))
def test_drawing_what_is_visible_gives_the_picture_of_drawing_all(shown: list[tuple[Region, Face]]) -> None:
    """A pixel is told by all who show through it, down to the first who hides what is behind."""
    made = shot(*shown)

    def picture(drawn: tuple[Region, ...]) -> dict[tuple[int, int], list[int]]:
        pixels: dict[tuple[int, int], list[int]] = {}
        for region in drawn:
            if made.role(region).face is Face.NOTHING:
                continue
            for place in (
                (x, y) for x in range(region.x, region.right) for y in range(region.y, region.bottom)
            ):
                below = [] if covers(made, region) else pixels.get(place, [])
                pixels[place] = [*below, region.seat]
        return pixels

    assert picture(visible(made)) == picture(made.scene.regions)


@given(st.lists(st.tuples(regions, st.sampled_from(Face)), min_size=1, max_size=7))
def test_visible_regions_keep_their_order_and_the_foremost_is_always_seen(
    shown: list[tuple[Region, Face]],
) -> None:
    found = seen(shot(*shown))
    assert found == sorted(found)
    something = [n for n, (_, face) in enumerate(shown) if face is not Face.NOTHING]
    assert found[-1:] == something[-1:]
