"""Batch: many sources at the same time, each a job of its own; what ends one does not end the others.

A source whose recordings lie in folders of their own is taken apart into these. What has ended is remembered,
so that a later batch need not look at it.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pipeline.errors import CommandError, ExitCode, RecpipeError, WorkerKilledError
from pipeline.job.asked import parts_of
from pipeline.job.crew import Broken, Crew, Killed
from pipeline.job.rows import row_of_error, rows_of
from pipeline.job.run import run
from pipeline.model.batch import Item, Outcome, Row, State, apart, before
from pipeline.sources.open import open_source
from pipeline.vendors.inventory import sort_objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipeline.job.crew import Ways
    from pipeline.job.edges import Edges
    from pipeline.job.spec import Job
    from pipeline.journal.outcomes import Outcomes

DIGITS = 16
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Batch:
    """What is asked for.

    Attributes:
        items: the sources.
        job: what is done with each; its ``source`` counts for nothing, its ``place`` gets a folder for each.
        parallel: how many at once.
        resume: what an earlier batch has finished is not looked at.
    """

    items: tuple[Item, ...]
    job: Job
    parallel: int
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is: the rows of a source that has ended, and how many have of those that are known."""

    rows: tuple[Row, ...]
    ended: int
    known: int


@dataclass(frozen=True, slots=True)
class _Apart:
    """A source holds others: the folders of its recordings."""

    prefixes: tuple[str, ...]


def run_batch(
    batch: Batch, edges: Edges, outcomes: Outcomes, done: Callable[[Progress], None]
) -> tuple[Row, ...]:
    """Do all of it; a row for each recording, in the order of the sources.

    Args:
        batch: what is asked for.
        edges: the world; ``processors`` are shared by all that work at once.
        outcomes: what has ended, before and now.
        done: is told before the first, and whenever a source has ended.
    """
    return _Batch(batch, edges, outcomes, done).all()


class _Batch:
    def __init__(
        self,
        batch: Batch,
        edges: Edges,
        outcomes: Outcomes,
        done: Callable[[Progress], None],
    ) -> None:
        self._batch = batch
        self._outcomes = outcomes
        self._done = done
        self._items = batch.items
        self._places = {item.target: item for item in batch.items}
        self._waiting = deque(batch.items)
        self._rows: dict[Item, tuple[Row, ...]] = {}
        self._parts: dict[Item, list[Item]] = {}
        self._whole: dict[Item, Item] = {}
        self._shared: set[Item] = set()
        self._work = work_of(batch.job)
        self._known = outcomes.known() if batch.resume else {}
        self._edges = edges

    def all(self) -> tuple[Row, ...]:
        self._done(Progress((), 0, len(self._items)))
        with Crew[Item, "tuple[Row, ...] | _Apart"](self._say) as crew:
            while self._waiting or len(crew):
                while self._waiting and len(crew) < self._batch.parallel:
                    self._begin(self._waiting.popleft(), crew)
                for item, came in crew.ended():
                    self._end(item, came)
        return tuple(row for item in self._items for row in self._rows_of(item))

    def _begin(self, item: Item, crew: Crew[Item, tuple[Row, ...] | _Apart]) -> None:
        found = self._known.get((item.identity, item.target))
        rows = before(found, self._work, accept_loss=self._batch.job.limits.accept_loss)
        if rows is not None:
            self._ended(item, rows)
            return
        job = replace(self._batch.job, source=item.source, place=item.place)
        beside = min(self._batch.parallel, len(crew) + len(self._waiting) + 1)
        edges = replace(self._edges, processors=max(1, self._edges.processors // beside))
        crew.start(item, partial(_do, job, edges, whole=item.whole))

    def _end(self, item: Item, came: tuple[Row, ...] | _Apart | Killed | Broken) -> None:
        if isinstance(came, _Apart):
            self._take_apart(item, came.prefixes)
            return
        rows = (_broke(item, came),) if isinstance(came, Killed | Broken) else came
        self._remember(item, rows)
        self._ended(item, rows)

    def _take_apart(self, item: Item, prefixes: tuple[str, ...]) -> None:
        """Do the folders of a source in its stead; one that was asked for besides is done once."""
        self._parts[item] = []
        clashes: list[Item] = []
        for part in parts_of(item, self._batch.job.place, prefixes):
            first = self._places.setdefault(part.target, part)
            if first is not part and first.identity == part.identity:
                self._shared.add(item)
                continue
            self._parts[item].append(part)
            self._whole[part] = item
            (self._waiting if first is part else clashes).append(part)
        for part in clashes:
            error = CommandError(f"another source goes to {part.place} already: give another place.")
            self._ended(part, (row_of_error(part.source, part.place, error),))
        self._end_whole(item)

    def _ended(self, item: Item, rows: tuple[Row, ...]) -> None:
        self._rows[item] = rows
        known = len(self._items) + len(self._whole) - len(self._parts)
        self._done(Progress(rows, len(self._rows), known))
        if item in self._whole:
            self._end_whole(self._whole[item])

    def _end_whole(self, item: Item) -> None:
        """A source that was taken apart is finished when all of its folders are, and known to be its own."""
        if item not in self._shared and all(part in self._rows for part in self._parts[item]):
            self._remember(item, self._rows_of(item))

    def _rows_of(self, item: Item) -> tuple[Row, ...]:
        if item in self._rows:
            return self._rows[item]
        return tuple(row for part in self._parts[item] for row in self._rows[part])

    def _remember(self, item: Item, rows: tuple[Row, ...]) -> None:
        try:
            self._outcomes.add(Outcome(item.identity, item.target, self._work, rows))
        except RecpipeError as error:  # the files are there whatever is remembered of them
            self._edges.tell(str(error))

    def _say(self, item: Item, sentence: str) -> None:
        self._edges.tell(f"{item.source}: {sentence}")


def work_of(job: Job) -> str:
    """What decides what comes out of a source, as 16 hex digits: an outcome of other work is no outcome."""
    told = [job.options.as_text(), repr(job.task), repr(job.extras), job.vod, job.delete_source]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode("ascii")).hexdigest()[:DIGITS]


def _do(job: Job, edges: Edges, ways: Ways, *, whole: bool) -> tuple[Row, ...] | _Apart:
    """Do a source, in the process that is there for it."""
    if not whole and (prefixes := _folders(job, edges)):
        return _Apart(prefixes)
    heeded = replace(
        edges,
        clock=partial(_heeding, ways, edges.clock),
        sleep=partial(_heeding, ways, edges.sleep),
        tell=ways.tell,
        begin=lambda _: ways.heed(),
        progress=lambda _: ways.heed(),
    )
    try:
        ran = run(job, heeded)
    except RecpipeError as error:
        return (row_of_error(job.source, job.place, error),)
    accept_loss = job.limits.accept_loss
    return tuple(row for each in ran for row in rows_of(job.source, each, accept_loss=accept_loss))


def _heeding(ways: Ways, call: Callable[..., T], *arguments: object) -> T:
    """Call, unless the batch was asked to end: nobody is told then that a job failed."""
    ways.heed()
    return call(*arguments)


def _folders(job: Job, edges: Edges) -> tuple[str, ...]:
    """The folders of a source that are sources by themselves."""
    try:
        objects = open_source(job.source, job.task, edges.config, edges.environ).objects()
    except RecpipeError:
        return ()  # the job meets it too, and tells whoever wants to know
    return apart({group.prefix for group in sort_objects(objects, job.task).groups})


def _broke(item: Item, what: Killed | Broken) -> Row:
    """The row of a source whose process did not end as it should."""
    if isinstance(what, Broken):
        sentence = f"this is a bug in recpipe: {what.what}; run this source alone to see where."
        return Row(item.source, item.place, State.FAILED, ExitCode.BUG, sentence=sentence, kind=what.kind)
    error = WorkerKilledError(
        f"the process that worked on {item.source} was killed, most often because memory ran out: run again "
        "with a smaller --parallel."
    )
    return row_of_error(item.source, item.place, error)


def warm(items: Iterable[Item]) -> None:
    """Import once what all processes need, before they are forked."""
    import pipeline.steps.render  # noqa: F401 - and with it the codec library
    from pipeline.model.manifest import reader

    reader()
    if any(":" in f"{item.identity}{item.target}" for item in items):
        from pipeline.storage.client import load

        load()
