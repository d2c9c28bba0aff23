"""``make soak``: jobs killed at every request and every change, run again, and looked at.

``python -m tests.kill [NAME…] [--every N] [--twice N] [--jobs N] [--seed N]``: all kinds of jobs or those
that are named, each N-th point (all by default), and so many that are killed twice.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from tests.kill.points import extent, strike, twice
from tests.kill.scene import SMALLEST, VARIANTS, Servers, call_in
from tests.servers import rclone, swift
from tests.servers.certificates import issue

if TYPE_CHECKING:
    from tests.kill.points import Point
    from tests.kill.scene import Call


def main() -> int:
    """Strike everywhere; prints what was found."""
    asked = _asked()
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="recpipe-kill-")))
        servers = _servers(place, stack)
        call = call_in(place / "call")
        variants = [variant for variant in VARIANTS if not asked.names or variant.name in asked.names]
        points: list[Point] = []
        for variant in variants:
            found = extent(variant, call, servers, place / f"of-{variant.name}")
            _say(f"{variant.name}: {found.requests} requests, {found.changes} changes of a folder")
            points += found.points()
        chosen = points[:: asked.every] + twice(points, asked.twice, asked.seed)
        return _all(chosen, call, servers, place, asked.jobs)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kill")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--twice", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=20260302)
    return parser.parse_args()


def _servers(place: Path, stack: ExitStack) -> Servers:
    made, of_rclone, of_swift = (place / name for name in ("certificates", "rclone", "swift"))
    for folder in (made, of_rclone, of_swift):
        folder.mkdir()
    if lack := rclone.lacking() or swift.lacking(of_swift):
        raise SystemExit(lack)
    certificates = issue(made)
    there = stack.enter_context(rclone.rclone(of_rclone, certificates))
    small = stack.enter_context(swift.swift(of_swift, certificates, smallest=SMALLEST))
    return Servers(there, small.http, certificates)


def _all(points: list[Point], call: Call, servers: Servers, place: Path, jobs: int) -> int:
    begun, number = time.monotonic(), count()

    def one(point: Point) -> tuple[Point, bool, str]:
        home = place / f"point-{next(number)}"
        try:
            struck = bool(strike(point, call, servers, home))
        except Exception:  # noqa: BLE001 - all points are tried, and all that fail are told
            return point, True, traceback.format_exc()
        shutil.rmtree(home)
        return point, struck, ""

    with ThreadPoolExecutor(jobs) as pool:
        bad, missed = 0, 0
        for at, (point, struck, wrong) in enumerate(pool.map(one, points), 1):
            missed += not struck
            bad += bool(wrong)
            if wrong:
                _say(f"{point}\n{wrong}")
            if at % 50 == 0:
                _say(f"{at} of {len(points)}")
    told = f"{len(points)} kills, {bad} not made good, {missed} came after the end"
    _say(f"{told}; {time.monotonic() - begun:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
