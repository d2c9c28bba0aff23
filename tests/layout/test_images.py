"""Which images a composite names, and where a person is told that each is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.layout.canvas import WHOLE, Place
from pipeline.layout.composing import Composing
from pipeline.layout.images import named
from pipeline.layout.looks import Cell, ClockMark, Image, ImageMark, Looks, TextMark
from pipeline.layout.streams import Who
from pipeline.vendors.layouts import Wish
from tests.layout.staging import CANVAS

ALL = Composing(
    CANVAS,
    Wish("custom", places=(Place(WHOLE),)),
    cells=(Cell(Place(WHOLE)), Cell(Place(WHOLE), image=Image("cell"))),
    looks=Looks(
        backdrop=Image("backdrop"),
        image=Image("off"),
        images=(
            (Who("ann"), Image("ann")),
            (Who("bob", "screen"), Image("bob")),
            (Who("1", begins=True), Image("1")),
        ),
        marks=(TextMark("x", 0, 0), ImageMark("logo", 0, 0, 2, 2), ClockMark()),
    ),
)


def test_every_place_that_names_an_image() -> None:
    assert named(ALL) == {
        "backdrop": "the backdrop",
        "off": "the image of cameras that are off",
        "ann": "the image of ann",
        "bob": "the image of bob (screen)",
        "1": "the image of 1*",
        "cell": "the image of region 2",
        "logo": "watermark 2",
    }


def test_an_image_that_is_named_twice_is_told_where_it_is_first() -> None:
    same = replace(ALL, looks=replace(ALL.looks, backdrop=Image("logo"), image=Image("logo")))
    assert named(same)["logo"] == "the backdrop"
    assert len(named(same)) == 5


@pytest.mark.parametrize(
    "looks", [Looks(), Looks(marks=(TextMark("x", 0, 0), ClockMark()))], ids=["no", "text"]
)
def test_a_composite_without_images_names_none(looks: Looks) -> None:
    assert named(Composing(CANVAS, Wish("grid"), looks=looks)) == {}
