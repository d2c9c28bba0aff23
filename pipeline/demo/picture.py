"""Test pictures that carry their own UTC time and their user's number.

Only pixels live here: drawing a picture and reading one back. No codec, no file, no clock; the time is drawn
because the caller says so.

The upper half is a grid of 64 black and white cells, most significant bit first, row by row: 44 bits of UTC
milliseconds, 8 bits of user number, 12 bits of CRC. Cells are fractions of the picture, so a scaled picture
reads the same. The lower half is the user's colour with a bar that moves.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.uint8]
Borders = tuple[int, ...]

MIN_SIDE = 120
MIN_LONG_SIDE = 160
TIME_BITS = 44
USER_BITS = 8
CHECK_BITS = 12
CELLS = TIME_BITS + USER_BITS + CHECK_BITS

_MIN_CELL = 2  # pixels; less has no centre
_BLACK = 32
_WHITE = 220
_MIDDLE = (_BLACK + _WHITE) // 2
_BACKGROUND = 110
_BAR = 180
_BAR_PERIOD_MS = 4000
_WEIGHTS = np.uint64(1) << np.arange(CELLS - 1, -1, -1, dtype=np.uint64)

COLOURS: tuple[tuple[int, int], ...] = (
    (96, 190),
    (190, 96),
    (80, 100),
    (170, 170),
    (128, 60),
    (60, 150),
)
"""Cb and Cr of the users' colours, told apart by eye."""


@dataclass(frozen=True, slots=True)
class Coded:
    """What a picture says about itself.

    Attributes:
        at_ms: UTC milliseconds at which it was taken, below 2**44.
        user: number of the user who sent it, 0..255.
    """

    at_ms: int
    user: int

    def __post_init__(self) -> None:
        if not 0 <= self.at_ms < 1 << TIME_BITS:
            raise ValueError(f"the time of a picture is 0..2**{TIME_BITS} ms, not {self.at_ms}")
        if not 0 <= self.user < 1 << USER_BITS:
            raise ValueError(f"the user number of a picture is 0..255, not {self.user}")


def draw(at_ms: int, width: int, height: int, colour: tuple[int, int], label_index: int) -> Plane:
    """A picture taken at ``at_ms`` (UTC) by user number ``label_index``.

    Args:
        at_ms: UTC milliseconds.
        width: pixels, even; the sides are at least 160 x 120 or 120 x 160.
        height: as width.
        colour: Cb and Cr of the lower half.
        label_index: user number, 0..255.

    Returns:
        planar YUV 4:2:0, uint8 of shape (height * 3 / 2, width), the layout that PyAV calls ``yuv420p``.

    Raises:
        ValueError: sides odd or too small, time or number out of range.
    """
    picture = _background(width, height, colour).copy()
    rows, columns = _cells_of(width, height)
    bits = (np.uint64(_word(Coded(at_ms, label_index))) & _WEIGHTS) != 0
    cells = np.where(bits, np.uint8(_WHITE), np.uint8(_BLACK)).reshape(len(rows) - 1, len(columns) - 1)
    picture[: rows[-1]] = cells.repeat(np.diff(rows), axis=0).repeat(np.diff(columns), axis=1)
    bar = max(8, width // 10)
    left = (at_ms % _BAR_PERIOD_MS) * (width - bar) // _BAR_PERIOD_MS
    picture[height * 5 // 8 : height * 7 // 8, left : left + bar] = _BAR
    return picture


def turn(picture: Plane, quarters: int) -> Plane:
    """``picture`` turned anticlockwise by ``quarters`` of a circle.

    Args:
        picture: as returned by `draw`.
        quarters: any integer.

    Returns:
        planar YUV 4:2:0; width and height are swapped for odd numbers.
    """
    quarters %= 4
    if not quarters:
        return picture
    width = picture.shape[1]
    height = picture.shape[0] * 2 // 3
    luma = np.rot90(picture[:height], quarters)
    chroma = picture[height:].reshape(2, height // 2, width // 2)
    turned = np.rot90(chroma, quarters, axes=(1, 2))
    return np.concatenate([luma.reshape(-1), turned.reshape(-1)]).reshape(-1, luma.shape[1])


def read(luma: Plane) -> Coded | None:
    """What an upright picture says, or None when its check bits do not fit.

    Args:
        luma: uint8 of shape (height, width), any size that leaves a cell a few pixels.

    Returns:
        time and user number; None for anything that `draw` did not make.
    """
    height, width = luma.shape
    rows, columns = _cells_of(width, height)
    if min(*np.diff(rows), *np.diff(columns)) < _MIN_CELL:
        return None
    across = _inner_sums(luma[: rows[-1]].astype(np.uint32), columns, axis=1)
    sums = _inner_sums(across, rows, axis=0)
    area = np.outer(_inner_lengths(rows), _inner_lengths(columns))
    word = int.from_bytes(np.packbits(sums > area * _MIDDLE).tobytes(), "big")
    stamp = word >> CHECK_BITS
    coded = Coded(stamp >> USER_BITS, stamp & (1 << USER_BITS) - 1)
    return coded if _word(coded) == word else None


def _inner_sums(values: npt.NDArray[np.uint32], borders: Borders, axis: int) -> npt.NDArray[np.uint32]:
    """Sums over the inner half of each cell along one axis: the edges of cells are blurred by compression."""
    inner = [edge for low, high in pairwise(borders) for edge in _inner(low, high)]
    return np.add.reduceat(values, inner, axis=axis).take(range(0, len(inner), 2), axis=axis)


def _inner_lengths(borders: Borders) -> list[int]:
    return [to - from_ for from_, to in (_inner(low, high) for low, high in pairwise(borders))]


def _inner(low: int, high: int) -> tuple[int, int]:
    quarter = max(1, (high - low) // 4)
    return low + quarter - 1, high - quarter


def _word(coded: Coded) -> int:
    stamp = coded.at_ms << USER_BITS | coded.user
    # The initial value makes an all-black and an all-white grid wrong.
    check = zlib.crc32(stamp.to_bytes(7, "big"), 0x5EED) & (1 << CHECK_BITS) - 1
    return stamp << CHECK_BITS | check


@lru_cache(maxsize=64)
def _cells_of(width: int, height: int) -> tuple[Borders, Borders]:
    """Row and column borders of the grid in pixels: 4 x 16 cells, in portrait 8 x 8."""
    down, across = (4, 16) if width >= height else (8, 8)
    rows = tuple(height * row // (2 * down) for row in range(down + 1))
    return rows, tuple(width * column // across for column in range(across + 1))


@lru_cache(maxsize=64)
def _background(width: int, height: int, colour: tuple[int, int]) -> Plane:
    if width % 2 or height % 2:
        raise ValueError(f"the sides of a 4:2:0 picture are even, not {width}x{height}")
    if min(width, height) < MIN_SIDE or max(width, height) < MIN_LONG_SIDE:
        raise ValueError(f"a test picture has at least 160x120 pixels, not {width}x{height}")
    picture = np.full((height * 3 // 2, width), _BACKGROUND, dtype=np.uint8)
    chroma = picture[height:].reshape(2, -1)
    chroma[0] = colour[0]
    chroma[1] = colour[1]
    picture.flags.writeable = False
    return picture
