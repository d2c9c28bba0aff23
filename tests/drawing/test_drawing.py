"""Files made of pixels: what is read back is what was written; sheets hold each picture in its place."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from pipeline.demo.picture import draw, read
from pipeline.drawing.encoded import jpeg, png
from pipeline.drawing.sheet import CELL, COLUMNS, LINE, MARGIN, Sheet
from pipeline.media.reopen_picture import picture_facts

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

GREY = 200


def pixels(data: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(BytesIO(data)).convert("RGB"))


def told(at_ms: int, width: int, height: int) -> bytes:
    """RGB of a grey picture that carries its time."""
    luma = draw(at_ms, width, height, (128, 128), 1)[:height]
    return np.repeat(luma[:, :, None], 3, axis=2).tobytes()


@pytest.mark.parametrize(("width", "height"), [(320, 180), (161, 121), (180, 320), (1, 1)])
def test_a_png_keeps_every_pixel(width: int, height: int) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    data = png(noise.tobytes(), width, height)
    assert (pixels(data) == noise).all()
    assert picture_facts(data) == (width, height)


@pytest.mark.parametrize("quality", [30, 85, 95])
def test_a_jpeg_looks_the_same_and_better_for_more_bytes(quality: int) -> None:
    data = jpeg(told(1_772_442_000_250, 320, 180), 320, 180, quality)
    coded = read(np.ascontiguousarray(pixels(data)[:, :, 1]))
    assert coded is not None
    assert coded.at_ms == 1_772_442_000_250
    assert len(jpeg(told(1_772_442_000_250, 320, 180), 320, 180, 10)) < len(data)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: b"GIF89a" + data, id="another kind"),
        pytest.param(lambda _: b"", id="nothing"),
        pytest.param(lambda data: data[:3], id="its first bytes alone"),
    ],
)
def test_what_is_no_picture_is_told(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ValueError, match="it "):
        picture_facts(spoil(jpeg(bytes(300), 10, 10, 85)))


def test_a_sheet_holds_each_picture_in_its_place() -> None:
    sheet = Sheet(COLUMNS + 3)
    for number in range(COLUMNS + 3):
        if number == COLUMNS:
            sheet.leave("none")
        else:
            shade = bytes([10 * number] * 3 * 320 * 180)
            sheet.add(shade, 320, 180, f"{number}")
    data = sheet.jpeg()
    seen = pixels(data)
    assert picture_facts(data) == (sheet.width, sheet.height) == seen.shape[1::-1]
    assert seen.shape[0] == 2 * (CELL[1] + LINE + 2 * MARGIN)
    for number in range(COLUMNS + 3):
        row, column = divmod(number, COLUMNS)
        left, top = column * (CELL[0] + 2 * MARGIN), row * (CELL[1] + LINE + 2 * MARGIN)
        middle = seen[top + MARGIN + CELL[1] // 2, left + MARGIN + CELL[0] // 2]
        assert abs(int(middle[0]) - (48 if number == COLUMNS else 10 * number)) <= 3
        below = seen[top + MARGIN + CELL[1] + 1 : top + MARGIN + CELL[1] + LINE, left : left + CELL[0]]
        assert below.max() > GREY, "its time stands below it"


def test_a_sheet_of_few_is_narrow_and_upright_pictures_fit() -> None:
    sheet = Sheet(1)
    sheet.add(bytes([250] * 3 * 180 * 320), 180, 320, "12:00:00")
    seen = pixels(sheet.jpeg())
    assert seen.shape[1] == CELL[0] + 2 * MARGIN
    bright = np.flatnonzero(seen[MARGIN + CELL[1] // 2, :, 0] > GREY)
    assert abs(len(bright) - CELL[1] * 180 // 320) <= 2
