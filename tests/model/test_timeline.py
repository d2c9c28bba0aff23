from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import ticks, timeline
from pipeline.model.slices import Medium, Track, User
from pipeline.model.timeline import ABSENT, Placed, UserTime, arrange
from tests.model.laws import patient
from tests.model.slicing import (
    FRAME,
    T0,
    as_text,
    at,
    form,
    piece,
    pictures,
    sound,
    steady,
    time,
    user,
    with_pts,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SOUND_FROM, PICTURE_FROM = "0", "0.2"
PLAIN = user(
    sound(*steady(4, "15.04", SOUND_FROM, pts="100")), pictures(*steady(4, "15", PICTURE_FROM, pts="100.2"))
)
"""Four slices of 705 sound frames and four of 225 pictures, which begin 200 ms later."""


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(PLAIN, id="PTS go on from slice to slice"),
        pytest.param(
            with_pts(PLAIN, lambda _, medium, __: 7000 if medium is Medium.AUDIO else 25_000),
            id="PTS restart in every slice",
        ),
        pytest.param(
            with_pts(PLAIN, lambda n, medium, pts: 1000 * n if medium is Medium.AUDIO else pts - 8_999_000),
            id="PTS restart in every slice of sound only, each at another count",
        ),
        pytest.param(with_pts(PLAIN, lambda _, __, pts: pts + 5_123_456_789), id="PTS begin anywhere"),
        pytest.param(
            with_pts(PLAIN, lambda _, __, pts: pts - time("130")), id="PTS wrap in the third slice of each"
        ),
        pytest.param(
            with_pts(PLAIN, lambda _, __, pts: pts - time("100.1")),
            id="PTS wrap in the first slice of sound, before the pictures begin",
        ),
        pytest.param(
            with_pts(PLAIN, lambda _, __, pts: pts - time("160.17")),
            id="PTS wrap in the pictures and no longer in the sound",
        ),
    ],
)
def test_pts_may_behave_as_they_like(found: User, golden: Callable[[str, str], None]) -> None:
    golden("model/golden/plain.txt", as_text(arrange(found)))


def switch(*, agora: bool = True) -> User:
    """A resolution switch with a hole of 0.357 s, as in Agora's sample of a playlist of pictures."""
    return user(
        sound(*steady(3, "15.04"), agora=agora),
        pictures(
            "0.196 0.196 6.332+1t-1t START",
            "6.885 6.885 17.442 BREAK size=1280x720",
            "24.327 24.327 33.326 BREAK",
            agora=agora,
        ),
    )


def holes(hole: str, *, agora: bool, back: str = "") -> User:
    """Sound with a hole in its middle."""
    return user(sound("0 0 15.04", f"15.04+{hole} 15.04+{hole} 15.04 {back}", agora=agora))


CASES = {
    "start tag": user(sound("0 0 10.24", "10.24 10.24 10.24 START", "20.48 20.48 10.24")),
    "discontinuity tag": user(pictures("0 0 10", "10 10 10 BREAK", "20 20 10")),
    "parameter change": switch(),
    "other pid": user(sound("0 0 10.24 pid=256", "10.24 10.24 10.24 pid=257")),
    "slice missing": user(sound("0 0 10.24", "10.24 10.24 10.24 missing", "20.48 20.48 10.24")),
    "two slices empty": user(
        pictures("0 0 10", "10 0 10 empty", "20 0 10 empty", "30 30 10", "40 40 10 missing", "50 50 10")
    ),
    "slice unreadable and restarting pts": user(
        sound("0 0 10.24", "10.24 0 10.24 unreadable", "20.48 0 10.24")
    ),
    "first and last slice missing": user(
        sound("0 0 10.24 missing", "10.24 10.24 10.24", "20.48 0 10.24 missing")
    ),
    "slice unlisted": user(
        sound("0 0 10.24", "10.24 10.24 10.24 unlisted", "40 40 10.24 unlisted", agora=True)
    ),
    "sound gap of one frame": user(sound("0 0 480f", "480f+1f+60t 481f 480f")),
    "sound gap of one and a half frames": user(sound("0 0 480f", "10.272 481.5f 480f")),
    "sound gap of over one and a half frames": user(sound("0 0 480f", "10.272 481.5f+1t 480f")),
    "sound gap of two frames": user(sound("0 0 480f", "10.282 482f 480f")),
    "picture gap of 250 ms": user(pictures("0 0 10", "10.25 10.25 10")),
    "picture gap of over 250 ms": user(pictures("0 0 10", "10.25 10.25+1t 10")),
    "picture gap of three slow frames": user(pictures("0 0 10 fps=5", "10.6 10.6 10 fps=5")),
    "picture gap of over three slow frames": user(pictures("0 0 10 fps=5", "10.6 10.6+1t 10 fps=5")),
    "overlap of 80 ms": user(sound("0 0 10.24", "10.16 10.16 10.24 START", "40 40 10.24 START")),
    "overlap of over 80 ms": user(sound("0 0 10.24", "10.159 10.159 10.24 START", "40 40 10.24 START")),
    "overlaps one after another": user(
        pictures("0 0 5", "4.95 4.95 5 START", "9.9 9.9 5 START", "14.85 14.85 5 START", "30 30 5 START")
    ),
    "run inside another": user(pictures("0 0 30", "10 500 5", "29 29 10 START")),
    "stamps jitter": user(
        sound(
            "0.030 0 10.24", "10.210 10.24 10.24", "20.500 20.48 10.24", "30.690 30.72 10.24", "40.960 40.96 9"
        )
    ),
    "one stamp five seconds wrong": user(
        sound("0 0 10.24", "10.24 10.24 10.24", "25.480 20.48 10.24", "30.72 30.72 10.24"),
        pictures(*steady(4, "10", "0.1", pts="0.1")),
    ),
    "clock 200 ppm fast": user(
        pictures(*[f"{n * 60 + n * 12 / 1000} {n * 60} 60" for n in range(61)]),
        sound(*[f"{n * 96 + n * 96 // 5 / 1000} {n * 96} 96" for n in range(0, 40, 5)]),
    ),
    "reset that matches its length": user(
        sound("0 0 10.24", "10.32 0 10.24", "20.4 0 10.24"), pictures("0 0 10", "10.08 0 10", "20 0 10")
    ),
    "reset that does not match": user(
        sound("0 0 10.24", "10.321 0 10.24"), pictures("0 0 10", "10.081 0 10")
    ),
    "reset of very short slices": user(sound(*[f"{n * 96 / 1000} 0 0.096" for n in range(4)])),
    "stamps creep away from restarting sound": user(
        sound("0 0 10.24", "10.28 0 10.24", "20.56 0 10.24", "30.84 0 10.24")
    ),
    "clocks 150 ms apart": user(sound("0 0 10.24"), pictures("0.2 0.35 10")),
    "clocks over 150 ms apart": user(sound("0 0 10.24"), pictures("0.2 0.351 10")),
    "clocks far apart": user(
        sound(*steady(3, "10.24", pts="7000")), pictures(*steady(3, "10", "0.2", pts="55000"))
    ),
    "both counted from zero": user(sound(*steady(3, "10.24")), pictures(*steady(3, "10", "0.12"))),
    "both counted from zero at one time": user(
        sound(*steady(3, "10.24")), pictures(*steady(3, "10", "0.001"))
    ),
    "hole of 15 s": user(sound("0 0 15.04", "30.04 30.04 15.04 START")),
    "hole of over 15 s": user(sound("0 0 15.04", "30.041 30.041 15.04 START")),
    "hole of 30 s in sound with pictures in it": user(
        sound("0 0 15.04", "45.04 45.04 15.04 START"), pictures("20 20 12", "32 32 5 missing")
    ),
    "slice lost inside a long hole": user(sound("0 0 15.04", "27 27 5 missing", "45 45 15.04")),
    "Agora hole without START": holes("15", agora=True),
    "Agora hole without START under 15 s": holes("14.999", agora=True),
    "Agora hole with START": holes("20", agora=True, back="START"),
    "TRTC hole": holes("20", agora=False),
    "slice cut off": user(pictures("0 0 8 cut", "10 10 10")),
    "two media in a file": user(
        sound("0 100 10.24 after=0.5"), pictures("0 99.5 10", "10 109.5 10", "20 119.5 10")
    ),
    "pictures only": user(pictures("0 0 10")),
    "nothing to read": user(sound("0 0 10.24 missing"), pictures("0 0 10 empty")),
    "sound that cannot be read": user(sound("0 0 10.24 unreadable"), pictures("0 0 10")),
}


@pytest.mark.parametrize("name", CASES)
def test_the_timeline_of(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"model/golden/{name.replace(' ', '-')}.txt", as_text(arrange(CASES[name])))
