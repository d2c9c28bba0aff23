"""Slices that nothing stamps: each is placed behind the one before it by what is in them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.model import ticks
from pipeline.model.counted import with_counted
from pipeline.model.slices import Medium, Slice, Track, User, with_own_lengths
from pipeline.model.timeline import arrange
from tests.model.slicing import T0, T0_MS, piece, time


def _track(medium: Medium, lines: list[str]) -> Track | None:
    """Slices of files 0.ts, 1.ts ... each following the one before; a line that is empty has none of it."""
    slices: list[Slice] = []
    for number, line in enumerate(lines):
        if line:
            one = replace(piece(line, medium), key=f"{number}.ts", shared=True)
            slices.append(replace(one, follows=f"{number - 1}.ts" if number else "", stamp_from="count"))
    return Track("ann", "camera", medium, tuple(slices)) if slices else None


def _user(sound: list[str], pictures: list[str]) -> User:
    return User("ann", "camera", _track(Medium.AUDIO, sound), _track(Medium.VIDEO, pictures))


def _stamps(user: User) -> dict[str, int]:
    return {s.key: s.stamp_ms - T0_MS for track in user.tracks for s in track.slices}


@pytest.mark.parametrize(
    ("sound", "pictures", "stamps"),
    [
        pytest.param(["0 5 10", "9 15 10", "18 25 10"], [], [0, 10_000, 20_000], id="PTS that go on"),
        pytest.param(["0 5 10", "9 5 9.6", "18 5 10"], [], [0, 10_000, 19_600], id="PTS that begin anew"),
        pytest.param(["0 5 10", "9 45 10"], [], [0, 40_000], id="a hole inside the recording"),
        pytest.param(["0 5 10", "9 3614.9 10"], [], [0, 3_609_900], id="a hole of almost an hour"),
        pytest.param(["0 5 10", "9 3615.1 10"], [], [0, 10_000], id="PTS that leave by over an hour"),
        pytest.param(["0 5 10", "9 14.9 10"], [], [0, 9900], id="a small overlap"),
        pytest.param(["0 5 10", "9 14.8 10"], [], [0, 10_000], id="PTS that go back"),
        pytest.param(["0 95443.7 10", "9 95453.7 10"], [], [0, 10_000], id="PTS that go on over 2^33"),
        pytest.param(
            ["0 5 10", "9 0 0 missing extinf=8", "18 23 10"],
            [],
            [0, 10_000, 18_000],
            id="one that is missing",
        ),
        pytest.param(
            ["0 5 10", "9 0 0 missing extinf=8", "18 5 10"],
            [],
            [0, 10_000, 18_000],
            id="one that is missing, PTS that begin anew",
        ),
        pytest.param(
            ["0 5 10", "9 0 0 missing extinf=5", "18 25 10"],
            [],
            [0, 10_000, 20_000],
            id="one that is missing and longer than its playlist says",
        ),
        pytest.param(
            ["0 5 10", "", "18 25 10"],
            ["0 5.5 9.5 after=0.5", "9 15 9.8", "18 25.5 9 after=0.5"],
            [0, 10_000, 20_000],
            id="sound that pauses for a file",
        ),
        pytest.param(
            ["0 0 10", "9 0 10"],
            ["0 0.3 9.8 after=0.3", "9 0 10"],
            [0, 10_000],
            id="pictures whose last is guessed too long, PTS that begin anew",
        ),
        pytest.param(
            ["0 0 4", "9 0 10"],
            ["0 0 10", "9 0 10"],
            [0, 10_000],
            id="sound that ends early, PTS that begin anew",
        ),
    ],
)
def test_a_slice_that_follows_begins_where_the_media_before_ends(
    sound: list[str], pictures: list[str], stamps: list[int]
) -> None:
    found = with_counted(_user(sound, pictures))
    assert _stamps(found) == {f"{number}.ts": stamp for number, stamp in enumerate(stamps)}


def test_stamps_that_were_told_stay() -> None:
    user = _user(["0 5 10", "9 15 10"], [])
    assert user.audio is not None
    told = replace(
        user, audio=replace(user.audio, slices=tuple(replace(s, follows="") for s in user.audio.slices))
    )
    assert with_counted(told) == told


def test_a_clock_rests_on_the_stamps_that_were_told_alone() -> None:
    lines = ["0.0 5 10"] + [f"{9 * n} {5 + 10 * n} 10" for n in range(1, 12)]
    found = arrange(with_counted(_user(lines, [])))
    assert found is not None
    assert found.audio is not None
    (run,) = found.audio.runs
    assert [clock.stamps for clock in found.audio.clocks] == [1]
    assert (run.start, run.end) == (T0, T0 + 120 * ticks.TICKS)


@pytest.mark.parametrize(
    ("sound", "pictures", "lengths"),
    [
        pytest.param("0 0 10", "0 0 4 extinf=10", [True, False], id="pictures that were switched off"),
        pytest.param("0 0 4 extinf=10", "0 0 10", [False, True], id="sound that was switched off"),
        pytest.param("0 0 4 extinf=10", "0 0 4 extinf=10", [True, True], id="both end early"),
    ],
)
def test_the_listed_length_of_a_shared_slice_is_that_of_the_longer_medium(
    sound: str, pictures: str, lengths: list[bool]
) -> None:
    found = with_own_lengths(_user([sound], [pictures]))
    assert found.audio is not None
    assert found.video is not None
    kept = [track.slices[0].extinf_us for track in (found.audio, found.video)]
    assert kept == [10_000_000 if each else None for each in lengths]
    assert time("10") == ticks.from_us(10_000_000)
