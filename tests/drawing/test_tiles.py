"""Images as tiles: coloured quadrants show which part lies where; what is broken or too large is refused."""

from __future__ import annotations

import os
import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.drawing.tiles import MOST_BYTES, image_tile
from pipeline.errors import CommandError
from pipeline.layout.canvas import Mode

if TYPE_CHECKING:
    from pathlib import Path

RED, GREEN, BLUE, WHITE = (250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 250)
NONE = (0, 0, 0, 0)
ORIENTATION = 0x0112


def quadrants(w: int, h: int) -> Image.Image:
    """Red and green above, blue and white below."""
    image = Image.new("RGB", (w, h), RED)
    image.paste(GREEN, (w // 2, 0, w, h // 2))
    image.paste(BLUE, (0, h // 2, w // 2, h))
    image.paste(WHITE, (w // 2, h // 2, w, h))
    return image


def saved(image: Image.Image, path: Path, **how: Any) -> Path:
    image.save(path, **how)
    return path


def near(pixel: object, colour: tuple[int, ...], least: int = 12) -> bool:
    wanted = colour if len(colour) == 4 else (*colour, 255)
    return bool(np.abs(np.asarray(pixel, int) - wanted).max() <= least)


@pytest.mark.parametrize(
    ("mode", "edges"),
    [
        pytest.param("stretch", (RED, GREEN, BLUE, WHITE), id="stretch shows all four"),
        pytest.param("crop", (RED, GREEN, BLUE, WHITE), id="crop shows the middle"),
        pytest.param("fit", (NONE, NONE, NONE, NONE), id="fit leaves the sides free"),
        pytest.param("smart", (RED, GREEN, BLUE, WHITE), id="smart shows nearly all"),
    ],
)
def test_an_image_fills_a_region_by_its_mode(
    mode: str, edges: tuple[tuple[int, ...], ...], tmp_path: Path
) -> None:
    image = quadrants(100, 200)
    image.paste((0, 0, 0), (0, 0, 100, 10))  # a bar that crop and smart lose
    sprite = image_tile(saved(image, tmp_path / "a.png"), Mode(mode), 320, 180)
    assert (sprite.x, sprite.y, sprite.w, sprite.h) == (0, 0, 320, 180)
    corners = [sprite.pixels[y, x] for y in (20, 170) for x in (2, 317)]
    assert all(near(pixel, colour) for pixel, colour in zip(corners, edges, strict=True))
    middle = [sprite.pixels[y, x] for y in (80, 100) for x in (150, 170)]
    assert all(near(p, c) for p, c in zip(middle, (RED, GREEN, BLUE, WHITE), strict=True))
    black = near(sprite.pixels[1, 150], (0, 0, 0))
    assert black == (mode in {"stretch", "fit"})


def test_fit_lies_in_the_middle(tmp_path: Path) -> None:
    sprite = image_tile(saved(quadrants(100, 200), tmp_path / "a.png"), Mode.FIT, 320, 180)
    columns = np.flatnonzero(sprite.pixels[..., 3].any(axis=0))
    assert (columns[0], columns[-1]) == (116, 205)
    assert (sprite.pixels[:, 116:206, 3] == 255).all()


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.bmp", "a.gif"])
def test_each_format_is_read(name: str, tmp_path: Path) -> None:
    sprite = image_tile(saved(quadrants(64, 64), tmp_path / name), Mode.STRETCH, 64, 64)
    found = [sprite.pixels[y, x] for y in (16, 48) for x in (16, 48)]
    assert all(near(p, c) for p, c in zip(found, (RED, GREEN, BLUE, WHITE), strict=True))


@pytest.mark.parametrize(
    ("kind", "pixel"),
    [
        pytest.param("L", (128, 128, 128, 255), id="grey"),
        pytest.param("LA", (128, 128, 128, 100), id="grey with alpha"),
        pytest.param("RGBA", (10, 200, 30, 100), id="colour with alpha"),
        pytest.param("P", (255, 0, 0, 255), id="a palette"),
        pytest.param("1", (255, 255, 255, 255), id="black and white"),
        pytest.param("I;16", (128, 128, 128, 255), id="16 bits of grey"),
    ],
)
def test_each_kind_of_pixel_is_read(kind: str, pixel: tuple[int, ...], tmp_path: Path) -> None:
    values: dict[str, Any] = {
        "L": 128,
        "LA": (128, 100),
        "RGBA": (10, 200, 30, 100),
        "P": 0,
        "1": 1,
        "I;16": 0x8000,
    }
    image = Image.new(kind, (8, 8), values[kind])
    if kind == "P":
        image.putpalette([255, 0, 0])
    sprite = image_tile(saved(image, tmp_path / "a.png"), Mode.STRETCH, 8, 8)
    assert near(sprite.pixels[4, 4], pixel, 1)


def test_a_transparent_colour_stays_transparent(tmp_path: Path) -> None:
    path = saved(quadrants(64, 64), tmp_path / "a.png", transparency=RED)
    sprite = image_tile(path, Mode.STRETCH, 64, 64)
    assert sprite.pixels[10, 10, 3] == 0
    assert near(sprite.pixels[50, 50], WHITE)


def test_colours_of_transparent_pixels_do_not_bleed(tmp_path: Path) -> None:
    image = Image.new("RGBA", (64, 64), (0, 255, 0, 0))
    image.paste((250, 0, 0, 255), (0, 0, 32, 64))
    sprite = image_tile(saved(image, tmp_path / "a.png"), Mode.STRETCH, 10, 10)
    seen = sprite.pixels[sprite.pixels[..., 3] > 8]
    assert (seen[:, 1] < 8).all()


def test_the_first_picture_of_an_animation_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    Image.new("RGB", (8, 8), RED).save(path, save_all=True, append_images=[Image.new("RGB", (8, 8), BLUE)])
    assert near(image_tile(path, Mode.STRETCH, 8, 8).pixels[4, 4], RED)


@pytest.mark.parametrize(
    ("orientation", "corners"),
    [
        (1, (RED, GREEN, BLUE, WHITE)),
        (2, (GREEN, RED, WHITE, BLUE)),
        (3, (WHITE, BLUE, GREEN, RED)),
        (6, (BLUE, RED, WHITE, GREEN)),
        (8, (GREEN, WHITE, RED, BLUE)),
    ],
)
def test_a_photo_is_turned_as_it_says(
    orientation: int, corners: tuple[tuple[int, ...], ...], tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = saved(quadrants(128, 64), tmp_path / "a.jpg", exif=exif, quality=95)
    sprite = image_tile(path, Mode.FIT, 128, 128)
    covered = sprite.pixels[..., 3] == 255
    upright = orientation in {6, 8}
    assert covered.any(axis=0).sum() == (64 if upright else 128)
    part = sprite.pixels[:, 32:96] if upright else sprite.pixels[32:96]
    h, w = part.shape[:2]
    found = [part[y, x] for y in (h // 4, h * 3 // 4) for x in (w // 4, w * 3 // 4)]
    assert all(near(p, c) for p, c in zip(found, corners, strict=True))


def test_a_large_photo_is_as_sharp_as_the_region_can_show(tmp_path: Path) -> None:
    stripes = np.zeros((1600, 3200, 3), np.uint8)
    stripes[:, np.arange(3200) // 40 % 2 == 1] = 250
    path = saved(Image.fromarray(stripes), tmp_path / "a.jpg", quality=95)
    row = image_tile(path, Mode.STRETCH, 320, 160).pixels[80, :, 0].reshape(-1, 4)[:, 1:3].astype(int)
    assert (np.abs(row[::2]) < 40).all()
    assert (np.abs(row[1::2] - 250) < 40).all()


def claims(w: int, h: int) -> bytes:
    """A PNG that says how large it is and holds next to nothing."""
    head = struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    body = (struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def photo() -> bytes:
    out = BytesIO()
    quadrants(64, 64).save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(
            claims(8001, 8001), "too many pixels: give one of at most 64 million", id="just too large"
        ),
        pytest.param(claims(10_000, 10_000), "too many pixels", id="where Pillow warns"),
        pytest.param(claims(60_000, 60_000), "too many pixels", id="where Pillow refuses"),
        pytest.param(claims(100, 100), "cannot be read", id="less pixels than it claims"),
        pytest.param(photo()[:500], "cannot be read", id="cut off"),
        pytest.param(b"", "cannot be read", id="empty"),
        pytest.param(b"<svg/>", "cannot be read", id="another format"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "cannot be read", id="a program"),
    ],
)
def test_what_is_no_good_is_named(data: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    path.write_bytes(data)
    with pytest.raises(CommandError, match=told) as caught:
        image_tile(path, Mode.CROP, 64, 64)
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_file_that_is_too_long_is_not_opened_as_an_image(tmp_path: Path) -> None:
    path = saved(quadrants(8, 8), tmp_path / "a.bmp")
    os.truncate(path, MOST_BYTES + 1)
    with pytest.raises(CommandError, match="has 50000001 bytes: give one of at most 50000000"):
        image_tile(path, Mode.CROP, 64, 64)


@pytest.mark.parametrize("kind", ["a folder", "a pipe", "nothing", "a device"])
def test_what_is_no_file_is_refused_without_waiting(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    if kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    with pytest.raises(CommandError, match=r"logo\.png' (is no file|cannot be opened)"):
        image_tile(path, Mode.CROP, 64, 64)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["JPEG", "PNG", "GIF", "BMP"]), data=st.data())
def test_any_damage_is_shown_or_refused_in_one_sentence(
    kind: str, data: st.DataObject, tmp_path: Path
) -> None:
    out = BytesIO()
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    quadrants(24, 16).save(out, kind, **({"exif": exif} if kind in {"JPEG", "PNG"} else {}))
    broken = bytearray(out.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "broken"
    path.write_bytes(broken[: data.draw(st.integers(0, len(broken)))])
    try:
        assert image_tile(path, Mode.CROP, 16, 16).pixels.shape == (16, 16, 4)
    except CommandError as error:
        told = str(error)
        assert "broken" in told
