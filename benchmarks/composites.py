"""The rows of composites: against FFmpeg, against their own floor, over users, length and workers."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import material, peers
from benchmarks.material import Stay
from benchmarks.measure import Side, in_turn, peak_memory, run
from pipeline.demo.scenario import Track

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.measure import Taken

SIZE, FPS, LENGTH = (1280, 720), 15, 300.0
CAMERA = (material.WIDTH, material.HEIGHT)
CORES = 2
_MEETING = (
    ([Stay(0, 300)], [Stay(0, 300)]),
    ([Stay(15, 300)], [Stay(15, 75), Stay(150, 210)]),
    ([Stay(15, 150), Stay(180, 300)], [Stay(45, 105), Stay(195, 240)]),
    ([Stay(30, 270)], [Stay(30, 120)]),
    ([Stay(60, 300)], [Stay(90, 180), Stay(240, 285)]),
    ([Stay(90, 210)], [Stay(105, 150)]),
)
"""Of each of six users when he is heard, and when his camera is on: half of the time, about."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What the rows need.

    Attributes:
        place: a folder for material and outputs.
        runs: counted runs of each side.
        recpipe: the command.
    """

    place: Path
    runs: int
    recpipe: str

    def compose(self) -> None:
        """Nine users side by side."""
        source = self.nine()
        options = ["--layout", "best-fit", "--vendor", "agora", "--size", "1280x720"]
        users = [
            (video, source / video.name.replace("video", "audio"))
            for video in sorted(source.glob("*video.m3u8"))
        ]
        out = self.place / "grid.mp4"
        theirs = Side("xstack", [peers.grid(users, SIZE, 3, FPS, out)], lambda: out.unlink(missing_ok=True))
        taken = in_turn(self._ours(source, *options), theirs, self.runs)
        _row("composite 9 x 360p, 5 min", taken, 0.95, "ffmpeg xstack, amix")
        self._floor(taken[0], source, options)

    def meeting(self) -> None:
        """Six users who come and go, whose cameras are off half of the time."""
        source = self.place / "meeting"
        if not source.exists():
            _record_meeting(source)
        cells = [(426 * (n % 3), 360 * (n // 3), 426, 360) for n in range(len(_MEETING))]
        regions = [f"{x},{y},{w},{h}" for x, y, w, h in cells]
        document = {
            "layout": "custom",
            "size": "1280x720",
            "camera_off": "nothing",
            "linger": "0s",
            "cells": [
                {"region": region, "user": str(100 + n), "mode": "stretch"}
                for n, region in enumerate(regions)
            ],
        }
        job = self.place / "meeting.json"
        place = self.place / "out"
        job.write_text(
            json.dumps(
                {
                    "version": 1,
                    "source": str(source),
                    "outputs": {"kind": "compose", "composite": document},
                    "targets": [{"place": str(place)}],
                    "limits": {"settle": "0", "settle_limit": "0"},
                }
            ),
            encoding="utf-8",
        )
        ours = Side(
            "recpipe", [[self.recpipe, "run", str(job)]], lambda: shutil.rmtree(place, ignore_errors=True)
        )
        out = self.place / "overlay.mp4"
        command = peers.meeting(_stays_of(source), cells, SIZE, FPS, out)
        theirs = Side("overlay", [command], lambda: out.unlink(missing_ok=True))
        taken = in_turn(ours, theirs, self.runs)
        _row("composite of a meeting, 6 users, 5 min", taken, 0.75, "ffmpeg overlay, enable")
        self._floor(taken[0], source, ["--job", str(job)])

    def cost(self) -> None:
        """What composites cost over users and over length: processor seconds a second of call."""
        for users, length in ((1, 60.0), (4, 60.0), (9, 60.0), (17, 60.0), (4, 600.0), (4, 3600.0)):
            source = self._steady(f"cost{users}x{length:.0f}", users, length)
            side = self._ours(source, "--layout", "best-fit", "--vendor", "agora", "--size", "1280x720")
            seconds = [run(side) for _ in range(max(1, self.runs // 3) if length <= 60 else 1)]  # noqa: PLR2004 - the short ones
            median = statistics.median(seconds)
            name = f"composite, {users} users, {length / 60:.0f} min"
            print(f"{name:<44} {median:>8.2f}   {length / median:>6.1f} x real time", flush=True)
            if length > 60:  # noqa: PLR2004 - these are large
                shutil.rmtree(source)

    def workers(self) -> None:
        """Two workers of one thread each against one."""
        source = self.nine()
        options = ["--layout", "best-fit", "--vendor", "agora", "--size", "1280x720"]
        two, one = (self._ours(source, *options, "--jobs", jobs) for jobs in ("2", "1"))
        taken = in_turn(two, one, max(1, self.runs // 2))
        speed = taken[1].median / taken[0].median
        print(
            f"{'two workers, one thread each':<44} {taken[0].median:>8.2f} {taken[1].median:>8.2f}"
            f" {speed:>5.2f}x {'>= 1.7':>8}   one worker",
            flush=True,
        )

    def spread(self) -> None:
        """A composite of a queue in shares, by two workers and by one; what shares cost one worker."""
        source = self.nine()
        two, one, whole = (self._queued(source, *how) for how in ((2, "0"), (1, "0"), (1, "never")))
        runs = max(1, self.runs // 2)
        taken = in_turn(two, one, runs)
        alone = statistics.median(run(whole) for _ in range(runs))
        speed = taken[1].median / taken[0].median
        print(
            f"{'in shares, two workers of one processor':<44} {taken[0].median:>8.2f} {taken[1].median:>8.2f}"
            f" {speed:>5.2f}x {'>= 1.5':>8}   one worker",
            flush=True,
        )
        cost = taken[1].median / alone
        print(
            f"{'  in shares, one worker':<44} {taken[1].median:>8.2f} {alone:>8.2f} {cost:>6.2f} {1.15:>8}"
            "   one worker, one job",
            flush=True,
        )

    def _queued(self, source: Path, workers: int, spread: str) -> Side:
        """A job of a queue that is new for each run."""
        place, queue = self.place / "out", self.place / "queue"
        job = self.place / f"spread-{spread}.json"
        composite = {"layout": "best-fit", "vendor": "agora", "size": "1280x720"}
        document = {
            "version": 1,
            "source": str(source),
            "outputs": {"kind": "compose", "composite": composite},
            "targets": [{"place": str(place)}],
            "limits": {"settle": "0", "settle_limit": "0", "spread": spread},
        }
        job.write_text(json.dumps(document), encoding="utf-8")

        def clean() -> None:
            for folder in (place, queue):
                shutil.rmtree(folder, ignore_errors=True)
            queue.mkdir()

        command = [
            sys.executable,
            "-m",
            "benchmarks.sharing",
            str(job),
            str(queue / "queue.db"),
            str(workers),
        ]
        return Side(f"{workers} workers", [command], clean)

    def compose_memory(self) -> None:
        """Peak memory of 17 users of 720p."""
        source = self._steady("seventeen", 17, 90.0, size=SIZE)
        place = self.place / "out"
        shutil.rmtree(place, ignore_errors=True)
        options = ["--layout", "best-fit", "--vendor", "agora", "--size", "1280x720", "--jobs", "2"]
        peak = peak_memory([self.recpipe, "compose", str(source), "-o", str(place), *options])
        print(
            f"{'peak memory, composite 17 x 720p':<44} {peak / 1e6:>5.0f} MB    at most 1000 MB", flush=True
        )

    def nine(self) -> Path:
        """The recording of nine users."""
        return self._steady("nine", 9, LENGTH)

    def four(self) -> Path:
        """Ten minutes of four users."""
        return self._steady("ten", 4, 2 * LENGTH)

    def _steady(self, name: str, users: int, length: float, size: tuple[int, int] = CAMERA) -> Path:
        place = self.place / name
        if not place.exists():
            material.record_people(place, users=users, stays=[Stay(0, length)], size=size)
        return place

    def _ours(self, source: Path, *options: str) -> Side:
        out = self.place / "out"
        command = [self.recpipe, "compose", str(source), "-o", str(out), *options]
        return Side("recpipe", [command], lambda: shutil.rmtree(out, ignore_errors=True))

    def _floor(self, ours: Taken, source: Path, options: Sequence[str]) -> None:
        """The same against the processor seconds inside the codec library, on all cores."""
        command = [sys.executable, "-m", "benchmarks.floor", str(source), *options]
        one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # as the command itself has it
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=one_thread)
        spent = json.loads(done.stdout.splitlines()[-1])
        floor = sum(spent.values()) / CORES
        told = ", ".join(f"{name} {seconds:.1f}" for name, seconds in spent.items())
        print(
            f"{'  against its own floor':<44} {ours.median:>8.2f} {floor:>8.2f}"
            f" {ours.median / floor:>6.2f} {1.3:>8}   {told}",
            flush=True,
        )


def _record_meeting(place: Path) -> None:
    scenario = material.scenario_of(len(_MEETING))
    place.mkdir(parents=True)
    for number, (user, (heard, seen)) in enumerate(zip(scenario.users, _MEETING, strict=True)):
        minute = material.people(number % material.PEOPLE)
        material.write_track(place, scenario, user, Track.VIDEO, material.slices_of(minute, seen))
        material.write_track(place, scenario, user, Track.AUDIO, material.audio_slices(heard))


def _stays_of(source: Path) -> list[list[tuple[list[Path], list[Path], Stay]]]:
    """Of each user his stays on the screen and on the air, each with its slices."""
    users = []
    for number, (heard, seen) in enumerate(_MEETING):
        name = f"*__uid_s_{100 + number}__uid_e_"
        videos, audios = (_by_stay(sorted(source.glob(f"{name}{kind}_*.ts"))) for kind in ("video", "audio"))
        stays: list[tuple[list[Path], list[Path], Stay]] = []
        stays += [(slices, [], stay) for slices, stay in zip(videos, seen, strict=True)]
        stays += [([], slices, stay) for slices, stay in zip(audios, heard, strict=True)]
        users.append(stays)
    return users


def _by_stay(slices: Sequence[Path]) -> list[list[Path]]:
    """Slices in groups that follow one another: the first of a stay stands behind a DISCONTINUITY tag."""
    index = next(slices[0].parent.glob(slices[0].name.rsplit("_", 1)[0] + "*.m3u8"))
    groups: list[list[Path]] = []
    starts = False
    for line in index.read_text(encoding="utf-8").splitlines():
        starts = starts or line.startswith("#EXT-X-DISCONTINUITY")
        if line.endswith(".ts"):
            if starts or not groups:
                groups.append([])
            groups[-1].append(index.parent / line)
            starts = False
    return groups


def _row(name: str, taken: tuple[Taken, Taken], at_most: float, peer: str) -> None:
    ours, theirs = taken
    print(
        f"{name:<44} {ours.median:>8.2f} {theirs.median:>8.2f} {ours.median / theirs.median:>6.2f}"
        f" {at_most:>8}   {peer}",
        flush=True,
    )
