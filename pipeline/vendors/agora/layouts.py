"""Agora's templates for composites (`mixedVideoLayout`), each number with its source.

Sizes of floating and vertical, and best fit for 17 users, are written; the rest of best fit is drawn, and the
SDK's samples agree with the drawings. The columns of vertical fill one way in the drawing and the other way
in the samples: we follow the drawing.
"""

from __future__ import annotations

from fractions import Fraction

from pipeline.layout.canvas import Mode
from pipeline.layout.rules import Page
from pipeline.layout.templates import Large, Layout, beside, centred, floating, grid

PAGE = Page("Agora, Set video layout", "https://docs.agora.io/en/cloud-recording/cloud_recording_layout")
OLD = Page("Agora, 设置合流布局", "https://docs.agora.io/cn/Recording/recording_layout")
_DRAWN = "from the page's drawing and the SDK's samples, which agree"

LIMIT = PAGE.doc("most users", 17)
SIZE = PAGE.doc("canvas", "360x640")
_CROP = PAGE.doc("mode", Mode.CROP)
_ROWS = PAGE.inferred("order", "row by row from top-left", _DRAWN)
_JOINED = PAGE.doc("large unless named", Large.FIRST)

FLOATING = Layout(
    "floating",
    "agora",
    "mixedVideoLayout 0",
    LIMIT,
    SIZE,
    (
        floating(
            (1, 17),
            PAGE.doc("columns", 4),
            PAGE.doc("side of the small", Fraction(235, 1000)),
            PAGE.doc("gap and margin", Fraction(12, 1000)),
            order=PAGE.doc("order", "from bottom-left to the right, then up"),
            mode=_CROP,
        ),
    ),
    _JOINED,
)

_CELLS = (((1, 1), 1, 1), ((2, 2), 2, 1), ((3, 4), 2, 2), ((5, 9), 3, 3), ((10, 16), 4, 4))

BEST_FIT_ROWS = (
    *(
        grid(
            users,
            PAGE.inferred("columns", columns, _DRAWN),
            (
                PAGE.inferred("cell width", Fraction(1, columns), _DRAWN),
                PAGE.inferred("cell height", Fraction(1, rows), _DRAWN),
            ),
            _ROWS,
            _CROP,
        )
        for users, columns, rows in _CELLS
    ),
    centred(
        17,
        OLD.doc("columns", 4),
        OLD.doc("cell side", Fraction(1, 5)),
        OLD.doc("order", "row by row from top-left, the last in the middle"),
        _CROP,
    ),
)
BEST_FIT = Layout(
    "best-fit",
    "agora",
    "mixedVideoLayout 1",
    LIMIT,
    SIZE,
    BEST_FIT_ROWS,
    PAGE.doc("large unless named", Large.NOBODY),
)

_MODES = (PAGE.doc("mode of the large", Mode.FIT), PAGE.doc("mode of the small", Mode.CROP))
_DOWN = PAGE.doc("order", "from the top down")
_HALF = PAGE.inferred(
    "order",
    "right column first, from the top down",
    "from the page's drawing; the SDK's samples begin with the left column",
)
_VERTICAL = (
    ((1, 5), Fraction(4, 5), (Fraction(1, 5), Fraction(1, 4)), (0,)),
    ((6, 7), Fraction(6, 7), (Fraction(1, 7), Fraction(1, 6)), (0,)),
    ((8, 9), Fraction(8, 9), (Fraction(1, 9), Fraction(1, 8)), (0,)),
    ((10, 17), Fraction(4, 5), (Fraction(1, 10), Fraction(1, 8)), (1, 0)),
)
VERTICAL_ROWS = tuple(
    beside(
        users,
        (PAGE.doc("large width", large), PAGE.doc("large height", Fraction(1))),
        (PAGE.doc("small width", cell[0]), PAGE.doc("small height", cell[1])),
        _HALF if len(columns) > 1 else _DOWN,
        _MODES,
        columns=columns,
    )
    for users, large, cell, columns in _VERTICAL
)
VERTICAL = Layout(
    "vertical",
    "agora",
    "mixedVideoLayout 2",
    LIMIT,
    SIZE,
    VERTICAL_ROWS,
    PAGE.doc("large unless named", Large.EMPTY),
    alone=OLD.doc("a single user whom nobody named", "the whole canvas"),
)
LAYOUTS = (FLOATING, BEST_FIT, VERTICAL)
