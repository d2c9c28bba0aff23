"""How pictures fill regions: a table, and the laws of each mode for all sizes."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.layout.canvas import WHOLE, Box, Mode
from pipeline.layout.fill import MOST_CUT, Rect, fill

TWO = Fraction(2)
modes = st.sampled_from(Mode)
sides = st.integers(1, 5000)
pictures = st.tuples(sides, sides)
even_sides = st.integers(1, 4096).map(lambda half: 2 * half)
regions = st.tuples(even_sides, even_sides)
usual = st.tuples(st.integers(64, 4096), st.integers(64, 4096))
usual_regions = st.tuples(st.integers(32, 2048), st.integers(32, 2048)).map(lambda s: (2 * s[0], 2 * s[1]))


@st.composite
def crops(draw: st.DrawFn) -> Box:
    left, right = sorted(draw(st.lists(st.fractions(0, 1, max_denominator=100), min_size=2, max_size=2)))
    top, bottom = sorted(draw(st.lists(st.fractions(0, 1, max_denominator=100), min_size=2, max_size=2)))
    assume(left < right)
    assume(top < bottom)
    return Box(left, top, right - left, bottom - top)


def rect(text: str) -> Rect:
    """``w x h + x + y``, as in ``640x360+0+60``."""
    size, x, y = text.split("+")
    w, h = size.split("x")
    return Rect(int(x), int(y), int(w), int(h))


@pytest.mark.parametrize(
    ("mode", "picture", "region", "source", "dest"),
    [
        pytest.param("stretch", "640x480", "320x180", "640x480+0+0", "320x180+0+0", id="stretch keeps all"),
        pytest.param(
            "crop", "640x480", "320x180", "640x360+0+60", "320x180+0+0", id="crop loses top, bottom"
        ),
        pytest.param(
            "crop", "640x360", "360x640", "202x360+220+0", "360x640+0+0", id="crop loses both sides"
        ),
        pytest.param("fit", "640x480", "320x180", "640x480+0+0", "240x180+40+0", id="fit has bars beside"),
        pytest.param("fit", "1280x720", "640x480", "1280x720+0+0", "640x360+0+60", id="fit has bars above"),
        pytest.param("smart", "640x480", "320x180", "640x384+0+48", "320x180+0+0", id="smart cuts a fifth"),
        pytest.param(
            "smart", "640x480", "512x342", "640x428+0+26", "512x342+0+0", id="smart cuts what it may"
        ),
        pytest.param(
            "smart", "640x360", "360x640", "512x360+64+0", "360x640+0+0", id="smart stretches the rest"
        ),
        pytest.param("stretch", "1x1", "320x180", "1x1+0+0", "320x180+0+0", id="a single pixel"),
        pytest.param(
            "fit", "5000x2", "320x180", "5000x2+0+0", "320x2+0+90", id="a line is fitted to two rows"
        ),
        pytest.param("crop", "641x361", "320x180", "641x360+0+0", "320x180+0+0", id="an odd picture"),
        pytest.param("stretch", "641x361", "320x180", "641x361+0+0", "320x180+0+0", id="to its odd end"),
    ],
)
def test_a_picture_fills_a_region(mode: str, picture: str, region: str, source: str, dest: str) -> None:
    inside, whole = rect(f"{picture}+0+0"), rect(f"{region}+0+0")
    found = fill(Mode(mode), (inside.w, inside.h), (whole.w, whole.h))
    assert found.source == rect(source)
    assert found.dest == rect(dest)


@pytest.mark.parametrize(
    ("crop", "source"),
    [
        pytest.param("0 0 1/2 1", "320x480+0+0", id="the left half"),
        pytest.param("1/2 1/2 1/2 1/2", "320x240+320+240", id="the last quarter"),
        pytest.param("1/3 0 1/3 1", "214x480+214+0", id="the middle third"),
        pytest.param("0.999 0.999 0.001 0.001", "2x2+638+478", id="never less than two pixels"),
    ],
)
def test_a_part_of_a_picture_is_shown(crop: str, source: str) -> None:
    assert fill(Mode.STRETCH, (640, 480), (320, 180), Box(*map(Fraction, crop.split()))).source == rect(
        source
    )


@given(modes, pictures, regions, crops())
def test_parts_lie_inside_on_even_pixels(
    mode: Mode, picture: tuple[int, int], region: tuple[int, int], crop: Box
) -> None:
    found = fill(mode, picture, region, crop)
    for inner, (wide, high) in ((found.source, picture), (found.dest, region)):
        assert inner.right <= wide
        assert inner.bottom <= high
        assert inner.x % 2 == inner.y % 2 == 0
        assert inner.right % 2 == 0 or inner.right == wide
        assert inner.bottom % 2 == 0 or inner.bottom == high


@given(modes.filter(lambda m: m is not Mode.FIT), pictures, regions, crops())
def test_every_mode_but_fit_covers_the_region(
    mode: Mode, picture: tuple[int, int], region: tuple[int, int], crop: Box
) -> None:
    assert fill(mode, picture, region, crop).dest == Rect(0, 0, *region)


@given(st.sampled_from([Mode.STRETCH, Mode.FIT]), pictures, regions)
def test_stretch_and_fit_show_the_whole_picture(
    mode: Mode, picture: tuple[int, int], region: tuple[int, int]
) -> None:
    assert fill(mode, picture, region).source == Rect(0, 0, *picture)


@given(pictures, regions)
def test_fit_touches_two_sides_lies_in_the_middle_and_keeps_the_aspect(
    picture: tuple[int, int], region: tuple[int, int]
) -> None:
    dest = fill(Mode.FIT, picture, region).dest
    assert dest.w == region[0] or dest.h == region[1]
    assert abs(dest.x - (region[0] - dest.right)) <= 2
    assert abs(dest.y - (region[1] - dest.bottom)) <= 2
    scale = min(Fraction(region[0], picture[0]), Fraction(region[1], picture[1]))
    assert abs(dest.w - max(TWO, picture[0] * scale)) <= 1
    assert abs(dest.h - max(TWO, picture[1] * scale)) <= 1


@given(usual, usual_regions)
def test_crop_loses_on_one_axis_alike_on_both_sides_and_keeps_the_aspect(
    picture: tuple[int, int], region: tuple[int, int]
) -> None:
    source = fill(Mode.CROP, picture, region).source
    assert picture[0] - source.w <= 1 or picture[1] - source.h <= 1
    assert abs(source.x - (picture[0] - source.right)) <= 3
    assert abs(source.y - (picture[1] - source.bottom)) <= 3
    scale = max(Fraction(region[0], picture[0]), Fraction(region[1], picture[1]))
    assert abs(source.w - max(TWO, region[0] / scale)) <= 1
    assert abs(source.h - max(TWO, region[1] / scale)) <= 1


@given(usual, usual_regions)
def test_smart_cuts_no_more_than_a_fifth_and_no_more_than_crop(
    picture: tuple[int, int], region: tuple[int, int]
) -> None:
    smart = fill(Mode.SMART, picture, region).source
    crop = fill(Mode.CROP, picture, region).source
    assert smart.w >= picture[0] * (1 - MOST_CUT) - 1
    assert smart.h >= picture[1] * (1 - MOST_CUT) - 1
    assert smart.w >= crop.w
    assert smart.h >= crop.h


@given(usual_regions, st.integers(820, 1220))
def test_smart_is_crop_where_a_fifth_is_enough(region: tuple[int, int], wider: int) -> None:
    wide, high = region[0] * wider // 1000, region[1]
    assert fill(Mode.SMART, (wide, high), region) == fill(Mode.CROP, (wide, high), region)
    turned = (region[1], region[0])
    assert fill(Mode.SMART, (high, wide), turned) == fill(Mode.CROP, (high, wide), turned)


@given(modes, usual, usual_regions, crops())
def test_a_crop_counts_as_if_the_picture_were_no_larger(
    mode: Mode, picture: tuple[int, int], region: tuple[int, int], crop: Box
) -> None:
    source = fill(mode, picture, region, crop).source
    assert source.x >= min(crop.x * picture[0], picture[0] - TWO) - 2
    assert source.y >= min(crop.y * picture[1], picture[1] - TWO) - 2
    assert source.right <= max(crop.right * picture[0], TWO) + 2
    assert source.bottom <= max(crop.bottom * picture[1], TWO) + 2


@pytest.mark.parametrize(
    ("picture", "region"),
    [((0, 10), (2, 2)), ((10, 10), (3, 2)), ((10, 10), (2, 0))],
    ids=["an empty picture", "an odd region", "an empty region"],
)
def test_what_has_no_area_or_odd_sides_is_refused(picture: tuple[int, int], region: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="cannot fill"):
        fill(Mode.CROP, picture, region, WHOLE)
