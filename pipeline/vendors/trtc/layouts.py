"""TRTC's templates for mixed recordings (`MixLayoutMode`), each number with its source.

All sizes are written. In what order the cells of the grid and two columns fill is not.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from pipeline.layout.canvas import Mode
from pipeline.layout.rules import Page
from pipeline.layout.templates import Large, Layout, beside, floating, grid

if TYPE_CHECKING:
    from pipeline.layout.rules import Known
    from pipeline.layout.templates import Row

PAGE = Page("TRTC, On-Cloud Recording", "https://trtc.io/document/45169")
TYPES = Page("TRTC, Data types", "https://trtc.io/document/36760")

LIMIT = TYPES.doc("most users", 25)
SIZE = TYPES.doc("canvas", "360x640")
_CROP = TYPES.doc("mode", Mode.CROP)
_UNTOLD = "the page tells sizes and no order"

_GRID = (
    ((1, 1), 1, 1),
    ((2, 2), 2, 1),
    ((3, 4), 2, 2),
    ((5, 9), 3, 3),
    ((10, 16), 4, 4),
    ((17, 25), 5, 5),
)
GRID = Layout(
    "grid",
    "trtc",
    "MixLayoutMode 3",
    LIMIT,
    SIZE,
    tuple(
        grid(
            users,
            PAGE.doc("columns", columns),
            (
                PAGE.doc("cell width", Fraction(1, columns)),
                PAGE.doc("cell height", Fraction(1, rows)),
            ),
            PAGE.inferred("order", "row by row from top-left", _UNTOLD),
            _CROP,
        )
        for users, columns, rows in _GRID
    ),
    TYPES.doc("large unless named", Large.NOBODY),
)

FLOATING = Layout(
    "floating",
    "trtc",
    "MixLayoutMode 1",
    LIMIT,
    SIZE,
    tuple(
        floating(
            users,
            PAGE.doc("columns", columns),
            PAGE.doc("side of the small", side),
            PAGE.doc("gap and margin", margin),
            order=PAGE.doc("order", "from bottom-left to the right, then up"),
            mode=_CROP,
        )
        for users, columns, side, margin in (
            ((1, 17), 4, Fraction(235, 1000), Fraction(12, 1000)),
            ((18, 25), 5, Fraction(188, 1000), Fraction(10, 1000)),
        )
    ),
    TYPES.doc("large unless named", Large.FIRST),
)

_MODES = (TYPES.doc("mode of the large", Mode.CROP), TYPES.doc("mode of the small", Mode.CROP))
_SCREEN = (
    ((1, 5), (Fraction(4, 5), Fraction(1)), (Fraction(1, 5), Fraction(1, 4)), (0,)),
    ((6, 7), (Fraction(6, 7), Fraction(1)), (Fraction(1, 7), Fraction(1, 6)), (0,)),
    ((8, 9), (Fraction(8, 9), Fraction(1)), (Fraction(1, 9), Fraction(1, 8)), (0,)),
    ((10, 17), (Fraction(4, 5), Fraction(1)), (Fraction(1, 10), Fraction(1, 8)), (0, 1)),
    ((18, 25), (Fraction(4, 5), Fraction(7, 8)), (Fraction(1, 10), Fraction(1, 8)), (0, 1)),
)
_ORDERS = {
    (1, 5): PAGE.doc("order", "from the top down"),
    (6, 7): PAGE.doc("order", "from the top down"),
    (8, 9): PAGE.doc("order", "from the top down"),
    (10, 17): PAGE.inferred("order", "left column first, from the top down", _UNTOLD),
    (18, 25): PAGE.inferred(
        "order", "left column first, from the top down, then along the bottom from the left", _UNTOLD
    ),
}


def screen_rows(modes: tuple[Known[Mode], Known[Mode]]) -> tuple[Row, ...]:
    """The rows of the screen template.

    Args:
        modes: of the large one, of the small ones.
    """
    return tuple(
        beside(
            users,
            (PAGE.doc("large width", large[0]), PAGE.doc("large height", large[1])),
            (PAGE.doc("small width", cell[0]), PAGE.doc("small height", cell[1])),
            _ORDERS[users],
            modes,
            columns=columns,
        )
        for users, large, cell, columns in _SCREEN
    )


SCREEN = Layout(
    "screen",
    "trtc",
    "MixLayoutMode 2",
    LIMIT,
    SIZE,
    screen_rows(_MODES),
    TYPES.doc("large unless named", Large.EMPTY),
    mirrors=TYPES.inferred(
        "MaxResolutionUserAlign 1",
        "everything mirrored",
        "the page says that the large one is at the right, and not where the columns begin",
    ),
)
LAYOUTS = (FLOATING, SCREEN, GRID)
