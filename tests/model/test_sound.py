from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipeline.model.options import OnChange, Options
from pipeline.model.slices import Change, Format, Track
from pipeline.model.sound import configurations, longest
from pipeline.model.timeline import TrackTime, arrange
from tests.model.slicing import T0, sound, user
from tests.model.test_plan import planned

if TYPE_CHECKING:
    from collections.abc import Sequence

AAC = Format("aac", rate=48_000, channels=1, parameters="1188")
AAC_44 = Format("aac", rate=44_100, channels=2, parameters="1210")
OPUS = Format("opus", rate=48_000, channels=1, parameters="00")


def at(seconds: int) -> int:
    return T0 + seconds * 90_000


def track(*slices: Sequence[tuple[float, Format]], lines: Sequence[str]) -> Track:
    """Sound whose slices have these formats, each from seconds after its beginning."""
    found = sound(*lines)
    told = []
    for piece, forms in zip(found.slices, slices, strict=True):
        assert piece.ends is not None
        (_, first), *later = forms
        changes = tuple(Change(int(after * 90_000), form) for after, form in later)
        told.append(replace(piece, ends=replace(piece.ends, form=first, changes=changes)))
    return replace(found, slices=tuple(told))


def time_of(found: Track) -> TrackTime:
    time = arrange(user(found))
    assert time is not None
    assert time.audio is not None
    return time.audio


CASES = [
    pytest.param([[(0, AAC)], [(0, AAC)]], [(0, 20, AAC, 20)], AAC, id="one"),
    pytest.param([[(0, AAC_44)], [(0, AAC)]], [(0, 10, AAC_44, 10), (10, 20, AAC, 10)], AAC_44, id="equals"),
    pytest.param(
        [[(0, AAC), (4, AAC_44)], [(0, AAC_44)]],
        [(0, 4, AAC, 4), (4, 20, AAC_44, 16)],
        AAC_44,
        id="a change inside a slice",
    ),
    pytest.param(
        [[(0, AAC), (4, AAC_44), (8, AAC)], [(0, OPUS)]],
        [(0, 4, AAC, 4), (4, 8, AAC_44, 4), (8, 10, AAC, 2), (10, 20, OPUS, 10)],
        OPUS,
        id="there and back, and then another",
    ),
]


@pytest.mark.parametrize(("slices", "expected", "most"), CASES)
def test_configurations_follow_one_another(
    slices: list[list[tuple[float, Format]]],
    expected: list[tuple[int, int, Format, int]],
    most: Format,
) -> None:
    found = configurations(time_of(track(*slices, lines=["0 0 10", "10 10 10"])))
    told = [(h.start, h.end, h.form, h.heard) for h in found]
    assert told == [(at(a), at(b), form, c * 90_000) for a, b, form, c in expected]
    assert longest(found) == most


def test_an_absence_counts_for_none() -> None:
    found = configurations(time_of(track([(0, AAC_44)], [(0, AAC)], lines=["0 0 6", "60 60 10"])))
    assert [(h.form, h.heard) for h in found] == [(AAC_44, 6 * 90_000), (AAC, 10 * 90_000)]
    assert longest(found) == AAC


def test_what_lies_outside_does_not_count() -> None:
    first, _ = configurations(time_of(track([(0, AAC_44)], [(0, AAC)], lines=["0 0 10", "10 10 10"])))
    assert first.within(at(12), at(20)) is None
    part = first.within(at(4), at(20))
    assert part is not None
    assert (part.start, part.end, part.heard) == (at(4), at(10), 6 * 90_000)


COPIED = (
    "the sound changes (aac 44100 Hz stereo -> opus 48000 Hz mono), which one track cannot hold as it is: "
    "use --on-change fit or split"
)


@pytest.mark.parametrize(
    ("on_change", "refusal"),
    [
        (OnChange.FIT, ""),
        (OnChange.SPLIT, ""),
        (OnChange.COPY, COPIED),
    ],
)
def test_the_plan_says_what_becomes_of_it(on_change: OnChange, refusal: str) -> None:
    found = user(track([(0, AAC_44)], [(0, OPUS)], lines=["0 0 4", "4 4 10"]))
    (output,) = planned(found, options=Options(on_change=on_change)).outputs
    assert output.refusal == refusal
    assert output.sound == OPUS
    assert [d.what for d in output.decisions][:2] == [
        "copy opus 48000 Hz mono",
        "re-encode 0:04.000 of aac 44100 Hz stereo into opus 48000 Hz mono",
    ]
