"""The world that a job runs in, as one value: tests give another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.job.shares import Known
    from pipeline.model.plan import Plan


@dataclass(frozen=True, slots=True)
class Edges:
    """The world.

    Attributes:
        environ: the environment.
        config: the file that names stores and services; None for where it is usually looked for.
        processors: how many there are.
        clock: UTC ms.
        sleep: waits seconds.
        tell: is told sentences on the way.
        begin: told how many input bytes will be read.
        admit: given the plan of a recording before anything is made; returns when there is room for it. Until
            then it calls what it is given besides, which keeps the job ours.
        progress: told input bytes as they are read.
        known: what a queue knows of shares of this job's composites; None where there is no queue.
        last: nobody tries again what may succeed later; else receivers are not told that it failed.
    """

    environ: Mapping[str, str]
    config: str | None
    processors: int
    clock: Callable[[], int]
    sleep: Callable[[float], None]
    tell: Callable[[str], None] = lambda _: None
    begin: Callable[[int], None] = lambda _: None
    admit: Callable[[Plan, Callable[[], None]], None] = lambda _plan, _beat: None
    progress: Callable[[int], None] = lambda _: None
    known: Known | None = None
    last: bool = True
