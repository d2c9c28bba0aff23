"""A whole job killed anywhere and run again: the same files, one event, nothing left over.

One point of each kind of job here, chosen once; ``make soak`` tries all of them, and some twice.
"""

from __future__ import annotations

import os
import random
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.kill.launcher import Circumstances
from tests.kill.points import Point, strike
from tests.kill.scene import VARIANTS, ended, scene
from tests.servers.faults import Wait

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kill.scene import Call, Servers
    from tests.servers.faults import Fault, Request

LEAST = {"rclone": 88, "swift": 60, "volcengine": 90, "tencent": 110, "folder": 12}
"""Requests of a job of each kind, at least: whoever kills it there kills it before its end."""
CHANGES = 28
"""Changes of the folder that gets the files, at least."""
LONGER_S = 50
"""Than a run may take to end; a request is given up after 60 s, and then tried again."""


def _seeded() -> list[Point]:
    chance = random.Random(20260302)  # noqa: S311 - places to try, not secrets
    points = []
    for variant in VARIANTS:
        least = LEAST[variant.name] // 4
        number = chance.randrange(1, least + 1) + 3 * least  # the end of a job has most to lose
        alone = variant.jobs > 1  # its processes must notice by themselves that theirs is gone
        points.append(Point(variant, number, after=chance.random() < 0.5, whole=not alone))
    points[-1] = Point(VARIANTS[-1], chance.randrange(1, CHANGES + 1), change=True)
    return points


@pytest.mark.parametrize("point", _seeded(), ids=str)
def test_a_job_that_is_killed_is_made_good_by_the_next_run(
    point: Point, call: Call, servers: Servers, tmp_path: Path
) -> None:
    assert strike(point, call, servers, tmp_path / "home"), "it ended before it could be killed"


@pytest.mark.parametrize("kind", ["rclone", "volcengine"])
def test_a_job_that_is_ended_while_a_store_is_silent_ends_soon_and_leaves_nothing(
    kind: str, call: Call, servers: Servers, tmp_path: Path
) -> None:
    """Copied files leave by other code than those that are finished on the disk: for VOD services."""
    (variant,) = [variant for variant in VARIANTS if variant.name == kind]
    with scene(variant, call, servers, tmp_path / "home") as made:

        def silent(request: Request) -> Fault | None:
            if "partNumber=2" not in request.query:
                return None
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
            return Wait(2 * LONGER_S)

        made.more = silent
        with made.start(Circumstances(haste=True)) as process:
            said = ended(process, LONGER_S)
        assert said.code == 143, said
        assert list((made.home / "tmp-run").iterdir()) == []
        assert made.uploads(made.buckets[1]) == []
        assert made.files() == {}
        made.more = lambda _: None
        made.assert_recovers()
