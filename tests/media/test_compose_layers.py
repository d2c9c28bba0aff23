"""Pictures, colours and images as they lie in regions: seen on the canvas itself."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from pipeline.drawing.studio import Studio
from pipeline.layout.canvas import WHOLE, Box, Canvas, Mode, Region
from pipeline.layout.fill import Rect
from pipeline.layout.looks import ClockMark, Corner
from pipeline.layout.stage import Face, Role
from pipeline.media.compose.board import Board, Patch, colour, pixels
from pipeline.media.compose.feed import Picture
from pipeline.media.compose.layers import Clock, Moving, Still, opacity_of, still_in
from pipeline.media.compose.sprite import Sprite
from pipeline.model import ticks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.media.compose.artist import Artist
    from pipeline.media.compose.board import Plane
    from pipeline.media.compose.feed import Feed
    from pipeline.media.compose.layers import Layer

QUARTERS = ((200, 40, 40), (40, 180, 60), (60, 80, 210), (220, 200, 60))
"""Of the test picture: top left, top right, bottom left, bottom right."""
GREY = "#808080"
CANVAS = Canvas(200, 160, GREY)
REGION = Region(0, 40, 20, 96, 64)
ROLE = Role("ann", "camera", Face.LIVE, 0)


def quadrants(w: int, h: int, clockwise: int = 0) -> NDArray[np.uint8]:
    """RGB of four coloured quarters; to be turned so many degrees to stand upright."""
    made = np.zeros((h, w, 3), dtype=np.uint8)
    for n, rgb in enumerate(QUARTERS):
        rows = slice(h // 2, None) if n >= 2 else slice(None, h // 2)
        columns = slice(w // 2, None) if n % 2 else slice(None, w // 2)
        made[rows, columns] = rgb
    return np.ascontiguousarray(np.rot90(made, clockwise // 90))


def frame(
    w: int = 128,
    h: int = 96,
    form: str = "yuv420p",
    *,
    space: Colorspace = Colorspace.ITU601,
    full: bool = False,
    clockwise: int = 0,
) -> av.VideoFrame:
    """The test picture as a decoder hands it over."""
    source = av.VideoFrame.from_ndarray(quadrants(w, h, clockwise), format="rgb24")
    made = source.reformat(
        format=form, dst_colorspace=space, dst_color_range=ColorRange.JPEG if full else ColorRange.MPEG
    )
    made.colorspace, made.color_range = space, ColorRange.JPEG if full else ColorRange.MPEG
    return made


class Showing:
    """A feed of one picture, or of several in turn; asked again at one moment it hands out the same."""

    def __init__(self, *pictures: tuple[int, av.VideoFrame, int]) -> None:
        self._pictures = [Picture(*each) for each in pictures]

    def at(self, utc: int, since: int) -> Picture | None:
        found = [picture for picture in self._pictures if since <= picture.utc <= utc]
        return found[-1] if found else None


def moving(
    shown: av.VideoFrame,
    region: Region = REGION,
    *,
    clockwise: int = 0,
    crop: Box = WHOLE,
    corners: Plane | None = None,
    hides: bool = False,
) -> Moving:
    feed = cast("Feed", Showing((0, shown, clockwise)))
    return Moving(region, ROLE, feed, crop, corners, hides=hides)


def drawn(*layers: Layer) -> NDArray[np.uint8]:
    """The canvas as YUV of each pixel, of shape (height, width, 3)."""
    board = Board(CANVAS)
    whole = Rect(0, 0, CANVAS.width, CANVAS.height)
    board.clear(whole)
    for layer in layers:
        layer.update(0)
        if layer.patch is not None:
            board.lay(layer.patch, whole)
    y, u, v = (pixels(plane).copy() for plane in board.frame.planes)
    wide = [np.repeat(np.repeat(each, 2, axis=0), 2, axis=1) for each in (u, v)]
    return np.dstack([y, *wide])


def yuv(rgb: tuple[int, int, int]) -> tuple[int, int, int]:
    return colour("#" + "".join(f"{value:02x}" for value in rgb))


def near(pixel: NDArray[np.uint8], rgb: tuple[int, int, int], most: int = 3) -> bool:
    return bool(np.abs(pixel.astype(int) - yuv(rgb)).max() <= most)


def same(picture: NDArray[np.uint8], part: Rect, most: int = 3) -> list[bool]:
    """Whether each quarter of a part of the canvas has its colour, and all around it is background."""
    found = []
    for n, rgb in enumerate(QUARTERS):
        x, y = part.x + part.w * (1 + 2 * (n % 2)) // 4, part.y + part.h * (1 + 2 * (n // 2)) // 4
        found.append(near(picture[y, x], rgb, most))
    around = np.ones(picture.shape[:2], dtype=bool)
    around[part.y : part.bottom, part.x : part.right] = False
    found.append(set(map(tuple, picture[around])) == {yuv((128, 128, 128))})
    return found


ALL_RIGHT = [True] * 5
INSIDE = Rect(40, 20, 96, 64)


@pytest.mark.parametrize(
    ("size", "mode", "part"),
    [
        pytest.param((128, 96), Mode.STRETCH, INSIDE, id="stretched"),
        pytest.param((96, 64), Mode.STRETCH, INSIDE, id="of the region's size: not scaled"),
        pytest.param((128, 96), Mode.CROP, INSIDE, id="cut above and below"),
        pytest.param((200, 96), Mode.CROP, INSIDE, id="cut at both sides"),
        pytest.param((128, 96), Mode.SMART, INSIDE, id="cut a little"),
        pytest.param((100, 100), Mode.FIT, Rect(56, 20, 64, 64), id="fitted with bars at both sides"),
        pytest.param((192, 64), Mode.FIT, Rect(40, 36, 96, 32), id="fitted with bars above and below"),
        pytest.param((641, 361), Mode.STRETCH, INSIDE, id="odd sides"),
        pytest.param((641, 361), Mode.CROP, INSIDE, id="odd sides, cut"),
        pytest.param((97, 65), Mode.FIT, Rect(40, 20, 96, 64), id="odd sides, fitted"),
        pytest.param((1280, 720), Mode.CROP, INSIDE, id="much larger"),
        pytest.param((16, 12), Mode.STRETCH, INSIDE, id="much smaller"),
    ],
)
def test_a_picture_lies_in_its_region_and_nowhere_else(size: tuple[int, int], mode: Mode, part: Rect) -> None:
    region = Region(0, REGION.x, REGION.y, REGION.w, REGION.h, mode=mode)
    assert same(drawn(moving(frame(*size), region)), part) == ALL_RIGHT


@pytest.mark.parametrize("clockwise", [0, 90, 180, 270])
@pytest.mark.parametrize("size", [(96, 64), (128, 96), (97, 65)], ids=["fitting", "larger", "odd"])
def test_a_picture_is_turned_upright(clockwise: int, size: tuple[int, int]) -> None:
    lying = frame(*size, clockwise=clockwise)
    region = Region(0, REGION.x, REGION.y, REGION.w, REGION.h, mode=Mode.STRETCH)
    assert same(drawn(moving(lying, region, clockwise=clockwise)), INSIDE) == ALL_RIGHT


@pytest.mark.parametrize(
    ("form", "space", "full"),
    [
        pytest.param("yuv420p", Colorspace.ITU601, False, id="BT.601"),
        pytest.param("yuv420p", Colorspace.ITU709, False, id="BT.709"),
        pytest.param("yuv420p", Colorspace.ITU601, True, id="full range"),
        pytest.param("yuvj420p", Colorspace.ITU601, True, id="full range by the old name"),
        pytest.param("yuv420p", Colorspace.ITU709, True, id="BT.709, full range"),
        pytest.param("yuvj420p", Colorspace.ITU709, True, id="BT.709, full range by the old name"),
        pytest.param("yuv444p", Colorspace.ITU601, False, id="4:4:4"),
        pytest.param("yuv420p10le", Colorspace.ITU709, False, id="10 bits, BT.709"),
        pytest.param("nv12", Colorspace.ITU601, False, id="as hardware decoders hand over"),
    ],
)
@pytest.mark.parametrize(
    ("size", "crop", "clockwise"),
    [
        pytest.param((96, 64), WHOLE, 0, id="as it is"),
        pytest.param((128, 96), WHOLE, 0, id="scaled"),
        pytest.param(
            (192, 128), Box(Fraction(1, 4), Fraction(1, 4), Fraction(1, 2), Fraction(1, 2)), 0, id="cut"
        ),
        pytest.param((96, 64), WHOLE, 90, id="turned"),
    ],
)
def test_colours_stay_the_same_whatever_they_are_coded_in(
    form: str,
    space: Colorspace,
    full: bool,  # noqa: FBT001 - of a table
    size: tuple[int, int],
    crop: Box,
    clockwise: int,
) -> None:
    shown = frame(*size, form, space=space, full=full, clockwise=clockwise)
    region = Region(0, REGION.x, REGION.y, REGION.w, REGION.h, mode=Mode.STRETCH)
    picture = drawn(moving(shown, region, crop=crop, clockwise=clockwise))
    assert same(picture, INSIDE, 5) == ALL_RIGHT


@pytest.mark.parametrize(
    ("crop", "rgb"),
    [("0 0", QUARTERS[0]), ("1/2 0", QUARTERS[1]), ("0 1/2", QUARTERS[2]), ("1/2 1/2", QUARTERS[3])],
    ids=["top left", "top right", "bottom left", "bottom right"],
)
@pytest.mark.parametrize("size", [(128, 96), (129, 97), (641, 361)])
def test_only_the_part_that_was_asked_for_is_shown(
    crop: str, rgb: tuple[int, int, int], size: tuple[int, int]
) -> None:
    half = Fraction(46, 100)
    x, y = map(Fraction, crop.split())
    box = Box(x + Fraction(2, 100), y + Fraction(2, 100), half, half)
    picture = drawn(moving(frame(*size), Region(0, 40, 20, 96, 64, mode=Mode.STRETCH), crop=box))
    assert all(near(picture[row, column], rgb) for row in range(20, 84, 9) for column in range(40, 136, 9))


@pytest.mark.parametrize("opacity", [0, 1, 64, 128, 254, 255])
def test_behind_a_region_that_is_not_opaque_one_sees_the_background(opacity: int) -> None:
    region = Region(0, 40, 20, 96, 64, mode=Mode.STRETCH, opacity=opacity)
    picture = drawn(moving(frame(), region))
    for n, rgb in enumerate(QUARTERS):
        part = opacity / 255
        wanted = np.array(yuv(rgb)) * part + np.array(yuv((128, 128, 128))) * (1 - part)
        pixel = picture[20 + 16 + 32 * (n // 2), 40 + 24 + 48 * (n % 2)]
        assert np.abs(pixel - wanted).max() <= 4


def test_corners_are_as_opaque_as_they_are_drawn() -> None:
    corners = np.full((64, 96), 255, dtype=np.uint8)
    corners[:8, :8] = 0
    corners[56:, 88:] = 128
    picture = drawn(moving(frame(), Region(0, 40, 20, 96, 64, mode=Mode.STRETCH), corners=corners))
    assert near(picture[22, 42], (128, 128, 128))
    assert near(picture[30, 50], QUARTERS[0])
    half = (np.array(yuv(QUARTERS[3])) + yuv((128, 128, 128))) / 2
    assert np.abs(picture[80, 132] - half).max() <= 4


def test_opacity_of_a_region_and_of_a_part_of_it() -> None:
    region = Region(0, 40, 20, 96, 64)
    assert opacity_of(region, None) is None
    corners = np.arange(96 * 64, dtype=np.int64).reshape(64, 96) % 256
    luma, chroma = opacity_of(region, corners.astype(np.uint8), Rect(2, 4, 20, 10)) or (None, None)
    assert luma is not None
    assert chroma is not None
    assert np.array_equal(luma, corners[4:14, 2:22])
    assert chroma.shape == (5, 10)
    both = opacity_of(Region(0, 40, 20, 96, 64, opacity=128), np.full((64, 96), 128, dtype=np.uint8))
    assert both is not None
    assert set(both[0].flat) == set(both[1].flat) == {64}


def test_a_layer_tells_when_it_changed_and_hides_once_there_is_a_picture() -> None:
    one, other = frame(), frame(96, 64)
    shown = Showing((10, one, 0), (20, other, 0))
    layer = Moving(REGION, ROLE, cast("Feed", shown), hides=True)
    changes = []
    for utc in (0, 5, 10, 15, 20, 25):
        changed = layer.update(utc)
        changes.append((utc, changed, layer.patch is not None, layer.hides))
    assert changes == [
        (0, False, False, False),
        (5, False, False, False),
        (10, True, True, True),
        (15, False, True, True),
        (20, True, True, True),
        (25, False, True, True),
    ]


def test_no_picture_from_before_the_stay_is_drawn() -> None:
    role = Role("ann", "camera", Face.LIVE, since=15)
    layer = Moving(REGION, role, cast("Feed", Showing((10, frame(), 0))))
    assert not layer.update(100)
    assert layer.patch is None


def test_what_stands_still_never_changes_and_hides_only_without_holes() -> None:
    planes = tuple(np.zeros(shape, dtype=np.uint8) for shape in ((4, 6), (2, 3), (2, 3)))
    patch = Patch(-2, -4, cast("tuple[Plane, Plane, Plane]", planes))
    assert not Still(patch).update(0)
    assert (Still(patch).hides, Still(patch, hides=True).hides) == (False, True)
    holes = Patch(0, 0, patch.planes, (np.zeros((4, 6), dtype=np.uint8), np.zeros((2, 3), dtype=np.uint8)))
    assert not Still(holes, hides=True).hides


@pytest.mark.parametrize("opacity", [255, 128])
def test_an_image_has_the_opacity_and_the_corners_of_its_region(opacity: int) -> None:
    region = Region(0, 40, 20, 96, 64, opacity=opacity)
    rgba = np.full((32, 48, 4), 255, dtype=np.uint8)
    corners = np.full((64, 96), 255, dtype=np.uint8)
    corners[10:20, 20:30] = 100
    patch = still_in(region, Sprite(50, 26, rgba), corners)
    assert (patch.x, patch.y, patch.w, patch.h) == (50, 26, 48, 32)
    assert patch.alpha is not None
    assert patch.alpha[0][0, 0] == opacity
    assert patch.alpha[0][10, 15] == opacity * 100 // 255
    assert set(rgba.flat) == {255}


class Ticking:
    """An artist who writes the second as the width of what he draws."""

    asked: list[int]

    def __init__(self) -> None:
        self.asked = []

    def clock(self, mark: ClockMark, utc_ms: int, canvas: Canvas) -> Sprite:
        self.asked.append(utc_ms)
        width = 10 if utc_ms % 2000 else 30
        return Sprite(
            canvas.width - width + mark.zone_minutes, 4, np.full((6, width, 4), 255, dtype=np.uint8)
        )


def test_the_running_time_is_drawn_anew_each_second_over_what_it_was() -> None:
    artist = Ticking()
    clock = Clock(ClockMark(), cast("Artist", artist), CANVAS)
    second = ticks.TICKS
    changed = [at for at in range(100 * second, 103 * second, second // 4) if clock.update(at)]
    assert changed == [100 * second, 101 * second, 102 * second]
    assert artist.asked == [100_000, 101_000, 102_000]
    assert clock.rect == Rect(170, 4, 30, 6)
    assert not clock.hides


@pytest.mark.parametrize("corner", Corner)
@pytest.mark.parametrize("size", [14, 90], ids=lambda size: f"letters of {size} pixels")
@pytest.mark.parametrize("canvas", [Canvas(16, 8), CANVAS], ids=str)
def test_a_running_time_that_has_no_room_is_drawn_as_far_as_there_is_canvas(
    corner: Corner, size: int, canvas: Canvas
) -> None:
    clock = Clock(ClockMark(corner, 0, size), Studio({}), canvas)
    for second in range(100, 103):
        changed = clock.update(second * ticks.TICKS)
        if changed:
            assert (clock.rect.right <= canvas.width, clock.rect.bottom <= canvas.height) == (True, True)
        inside = clock.patch is not None and _on(clock.patch, canvas)
        assert changed == inside


def _on(patch: Patch, canvas: Canvas) -> bool:
    across = patch.x < canvas.width and patch.x + patch.w > 0
    return across and patch.y < canvas.height and patch.y + patch.h > 0


def test_a_decoded_picture_of_full_range_and_bt_709_keeps_its_colours() -> None:
    """By a real encoder and decoder, which tell both in the stream."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 128, 96, "yuvj420p"
    encoder.time_base, encoder.framerate = Fraction(1, 15), Fraction(15)
    encoder.color_range, encoder.colorspace = ColorRange.JPEG, Colorspace.ITU709
    encoder.options = {"crf": "10", "tune": "zerolatency"}
    shown = frame(128, 96, "yuvj420p", space=Colorspace.ITU709, full=True)
    shown.pts, shown.time_base = 0, Fraction(1, 15)
    packets = [*encoder.encode(shown), *encoder.encode(None)]
    decoder = av.CodecContext.create("h264", "r")
    frames = [each for packet in packets for each in decoder.decode(av.Packet(bytes(packet)))]
    frames += decoder.decode(None)
    assert frames[0].format.name == "yuvj420p"
    region = Region(0, REGION.x, REGION.y, REGION.w, REGION.h, mode=Mode.STRETCH)
    assert same(drawn(moving(frames[0], region)), INSIDE, 6) == ALL_RIGHT
