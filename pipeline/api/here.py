"""The world as it is here: this machine, its clock, the places that its configuration names."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.storage.place import place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.job.edges import Edges
    from pipeline.steps.deliver import Target


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def edges(config: str | None, telling: Callable[[str], None] | None) -> Edges:
    """What a job runs in.

    Args:
        config: the file that names stores and services; None for where it is usually looked for.
        telling: told sentences on the way.
    """
    from pipeline.job.edges import Edges
    from pipeline.journal.here import utc_ms

    return Edges(os.environ, config, processors(), utc_ms, time.sleep, telling or (lambda _: None))


def place(name: str | os.PathLike[str], config: str | None) -> Path | Target:
    """A folder, or a place in a store.

    Args:
        name: as the command line writes it.
        config: as for `edges`.

    Raises:
        CommandError: there is no such store.
    """
    where = place_of(name, config, os.environ)
    if isinstance(where, Path):
        return where
    from pipeline.steps.deliver import Target  # with what folders do not need

    return Target(str(name), where)
