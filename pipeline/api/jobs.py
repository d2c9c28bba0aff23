"""Whole jobs: one, one that is only asked about, or many at once."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.api.here import edges
from pipeline.job.count import Count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipeline.job.asked import Entry
    from pipeline.job.batch import Progress
    from pipeline.job.ready import Asked
    from pipeline.job.run import Ran
    from pipeline.job.spec import Job
    from pipeline.model.batch import Row


def run(
    job: Job,
    *,
    progress: Callable[[int, int], None] | None = None,
    telling: Callable[[str], None] | None = None,
    config: str | None = None,
) -> tuple[Ran, ...]:
    """Do a whole job: wait, merge, publish, tell. It may be stopped anywhere and run again.

    What ends one recording does not end the others: it is told in what comes back.

    Args:
        job: what is wanted, as `pipeline.job.spec_json.parse_job` reads it from JSON.
        progress: told (input bytes read, input bytes in all) now and then.
        telling: told sentences on the way, such as what is waited for.
        config: as for `inspect`.

    Raises:
        RecpipeError: the job cannot begin, or its source holds no recording.
    """
    from pipeline.job.run import run as run_job

    count = Count(progress)
    here = edges(config, telling)
    return run_job(job, replace(here, begin=count.begin, progress=count.advance))


def check(job: Job, *, config: str | None = None) -> tuple[Asked, ...]:
    """Ask for all that a job needs, within seconds; nothing is waited for or made.

    Args:
        job: as for `run`.
        config: as for `inspect`.
    """
    from pipeline.job.ready import asked

    return asked(job, config, os.environ)


def batch(
    entries: Iterable[Entry],
    job: Job,
    *,
    parallel: int | None = None,
    resume: bool = False,
    state: str | os.PathLike[str] | None = None,
    done: Callable[[Progress], None] | None = None,
    telling: Callable[[str], None] | None = None,
    config: str | None = None,
) -> tuple[Row, ...]:
    """Do many sources at once, each in a forked process: call it where no thread runs. None ends the others.

    Args:
        entries: the sources, as `pipeline.job.asked` has them.
        job: what is done with each; its ``place`` gets a folder for each source, at ``{name}`` or at its end.
        parallel: how many at once; as many as there are processors when None.
        resume: sources are not looked at that ``state`` has as finished.
        state: the file that remembers what is finished; None for the one that belongs to the place.
        done: is told before the first, and whenever a source has ended.
        telling: as for `run`.
        config: as for `inspect`.

    Raises:
        CommandError: there is no source, one is no address, or two would go to one place.
        OutputError: ``state`` cannot be used.
    """
    from pipeline.job.asked import items_of, state_of
    from pipeline.job.batch import Batch, run_batch, warm
    from pipeline.journal.outcomes import Outcomes

    here = edges(config, telling)
    wanted = Batch(tuple(items_of(entries, job.place)), job, parallel or here.processors, resume)
    warm(wanted.items)
    with Outcomes(Path(state) if state is not None else state_of(job.place, os.environ)) as outcomes:
        return run_batch(wanted, here, outcomes, done or (lambda _: None))
