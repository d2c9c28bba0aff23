"""Who is there at a moment, in the order of joining, with the aspect of what is shown."""

from __future__ import annotations

import pytest

from pipeline.layout.present import seats_at
from pipeline.layout.scene import Seat
from pipeline.model import ticks
from pipeline.model.timeline import UserTime, arrange
from tests.model.slicing import T0_MS, pictures, sound, user


def on_utc(found: UserTime | None) -> UserTime:
    assert found is not None
    return found


LATE = on_utc(arrange(user(pictures("30 0 30"), sound("30 0 30"), uid="late")))
BACK = on_utc(arrange(user(sound("10 0 10", "40 30 20 START"), uid="back")))
TURNS = on_utc(
    arrange(user(pictures("5 0 10", "15 10 10 size=320x240", "25 20 35 size=320x240 turn=90"), uid="turns"))
)
SCREEN = on_utc(
    arrange(
        user(
            pictures("20 0 9 size=1280x720 extinf=10", "36 16 4 size=1280x720 START"),
            uid="ann",
            source="screen",
        )
    )
)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param(4, [], id="before anybody joined"),
        pytest.param(5, [Seat("turns", 640, 480)], id="at the first picture"),
        pytest.param(12, [Seat("turns", 640, 480), Seat("back")], id="sound alone has a seat's aspect"),
        pytest.param(
            22,
            [Seat("turns", 320, 240), Seat("ann", 1280, 720, screen=True)],
            id="another size, a screen, one who left",
        ),
        pytest.param(
            29.5,
            [Seat("turns", 240, 320), Seat("ann", 1280, 720, screen=True)],
            id="a screen that stands still",
        ),
        pytest.param(33, [Seat("turns", 240, 320), Seat("late", 640, 480)], id="a screen that pauses"),
        pytest.param(
            45,
            [Seat("turns", 240, 320), Seat("late", 640, 480), Seat("back")],
            id="turned upright; who comes back joins last",
        ),
        pytest.param(60, [], id="at the end"),
    ],
)
def test_who_is_there(second: float, expected: list[Seat]) -> None:
    at = ticks.from_ms(T0_MS + int(second * 1000))
    assert list(seats_at((LATE, BACK, TURNS, SCREEN), at)) == expected
