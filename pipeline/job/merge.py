"""Merge: find, arrange, make, verify and publish every recording of a source."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pipeline.errors import OwnedError
from pipeline.job.make import Doing, make
from pipeline.job.works import Done, mine, refuse_another_call, works_of
from pipeline.steps.arrange import arrange_plan
from pipeline.steps.find import find

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.job.works import Work
    from pipeline.model.manifest import Manifest
    from pipeline.model.options import Options
    from pipeline.model.plan import Plan
    from pipeline.sources.protocol import Source
    from pipeline.steps.deliver import Target
    from pipeline.steps.place import Limits


def merge_all(
    source: Source,
    dest: Path | Target,
    options: Options,
    limits: Limits,
    *,
    begin: Callable[[int], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Done, ...]:
    """Find, arrange, render, verify and publish every recording of a source.

    Args:
        source: where the slices are.
        dest: where the outputs go; a folder each below it when there are several recordings. What goes
            into a store is made in a temporary folder.
        options: what comes out.
        limits: how the work is done.
        begin: told how many input bytes will be read, before the first is.
        progress: told bytes as they are read.
    """
    found = find(source)
    doing = Doing(source, limits, found.notes, progress)
    works = [(work, work.place.kept(work.wanted)) for work in works_of(source, found, options, dest)]
    source.shared(min(limits.jobs, max(len(work.inventory.recording.users) for work, _ in works)))
    plans = {w.place.name: arrange_plan(source, w.inventory, options) for w, kept in works if not kept}
    for work, kept in works:
        if not kept:
            refuse_another_call(work, mine(work), plans[work.place.name], limits)
    begin(sum(output.reads for plan in plans.values() for output in plan.outputs))
    return tuple(
        _ended(work, kept, limits) if kept else _merge(work, plans[work.place.name], doing)
        for work, kept in works
    )


def _ended(work: Work, kept: Manifest, limits: Limits) -> Done:
    """What is there already; a run that was killed behind its manifest is ended."""
    if work.place.left(kept.job):
        with (
            suppress(OwnedError),
            work.place.hold(kept, limits, published=True) as shelf,
        ):  # or it is just ended by another
            shelf.finish(kept)
    return Done(work.place.name, kept, already=True)


def _merge(work: Work, plan: Plan, doing: Doing) -> Done:
    with work.place.hold(work.wanted, doing.limits) as shelf:
        manifest = make(work, plan, shelf, doing)
        shelf.finish(manifest)
    return Done(work.place.name, manifest, already=False)
