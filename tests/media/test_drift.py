from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media.drift import APART, WINDOW, Piece, Steady
from tests.model.laws import patient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

RATE = 48_000
SAMPLES, FRAME = 1024, 1920
IN_PES = 8


def steadied(
    blocks: int, late: Callable[[int], int], size: Callable[[int], int] = lambda _: 100
) -> list[tuple[int, int]]:
    """(frame, UTC ticks) of what comes out of PES packets whose stamps are ``late(frame)`` ticks off."""
    steady = Steady(RATE, SAMPLES)
    out: list[tuple[int, int]] = []
    placed = 0

    def taken(pieces: Iterator[Piece]) -> None:
        nonlocal placed
        for utc, frames, each, anew in pieces:
            assert each == SAMPLES
            if not anew:
                assert utc == placed, "what goes on by count follows on"
            out.extend((int.from_bytes(f[:4], "big"), utc + n * FRAME) for n, f in enumerate(frames))
            placed = utc + len(frames) * FRAME

    for number in range(0, blocks * IN_PES, IN_PES):
        frames = [n.to_bytes(4, "big") + bytes(size(n)) for n in range(number, number + IN_PES)]
        utc = number * FRAME + late(number)
        taken((steady.begin if steady.strays(utc) else steady.take)(utc, frames, SAMPLES))
    taken(steady.end())
    return out


def edits(out: list[tuple[int, int]]) -> list[int]:
    """The frames that do not follow on the one before."""
    return [b for (_, a_at), (b, b_at) in pairwise(out) if b_at - a_at != FRAME]


@pytest.mark.parametrize(
    ("late", "anew"),
    [
        pytest.param(lambda _: 0, 0, id="exact"),
        pytest.param(lambda n: 700 * (-1) ** (n // IN_PES), 0, id="jitter of 8 ms"),
        pytest.param(lambda n: 1500 if 400 <= n < 430 else 0, 0, id="half a second late, and back"),
        pytest.param(lambda n: FRAME if n >= 400 else 0, 1, id="one frame is missing"),
        pytest.param(lambda n: -FRAME if n >= 400 else 0, 1, id="one frame too many"),
        pytest.param(lambda n: n * FRAME * 200 // 1_000_000, 4, id="200 ppm slow"),
        pytest.param(lambda n: -n * FRAME * 200 // 1_000_000, 4, id="200 ppm fast"),
        pytest.param(lambda n: 3 * FRAME if n >= 400 else 0, 1, id="a hole that begins anew at once"),
    ],
)
def test_sound_begins_anew_where_count_and_time_part(late: Callable[[int], int], anew: int) -> None:
    out = steadied(1000, late)
    assert [n for n, _ in out] == list(range(1000 * IN_PES))
    assert len(edits(out)) == anew


@pytest.mark.parametrize("ppm", [-500, -208, 208, 500])
def test_sound_of_a_steady_clock_is_never_over_10_ms_from_its_time(ppm: int) -> None:
    """A threshold of 10 ms let it go on to part while that was confirmed for a second."""
    out = steadied(3000, lambda n: n * FRAME * ppm // 1_000_000)
    assert max(abs(at - n * FRAME - n * FRAME * ppm // 1_000_000) for n, at in out) <= 900


def test_slow_drift_begins_anew_at_the_quietest_frame_within_the_window() -> None:
    quiet = 4200
    out = steadied(700, lambda n: n * FRAME * 100 // 1_000_000, lambda n: 5 if n == quiet else 100)
    assert edits(out) == [quiet]


def test_a_step_begins_anew_where_it_is() -> None:
    out = steadied(300, lambda n: FRAME if n >= 400 else 0, lambda n: 5 if n == 380 else 100)
    assert edits(out) == [400]


@patient
@given(
    st.integers(-300, 300),
    st.integers(0, 300),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(-1, 1)), max_size=3),
    st.randoms(use_true_random=False),
)
def test_sound_is_never_far_from_its_time(
    ppm: int, jitter: int, steps: list[tuple[int, int]], noise: Random
) -> None:
    true: list[int] = []

    def late(n: int) -> int:
        drift = n * FRAME * ppm // 1_000_000 + sum(FRAME * many for at, many in steps if n >= at)
        true.extend([drift] * IN_PES)
        return drift + noise.randint(-jitter, jitter)

    out = steadied(500, late)
    assert [n for n, _ in out] == list(range(500 * IN_PES))
    window = WINDOW // FRAME + 2 * IN_PES
    for number, at in out:
        if not any(many and abs(number - edge) <= window for edge, many in steps):
            assert (
                abs(at - number * FRAME - true[number])
                <= APART + 2 * jitter + WINDOW * abs(ppm) // 1_000_000 + 1
            )
