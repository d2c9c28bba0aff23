"""Run: a whole job, from the listing to the notice; safe to stop anywhere and to run again.

A job that is done, with the same inputs, does nothing. Other inputs make a new revision, which replaces the
files and is told again. Whatever the last run left open is in the job's journal, and is ended first.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipeline.errors import CommandError, NoRecordingError, OwnedError, RecpipeError
from pipeline.job.make import Doing, make
from pipeline.job.ready import made_ready
from pipeline.job.resume import CLEAN, TELL, Left, Next
from pipeline.job.tell import tell_done, tell_failed
from pipeline.job.works import Done, mine, place_at, refuse_another_call, works_of
from pipeline.journal.notes import texts
from pipeline.steps import clean
from pipeline.steps.arrange import arrange_plan
from pipeline.steps.find import find
from pipeline.steps.place import Limits
from pipeline.steps.settle import settle
from pipeline.steps.vod import hand_over, media_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.job.edges import Edges
    from pipeline.job.ready import Ready
    from pipeline.job.spec import Job
    from pipeline.job.works import Work
    from pipeline.model.manifest import Manifest
    from pipeline.model.plan import Plan
    from pipeline.steps.place import Place, Shelf


@dataclass(frozen=True, slots=True)
class Ran:
    """What a job did with one recording: what is done, or the error that ended it."""

    place: str
    done: Done | None
    error: RecpipeError | None = None


def run(job: Job, edges: Edges) -> tuple[Ran, ...]:
    """Do a whole job; each recording of its source by itself.

    Raises:
        RecpipeError: it failed before its recordings were known; the receivers are told.
    """
    try:
        return _Run(job, edges, made_ready(job, edges.config, edges.environ)).each()
    except RecpipeError as error:
        tell_failed(job, edges, error)
        raise


@dataclass(frozen=True, slots=True)
class _Run:
    """One run.

    Attributes:
        published: keys of jobs whose files are there: an error leaves them, and the next run goes on.
    """

    job: Job
    edges: Edges
    ready: Ready
    published: set[str] = field(default_factory=set)

    @property
    def limits(self) -> Limits:
        asked = self.job.limits
        jobs = asked.jobs or self.edges.processors
        return Limits(jobs, asked.overwrite, renew=True, films=bool(self.job.vod))

    def each(self) -> tuple[Ran, ...]:
        edges, rule = self.edges, self.job.limits.settling
        place, removing = self._removing()
        left = place.left(removing.job) if removing else frozenset()
        if removing and CLEAN in left:  # what is left of the slices is not waited for
            return (self._ended(place, removing),)
        try:
            fresh = self.ready.source.fresh
            source = settle(fresh, rule, clock=edges.clock, sleep=edges.sleep, tell=edges.tell)
            found = find(source)
        except NoRecordingError:
            if removing and left:
                return (self._ended(place, removing),)
            if removing:
                return (Ran(place.name, Done(place.name, removing, already=True)),)
            raise
        works = works_of(source, found, self.job.options, self.ready.place, journaled=True)
        doing = Doing(source, self.limits, found.notes, edges.progress)
        return tuple(self._ran(work, doing) for work in works)

    def _ran(self, work: Work, doing: Doing) -> Ran:
        try:
            return Ran(work.place.name, self._done(work, doing))
        except OwnedError as error:
            return Ran(work.place.name, None, error)  # whoever has the job tells what becomes of it
        except RecpipeError as error:
            if work.wanted.job not in self.published:
                tell_failed(self.job, self.edges, error, work)
            return Ran(work.place.name, None, error)

    def _done(self, work: Work, doing: Doing) -> Done:
        place, left = work.place, self._left(work)
        if left.manifest is not None and left.next is Next.NOTHING:
            if self.edges.known is not None:
                self._clear(work)  # another run may have made it all while shares of it were made
            return Done(place.name, left.manifest, already=True)
        if left.manifest is not None and left.next is Next.CLEAN:
            return self._cleaned(place, left.manifest)
        if left.next is Next.REFUSE:
            raise CommandError(
                f"{work.wanted.recording.name} was made and its slices were removed: what is there now are "
                f"others, which do not replace its files in {place.name}; choose another place."
            )
        work = replace(work, wanted=replace(work.wanted, revision=left.revision(work.wanted)))
        old = left.manifest if left.next is Next.END else None
        if old:
            self.published.add(old.job)
        with place.hold(work.wanted, self.limits, published=bool(old)) as shelf:
            if mine(work) != left.manifest:
                raise OwnedError(f"another recpipe has just ended this job in {place.name}: run again.")
            manifest = self._with_cleaning(old or self._made(work, shelf, doing, left.manifest), place)
            shelf.notes.write(TELL, {})
            self._publish(manifest, place, shelf)
            manifest = self._clean(manifest, work, doing, shelf)
            self._clear(work)
        return Done(place.name, manifest, already=False)

    def _clear(self, work: Work) -> None:
        """Remove the pieces that others have made of composites."""
        if self.job.options.composes:
            from pipeline.steps.stock import stock_of  # no merge needs it

            stock_of(work.place, work.wanted.job).clear()

    def _publish(self, manifest: Manifest, place: Place, shelf: Shelf) -> None:
        """Let the files be seen, and tell everybody; from then on an error leaves them there."""
        shelf.finish(manifest)
        self.published.add(manifest.job)
        tell_done(self.job, self.edges, manifest, place.name, shelf.check)

    def _left(self, work: Work) -> Left:
        place, wanted = work.place, work.wanted
        before, notes = mine(work), place.left(wanted.job)
        kept = place.kept(replace(wanted, tool=before.tool)) if before else None
        cleans = bool(kept and self.job.delete_source and not kept.deletes_source and not clean.doubts(kept))
        return Left(before, kept is not None and self._is_published(kept), notes, cleans)

    def _is_published(self, kept: Manifest) -> bool:
        """Whether each good file has become a medium of every VOD service that is asked for."""
        wanted = set(self.job.vod)
        good = (output for output in kept.outputs if output.verdict.good)
        return all(wanted <= {medium.service for medium in output.published} for output in good)

    def _made(self, work: Work, shelf: Shelf, doing: Doing, before: Manifest | None) -> Manifest:
        if self.edges.known is not None and self.edges.known.dead is not None:
            from pipeline.job.spread import error_of  # few jobs need it

            raise error_of(self.edges.known.dead)
        doing.source.shared(min(doing.limits.jobs, len(work.inventory.recording.users)))
        plan = arrange_plan(doing.source, work.inventory, self.job.options)
        refuse_another_call(work, before, plan, doing.limits)
        fetch = self._spread(work, shelf, plan)
        self.edges.admit(plan, shelf.beat)
        self.edges.begin(sum(output.reads for output in plan.outputs))
        fetch(self.edges.clock)  # by which it is seen that something moves
        manifest = make(work, plan, shelf, doing)
        if not self.ready.vod:
            return manifest
        return hand_over(manifest, self.ready.vod, shelf, work.inventory.recording.title, media_of(before))

    def _spread(self, work: Work, shelf: Shelf, plan: Plan) -> Callable[[Callable[[], object]], None]:
        """Leave a long composite to several jobs first; then what fetches its pieces."""
        known = self.edges.known
        if known is None or not self.job.options.composes:
            return lambda _: None
        from pipeline.job.spread import spread  # no merge needs it

        return spread(work, plan, shelf, known, self.job.limits.spread, now_ms=self.edges.clock())

    def _with_cleaning(self, manifest: Manifest, place: Place) -> Manifest:
        """The manifest with what will become of the slices."""
        why = clean.doubts(manifest) if self.job.delete_source else ""
        if why:
            self._stay(place, why)
        return replace(manifest, deletes_source=self.job.delete_source and not why)

    def _stay(self, place: Place, why: str) -> None:
        self.edges.tell(f"the slices of {place.name} stay where they are: {why}.")

    def _clean(self, manifest: Manifest, work: Work, doing: Doing, shelf: Shelf) -> Manifest:
        """Remove the slices, where that was asked for and nothing is in doubt."""
        if not manifest.deletes_source:
            return manifest
        if why := clean.changed(manifest, work.place.objects):
            self._stay(work.place, why)
            manifest = replace(manifest, deletes_source=False)
            shelf.finish(manifest)
            return manifest
        etags = doing.source.etags(work.inventory.keys)
        shelf.notes.write(CLEAN, {"etags": etags})
        self._remove(etags, shelf)
        return manifest

    def _remove(self, etags: Mapping[str, str], shelf: Shelf) -> None:
        if self.ready.origin is not None:
            for sentence in clean.remove(self.ready.origin, etags, shelf.check):
                self.edges.tell(f"{sentence}.")

    def _removing(self) -> tuple[Place, Manifest | None]:
        """The place, and what this job has made there if its slices are removed then; they may be gone."""
        place = place_at(self.ready.place, journaled=True)
        found = place.manifest() if self.job.delete_source else None
        mine = found and found.deletes_source and found.options == self.job.options.as_text()
        return place, found if mine else None

    def _ended(self, place: Place, manifest: Manifest) -> Ran:
        try:
            return Ran(place.name, self._cleaned(place, manifest))
        except RecpipeError as error:
            return Ran(place.name, None, error)

    def _cleaned(self, place: Place, manifest: Manifest) -> Done:
        """End a job that was stopped while it removed its slices."""
        with place.hold(manifest, self.limits, published=True) as shelf:
            self._publish(manifest, place, shelf)
            if why := clean.changed(manifest, place.objects):
                self.edges.tell(f"what is left of the slices of {place.name} stays: {why}.")
            else:
                self._remove(texts(shelf.notes.read(CLEAN).get("etags")), shelf)
        return Done(place.name, manifest, already=False)
