"""Shapes of pictures over time: where a track changes its size, its rotation or its codec.

A track shows one size under one display matrix. Which shape that is, and which stretches are not of it,
is decided here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.containers import Container

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.model.timeline import Placed, TrackTime


@dataclass(frozen=True, slots=True)
class Shape:
    """What one sample entry and one display matrix can show.

    Attributes:
        codec: as in `Format`.
        width: coded size in pixels, before any turn.
        height: as width.
        clockwise: degrees that turn it upright.
    """

    codec: str
    width: int
    height: int
    clockwise: int = 0

    def __str__(self) -> str:
        turned = f" turned by {self.clockwise} degrees" if self.clockwise else ""
        return f"{self.codec} {self.width}x{self.height}{turned}"


def kept(shape: Shape, container: Container = Container.MP4) -> Shape:
    """The shape in which a file holds these pictures: their own, or that of H.264, whose sides are even.

    >>> str(kept(Shape("vp8", 641, 480)))
    'h264 642x480'
    """
    if container.holds(shape.codec):
        return shape
    return replace(
        shape, codec="h264", width=shape.width + shape.width % 2, height=shape.height + shape.height % 2
    )


@dataclass(frozen=True, slots=True)
class Stretch:
    """UTC ticks ``start`` up to ``end`` in one shape, absences inside it included; ``shown`` are without."""

    start: int
    end: int
    shape: Shape
    shown: int

    def within(self, start: int, end: int) -> Stretch | None:
        """The part of it between two UTC ticks; None if there is none."""
        low, high = max(self.start, start), min(self.end, end)
        return replace(self, start=low, end=high, shown=min(self.shown, high - low)) if low < high else None


def shapes_of(placed: Placed) -> tuple[tuple[int, Shape], ...]:
    """The shapes of a slice, each with the ticks after its first PTS from which it holds, first 0."""
    ends = placed.piece.ends
    if ends is None:
        raise AssertionError(placed.piece.key)  # only readable slices are placed
    forms = [(0, ends.form), *((change.after, change.form) for change in ends.changes)]
    turns = [(0, placed.piece.clockwise)]
    turns += [(ticks.from_ms(turn.after_ms), turn.clockwise) for turn in placed.piece.turns]
    out: list[tuple[int, Shape]] = []
    for after in sorted({at for at, _ in forms} | {at for at, _ in turns}):
        if after >= ends.span:
            break
        form = next(f for at, f in reversed(forms) if at <= after)
        clockwise = next(c for at, c in reversed(turns) if at <= after)
        shape = Shape(form.codec, form.width, form.height, clockwise)
        if not out or out[-1][1] != shape:
            out.append((after, shape))
    return tuple(out)


def stretches(track: TrackTime) -> tuple[Stretch, ...]:
    """The shapes of a track of pictures in order of time, neighbours of one shape as one stretch."""
    out: list[Stretch] = []
    for start, end, shape in _parts(track):
        if out and out[-1].shape == shape:
            before = out[-1]
            out[-1] = replace(before, end=max(end, before.end), shown=before.shown + end - start)
        else:
            out.append(Stretch(max(start, out[-1].end if out else start), end, shape, end - start))
    return tuple(out)


def _parts(track: TrackTime) -> Iterator[tuple[int, int, Shape]]:
    for run in track.runs:
        for placed in run.placed:
            shapes = shapes_of(placed)
            nexts = [placed.at + after for after, _ in shapes[1:]]
            for (after, shape), end in zip(shapes, [*nexts, placed.end], strict=True):
                start, stop = max(placed.at + after, run.start), min(end, run.end)
                if start < stop:
                    yield start, stop, shape


def odd(
    found: Sequence[Stretch], *, fitted: bool, container: Container = Container.MP4
) -> tuple[Stretch, ...]:
    """The stretches that must be encoded anew: those of another shape, or only those that cannot be held.

    Args:
        found: the shapes of a track.
        fitted: whether all are made to fit the dominant one.
        container: what holds them.
    """
    if not found:
        return ()
    target = dominant(found, container)
    return tuple(s for s in found if s.shape != (target if fitted else kept(s.shape, container)))


def dominant(found: Sequence[Stretch], container: Container = Container.MP4) -> Shape:
    """The shape that the file holds and that is shown longest; of equals the larger, then the earlier."""
    shown: Counter[Shape] = Counter()
    for stretch in found:
        shown[kept(stretch.shape, container)] += stretch.shown
    return max(shown, key=lambda shape: (shown[shape], shape.width * shape.height))
