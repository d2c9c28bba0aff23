"""The canvas of a composite: its colours against FFmpeg's, its patches against plain arithmetic."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from hypothesis import given
from hypothesis import strategies as st

from pipeline.layout.canvas import Canvas
from pipeline.layout.fill import Rect
from pipeline.media.compose.board import Board, Patch, _blended, colour, patch_of, pixels
from pipeline.media.compose.sprite import Sprite
from tests.model.laws import patient

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.media.compose.board import Plane

CANVAS = Canvas(24, 16)
WHOLE = Rect(0, 0, 24, 16)
bytes_ = st.integers(0, 255)


def planes(board: Board) -> list[Plane]:
    return [pixels(plane).copy() for plane in board.frame.planes]


def painted(background: str = "#000000") -> Board:
    board = Board(Canvas(CANVAS.width, CANVAS.height, background))
    board.clear(WHOLE)
    return board


def by_ffmpeg(rgb: NDArray[np.uint8]) -> list[Plane]:
    """Planes of RGB as FFmpeg converts them."""
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.MPEG
    )
    return [pixels(plane).copy() for plane in frame.planes]


@given(bytes_, bytes_, bytes_)
def test_colours_are_those_of_ffmpeg(red: int, green: int, blue: int) -> None:
    rgb = np.full((16, 16, 3), (red, green, blue), dtype=np.uint8)
    wanted = [int(plane[4, 4]) for plane in by_ffmpeg(rgb)]
    got = colour(f"#{red:02x}{green:02X}{blue:02x}")
    assert max(abs(a - b) for a, b in zip(got, wanted, strict=True)) <= 1


@pytest.mark.parametrize(
    ("text", "yuv"),
    [
        ("#000000", (16, 128, 128)),
        ("#ffffff", (235, 128, 128)),
        ("#ff0000", (81, 90, 240)),
        ("#00ff00", (145, 54, 34)),
        ("#0000ff", (41, 240, 110)),
    ],
)
def test_colours_of_bt_601(text: str, yuv: tuple[int, int, int]) -> None:
    assert colour(text) == yuv
    assert [set(plane.flat) for plane in planes(painted(text))] == [{value} for value in yuv]


def test_a_part_is_filled_and_nothing_around_it() -> None:
    board = painted()
    board.fill(Rect(2, 4, 6, 8), colour("#ff0000"))
    for number, plane in enumerate(planes(board)):
        half = int(number > 0)
        there = np.zeros(plane.shape, dtype=bool)
        there[4 >> half : 12 >> half, 2 >> half : 8 >> half] = True
        assert set(plane[there]) == {colour("#ff0000")[number]}
        assert set(plane[~there]) == {(16, 128, 128)[number]}


def test_blending_rounds_the_exact_mean() -> None:
    behind, front = (side.ravel().astype(np.uint8) for side in np.mgrid[0:256, 0:256])
    for alpha in range(256):
        exact = (front.astype(np.float64) * alpha + behind.astype(np.float64) * (255 - alpha)) / 255
        got = _blended(behind, front, np.full(behind.shape, alpha, dtype=np.uint8))
        assert np.abs(got - exact).max() <= 0.5 + 1e-9, alpha


evens = st.integers(-16, 16).map(lambda n: 2 * n)
sides = st.integers(1, 16).map(lambda n: 2 * n)
rects = st.builds(Rect, st.integers(0, 8), st.integers(0, 6), sides, sides).map(
    lambda r: Rect(r.x * 2, r.y * 2, r.w, r.h)
)


@patient
@given(evens, evens, sides, sides, rects, st.booleans(), st.integers(0, 2**32 - 1))
def test_what_of_a_patch_lies_in_a_part_of_the_canvas_is_drawn(
    x: int,
    y: int,
    w: int,
    h: int,
    rect: Rect,
    clear: bool,  # noqa: FBT001 - drawn
    seed: int,
) -> None:
    chance = np.random.default_rng(seed)

    def noise(height: int, width: int) -> Plane:
        return chance.integers(0, 256, (height, width), dtype=np.uint8)

    alpha = (noise(h, w), noise(h // 2, w // 2)) if clear else None
    patch = Patch(x, y, (noise(h, w), noise(h // 2, w // 2), noise(h // 2, w // 2)), alpha)
    board = painted("#336699")
    before = planes(board)
    board.lay(patch, rect)
    for number, (old, new) in enumerate(zip(before, planes(board), strict=True)):
        half = int(number > 0)
        for row, column in np.ndindex(old.shape):
            inside = rect.x <= column << half < rect.right and rect.y <= row << half < rect.bottom
            here = (row - (y >> half), column - (x >> half))
            there = 0 <= here[0] < h >> half and 0 <= here[1] < w >> half
            if not (inside and there):
                assert new[row, column] == old[row, column]
                continue
            part = 1.0 if alpha is None else alpha[half][here] / 255
            exact = patch.planes[number][here] * part + old[row, column] * (1 - part)
            assert abs(new[row, column] - exact) <= 1


def sprite(x: int, y: int, rgba: NDArray[np.uint8]) -> Sprite:
    return Sprite(x, y, rgba)


@patient
@given(
    st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1)
)
def test_a_sprite_lies_on_its_own_pixels_also_where_they_are_odd(
    x: int, y: int, w: int, h: int, seed: int
) -> None:
    rgba = np.random.default_rng(seed).integers(0, 256, (h, w, 4), dtype=np.uint8)
    rgba[:, :, 3] = np.where(rgba[:, :, 3] < 128, 0, rgba[:, :, 3])
    patch = patch_of(sprite(x, y, rgba))
    assert not any(side % 2 for side in (patch.x, patch.y, patch.w, patch.h))
    assert patch.x in {x, x - 1}
    assert patch.y in {y, y - 1}
    luma, alpha = patch.planes[0], patch.alpha[0] if patch.alpha else np.full((patch.h, patch.w), 255)
    seen = np.zeros((patch.h, patch.w), dtype=np.uint8)
    seen[y - patch.y : y - patch.y + h, x - patch.x : x - patch.x + w] = rgba[:, :, 3]
    assert np.array_equal(alpha, seen)
    for row, column in np.ndindex(h, w):
        text = "#" + "".join(f"{value:02x}" for value in rgba[row, column, :3])
        assert luma[row + y - patch.y, column + x - patch.x] == colour(text)[0]


def test_the_colour_of_four_pixels_is_that_of_those_which_are_seen() -> None:
    rgba = np.zeros((2, 2, 4), dtype=np.uint8)
    rgba[:, :] = (0, 255, 0, 0)
    rgba[0, 0] = (255, 0, 0, 255)
    patch = patch_of(sprite(0, 0, rgba))
    _, u, v = colour("#ff0000")
    assert max(abs(int(patch.planes[1][0, 0]) - u), abs(int(patch.planes[2][0, 0]) - v)) <= 1
    assert patch.alpha is not None
    assert patch.alpha[1].tolist() == [[64]]


@pytest.mark.parametrize("height", [2, 63, 64, 65, 66, 127, 130])
def test_a_sprite_of_many_lines_is_that_of_its_parts(height: int) -> None:
    rgba = np.random.default_rng(7).integers(0, 256, (height, 20, 4), np.uint8)
    whole = patch_of(sprite(0, 0, rgba))
    parts = [patch_of(sprite(0, at, rgba[at : at + 2])) for at in range(0, height, 2)]
    for n in range(3):
        assert np.array_equal(whole.planes[n], np.concatenate([part.planes[n] for part in parts]))
    assert whole.alpha is not None
    for n in range(2):
        assert np.array_equal(whole.alpha[n], np.concatenate([part.alpha[n] for part in parts if part.alpha]))


def test_a_large_backdrop_takes_little_more_memory_than_itself() -> None:
    """Each process of a composite has one."""
    rgba = np.full((1080, 1920, 4), 200, np.uint8)
    tracemalloc.start()
    try:
        patch_of(sprite(0, 0, rgba))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * rgba.nbytes


def test_a_sprite_without_a_hole_hides_what_is_behind() -> None:
    rgba = np.full((4, 6, 4), 255, dtype=np.uint8)
    assert patch_of(sprite(2, 4, rgba)).alpha is None
    assert patch_of(sprite(3, 4, rgba)).alpha is not None
    rgba[3, 5, 3] = 254
    assert patch_of(sprite(2, 4, rgba)).alpha is not None


def test_a_sprite_is_as_ffmpeg_would_convert_it() -> None:
    across, down = np.meshgrid(np.linspace(0, 255, 24), np.linspace(0, 255, 16))
    rgb = np.stack([across, down, 255 - across], axis=2).astype(np.uint8)
    opaque = np.dstack([rgb, np.full((16, 24), 255, dtype=np.uint8)])
    board = painted()
    board.lay(patch_of(sprite(0, 0, opaque)), WHOLE)
    for ours, theirs in zip(planes(board), by_ffmpeg(rgb), strict=True):
        assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 2


def test_a_plane_is_seen_without_what_pads_its_lines() -> None:
    frame = av.VideoFrame(30, 10, "yuv420p")
    assert [pixels(plane).shape for plane in frame.planes] == [(10, 30), (5, 15), (5, 15)]
    pixels(frame.planes[0])[9, 29] = 77
    assert frame.to_ndarray()[9, 29] == 77


@pytest.mark.parametrize(
    ("shape", "kind"),
    [((2, 2, 3), "uint8"), ((2, 2), "uint8"), ((2, 2, 4), "uint16")],
    ids=["no alpha", "no colour", "words"],
)
def test_what_is_no_rgba_is_no_sprite(shape: tuple[int, ...], kind: str) -> None:
    with pytest.raises(ValueError, match="a sprite is height x width x 4 bytes"):
        Sprite(0, 0, np.zeros(shape, dtype=kind))
