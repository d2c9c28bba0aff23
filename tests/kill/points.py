"""Where a job can be killed: at each request, before and after its answer, and at each change of a folder."""

from __future__ import annotations

import random
import signal
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.kill.launcher import Circumstances
from tests.kill.scene import PLACE, scene

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.kill.scene import Call, Scene, Servers, Variant


@dataclass(frozen=True, slots=True)
class Point:
    """One of them.

    Attributes:
        variant: the kind of job.
        number: from 1.
        after: the request was answered; False for a change of a folder, which is struck before.
        change: it is a change of the folder that gets the files, not a request.
        again: the request, counted from its beginning, at which the second run is killed as well; 0 for none.
        whole: the process group is killed, else only the process that was started.
    """

    variant: Variant
    number: int
    after: bool = False
    change: bool = False
    again: int = 0
    whole: bool = True

    def __str__(self) -> str:
        what = "change" if self.change else "request"
        when = "" if self.change else " answered" if self.after else " not answered"
        second = f", again at {self.again}" if self.again else ""
        return f"{self.variant.name}: {what} {self.number}{when}{second}{'' if self.whole else ', alone'}"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a job that nobody disturbs does.

    Attributes:
        requests: to whomever.
        changes: of the folder that gets the files.
    """

    variant: Variant
    requests: int
    changes: int

    def points(self) -> Iterator[Point]:
        """All of them."""
        for number in range(1, self.requests + 1):
            for after in (False, True):
                yield Point(self.variant, number, after)
        for number in range(1, self.changes + 1):
            yield Point(self.variant, number, change=True)


def extent(variant: Variant, call: Call, servers: Servers, home: Path) -> Extent:
    """Do a job and count."""
    with scene(variant, call, servers, home) as made:
        done = made.run(_counting(made))
        assert done.code == 0, done
        made.assert_made_good()
        tally = made.home / "tally"
        return Extent(variant, len(made.striker.seen), len(tally.read_bytes()) if variant.folder else 0)


def twice(points: Sequence[Point], many: int, seed: int) -> list[Point]:
    """Some of these points, and another kill in the second run of each; and some without their group."""
    chance = random.Random(seed)  # noqa: S311 - places to try, not secrets
    chosen = [chance.choice(points) for _ in range(many)]
    return [replace(point, again=chance.randrange(1, 60), whole=chance.random() < 0.5) for point in chosen]


def strike(point: Point, call: Call, servers: Servers, home: Path) -> str:
    """Kill a job there, run it again, and look; what was asked last, or "" where it had ended before."""
    with scene(point.variant, call, servers, home) as made:
        if point.change:
            done = made.run(replace(_counting(made), strike=point.number), "killed")
            struck = done.code == -signal.SIGKILL
            assert struck or done.code == 0, done
        else:
            struck = made.killed(point.number, after=point.after, whole=point.whole)
        last = made.striker.seen[-1] if struck else ""
        if point.again:
            made.assert_nothing_half_done()
            made.killed(point.again, after=point.after, name="killed-again")
        made.assert_recovers()
        return last


def _counting(made: Scene) -> Circumstances:
    if not made.variant.folder:
        return Circumstances()
    return Circumstances(folder=str(made.home / PLACE), tally=str(made.home / "tally"))
