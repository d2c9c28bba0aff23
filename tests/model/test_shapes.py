from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.shapes import dominant, shapes_of, stretches
from pipeline.model.timeline import TrackTime, arrange
from tests.model.slicing import at, pictures, user


def track_of(*lines: str) -> TrackTime:
    time = arrange(user(pictures(*lines)))
    assert time is not None
    assert time.video is not None
    return time.video


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0 0 10", ["0 h264 640x480"]),
        ("0 0 10 turn=90", ["0 h264 640x480 turned by 90 degrees"]),
        ("0 0 10 becomes=4:320x240", ["0 h264 640x480", "4000 h264 320x240"]),
        (
            "0 0 10 turns=4:180,6:0",
            ["0 h264 640x480", "4000 h264 640x480 turned by 180 degrees", "6000 h264 640x480"],
        ),
        (
            "0 0 10 becomes=4:320x240 turns=4:90",
            ["0 h264 640x480", "4000 h264 320x240 turned by 90 degrees"],
        ),
        ("0 0 10 turns=10:90", ["0 h264 640x480"]),
        ("0 0 10 becomes=3:640x480", ["0 h264 640x480"]),
    ],
)
def test_a_slice_has_the_shapes_that_begin_in_it(line: str, expected: list[str]) -> None:
    placed = track_of(line).runs[0].placed[0]
    assert [f"{after // 90} {shape}" for after, shape in shapes_of(placed)] == expected


def test_stretches_reach_over_absences_and_know_how_long_they_are_shown() -> None:
    found = stretches(track_of("0 0 10", "40 40 10 START", "50 50 5 size=320x240"))
    assert [(at(s.start), at(s.end), str(s.shape), s.shown // 90_000) for s in found] == [
        ("0.000", "50000.000", "h264 640x480", 20),
        ("50000.000", "55000.000", "h264 320x240", 5),
    ]


SIZES = ("320x240", "640x480", "1280x720")


@given(st.lists(st.tuples(st.sampled_from(SIZES), st.integers(1, 20), st.sampled_from((0, 90)))), st.data())
def test_stretches_cover_a_track_without_overlap_and_differ_from_their_neighbours(
    slices: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    lines, now = [], 0
    for size, length, turn in slices:
        now += data.draw(st.integers(0, 40), "absence")
        lines.append(f"{now} {now} {length} size={size} turn={turn} becomes={length}p:{size}")
        now += length
    if not lines:
        return
    track = track_of(*lines)
    found = stretches(track)
    assert (found[0].start, found[-1].end) == (track.start, track.end)
    assert all(a.end <= b.start and a.shape != b.shape for a, b in pairwise(found))
    assert sum(s.shown for s in found) == sum(length for _, length, _ in slices) * 90_000
    assert dominant(found) in {s.shape for s in found}
