"""Recordings: looked at, planned, merged, composed, taken pictures of."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict

from pipeline.api.here import place, processors
from pipeline.errors import CommandError
from pipeline.job.count import Count
from pipeline.job.look import inspect_all, plan_all, seats_at
from pipeline.job.merge import merge_all
from pipeline.model.completeness import AT_ONCE, Settling
from pipeline.model.options import Options
from pipeline.sources.open import open_source
from pipeline.steps.place import Limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from pipeline.job.works import Done
    from pipeline.layout.composite import ComposeOptions
    from pipeline.layout.scene import Seat
    from pipeline.layout.stage import Shot
    from pipeline.model.inspection import Inspection
    from pipeline.model.options import Moment
    from pipeline.model.plan import Plan
    from pipeline.model.snapshots import SnapshotOptions
    from pipeline.sources.protocol import Source
    from pipeline.vendors.volcengine import Task


def inspect(
    source: str | os.PathLike[str], *, task: Task | None = None, config: str | None = None
) -> Inspection:
    """Tell who was there, when, in which codecs, and where nothing is; only the ends of slices are read.

    Args:
        source: the folder of one recording or of several; or, in a store, ``s3://bucket/prefix`` or
            ``NAME:prefix``.
        task: tells the ids in Volcengine's names apart, where they contain ``_``.
        config: the file that names stores; None for ``recpipe.toml`` where it is usually looked for.

    Raises:
        CommandError: there is no such folder or store.
        StorageError: the store refuses, or does not answer in time.
        NoRecordingError: nothing in it is named like a recording of a vendor we know.
        InputError: a playlist or a slice cannot be opened; what is damaged is told, not raised.
    """
    return inspect_all(open_source(source, task, config, os.environ))


def seats(
    source: str | os.PathLike[str],
    moment: Moment,
    *,
    task: Task | None = None,
    config: str | None = None,
) -> tuple[Seat, ...]:
    """Tell who is there at a moment, in the order of joining: what layouts put on a canvas.

    Args:
        source: as for `inspect`.
        moment: in UTC, or from the recording's first media.
        task: as for `inspect`.
        config: as for `inspect`.

    Raises:
        CommandError: as `inspect`, or not exactly one recording of the source holds that moment.
        NoRecordingError: as `inspect`.
        InputError: as `inspect`.
    """
    return seats_at(open_source(source, task, config, os.environ), moment)


def plan(
    source: str | os.PathLike[str],
    options: Options | None = None,
    *,
    deep: bool = False,
    task: Task | None = None,
    config: str | None = None,
) -> tuple[Plan, ...]:
    """Decide, for each recording of a source, what `merge` would make, and why; nothing is written.

    Args:
        source: as for `inspect`.
        options: what should come out; everything, one file per user, when None.
        deep: read the slices whole, so that changes inside them are known too.
        task: as for `inspect`.
        config: as for `inspect`.

    Raises:
        CommandError: no such folder or user, or a cut that lies outside of the recording.
        NoRecordingError: nothing in it is named like a recording of a vendor we know.
        InputError: no slice of a recording can be used.
    """
    planned = plan_all(open_source(source, task, config, os.environ), options or Options(), deep=deep)[1]
    return tuple(each.plan for each in planned)


def merge(
    source: str | os.PathLike[str],
    dest: str | os.PathLike[str],
    options: Options | None = None,
    *,
    jobs: int | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    task: Task | None = None,
    config: str | None = None,
    settling: Settling = AT_ONCE,
    waiting: Callable[[str], None] | None = None,
) -> tuple[Done, ...]:
    """Make and verify the files of every recording of a source; what is there from before is kept.

    Losses raise nothing: they stand in each manifest, and `Done.exit_code` weighs them.

    Args:
        source: as for `inspect`.
        dest: where the files and ``manifest.json`` go, written as a source is; a folder each below it for
            several recordings.
        options: what should come out; everything, one file per user, when None.
        jobs: how many users at once; as many as there are processors when None.
        overwrite: replace files of the same names that this work did not make.
        progress: told (input bytes read, input bytes in all) now and then.
        task: as for `inspect`.
        config: as for `inspect`.
        settling: how long to wait for a recording that is not complete, or still changes; not at all when
            it was downloaded.
        waiting: told a sentence when that begins, goes on, and ends with something missing.

    Raises:
        CommandError: as `plan`, or a file is in the way.
        NoRecordingError: as `plan`.
        InputError: as `plan`; MissingSliceError among them with ``Missing.FAIL``.
        OutputError: ``dest`` cannot be written.
        NoSpaceError: its disk is full or would be.
    """
    count = Count(progress)
    limits = Limits(jobs=processors() if jobs is None else jobs, overwrite=overwrite)
    where, to = open_source(source, task, config, os.environ), place(dest, config)
    if settling != AT_ONCE:
        where = _settled(where, settling, waiting or (lambda _: None))
    return merge_all(where, to, options or Options(), limits, begin=count.begin, progress=count.advance)


class Doing(TypedDict, total=False):
    """How the work of `merge` is done; each as there."""

    jobs: int | None
    overwrite: bool
    progress: Callable[[int, int], None] | None
    task: Task | None
    config: str | None
    settling: Settling
    waiting: Callable[[str], None] | None


def compose(
    source: str | os.PathLike[str],
    dest: str | os.PathLike[str],
    options: ComposeOptions,
    **doing: Unpack[Doing],
) -> tuple[Done, ...]:
    """Put all users of every recording of a source into one picture and one mix; as `merge` in all else.

    Args:
        source: as for `inspect`.
        dest: as for `merge`.
        options: the picture and the mix; ``shots`` of `stage`, changed or not, take the place of the layout.
        doing: as for `merge`; ``jobs`` counts pieces of the picture.

    Raises:
        CommandError: as `plan`, or the encoder does not work here, or an image has no file.
        RecpipeError: as `merge`.
    """
    return merge(source, dest, options, **doing)


def stage(
    source: str | os.PathLike[str],
    options: ComposeOptions,
    *,
    task: Task | None = None,
    config: str | None = None,
) -> tuple[Shot, ...]:
    """Tell who is where when in the composite of the one recording of a source: values to print and change.

    Args:
        source: as for `inspect`.
        options: as for `compose`.
        task: as for `inspect`.
        config: as for `inspect`.

    Raises:
        CommandError: as `plan`, or the source holds several recordings.
    """
    from pipeline.layout.composite import CompositePlan  # no merge needs it

    composing = options.composing
    whole = replace(options, composing=composing and replace(composing, most_ms=None))
    plans = plan(source, whole, task=task, config=config)
    if len(plans) != 1:
        raise CommandError(f"{os.fspath(source)} holds {len(plans)} recordings: give the folder of one.")
    (film,) = plans[0].outputs
    if not isinstance(film, CompositePlan):
        raise TypeError("these are no options of a composite")
    return film.shots


def snapshot(
    source: str | os.PathLike[str],
    dest: str | os.PathLike[str],
    options: SnapshotOptions,
    **doing: Unpack[Doing],
) -> tuple[Done, ...]:
    """Take pictures of every user of every recording of a source; what is there from before is kept.

    Where a picture was recorded and cannot be had, that is a loss, as with `merge`.

    Args:
        source: as for `inspect`.
        dest: as for `merge`.
        options: which pictures, and at which moments.
        doing: as for `merge`; ``jobs`` counts users, and stretches of a long recording.

    Raises:
        CommandError: as `plan`, or no moment lies in a recording, or a file is in the way.
        RecpipeError: as `merge`.
    """
    return merge(source, dest, options, **doing)


def _settled(source: Source, settling: Settling, waiting: Callable[[str], None]) -> Source:
    from pipeline.journal.here import utc_ms
    from pipeline.steps.settle import settle  # folders are taken as they are

    return settle(source.fresh, settling, clock=utc_ms, sleep=time.sleep, tell=waiting)
