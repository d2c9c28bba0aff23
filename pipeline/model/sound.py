"""Configurations of sound over time: where a track changes its coding, rate or channels.

A sample entry describes one configuration. Which one that is, and which stretches are not of it, is decided
here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.model.clock import PPB

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.model.slices import Format
    from pipeline.model.timeline import Run, TrackTime

SILENT_FRAMES = {"aac": 1024, "opus": 960}
"""Samples of the frames that fill gaps (ISO/IEC 14496-3 4.5.1.1; 20 ms of Opus)."""


@dataclass(frozen=True, slots=True)
class Heard:
    """UTC ticks ``start`` up to ``end`` in one configuration, absences included; ``heard`` are without."""

    start: int
    end: int
    form: Format
    heard: int

    def within(self, start: int, end: int) -> Heard | None:
        """The part of it between two UTC ticks; None if there is none."""
        low, high = max(self.start, start), min(self.end, end)
        return replace(self, start=low, end=high, heard=min(self.heard, high - low)) if low < high else None


def configurations(track: TrackTime) -> tuple[Heard, ...]:
    """The configurations of a track of sound in order of time, neighbours of one as one stretch."""
    out: list[Heard] = []
    for start, end, form in _parts(track):
        if out and out[-1].form == form:
            before = out[-1]
            out[-1] = replace(before, end=max(end, before.end), heard=before.heard + end - start)
        else:
            out.append(Heard(max(start, out[-1].end if out else start), end, form, end - start))
    return tuple(out)


def _parts(track: TrackTime) -> Iterator[tuple[int, int, Format]]:
    for run in track.runs:
        for placed in run.placed:
            ends = placed.piece.ends
            if ends is None:
                continue
            starts = [(0, ends.form), *((c.after, c.form) for c in ends.changes if c.after < ends.span)]
            stops = [placed.at + after for after, _ in starts[1:]]
            for (after, form), stop in zip(starts, [*stops, placed.end], strict=True):
                start, end = placed.at + after, min(stop, run.end)
                if start < end:
                    yield start, end, form


def edits_an_hour(run: Run, form: Format) -> int:
    """Frames an hour that copying a run puts in or leaves out to keep its count with its clock."""
    samples = abs(run.slope_ppb) * form.rate * 3600
    each = SILENT_FRAMES.get(form.codec, 1) * PPB
    return -(-samples // each)


def longest(found: Sequence[Heard]) -> Format:
    """The configuration that is heard longest; of equals that of more samples a second, then the earlier."""
    heard: Counter[Format] = Counter()
    for each in found:
        heard[each.form] += each.heard
    return max(heard, key=lambda form: (heard[form], form.rate * form.channels))
