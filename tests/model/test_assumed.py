from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.model import ticks
from pipeline.model.assumed import HOLE_MS, with_assumed, worth_a_look
from pipeline.model.slices import Ends, Format, Slice, State, Turned

ZERO_MS = 1_772_442_000_000
LENGTH_MS = 15_000
FORM = Format("aac", rate=48_000, channels=1, parameters="x")


def piece(number: int, **changed: object) -> Slice:
    """The nth of slices that follow one another."""
    plain = Slice(
        f"{number}.ts",
        1000,
        State.PRESENT,
        ZERO_MS + number * LENGTH_MS,
        "name",
        extinf_us=LENGTH_MS * 1000,
    )
    return replace(plain, **changed)  # type: ignore[arg-type] # fields of a Slice


def looked(piece: Slice, first: int = 1000, span: int = ticks.from_ms(LENGTH_MS) - 500) -> Slice:
    return replace(piece, ends=Ends(first, span, 1920, key=True, form=FORM))


FOUR = [piece(n) for n in range(4)]


@pytest.mark.parametrize(
    ("slices", "asked"),
    [
        pytest.param(FOUR, ["0.ts"], id="one stretch"),
        pytest.param([looked(FOUR[0]), *FOUR[1:]], [], id="its first was looked at"),
        pytest.param(
            [replace(FOUR[0], state=State.UNREADABLE), *FOUR[1:]], ["1.ts"], id="its first cannot be read"
        ),
        pytest.param(
            [FOUR[0], replace(FOUR[1], state=State.MISSING), *FOUR[2:]], ["0.ts", "2.ts"], id="one is missing"
        ),
        pytest.param([FOUR[0], piece(1, opens=True), *FOUR[2:]], ["0.ts", "1.ts"], id="a START tag"),
        pytest.param(
            [FOUR[0], piece(1, clockwise=90), piece(2, clockwise=90), FOUR[3]],
            ["0.ts", "1.ts", "3.ts"],
            id="turned and turned back",
        ),
        pytest.param(
            [FOUR[0], piece(1, turns=(Turned(3000, 90),)), *FOUR[2:]],
            ["0.ts", "1.ts", "2.ts"],
            id="turned inside",
        ),
        pytest.param([FOUR[0], FOUR[2]], ["0.ts", "2.ts"], id="a slice apart"),
        pytest.param([FOUR[0], piece(1, recorder=1)], ["0.ts", "1.ts"], id="another recorder"),
        pytest.param([piece(0, extinf_us=None), FOUR[1]], ["0.ts", "1.ts"], id="no listed length before"),
        pytest.param([FOUR[0], piece(1, extinf_us=None)], ["0.ts", "1.ts"], id="no listed length"),
        pytest.param([FOUR[0], piece(1, follows="0.ts")], ["0.ts", "1.ts"], id="no stamp of its own"),
        pytest.param(
            [FOUR[0], piece(1, stamp_ms=ZERO_MS + LENGTH_MS + HOLE_MS)], ["0.ts"], id="no hole that counts"
        ),
        pytest.param(
            [FOUR[0], piece(1, stamp_ms=ZERO_MS + LENGTH_MS + HOLE_MS + 1)],
            ["0.ts", "1.ts"],
            id="a hole",
        ),
        pytest.param(
            [FOUR[0], piece(1, stamp_ms=ZERO_MS + LENGTH_MS - HOLE_MS - 1)], ["0.ts", "1.ts"], id="an overlap"
        ),
        pytest.param([], [], id="nothing"),
    ],
)
def test_what_begins_something_is_looked_at(slices: list[Slice], asked: list[str]) -> None:
    assert worth_a_look(slices) == asked


def test_what_follows_is_taken_to_touch_what_it_follows() -> None:
    slices = with_assumed([looked(FOUR[0]), *FOUR[1:]])
    ends = [s.ends for s in slices if s.ends is not None]
    length = ticks.from_ms(LENGTH_MS)
    assert [(e.first, e.span) for e in ends] == [(1000 + n * length, length) for n in range(4)]
    assert {e.form for e in ends} == {FORM}


def test_pts_wrap() -> None:
    _, second = with_assumed([looked(FOUR[0], ticks.WRAP - 10), FOUR[1]])
    assert second.ends is not None
    assert second.ends.first == ticks.from_ms(LENGTH_MS) - 10


def test_what_was_looked_at_keeps_its_length_before_a_hole_and_before_what_was_looked_at() -> None:
    first, later = looked(FOUR[0]), looked(piece(2), 77)
    assert with_assumed([first, later]) == (first, later)
    assert with_assumed([first, looked(FOUR[1])])[0] == first


def test_what_cannot_be_used_stays_so_and_ends_what_is_assumed() -> None:
    missing = replace(FOUR[1], state=State.MISSING)
    slices = with_assumed([looked(FOUR[0]), missing, FOUR[2]])
    assert slices[1] == missing
    assert slices[2].ends is None
    assert with_assumed([FOUR[0]]) == (FOUR[0],)
