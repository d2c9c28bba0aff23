"""A whole job killed anywhere and run again: the same files, one event, nothing left over.

Ten points here, chosen once; ``make soak`` tries all of them, and some twice.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.kill.points import Point, strike
from tests.kill.scene import VARIANTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kill.scene import Call, Servers

LEAST = {"rclone": 88, "swift": 60, "volcengine": 90, "tencent": 110, "folder": 12}
"""Requests of a job of each kind, at least: whoever kills it there kills it before its end."""
CHANGES = 28
"""Changes of the folder that gets the files, at least."""


def _seeded() -> list[Point]:
    chance = random.Random(20260302)  # noqa: S311 - places to try, not secrets
    points = []
    for variant in VARIANTS:
        for half in (0, 1):  # the second half of a job has more to lose
            least = LEAST[variant.name] // 2
            number = chance.randrange(1, least + 1) + half * least
            points.append(Point(variant, number, after=chance.random() < 0.5))
    points[-1] = Point(VARIANTS[-1], chance.randrange(1, CHANGES + 1), change=True)
    return points


@pytest.mark.parametrize("point", _seeded(), ids=str)
def test_a_job_that_is_killed_is_made_good_by_the_next_run(
    point: Point, call: Call, servers: Servers, tmp_path: Path
) -> None:
    assert strike(point, call, servers, tmp_path / "home"), "it ended before it could be killed"
