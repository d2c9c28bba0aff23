"""Pictures of a camera and of a shared screen on one track: golden timelines, and laws."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.ledger import Sort
from pipeline.model.options import Options, Screen
from pipeline.model.screens import SWITCHES_AFTER, left_out, shown
from pipeline.model.slices import Medium, User
from pipeline.model.timeline import arrange
from tests.model.laws import patient
from tests.model.slicing import T0_MS, as_text, at, pictures, sound, steady, time, user
from tests.model.test_plan import planned

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.model.screens import Shown
    from pipeline.model.timeline import Run, TrackTime

MICROPHONE = sound(*steady(5, "15.04"))
CAMERA = user(MICROPHONE, pictures(*steady(6, "10", "0.2", pts="0.2")))
SCREEN = "screen"


def sharing(*lines: str) -> User:
    return user(pictures(*lines), source=SCREEN)


CASES: dict[str, tuple[User, User, Screen]] = {
    "screen before camera": (
        CAMERA,
        sharing("13 700 10 size=1280x720", "23 710 4 size=1280x720"),
        Screen.PREFER,
    ),
    "screen inside one slice of the camera": (CAMERA, sharing("13 700 4", "30 717 6"), Screen.PREFER),
    "screen before and after the camera": (
        user(pictures("10 10 10", "20 20 10")),
        sharing("0 700 8", "15 715 30"),
        Screen.PREFER,
    ),
    "screen that stands still to the end of its slice": (
        CAMERA,
        sharing("13 700 4 extinf=10"),
        Screen.PREFER,
    ),
    "hole of one second in the screen": (CAMERA, sharing("13 700 10", "24 711 5"), Screen.PREFER),
    "hole of over a second in the screen": (CAMERA, sharing("13 700 10", "24.1 711.1 5"), Screen.PREFER),
    "slice of the screen missing": (
        CAMERA,
        sharing("13 700 5", "18 705 5 missing", "23 710 5"),
        Screen.PREFER,
    ),
    "slice of the camera missing behind the screen": (
        user(MICROPHONE, pictures("0 0 10", "10 10 5 missing", "15 15 10")),
        sharing("8 700 10", "18 710 1"),
        Screen.PREFER,
    ),
    "camera that switches between recorders while the screen is shared": (
        user(pictures("0 0 10", "10 10 10 size=320x240", "20 20 10")),
        sharing("9 700 12"),
        Screen.PREFER,
    ),
    "screen where the camera is off": (
        user(MICROPHONE, pictures("0 0 10", "30 30 10 START")),
        sharing("5 700 10", "15 710 10", "25 720 10"),
        Screen.FILL,
    ),
    "screen behind a camera that is never off": (CAMERA, sharing("13 700 10"), Screen.FILL),
    "slice of the camera missing where the screen fills": (
        user(pictures("0 0 10", "10 10 10 missing", "20 20 10")),
        sharing("5 700 20"),
        Screen.FILL,
    ),
    "screen alone": (CAMERA, sharing("13 700 10"), Screen.ONLY),
    "no screen": (CAMERA, sharing("13 700 10"), Screen.NONE),
}


def seen(users: tuple[User, ...], screen: Screen) -> tuple[Shown, ...]:
    times = [t for u in users if (t := arrange(u)) is not None]
    return shown(times, screen, left_out(users, screen))


@pytest.mark.parametrize("name", CASES)
def test_timelines(name: str, golden: Callable[[str, str], None]) -> None:
    camera, screen, mode = CASES[name]
    (whole,) = seen((camera, screen), mode)
    plan = planned(camera, screen, options=Options(screen=mode))
    lines = [as_text(whole.time)]
    for output in plan.outputs:
        lines += [f"{output.file}\n", *(f"  {d.what}: {d.why}\n" for d in output.decisions)]
    lines += [
        f"{e.sort} {e.track} {(e.start_ms or 0) - T0_MS} .. {(e.end_ms or 0) - T0_MS}: {e.what}\n"
        for e in plan.ledger
    ]
    golden(f"model/golden/screens/{name.replace(' ', '-')}.txt", "".join(lines))


stretches = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 300)), min_size=1, max_size=6)
"""Hole before it and length, in tenths of a second."""


def sent(found: list[tuple[int, int]], *, pts: int) -> list[str]:
    """Slices of pictures, at least four pictures each, a START tag before each."""
    lines, now = [], 0
    for hole, length in found:
        now += hole
        lines.append(f"{now * 9000}t {(now + pts) * 9000}t {length * 9000 + 18_000}t START")
        now += length + 2
    return lines


@given(camera=stretches, screen=stretches, mode=st.sampled_from([Screen.PREFER, Screen.FILL]))
@patient
def test_at_every_moment_the_source_that_comes_first_is_shown_if_it_has_pictures(
    camera: list[tuple[int, int]], screen: list[tuple[int, int]], mode: Screen
) -> None:
    users = (user(pictures(*sent(camera, pts=5))), sharing(*sent(screen, pts=90_000)))
    (whole,) = seen(users, mode)
    video = whole.time.video
    assert video is not None
    assert all(one.end <= two.start for one, two in pairwise(video.runs))
    cameras, screens = (t.video for u in users if (t := arrange(u)) is not None)
    front, back = (screens, cameras) if mode is Screen.PREFER else (cameras, screens)
    assert front is not None
    assert back is not None
    edges = [edge for track in (front, back) for run in track.runs for edge in (run.start, run.end)]
    for moment in (edge + away for edge in edges for away in (-1, 0, time("1"))):
        here = [run for run in video.runs if run.start <= moment < run.end]
        of_front, of_back = _runs_at(front, moment), _runs_at(back, moment)
        if of_front:
            assert [run.placed[0].piece for run in here] == [run.placed[0].piece for run in of_front]
        elif of_back and not _soon(front, moment):
            assert here
            assert {p.piece for p in here[0].placed} <= {p.piece for p in of_back[0].placed}
        elif not of_back:
            assert not here
    assert {e.sort for e in whole.entries} <= {Sort.NOTE}


def _runs_at(track: TrackTime, moment: int) -> list[Run]:
    return [run for run in track.runs if run.start <= moment < run.end]


def _soon(track: TrackTime, moment: int) -> bool:
    """Whether a moment lies in a hole that is too short to show the other source."""
    before = [run.end for run in track.runs if run.end <= moment]
    after = [run.start for run in track.runs if run.start > moment]
    return bool(before and after) and min(after) - max(before) <= SWITCHES_AFTER


def test_a_screen_s_sound_is_used_where_there_is_no_microphone() -> None:
    loud = user(sound("13 700 10.24"), pictures("13 700 10"), source=SCREEN)
    silent = user(pictures("0 0 10"))
    (alone,) = seen((silent, loud), Screen.PREFER)
    assert alone.time.audio is not None
    assert left_out((silent, loud), Screen.PREFER) == frozenset()
    plan = planned(CAMERA, loud, options=Options(screen=Screen.PREFER))
    assert [at(t.start) for t in plan.outputs[0].tracks if t.medium is Medium.AUDIO] == ["0.000"]
    assert "the sound of the screen left out (--screen)" in [e.what for e in plan.ledger]
