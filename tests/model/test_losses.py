from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.model import ticks
from pipeline.model.ledger import Entry, Sort
from pipeline.model.losses import of_gaps, of_overlaps, of_slices
from pipeline.model.timeline import arrange
from tests.model.slicing import T0_MS, pictures, sound, user

if TYPE_CHECKING:
    from pipeline.model.slices import Track


@pytest.mark.parametrize(
    ("track", "expected"),
    [
        pytest.param(sound("0 0 10.24"), [], id="a good slice is none"),
        pytest.param(
            sound("1 0 10.24 missing"),
            [("slice a0.ts is listed by its playlist and is not there; left out", "audio", 1000, 11_240)],
            id="a slice that is missing",
        ),
        pytest.param(
            pictures("0 0 10 empty"),
            [("slice v0.ts has 0 bytes; left out", "video", 0, 10_000)],
            id="a slice that is empty",
        ),
        pytest.param(
            pictures("0 0 10 unreadable"),
            [("slice v0.ts cannot be read: it is no MPEG-TS (no sync bytes); left out", "video", 0, 10_000)],
            id="a slice that is unreadable",
        ),
        pytest.param(
            pictures("0 0 10 unreadable unlisted"),
            [("slice v0.ts cannot be read: it is no MPEG-TS (no sync bytes); left out", "video", 0, None)],
            id="a slice whose length nobody knows",
        ),
        pytest.param(
            pictures("0 0 10 cut"),
            [("slice v0.ts is cut off; its incomplete last picture is dropped", "video", 0, None)],
            id="pictures that are cut off",
        ),
        pytest.param(
            sound("0 0 10.24 cut"),
            [("slice a0.ts is cut off; its incomplete last sound is dropped", "audio", 0, None)],
            id="sound that is cut off",
        ),
        pytest.param(
            sound("1 0 10.24 extinf=15"),
            [
                (
                    "slice a0.ts ends 0:04.760 before the length that its playlist gives",
                    "audio",
                    11_240,
                    16_000,
                )
            ],
            id="a slice that ends over 2 s early",
        ),
        pytest.param(
            pictures("0 0 10 extinf=15 cut"),
            [("slice v0.ts is cut off; its incomplete last picture is dropped", "video", 0, None)],
            id="pictures that are cut off and end early are told once",
        ),
        pytest.param(
            user(pictures("0 0 10 extinf=60"), source="screen").tracks[0], [], id="a screen that stands still"
        ),
    ],
)
def test_bad_slices_are_losses(track: Track, expected: list[tuple[str, str, int, int | None]]) -> None:
    assert list(of_slices([track])) == [
        Entry(
            Sort.LOSS,
            what,
            "ann",
            medium,
            T0_MS + start,
            None if end is None else T0_MS + end,
            track.slices[0].key,
        )
        for what, medium, start, end in expected
    ]


@pytest.mark.parametrize(
    ("track", "sort", "what"),
    [
        pytest.param(
            sound("0 0 10", "20 20 10"),
            Sort.ABSENCE,
            "no sound (muted, off or away); filled with silence",
            id="a mute",
        ),
        pytest.param(
            pictures("0 0 10", "10 10 10 missing", "20 20 10"),
            Sort.LOSS,
            "no picture (1 slice missing); filled with the last picture held",
            id="a missing slice",
        ),
    ],
)
def test_gaps_are_losses_or_absences(track: Track, sort: Sort, what: str) -> None:
    time = arrange(user(track))
    assert time is not None
    (entry,) = of_gaps("ann", time.tracks[0])
    assert entry == Entry(sort, what, "ann", track.medium, T0_MS + 10_000, T0_MS + 20_000)
    assert ticks.to_ms(time.tracks[0].gaps[0].start) == entry.start_ms


@pytest.mark.parametrize(
    ("track", "expected"),
    [
        pytest.param(pictures("0 0 30", "30 30 10"), [], id="nothing overlaps"),
        pytest.param(
            pictures("0 0 30", "10 500 5", "40 40 5"),
            [("slice v1.ts lies wholly inside a longer stretch of this track; not used", 10_000, 15_000)],
            id="one slice",
        ),
        pytest.param(
            sound("0 0 30.72", "10 500 5.12", "15.12 505.12 5.12", "40 40 10.24"),
            [
                (
                    "2 slices from a1.ts on lie wholly inside a longer stretch of this track; not used",
                    10_000,
                    20_240,
                )
            ],
            id="two slices",
        ),
    ],
)
def test_what_lies_inside_a_longer_run_is_no_loss(track: Track, expected: list[tuple[str, int, int]]) -> None:
    time = arrange(user(track))
    assert time is not None
    told = list(of_overlaps("ann", time.tracks[0]))
    assert {entry.sort for entry in told} <= {Sort.NOTE}
    assert [(e.what, (e.start_ms or 0) - T0_MS, (e.end_ms or 0) - T0_MS) for e in told] == expected
