"""Who is large when: hysteresis in a table of calls, and its laws for any levels."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.layout.auto import FAIR, LIMIT, MOST_ASPECT
from pipeline.layout.speaking import (
    CLEARER_DB,
    HOLD,
    SMOOTHED,
    SPEECH_DB,
    STEP_MS,
    SWITCH,
    Sharing,
    Shown,
    shown,
    speakers,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCUMENT = (Path(__file__).parents[2] / "docs/layouts.md").read_text(encoding="utf-8")
SIGNS = {"#": -20, "+": -30, "=": -23, ".": -90, " ": None}
"""Loud, clearly softer, softer but not clearly, silence, not there: 100 ms each."""


def levels(**lines: str) -> dict[str, list[int | None]]:
    return {uid: [SIGNS[sign] for sign in line] for uid, line in lines.items()}


def told(turns: Sequence[Shown]) -> list[str]:
    return [f"{turn.at_ms} {turn.uid or 'nobody'}{' screen' if turn.screen else ''}" for turn in turns]


def quiet(steps: int) -> str:
    return "." * steps


def loud(steps: int) -> str:
    return "#" * steps


CALLS = [
    pytest.param({}, ["0 nobody"], id="no user"),
    pytest.param({"ann": quiet(40)}, ["0 nobody"], id="silence from the first shows nobody"),
    pytest.param({"ann": loud(40)}, ["0 nobody", "400 ann"], id="the first to speak, after half a second"),
    pytest.param({"ann": "####" + quiet(40)}, ["0 nobody", "400 ann"], id="0.4 s and the smoothing of 0.2 s"),
    pytest.param({"ann": "##" + quiet(40)}, ["0 nobody"], id="a cough is no speech"),
    pytest.param({"ann": "#.." * 10}, ["0 nobody", "400 ann"], id="gaps between syllables are no silence"),
    pytest.param(
        {"ann": loud(10) + quiet(100)}, ["0 nobody", "400 ann"], id="silence keeps the last to speak"
    ),
    pytest.param(
        {"ann": loud(40) + quiet(40), "bob": quiet(40) + loud(40)},
        ["0 nobody", "400 ann", "4600 bob"],
        id="one after the other, half a second after the smoothed end of the first",
    ),
    pytest.param(
        {"ann": loud(10) + quiet(40), "bob": quiet(10) + loud(40)},
        ["0 nobody", "400 ann", "2400 bob"],
        id="nobody takes over within two seconds",
    ),
    pytest.param(
        {"ann": "+" * 80, "bob": quiet(40) + loud(40)},
        ["0 nobody", "400 ann", "4400 bob"],
        id="clearly louder takes over from one who still speaks",
    ),
    pytest.param(
        {"ann": "=" * 80, "bob": quiet(40) + loud(40)},
        ["0 nobody", "400 ann"],
        id="3 dB louder does not",
    ),
    pytest.param(
        {"ann": "=" * 40 + quiet(40), "bob": quiet(40) + "##" + quiet(38)},
        ["0 nobody", "400 ann"],
        id="a short word does not",
    ),
    pytest.param(
        {"ann": loud(40) + " " * 40, "bob": "+" * 80},
        ["0 nobody", "400 ann", "4000 bob"],
        id="who leaves is followed at once by whoever speaks",
    ),
    pytest.param(
        {"ann": loud(40), "bob": quiet(80)},
        ["0 nobody", "400 ann", "4000 nobody"],
        id="or by nobody",
    ),
    pytest.param(
        {"ann": loud(10) + " " * 10 + loud(20)},
        ["0 nobody", "400 ann", "1000 nobody", "2400 ann"],
        id="who comes back waits half a second as everybody",
    ),
    pytest.param(
        {"bob": loud(40), "ann": loud(40)},
        ["0 nobody", "400 ann"],
        id="of two alike one stays",
    ),
]


@pytest.mark.parametrize(("call", "expected"), CALLS)
def test_who_speaks_when(call: dict[str, str], expected: list[str]) -> None:
    assert told(speakers(levels(**call))) == expected


def test_a_shared_screen_is_shown_before_any_speaker() -> None:
    call = levels(ann=loud(40) + quiet(40), bob=quiet(40) + loud(40))
    screens = [Sharing(1000, 3000, "bob"), Sharing(2000, 6000, "cid")]
    assert told(shown(call, screens)) == [
        "0 nobody",
        "400 ann",
        "1000 bob screen",
        "2000 cid screen",
        "6000 bob",
    ]
    assert told(shown({}, [Sharing(-500, 700, "cid")])) == ["0 cid screen", "700 nobody"]


def test_of_nested_screens_the_outer_one_comes_back() -> None:
    screens = [Sharing(0, 5000, "ann"), Sharing(1000, 2000, "bob")]
    assert told(shown({}, screens)) == ["0 ann screen", "1000 bob screen", "2000 ann screen", "5000 nobody"]


def test_a_screen_is_shared_for_some_time() -> None:
    with pytest.raises(ValueError, match="a screen is shared for some time"):
        Sharing(5, 5, "ann")


def test_the_numbers_are_half_a_second_and_two_seconds() -> None:
    assert (SWITCH * STEP_MS, HOLD * STEP_MS) == (500, 2000)


@pytest.mark.parametrize(
    "number",
    [
        f"| {SMOOTHED} |",
        f"| {SPEECH_DB} dBFS |",
        f"| {CLEARER_DB} dB |",
        f"| {SWITCH * STEP_MS / 1000:g} s |",
        f"| {HOLD * STEP_MS // 1000} s |",
        f"at most {FAIR.value} times the area of the smallest",
        f"Aspects beyond {MOST_ASPECT.value}:1",
        f"has room for {LIMIT.value} users",
    ],
)
def test_the_numbers_are_those_of_the_documents(number: str) -> None:
    assert number in DOCUMENT


level = st.sampled_from([-90, -60, -45, -30, -26, -20, -10])
speech = st.lists(st.tuples(level, st.integers(1, 30)), max_size=12).map(
    lambda parts: [loudness for loudness, steps in parts for _ in range(steps)]
)
calls = st.dictionaries(st.sampled_from("abcde"), speech, max_size=5)
gone = st.none()
visits = st.lists(st.tuples(st.one_of(gone, level), st.integers(1, 30)), max_size=12).map(
    lambda parts: [loudness for loudness, steps in parts for _ in range(steps)]
)


def same_length(call: dict[str, list[int]]) -> dict[str, list[int]]:
    most = max(map(len, call.values()), default=0)
    return {uid: own + [-90] * (most - len(own)) for uid, own in call.items()}


@given(calls.map(same_length))
def test_nobody_takes_over_within_the_hold(call: dict[str, list[int]]) -> None:
    turns = [turn for turn in speakers(call) if turn.uid]
    assert all(b.at_ms - a.at_ms >= HOLD * STEP_MS for a, b in pairwise(turns))


@given(calls.map(same_length))
def test_somebody_stays_shown_once_anybody_spoke(call: dict[str, list[int]]) -> None:
    assert [turn.at_ms for turn in speakers(call) if not turn.uid] == [0]


@given(calls.filter(bool).map(same_length), st.integers(1, 50))
def test_silence_at_the_end_changes_nothing(call: dict[str, list[int]], steps: int) -> None:
    loudly = {uid: [*own, *[-90] * 10] for uid, own in call.items()}
    silent = {uid: [*own, *[-90] * steps] for uid, own in loudly.items()}
    last = max(map(len, loudly.values())) * STEP_MS
    assert [turn for turn in speakers(silent) if turn.at_ms < last] == list(speakers(loudly))
    assert all(turn.at_ms < last for turn in speakers(silent))


coarse = calls.map(lambda call: {uid: [n // 10 * 10 for n in own] for uid, own in call.items()})


@given(coarse.map(same_length), st.integers(-20, 20))
def test_names_decide_nothing_but_between_equals(call: dict[str, list[int]], shift: int) -> None:
    apart = {uid: [loudness + n for loudness in own] for n, (uid, own) in enumerate(sorted(call.items()))}
    renamed = {f"{(ord(uid) * 7 + shift) % 31:02d}{uid}": own for uid, own in apart.items()}
    assert [(turn.at_ms, turn.uid[-1:]) for turn in speakers(renamed)] == [
        (turn.at_ms, turn.uid) for turn in speakers(apart)
    ]


@given(st.dictionaries(st.sampled_from("abc"), visits, max_size=3))
def test_nobody_is_shown_who_is_not_there(call: dict[str, list[int | None]]) -> None:
    turns = speakers(call)
    ends = [turn.at_ms for turn in turns[1:]] + [max(map(len, call.values()), default=0) * STEP_MS]
    for turn, end in zip(turns, ends, strict=True):
        if turn.uid:
            own = call[turn.uid]
            assert all(own[step] is not None for step in range(turn.at_ms // STEP_MS, end // STEP_MS))


@given(
    st.dictionaries(st.sampled_from("abc"), visits, max_size=3),
    st.lists(
        st.builds(
            lambda start, length, uid: Sharing(start, start + length, uid),
            st.integers(-1000, 9000),
            st.integers(1, 5000),
            st.sampled_from("xyz"),
        ),
        max_size=4,
    ),
)
def test_a_screen_wins_at_every_moment_and_neighbours_differ(
    call: dict[str, list[int | None]], screens: list[Sharing]
) -> None:
    turns, alone = shown(call, screens), speakers(call)
    assert turns[0].at_ms == 0
    assert all((a.uid, a.screen) != (b.uid, b.screen) and a.at_ms < b.at_ms for a, b in pairwise(turns))
    for at in range(0, 15_000, 50):
        now = [turn for turn in turns if turn.at_ms <= at][-1]
        shared = [screen for screen in screens if screen.start_ms <= at < screen.end_ms]
        assert now.screen == bool(shared)
        assert now.uid in ({s.uid for s in shared} or {[turn for turn in alone if turn.at_ms <= at][-1].uid})
