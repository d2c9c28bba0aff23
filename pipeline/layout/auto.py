"""The layouts `auto` and `speaker`: as much as possible of everybody's picture, by their true aspects.

`auto` tries every number of columns of equal cells, and every number of rows (and of columns) in which
pictures of one height (width) stand side by side, and takes what shows the largest area; of the latter only
those in which nobody is much smaller than another. Equal cells include the square grids of the clouds, so
that it never shows less than those. A shared screen is large, and the others stand in a strip at its right
or below it, whichever shows more of the screen; `speaker` does so with whoever speaks. Areas are exact
fractions until the regions are rounded.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.errors import CommandError
from pipeline.layout.canvas import Box, Mode, Place
from pipeline.layout.rules import ours
from pipeline.layout.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipeline.layout.canvas import Canvas
    from pipeline.layout.rules import Known
    from pipeline.layout.scene import Seat

STRIP = ours("share of the strip beside a large picture", Fraction(1, 5), "as the clouds' vertical templates")
LIMIT = ours("most users", 25, "as the largest template of a cloud")
FAIR = ours(
    "how often the smallest picture goes into the largest in rows and columns", 3, "nobody is a stamp"
)
SIZE = ours("canvas", "1280x720", "what most players show whole")
MOST_ASPECT = ours("widest and narrowest aspect that is reckoned with", 8, "so that no region vanishes")


class Span(NamedTuple):
    """A rectangle in exact pixels."""

    x: Fraction
    y: Fraction
    w: Fraction
    h: Fraction

    @property
    def area(self) -> Fraction:
        """Square pixels."""
        return self.w * self.h

    @property
    def turned(self) -> Span:
        """Across and down exchanged."""
        return Span(self.y, self.x, self.h, self.w)


def auto(canvas: Canvas, seats: Sequence[Seat], large: int | None = None) -> Scene:
    """The largest shown area; a shared screen is large.

    Args:
        canvas: what to draw on.
        seats: in the order of joining.
        large: index of the one who is large; None for the first who shares a screen, or nobody.

    Raises:
        CommandError: nobody has that index, or the canvas is too small.
    """
    if large is None:
        large = next((n for n, seat in enumerate(seats) if seat.screen), None)
    return _arrange("auto", canvas, seats, large)


def speaker(canvas: Canvas, seats: Sequence[Seat], large: int | None = None) -> Scene:
    """Whoever speaks is large; who that is at each time `pipeline.layout.speaking` tells.

    Args:
        canvas: what to draw on.
        seats: in the order of joining.
        large: index of the speaker; None for the first who shares a screen, or the first to join.

    Raises:
        CommandError: nobody has that index, or the canvas is too small.
    """
    if large is None:
        large = next((n for n, seat in enumerate(seats) if seat.screen), 0 if seats else None)
    return _arrange("speaker", canvas, seats, large)


def _arrange(name: str, canvas: Canvas, seats: Sequence[Seat], large: int | None) -> Scene:
    if large is not None and not 0 <= large < len(seats):
        raise CommandError(f"user {large + 1} cannot be large: there are {len(seats)}.")
    others = [n for n in range(len(seats)) if n != large]
    room = LIMIT.value - (large is not None)
    shown, left_out = others[:room], others[room:]
    whole = Span(Fraction(0), Fraction(0), Fraction(canvas.width), Fraction(canvas.height))
    aspects = [_aspect(seats[n]) for n in shown]
    known: tuple[Known[Any], ...] = (MOST_ASPECT, FAIR)
    if large is None:
        spans = list(zip(shown, best(whole, aspects), strict=True))
    else:
        big, small = _beside(whole, _aspect(seats[large]), aspects)
        spans = [(large, big), *zip(shown, small, strict=True)]
        known = (*known, STRIP) if shown else known
    regions = tuple(canvas.region(n, Place(_box(span, canvas), Mode.FIT)) for n, span in spans)
    known = (*known, LIMIT) if left_out else known
    return Scene(name, "", canvas, tuple(seats), regions, known, tuple(left_out))


def _aspect(seat: Seat) -> Fraction:
    most = Fraction(MOST_ASPECT.value)
    return min(most, max(1 / most, seat.aspect))


def _box(span: Span, canvas: Canvas) -> Box:
    return Box(span.x / canvas.width, span.y / canvas.height, span.w / canvas.width, span.h / canvas.height)


def best(room: Span, aspects: Sequence[Fraction]) -> tuple[Span, ...]:
    """Where pictures of these aspects stand in a room so that they cover most of it, in their order.

    Of equals the one with equal cells and fewer rows is taken.
    """
    if not aspects:
        return ()
    flipped = [1 / aspect for aspect in aspects]
    counts = range(1, len(aspects) + 1)
    equal = [tuple(_cells(room, aspects, count)) for count in reversed(counts)]
    rows = [tuple(_flow(room, aspects, count)) for count in counts]
    columns = [tuple(span.turned for span in _flow(room.turned, flipped, count)) for count in counts]
    fair = [spans for spans in (*rows, *columns) if _fair(spans)]
    return max((*equal, *fair), key=_area)


def _fair(spans: Sequence[Span]) -> bool:
    areas = [span.area for span in spans]
    return max(areas) <= FAIR.value * min(areas)


def _area(spans: Iterable[Span]) -> Fraction:
    return sum((span.area for span in spans), Fraction(0))


def _fitted(room: Span, aspect: Fraction) -> Span:
    """The largest picture of an aspect in a room, in its middle."""
    w = min(room.w, room.h * aspect)
    h = w / aspect
    return Span(room.x + (room.w - w) / 2, room.y + (room.h - h) / 2, w, h)


def _cells(room: Span, aspects: Sequence[Fraction], columns: int) -> Iterator[Span]:
    """Each in a cell of its own, all cells alike, the last row in the middle."""
    rows = -(-len(aspects) // columns)
    w, h = room.w / columns, room.h / rows
    for n, aspect in enumerate(aspects):
        row, column = divmod(n, columns)
        count = min(columns, len(aspects) - row * columns)
        left = room.x + (room.w - count * w) / 2
        yield _fitted(Span(left + column * w, room.y + row * h, w, h), aspect)


def _flow(room: Span, aspects: Sequence[Fraction], rows: int) -> Iterator[Span]:
    """Rows of pictures of one height, as many in each as can be, all rows as wide as the room or all less."""
    least, more = divmod(len(aspects), rows)
    ends = [n * least + min(n, more) for n in range(rows + 1)]
    lines = [aspects[a:b] for a, b in pairwise(ends)]
    heights = [room.w / sum(line, Fraction(0)) for line in lines]
    tall = sum(heights, Fraction(0))
    scale = min(Fraction(1), room.h / tall)
    top = room.y + (room.h - scale * tall) / 2
    for line, height in zip(lines, heights, strict=True):
        left, h = room.x + room.w * (1 - scale) / 2, height * scale
        for aspect in line:
            yield Span(left, top, h * aspect, h)
            left += h * aspect
        top += h


def _beside(room: Span, large: Fraction, others: Sequence[Fraction]) -> tuple[Span, tuple[Span, ...]]:
    """One large, the others in a strip at the right or below, where the large one is larger."""
    if not others:
        return _fitted(room, large), ()
    strip = STRIP.value
    tried = []
    for turned in (False, True):
        whole = room.turned if turned else room
        main = Span(whole.x, whole.y, whole.w * (1 - strip), whole.h)
        side = Span(whole.x + main.w, whole.y, whole.w * strip, whole.h)
        if turned:
            main, side = main.turned, side.turned
        tried.append((_fitted(main, large), best(side, others)))
    return max(tried, key=lambda each: (each[0].area, _area(each[1])))
