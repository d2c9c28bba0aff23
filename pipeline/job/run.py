"""Run: a whole job, from the listing to the notice; safe to stop anywhere and to run again.

A job that is done, with the same inputs, does nothing. Other inputs make a new revision, which replaces the
files and is told again. Whatever the last run left open is in the job's journal, and is ended first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.errors import CommandError, NoRecordingError, OwnedError, RecpipeError
from pipeline.job.make import Doing, make
from pipeline.job.ready import made_ready
from pipeline.job.works import Done, place_at, works_of
from pipeline.journal.notes import texts
from pipeline.model.job_key import job_key
from pipeline.model.summary import failed, summary_of
from pipeline.notify.event import Event
from pipeline.notify.sending import send
from pipeline.steps import clean
from pipeline.steps.arrange import arrange_plan
from pipeline.steps.find import find
from pipeline.steps.place import Limits
from pipeline.steps.settle import settle
from pipeline.steps.vod import hand_over, media_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.job.ready import Ready
    from pipeline.job.spec import Job
    from pipeline.job.works import Work
    from pipeline.model.manifest import Manifest
    from pipeline.sources.protocol import Source
    from pipeline.steps.place import Place, Shelf


TELL = "tell"
"""The note of a job that its files are there, or nearly, and that nobody may know it yet."""


@dataclass(frozen=True, slots=True)
class Edges:
    """The world that a job runs in.

    Attributes:
        environ: the environment.
        config: the file that names stores and services; None for where it is usually looked for.
        processors: how many there are.
        clock: UTC ms.
        sleep: waits seconds.
        tell: is told sentences on the way.
        begin: told how many input bytes will be read.
        progress: told input bytes as they are read.
    """

    environ: Mapping[str, str]
    config: str | None
    processors: int
    clock: Callable[[], int]
    sleep: Callable[[float], None]
    tell: Callable[[str], None] = lambda _: None
    begin: Callable[[int], None] = lambda _: None
    progress: Callable[[int], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Ran:
    """What a job did with one recording: what is done, or the error that ended it."""

    place: str
    done: Done | None
    error: RecpipeError | None = None


def run(job: Job, edges: Edges) -> tuple[Ran, ...]:
    """Do a whole job; each recording of its source by itself.

    Raises:
        RecpipeError: it failed before its recordings were known; the webhooks are told.
    """
    return _Run(job, edges).all()


class _Run:
    def __init__(self, job: Job, edges: Edges) -> None:
        self._job = job
        self._edges = edges
        self._limits = Limits(
            jobs=job.limits.jobs or edges.processors,
            overwrite=job.limits.overwrite,
            renew=True,
            films=bool(job.vod),
        )

    def all(self) -> tuple[Ran, ...]:
        job = self._job
        try:
            ready = made_ready(job, self._edges.config, self._edges.environ)
            return self._each(ready)
        except RecpipeError as error:
            key = job_key("", job.source, "", job.options.as_text())
            self._tell_all(Event.of(key, failed(error, recording=None, place=job.place)))
            raise

    def _each(self, ready: Ready) -> tuple[Ran, ...]:
        try:
            source = self._settled(ready)
            found = find(source)
        except NoRecordingError:
            if ended := self._without_slices(ready):
                return (ended,)
            raise
        works = works_of(source, found, self._job.options, ready.place, journaled=True)
        doing = Doing(source, self._limits, found.notes, self._edges.progress)
        return tuple(self._ran(work, ready, doing) for work in works)

    def _settled(self, ready: Ready) -> Source:
        edges = self._edges
        rule = self._job.limits.settling
        return settle(ready.source.fresh, rule, clock=edges.clock, sleep=edges.sleep, tell=edges.tell)

    def _ran(self, work: Work, ready: Ready, doing: Doing) -> Ran:
        try:
            return Ran(work.place.name, self._done(work, ready, doing))
        except OwnedError as error:
            return Ran(work.place.name, None, error)  # whoever has the job tells what becomes of it
        except RecpipeError as error:
            if TELL in work.place.left(work.wanted.job):
                return Ran(work.place.name, None, error)  # its files are there: the next run goes on
            told = failed(error, recording=work.wanted.recording, place=work.place.name)
            self._tell_all(Event.of(work.wanted.job, told))
            return Ran(work.place.name, None, error)

    def _done(self, work: Work, ready: Ready, doing: Doing) -> Done:
        place, wanted = work.place, work.wanted
        before, left = place.manifest(), place.left(wanted.job)
        before = before if before and before.job == wanted.job else None
        kept = place.kept(replace(wanted, tool=before.tool)) if before else None
        if kept and not self._is_wanted(kept):
            kept = None
        if kept and not left and not self._cleans(kept):
            return Done(place.name, kept, already=True)
        if before and before.deletes_source and not kept:
            if clean.NOTE in left:
                return self._cleaned(place, before, ready)
            if not left:
                raise CommandError(
                    f"{wanted.recording.name} was made and its slices were removed: what is there now are "
                    f"others, which do not replace its files in {place.name}; choose another place."
                )
        other = before is not None and before.recording != wanted.recording
        revision = before.revision + other if before else 1
        wanted = replace(wanted, revision=revision)
        with place.hold(wanted, self._limits) as shelf:
            manifest = kept or self._made(replace(work, wanted=wanted), ready, shelf, doing, before)
            manifest = self._with_cleaning(manifest, place)
            shelf.notes.write(TELL, {})
            shelf.finish(manifest)
            self._tell(manifest, place, shelf)
            self._clean(manifest, work, ready, doing.source, shelf)
        return Done(place.name, manifest, already=False)

    def _made(
        self, work: Work, ready: Ready, shelf: Shelf, doing: Doing, before: Manifest | None
    ) -> Manifest:
        plan = arrange_plan(doing.source, work.inventory, self._job.options)
        self._edges.begin(sum(output.reads for output in plan.outputs))
        manifest = make(work, plan, shelf, doing)
        if ready.vod:
            title = work.inventory.recording.title
            manifest = hand_over(manifest, ready.vod, shelf, title, media_of(before))
        return manifest

    def _is_wanted(self, kept: Manifest) -> bool:
        """Whether each good file has become what it should in each VOD service."""
        wanted = set(self._job.vod)
        good = (output for output in kept.outputs if output.verdict.good)
        return all(wanted <= {medium.service for medium in output.published} for output in good)

    def _cleans(self, kept: Manifest) -> bool:
        """Whether slices are to be removed that an earlier run was not asked to remove."""
        return self._job.delete_source and not kept.deletes_source and not clean.doubts(kept)

    def _with_cleaning(self, manifest: Manifest, place: Place) -> Manifest:
        """The manifest with what will become of the slices."""
        why = clean.doubts(manifest) if self._job.delete_source else ""
        if why:
            self._edges.tell(f"the slices of {place.name} stay where they are: {why}.")
        return replace(manifest, deletes_source=self._job.delete_source and not why)

    def _tell(self, manifest: Manifest, place: Place, shelf: Shelf) -> None:
        shelf.check()
        self._tell_all(Event.of(manifest.job, summary_of(manifest, place=place.name)), raising=True)

    def _tell_all(self, event: Event, *, raising: bool = False) -> None:
        """Tell every webhook, and only then fail for one."""
        errors: list[RecpipeError] = []
        for webhook in self._job.webhooks:
            try:
                send(webhook, event, now_ms=self._edges.clock, environ=self._edges.environ)
            except RecpipeError as error:
                errors.append(error)
                self._edges.tell(str(error))
        if errors and raising:
            raise errors[0]

    def _clean(self, manifest: Manifest, work: Work, ready: Ready, source: Source, shelf: Shelf) -> None:
        """Remove the slices, where that was asked for and nothing is in doubt."""
        if not manifest.deletes_source or ready.origin is None:
            return
        if why := clean.changed(manifest, work.place.objects):
            self._edges.tell(f"the slices of {work.place.name} stay where they are: {why}.")
            return
        etags = source.etags(work.inventory.keys)
        shelf.notes.write(clean.NOTE, {"etags": etags})
        self._remove(ready, etags, shelf)

    def _remove(self, ready: Ready, etags: Mapping[str, str], shelf: Shelf) -> None:
        if ready.origin is not None:
            for sentence in clean.remove(ready.origin, etags, shelf.check):
                self._edges.tell(f"{sentence}.")

    def _cleaned(self, place: Place, manifest: Manifest, ready: Ready) -> Done:
        """End a job that was killed while it removed its slices."""
        with place.hold(manifest, self._limits) as shelf:
            shelf.finish(manifest)
            self._tell(manifest, place, shelf)
            self._remove(ready, texts(shelf.notes.read(clean.NOTE).get("etags")), shelf)
        return Done(place.name, manifest, already=False)

    def _without_slices(self, ready: Ready) -> Ran | None:
        """A job whose slices are all gone, because it has removed them."""
        place = place_at(ready.place, journaled=True)
        manifest = place.manifest()
        if manifest is None or not manifest.deletes_source or not self._job.delete_source:
            return None
        if clean.NOTE in place.left(manifest.job):
            return Ran(place.name, self._cleaned(place, manifest, ready))
        return Ran(place.name, Done(place.name, manifest, already=True))
