"""Stand-ins for Volcengine's automatic layouts (`LayoutMode`): their numbers are published as pictures only.

Adaptive and vertical have the cases of Agora's best fit and vertical and take those numbers; side by side is
rows of equal cells: one row for up to four users, two for ten, three for 18. All of it is inferred, and
scenes say so.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from pipeline.layout.canvas import Mode
from pipeline.layout.rules import Page
from pipeline.layout.templates import Large, Layout, beside, centred, grid

if TYPE_CHECKING:
    from pipeline.layout.templates import Row

PAGE = Page("Volcengine RTC, StartRecord", "https://volcengine.com/docs/6348/1188215")
PICTURES = Page("Volcengine RTC, 布局", "https://volcengine.com/docs/6348/1167930")
_CASES = "pictures only, with the cases of Agora's best fit"
_PICTURE = "a picture only, as Agora's vertical"
_NAME = "a picture only: what its name says"

LIMIT = PAGE.doc("most users", 17)
SIZE = PAGE.doc("canvas", "640x480")
_CROP = PICTURES.inferred("mode", Mode.CROP, "no page tells it")
_ROWS = PICTURES.inferred("order", "row by row from top-left", _CASES)
_NOBODY = PICTURES.inferred("large unless named", Large.NOBODY, _CASES)

_CELLS = (((1, 1), 1, 1), ((2, 2), 2, 1), ((3, 4), 2, 2), ((5, 9), 3, 3), ((10, 16), 4, 4))
ADAPTIVE = Layout(
    "best-fit",
    "volcengine",
    "LayoutMode 0",
    LIMIT,
    SIZE,
    (
        *(
            grid(
                users,
                PICTURES.inferred("columns", columns, _CASES),
                (
                    PICTURES.inferred("cell width", Fraction(1, columns), _CASES),
                    PICTURES.inferred("cell height", Fraction(1, rows), _CASES),
                ),
                _ROWS,
                _CROP,
            )
            for users, columns, rows in _CELLS
        ),
        centred(
            17,
            PICTURES.inferred("columns", 4, _CASES),
            PICTURES.inferred("cell side", Fraction(1, 5), _CASES),
            PICTURES.inferred("order", "row by row from top-left, the last in the middle", _CASES),
            _CROP,
        ),
    ),
    _NOBODY,
)

_VERTICAL = (
    ((1, 5), Fraction(4, 5), (Fraction(1, 5), Fraction(1, 4)), (0,)),
    ((6, 7), Fraction(6, 7), (Fraction(1, 7), Fraction(1, 6)), (0,)),
    ((8, 9), Fraction(8, 9), (Fraction(1, 9), Fraction(1, 8)), (0,)),
    ((10, 17), Fraction(4, 5), (Fraction(1, 10), Fraction(1, 8)), (1, 0)),
)
VERTICAL = Layout(
    "vertical",
    "volcengine",
    "LayoutMode 1",
    LIMIT,
    SIZE,
    tuple(
        beside(
            users,
            (
                PICTURES.inferred("large width", large, _PICTURE),
                PICTURES.inferred("large height", Fraction(1), _PICTURE),
            ),
            (
                PICTURES.inferred("small width", cell[0], _PICTURE),
                PICTURES.inferred("small height", cell[1], _PICTURE),
            ),
            PICTURES.inferred(
                "order", f"{'right column first, ' if len(columns) > 1 else ''}from the top down", _PICTURE
            ),
            (
                PICTURES.inferred("mode of the large", Mode.FIT, _PICTURE),
                PICTURES.inferred("mode of the small", Mode.CROP, _PICTURE),
            ),
            columns=columns,
        )
        for users, large, cell, columns in _VERTICAL
    ),
    PAGE.inferred("large unless named", Large.FIRST, "the page says: a random stream"),
)

_BESIDE = (
    ((1, 1), 1, 1),
    ((2, 2), 2, 1),
    ((3, 3), 3, 1),
    ((4, 4), 4, 1),
    ((5, 6), 3, 2),
    ((7, 8), 4, 2),
    ((9, 10), 5, 2),
    ((11, 12), 4, 3),
    ((13, 15), 5, 3),
    ((16, 18), 6, 3),
    ((19, 20), 5, 4),
    ((21, 24), 6, 4),
    ((25, 28), 7, 4),
)


def beside_rows(most: int) -> tuple[Row, ...]:
    """The rows of side by side for up to so many users."""
    return tuple(
        grid(
            (first, min(last, most)),
            PICTURES.inferred("columns", columns, _NAME),
            (
                PICTURES.inferred("cell width", Fraction(1, columns), _NAME),
                PICTURES.inferred("cell height", Fraction(1, rows), _NAME),
            ),
            PICTURES.inferred("order", "row by row from top-left", _NAME),
            _CROP,
        )
        for (first, last), columns, rows in _BESIDE
        if first <= most
    )


SIDE_BY_SIDE = Layout(
    "side-by-side", "volcengine", "LayoutMode 3", LIMIT, SIZE, beside_rows(LIMIT.value), _NOBODY
)
LAYOUTS = (ADAPTIVE, VERTICAL, SIDE_BY_SIDE)
