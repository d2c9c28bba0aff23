"""Running commands in turn, cold process and warm cache, and what they took."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: commands that run one after another, and what is removed before each run."""

    name: str
    commands: Sequence[Sequence[str]]
    clean: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds of each run, and those of the processors that worked for it."""

    name: str
    seconds: tuple[float, ...]
    cpu: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.seconds)

    @property
    def median_cpu(self) -> float:
        """The middle one of the processors' seconds."""
        return statistics.median(self.cpu)


def run(side: Side) -> float:
    """Seconds of one run of a side.

    Raises:
        RuntimeError: a command fails; a benchmark of a failure is none.
    """
    side.clean()
    begun = time.perf_counter()
    for command in side.commands:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise RuntimeError(f"{side.name}: {done.stderr.decode(errors='replace')[-500:]}")
    return time.perf_counter() - begun


def in_turn(ours: Side, theirs: Side, runs: int) -> tuple[Taken, Taken]:
    """Both sides ``runs`` times, alternating, after a run of each that is not counted."""
    run(theirs)
    run(ours)
    taken: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    for _ in range(runs):
        for into, side in zip(taken, (ours, theirs), strict=True):
            before = cpu_of_children()
            into.append((run(side), cpu_of_children() - before))
    return _taken(ours, taken[0]), _taken(theirs, taken[1])


def _taken(side: Side, took: Sequence[tuple[float, float]]) -> Taken:
    return Taken(side.name, tuple(t[0] for t in took), tuple(t[1] for t in took))


def cpu_of_children() -> float:
    """Seconds that processors worked for all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peak_memory(command: Sequence[str]) -> int:
    """Bytes of proportional set size (Linux, smaps_rollup) of a command and its children, at most."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    ended = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.01):
            peak = max(peak, sum(map(pss, family(process.pid))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    ended.set()
    watcher.join()
    if code:
        raise RuntimeError(f"{command[0]} ended with {code}")
    return peak


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return [pid]
    return [pid, *(p for child in text.split() for p in family(int(child)))]


def pss(pid: int) -> int:
    """Bytes of a process, what it shares counted in parts; 0 of one that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def machine() -> str:
    """Cores and CPU model, for the head of the table."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown CPU"
    )
    return f"{len(os.sched_getaffinity(0))} cores, {model}"
