"""Scenes as lines, as a document and as a picture that is read back."""

from __future__ import annotations

import json
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from pipeline.layout.canvas import WHOLE, Box, Canvas, Mode, Place
from pipeline.layout.scene import Seat
from pipeline.report.scenes import scene_document, scene_lines, scene_png
from pipeline.vendors.layouts import Wish
from tests.layout.seating import scene, seats

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.layout.scene import Scene

HD = Canvas(1280, 720)
LEFT = Box(Fraction(0), Fraction(0), Fraction(1, 2), Fraction(1))


def picture(found: Scene) -> Image.Image:
    return Image.open(BytesIO(scene_png(found))).convert("RGB")


def colour(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(value) for value in found)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param("scene-floating.txt", scene("floating", "agora", 19, Canvas(360, 640)), id="left out"),
        pytest.param("scene-vertical.txt", scene("vertical", "volcengine", 3, HD), id="inferred"),
        pytest.param(
            "scene-auto.txt",
            Wish("auto").scene(HD, (Seat("a\x1b[31m"), Seat("张三", 9, 16), Seat("ann", screen=True))),
            id="hostile names, a screen",
        ),
    ],
)
def test_the_text_of_a_scene(golden: Callable[[str, str], None], name: str, found: Scene) -> None:
    golden(f"report/golden/{name}", "\n".join(scene_lines(found)) + "\n")


def test_the_document_of_a_scene(golden: Callable[[str, str], None]) -> None:
    found = scene("grid", "trtc", 3, Canvas(640, 480))
    golden("report/golden/scene-grid.json", json.dumps(scene_document(found), indent=1) + "\n")


def test_the_document_names_who_was_left_out() -> None:
    document = scene_document(scene("best-fit", "agora", 18, HD))
    assert document["left_out"] == [{"user": 18, "name": "user 18", "screen": False}]
    assert document["approximate"] is False


@pytest.mark.parametrize("name", ["grid", "floating", "side-by-side", "auto"])
def test_every_region_is_drawn_in_a_colour_of_its_own_at_its_place(name: str) -> None:
    found = scene(name, "", 9, HD)
    image = picture(found)
    assert image.size == (1280, 720)
    corners = [colour(image, region.x + 3, region.y + 3) for region in found.regions]
    assert len(set(corners)) == 9
    for region, corner in zip(found.regions, corners, strict=True):
        assert colour(image, region.x, region.y) == (255, 255, 255)
        assert colour(image, region.right - 1, region.bottom - 1) == (255, 255, 255) or region.z == 0
        if region.z or name != "floating":
            assert colour(image, region.right - 4, region.bottom - 4) == corner


def test_where_nobody_is_the_background_shows() -> None:
    found = Wish("grid").scene(Canvas(640, 480, "#204060"), seats(3))
    assert colour(picture(found), 600, 400) == (0x20, 0x40, 0x60)


def test_a_fitted_picture_covers_what_it_would_cover() -> None:
    whole = Place(WHOLE, Mode.FIT)
    image = picture(Wish("custom", places=(whole,)).scene(Canvas(640, 480), [Seat("tall", 9, 16)]))
    assert colour(image, 320, 10) != (0, 0, 0)
    assert colour(image, 100, 240) == (0, 0, 0)


def test_what_lies_in_front_is_drawn_last_and_half_opaque_is_half() -> None:
    back = Place(WHOLE, z=1)
    front = Place(LEFT, z=2, opacity=128)
    found = Wish("custom", places=(front, back)).scene(Canvas(640, 480), seats(2))
    assert [region.seat for region in found.regions] == [1, 0]
    image = picture(found)
    left, right = colour(image, 20, 20), colour(image, 620, 20)
    alone = Wish("custom", places=(Place(WHOLE),)).scene(Canvas(640, 480), seats(1))
    own = colour(picture(alone), 20, 20)
    assert left not in (right, own)
    assert all(abs(a - (b + c) / 2) <= 2 for a, b, c in zip(left, own, right, strict=True))


def test_the_smallest_regions_can_be_drawn() -> None:
    assert picture(scene("floating", "trtc", 25, Canvas(64, 36))).size == (64, 36)
