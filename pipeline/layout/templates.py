"""Templates: a table of rows, each for some numbers of users, and the places that a row has for them.

The kinds of rows here (cells in a grid, small ones over a large one, small ones beside a large one) are what
all clouds draw; their numbers are handed in by `pipeline.vendors`, each with its source.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pipeline.errors import CommandError
from pipeline.layout.canvas import WHOLE, ZERO, Box, Mode, Place
from pipeline.layout.rules import Known, Mark
from pipeline.layout.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from pipeline.layout.canvas import Canvas, Region
    from pipeline.layout.looks import Cell
    from pipeline.layout.scene import Seat

UNNAMED = Known(
    "row when nobody is large",
    "as if somebody were",
    Mark.INFERRED,
    "pages count users with the large one, and do not say how they count without",
)


class Large(StrEnum):
    """Who gets the large region when nobody is named."""

    NOBODY = "no region is"
    FIRST = "the first to join"
    SCREEN = "the first shared screen, else the first to join"
    EMPTY = "nobody, and the background shows"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a template's table.

    Attributes:
        first: the fewest users it is for, the large one included.
        last: the most.
        small: places in the order in which they fill; those of all users where there is no large one.
        known: its numbers and rules.
        order: how places fill; tells nothing of a single user.
        large: the place of the large one, if there is one.
    """

    first: int
    last: int
    small: tuple[Place, ...]
    known: tuple[Known[Any], ...]
    order: Known[str]
    large: Place | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.last <= len(self.small) + (self.large is not None):
            raise ValueError(f"a row for {self.first} to {self.last} users needs a place for each")


def grid(
    users: tuple[int, int],
    columns: Known[int],
    cell: tuple[Known[Fraction], Known[Fraction]],
    order: Known[str],
    mode: Known[Mode],
) -> Row:
    """Cells of one size from top-left, row by row; what is left over shows the background."""
    w, h = (side.value for side in cell)
    rows = int(1 / h)
    places = tuple(
        Place(Box(column * w, row * h, w, h), mode.value)
        for row in range(rows)
        for column in range(columns.value)
    )
    return Row(*users, places, (columns, *cell, mode), order)


def centred(
    users: int,
    columns: Known[int],
    side: Known[Fraction],
    order: Known[str],
    mode: Known[Mode],
) -> Row:
    """Rows of cells as wide as high, in the middle of the canvas; the last row holds what is left."""
    places = []
    for start in range(0, users, columns.value):
        count = min(columns.value, users - start)
        margin = (1 - count * side.value) / 2
        top = start // columns.value * side.value
        places += [
            Place(Box(margin + n * side.value, top, side.value, side.value), mode.value) for n in range(count)
        ]
    return Row(users, users, tuple(places), (columns, side, mode), order)


def floating(
    users: tuple[int, int],
    columns: Known[int],
    side: Known[Fraction],
    margin: Known[Fraction],
    *,
    order: Known[str],
    mode: Known[Mode],
) -> Row:
    """Small ones, as wide as high in fractions, over a large one: from bottom-left to the right, then up."""
    step = side.value + margin.value
    small = tuple(
        Place(
            Box(
                margin.value + (n % columns.value) * step,
                1 - (n // columns.value + 1) * step,
                side.value,
                side.value,
            ),
            mode.value,
            z=1,
        )
        for n in range(columns.value**2)
    )
    return Row(*users, small, (columns, side, margin, mode), order, Place(WHOLE, mode.value))


def beside(
    users: tuple[int, int],
    large: tuple[Known[Fraction], Known[Fraction]],
    cell: tuple[Known[Fraction], Known[Fraction]],
    order: Known[str],
    modes: tuple[Known[Mode], Known[Mode]],
    *,
    columns: tuple[int, ...] = (0,),
) -> Row:
    """A large one at the left; small ones in columns at its right, then in a row along the bottom.

    Args:
        users: fewest and most, the large one included.
        large: its width and height.
        cell: width and height of the small ones.
        order: how they fill, in words.
        modes: of the large one, of the small ones.
        columns: in the order in which they fill, 0 for the one next to the large region.
    """
    w, h = (side.value for side in cell)
    width, height = (side.value for side in large)
    along = int(width / w) if height < 1 else 0
    boxes = [Box(width + column * w, n * h, w, h) for column in columns for n in range(int(1 / h))]
    boxes += [Box(n * w, height, w, h) for n in range(along)]
    small = tuple(Place(box, modes[1].value) for box in boxes)
    place = Place(Box(ZERO, ZERO, width, height), modes[0].value)
    return Row(*users, small, (*large, *cell, *modes), order, place)


@dataclass(frozen=True, slots=True)
class Layout:
    """A template: a cloud's table, or one put together from several.

    Attributes:
        name: what ``--layout`` calls it.
        vendor: whose; empty for none's.
        title: what the vendor calls it.
        limit: the most users it shows.
        size: of the canvas unless somebody says another.
        rows: from one user up to the limit, without a hole.
        large: who is large when nobody is named.
        alone: the rule by which a single user gets the whole canvas, though nobody is named large.
        mirrors: the rule by which the large one may stand at the right.
    """

    name: str
    vendor: str
    title: str
    limit: Known[int]
    size: Known[str]
    rows: tuple[Row, ...]
    large: Known[Large]
    alone: Known[str] | None = None
    mirrors: Known[str] | None = None

    def __post_init__(self) -> None:
        covered = [n for row in self.rows for n in range(row.first, row.last + 1)]
        if covered != list(range(1, self.limit.value + 1)):
            raise ValueError(f"rows of {self.name} cover each number of users once: {covered}")

    def arrange(
        self,
        canvas: Canvas,
        seats: Sequence[Seat],
        large: int | None = None,
        *,
        right: bool = False,
        absent: bool = False,
    ) -> Scene:
        """Who is where. Over the limit, the last to join are left out, but never the one who is large.

        Args:
            canvas: what to draw on.
            seats: in the order of joining.
            large: index of the one who is large; None for the template's own rule.
            right: the large one stands at the right.
            absent: somebody was named large who is not there, so that nobody is.

        Raises:
            CommandError: this template has nobody large, or no right side; or the canvas is too small.
        """
        self._check(seats, large, right=right)
        if not seats:
            return Scene(self.name, self.vendor, canvas, (), (), ())
        if self.large.value is Large.NOBODY:
            return self._cells(canvas, seats)
        if large is None and not absent:
            large = self._unnamed(seats)
        if large is None and len(seats) == 1 and self.alone and not absent:
            whole = canvas.region(0, Place(WHOLE, self._row(1).small[0].mode))
            return Scene(self.name, self.vendor, canvas, tuple(seats), (whole,), (self.alone,))
        return self._around(canvas, seats, large, right=right)

    def _unnamed(self, seats: Sequence[Seat]) -> int | None:
        """Who is large when nobody is named."""
        if self.large.value is Large.EMPTY:
            return None
        shared = (n for n, seat in enumerate(seats) if seat.screen)
        return next(shared, 0) if self.large.value is Large.SCREEN else 0

    def _check(self, seats: Sequence[Seat], large: int | None, *, right: bool) -> None:
        if right and not self.mirrors:
            raise CommandError(f"the layout {self} has its large region in one place only.")
        if large is None:
            return
        if self.large.value is Large.NOBODY:
            raise CommandError(f"the layout {self} has no large region.")
        if not 0 <= large < len(seats):
            raise CommandError(f"user {large + 1} cannot be large: there are {len(seats)}.")

    def __str__(self) -> str:
        return f"{self.name} of {self.vendor}" if self.vendor else self.name

    def _row(self, users: int) -> Row:
        return next(row for row in self.rows if row.first <= users <= row.last)

    def _cells(self, canvas: Canvas, seats: Sequence[Seat]) -> Scene:
        users = min(len(seats), self.limit.value)
        row = self._row(users)
        regions = tuple(canvas.region(n, place) for n, place in enumerate(row.small[:users]))
        known = (*row.known, *((row.order,) if users > 1 else ()))
        return self._scene(canvas, seats, regions, known, tuple(range(users, len(seats))))

    def _around(self, canvas: Canvas, seats: Sequence[Seat], large: int | None, *, right: bool) -> Scene:
        others = [n for n in range(len(seats)) if n != large]
        small, rest = others[: self.limit.value - 1], others[self.limit.value - 1 :]
        row = self._row(len(small) + 1)
        places = list(zip(small, row.small, strict=False))
        known = [*row.known, *((row.order,) if len(small) > 1 else ())]
        if large is not None and row.large is not None:
            places.insert(0, (large, row.large))
        else:
            known += [self.large, UNNAMED]
        if right and self.mirrors:
            places = [
                (n, Place(place.box.mirrored, place.mode, place.z, place.opacity)) for n, place in places
            ]
            known.append(self.mirrors)
        regions = tuple(canvas.region(n, place) for n, place in places)
        return self._scene(canvas, seats, regions, tuple(known), tuple(rest))

    def _scene(
        self,
        canvas: Canvas,
        seats: Sequence[Seat],
        regions: tuple[Region, ...],
        known: tuple[Known[Any], ...],
        left_out: tuple[int, ...],
    ) -> Scene:
        known = (*known, self.limit) if left_out else known
        return Scene(self.name, self.vendor, canvas, tuple(seats), regions, known, left_out)


def custom(
    canvas: Canvas, seats: Sequence[Seat], places: Sequence[Place], limit: Known[int], vendor: str = ""
) -> Scene:
    """Regions as somebody gave them: user by user in the order of joining, the larger z in front.

    Users without a region are left out; regions without a user show the background.

    Raises:
        CommandError: more regions than the limit, or the canvas is too small for one.
    """
    if len(places) > limit.value:
        whose = f" of {vendor}" if vendor else ""
        raise CommandError(
            f"a custom layout{whose} has at most {limit.value} regions, {len(places)} were given."
        )
    regions = (canvas.region(n, place) for n, place in zip(range(len(seats)), places, strict=False))
    left = tuple(range(len(places), len(seats)))
    ordered = tuple(sorted(regions, key=lambda region: region.z))
    return Scene("custom", vendor, canvas, tuple(seats), ordered, (limit,), left)


def by_cells(canvas: Canvas, seats: Sequence[Seat], cells: Sequence[Cell], vendor: str = "") -> Scene:
    """Regions of cells: those that are somebody's wait for him, the others fill in the order of joining.

    Who has a cell of his own gets no other one. Users without a cell are left out.

    Raises:
        CommandError: the canvas is too small for a region.
    """
    own = [
        next((n for n, s in enumerate(seats) if cell.who.admits(s.name, s.source)), None)
        if cell.who
        else None
        for cell in cells
    ]
    named = {
        n
        for n, seat in enumerate(seats)
        if any(cell.who and cell.who.admits(seat.name, seat.source) for cell in cells)
    }
    waiting = iter([n for n in range(len(seats)) if n not in named])
    whose = [seat if cell.who else next(waiting, None) for cell, seat in zip(cells, own, strict=True)]
    regions = [
        replace(canvas.region(seat, cell.place), cell=n)
        for n, (cell, seat) in enumerate(zip(cells, whose, strict=True))
        if seat is not None
    ]
    shown = {region.seat for region in regions}
    left = tuple(n for n in range(len(seats)) if n not in shown)
    ordered = tuple(sorted(regions, key=lambda region: region.z))
    return Scene("custom", vendor, canvas, tuple(seats), ordered, (), left)
