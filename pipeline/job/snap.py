"""Snap: all pictures of a recording, taken, checked and put on a shelf; the manifest that tells of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.model.ledger import by_severity
from pipeline.model.snapshots import Format, snapshots
from pipeline.steps.render import render
from pipeline.steps.snap import Snap
from pipeline.vendors.stills import naming_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.job.make import Doing
    from pipeline.job.works import Work
    from pipeline.model.manifest import Manifest
    from pipeline.model.plan import Plan
    from pipeline.model.snapshots import Reel, SnapshotOptions
    from pipeline.steps.place import Shelf

BYTES_A_PIXEL = {Format.JPEG: 0.5, Format.PNG: 3.0}
"""At most, about: for the room on the disk."""


def snap(work: Work, plan: Plan, options: SnapshotOptions, shelf: Shelf, doing: Doing) -> Manifest:
    """Take the pictures of a recording on a shelf; the manifest that tells of them.

    Raises:
        CommandError: no moment lies in the recording, or the vendor's names are not for it.
        RecpipeError: as `Snap`.
    """
    before = work.place.manifest()
    if before is not None and before.job != work.wanted.job and not doing.limits.overwrite:
        raise CommandError(
            f"{work.place.name} has the manifest of other work: choose another place, or allow to "
            "replace it (--overwrite, or overwrite in a job's limits)."
        )
    found = snapshots(plan, options, naming_of(options.name, work.inventory.like))

    def advance(count: int) -> None:
        doing.progress(count)
        shelf.beat()

    jobs = doing.limits.jobs
    doing.source.shared(max(1, min(jobs, len(found.reels))))
    names = [file for reel in found.reels for file in reel.files]
    keep = shelf.take_pictures(names, _size(found.reels, options))
    taken = render(found.reels, Snap(doing.source, keep, options), jobs=jobs, progress=advance)
    # What lies between the moments is not read.
    advance(max(0, sum(o.reads for o in plan.outputs) - sum(reel.reads for reel in found.reels)))
    ledger = (*doing.notes, *found.ledger, *(entry for each in taken for entry in each.entries))
    return replace(
        work.wanted,
        pictures=tuple(picture for each in taken for picture in each.pictures),
        ledger=tuple(sorted(ledger, key=by_severity)),
    )


def _size(reels: Sequence[Reel], options: SnapshotOptions) -> int:
    """Bytes of all pictures, about."""
    total = 0.0
    for reel in reels:
        form = reel.track.form
        scale = (options.width or form.width) / max(1, form.width)
        pixels = form.width * form.height * scale * scale
        total += len(reel.files) * pixels * BYTES_A_PIXEL[options.format]
    return round(total)
