"""The Python interface: what the commands call, with the same meaning.

>>> import tempfile
>>> from pathlib import Path
>>> from pipeline.demo import recorder, scenario_toml
>>> place = Path(tempfile.mkdtemp())
>>> scenario = scenario_toml.parse('''
... vendor = "trtc"
... start = 2026-03-02T09:00:00.250Z
... [[users]]
... uid = "ann"
... size = "160x120"
... fps = 10
... sound = [[0.0, 4.0]]
... picture = [[0.2, 4.0]]
... ''')
>>> source = recorder.make(scenario, place / "recording").place

Who was there, what would be made, make it, check it again:

>>> [user.uid for user in inspect(source).recordings[0].users]
['ann']
>>> [output.file for output in plan(source)[0].outputs]
['ann_20260302090000250_av.mp4']
>>> (done,) = merge(source, place / "merged", jobs=1)
>>> done.already, done.manifest.losses, done.exit_code(accept_loss=False).name
(False, (), 'GOOD')
>>> verify(place / "merged").good
True

The same again does nothing; what was asked can be narrowed:

>>> merge(source, place / "merged", jobs=1)[0].already
True
>>> from pipeline import Moment, Options, Tracks
>>> heard = Options(tracks=Tracks.AUDIO, start=Moment.parse("1"), end=Moment.parse("2"))
>>> [output.file for output in plan(source, heard)[0].outputs]
['ann_20260302090000450.m4a']

Whatever goes wrong is a `RecpipeError`: one sentence, and the command's exit code.

>>> from pipeline import RecpipeError
>>> try:
...     inspect(place / "nowhere")
... except RecpipeError as error:
...     error.exit_code
<ExitCode.USAGE: 2>
>>> import shutil
>>> shutil.rmtree(place)
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from pipeline.errors import CommandError
from pipeline.job.count import Count
from pipeline.job.look import inspect_all, plan_all, seats_at
from pipeline.job.merge import merge_all
from pipeline.job.works import Done
from pipeline.model.completeness import AT_ONCE, Settling
from pipeline.model.options import Options, Verify
from pipeline.sources.open import open_source
from pipeline.steps.place import Limits
from pipeline.storage.place import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Unpack

    from pipeline.job.asked import Entry
    from pipeline.job.batch import Progress
    from pipeline.job.edges import Edges
    from pipeline.job.ready import Asked
    from pipeline.job.run import Ran
    from pipeline.job.spec import Job
    from pipeline.layout.composite import ComposeOptions
    from pipeline.layout.scene import Seat
    from pipeline.layout.stage import Shot
    from pipeline.model.batch import Row
    from pipeline.model.inspection import Inspection
    from pipeline.model.options import Moment
    from pipeline.model.plan import Plan
    from pipeline.model.snapshots import SnapshotOptions
    from pipeline.model.verification import Verification
    from pipeline.sources.protocol import Source
    from pipeline.steps.deliver import Target
    from pipeline.steps.recheck_stored import Beside
    from pipeline.storage.below import Below
    from pipeline.vendors.volcengine import Task


__all__ = [
    "Done",
    "batch",
    "check",
    "compose",
    "inspect",
    "merge",
    "plan",
    "processors",
    "run",
    "seats",
    "snapshot",
    "stage",
    "verify",
]


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
    where, to = open_source(source, task, config, os.environ), place_of(dest, config, os.environ)
    if settling != AT_ONCE:
        where = _settled(where, settling, waiting or (lambda _: None))
    place = to if isinstance(to, Path) else _target(str(dest), to)
    return merge_all(where, place, options or Options(), limits, begin=count.begin, progress=count.advance)


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


def _target(name: str, store: Below) -> Target:
    from pipeline.steps.deliver import Target  # with what folders do not need

    return Target(name, store)


def _settled(source: Source, settling: Settling, waiting: Callable[[str], None]) -> Source:
    from pipeline.journal.here import utc_ms
    from pipeline.steps.settle import settle  # folders are taken as they are

    return settle(source.fresh, settling, clock=utc_ms, sleep=time.sleep, tell=waiting)


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
    edges = replace(_edges(config, telling), begin=count.begin, progress=count.advance)
    return run_job(job, edges)


def _edges(config: str | None, telling: Callable[[str], None] | None) -> Edges:
    """The world as it is here."""
    from pipeline.job.edges import Edges
    from pipeline.journal.here import utc_ms

    return Edges(os.environ, config, processors(), utc_ms, time.sleep, telling or (lambda _: None))


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

    wanted = Batch(tuple(items_of(entries, job.place)), job, parallel or processors(), resume)
    warm(wanted.items)
    with Outcomes(Path(state) if state is not None else state_of(job.place, os.environ)) as outcomes:
        return run_batch(wanted, _edges(config, telling), outcomes, done or (lambda _: None))


def verify(
    path: str | os.PathLike[str], level: Verify = Verify.FULL, *, config: str | None = None
) -> Verification:
    """Check finished files again where they lie: that they are there, their bytes, all that `merge` checks.

    Args:
        path: a folder or a prefix of a store with a ``manifest.json``, a folder of such folders, or one file
            beside its manifest.
        level: ``FULL`` reads every byte and decodes both ends and every join. ``FAST`` decodes nothing; of
            what is in a store it compares size and ETag, and reads the tables of MP4s.
        config: as for `inspect`.

    Raises:
        CommandError: there is no manifest, or it does not name the file asked for.
        StorageError: the store refuses, or does not answer in time.
        NoSpaceError: a file in a store has to be fetched and has no room on this machine.
    """
    where = place_of(path, config, os.environ)
    if isinstance(where, Path):
        from pipeline.steps.recheck import recheck  # no other call needs it

        return recheck(where, level)
    from pipeline.steps.recheck_stored import recheck_stored

    return recheck_stored(_target(str(path), where), level, _beside(str(path), config))


def _beside(place: str, config: str | None) -> Beside | None:
    """An address of a store read as one of a file."""
    from pipeline.steps.recheck_stored import Beside
    from pipeline.storage.address import of_file

    found = of_file(place)
    if found is None:
        return None
    where = place_of(found.folder, config, os.environ)
    return None if isinstance(where, Path) else Beside(_target(found.folder, where), found.file)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
