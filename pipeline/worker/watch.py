"""The poller: recordings in a store that have come to rest, and that no job was made for, are submitted once.

A callback may be lost, and on-premise recorders send none. What lies in the store is the truth. Whoever made
a job of it first, by whatever rule and to whatever place, a recording has one of the same outputs.
"""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pipeline.errors import CommandError, RecpipeError
from pipeline.job.asked import identity
from pipeline.model.batch import apart, folder_name, inside, place_for
from pipeline.vendors.inventory import sort_objects
from pipeline.worker.queue.jobs import ENDED, Order, State
from pipeline.worker.queue.orders import key_of, work_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from threading import Event

    from pipeline.vendors.inventory import Group, Object
    from pipeline.vendors.volcengine import Task
    from pipeline.worker.queue.engine import Engine
    from pipeline.worker.queue.jobs import Job

DAY_MS = 86_400_000
LEAST_EVERY_MS = 1000
"""Between two looks."""
SOURCE = "{source}"
"""Stands in a template for the source of each job, as in that of a batch."""


@dataclass(frozen=True, slots=True)
class Found:
    """A recording, or several in one folder, as it lies in the store.

    Attributes:
        source: its address.
        newest_ms: UTC at which the last of its objects was written; 0 where nothing tells.
        count: of its objects.
        size: bytes of them all.
        vendor: whose they are; empty where they are of several.
    """

    source: str
    newest_ms: int
    count: int
    size: int
    vendor: str = ""


class Verdict(StrEnum):
    """What is to be done about a recording."""

    GROWING = "growing"  # it has not been at rest for long enough
    KNOWN = "known"  # a job of it waits, runs, or has ended
    NEW = "new"
    CHANGED = "changed"  # something came after its job had begun


@dataclass(frozen=True, slots=True)
class Submission:
    """A job that was submitted: its number, the source, and why."""

    id: int
    source: str
    why: Verdict


def found_in(source: str, objects: Iterable[Object], task: Task | None = None) -> Iterator[Found]:
    """The recordings of a source: folder by folder where they lie in folders of their own.

    Args:
        source: its address.
        objects: its listing.
        task: what is known of a Volcengine task.
    """
    folders: dict[str, list[Group]] = defaultdict(list)
    for group in sort_objects(objects, task).groups:
        folders[group.prefix].append(group)
    parts = apart(folders.keys())
    if folders and not parts:
        parts, folders = ("",), {"": [group for each in folders.values() for group in each]}
    for prefix in parts:
        items = [item for g in folders[prefix] for item in (*(named.item for named in g.items), *g.unnamed)]
        vendors = {group.vendor for group in folders[prefix]}
        yield Found(
            inside(source, f"{prefix}/") if prefix else source,
            max(item.modified_ms for item in items),
            len(items),
            sum(item.size for item in items),
            vendors.pop() if len(vendors) == 1 else "",
        )


def verdict(
    found: Found, before: Found | None, job: Job | None, now_ms: int, settle_ms: int, *, came_ms: int = 0
) -> Verdict:
    """What is to be done about a recording.

    Args:
        found: as it is now.
        before: as it was when it was looked at last; None where that was never.
        job: the newest one of it; None where there is none.
        now_ms: UTC.
        settle_ms: how long nothing may have come.
        came_ms: UTC at which a look saw that something had come, whatever times it had; 0 for never.
    """
    newest_ms = max(found.newest_ms, came_ms)
    unsure = not found.newest_ms and before is None  # a store without times tells at the second look
    if unsure or now_ms - newest_ms < settle_ms or (before is not None and before != found):
        return Verdict.GROWING
    if job is None:
        return Verdict.NEW
    late = job.state in ENDED and job.state is not State.CANCELLED and newest_ms > job.started_ms
    return Verdict.CHANGED if late else Verdict.KNOWN


def _grew(before: Found | None, found: Found) -> bool:
    """Whether something came; a job that removes the slices it was made of makes less of them."""
    return before is None or found.count > before.count or found.size > before.size


class Watch:
    """Looks at one store, again and again.

    Args:
        engine: the queue.
        source: the store, or a prefix of it.
        template: the document of a job; its ``source`` counts for nothing, its place gets a folder for each.
        settle_ms: how long nothing may have come to a recording.
        listing: gives what lies in the source, listed anew.
        clock: UTC ms.
        task: what is known of a Volcengine task.
        deadline_ms: by when a job should be done after it was submitted.
        is_over: asked on the way: nothing more is to be asked of the queue.
    """

    def __init__(
        self,
        engine: Engine,
        source: str,
        template: Mapping[str, Any],
        *,
        settle_ms: int,
        listing: Callable[[], Iterable[Object]],
        clock: Callable[[], int],
        task: Task | None = None,
        deadline_ms: int = DAY_MS,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self._engine = engine
        self._source = source
        self._template = template
        self._settle_ms = settle_ms
        self._listing = listing
        self._clock = clock
        self._task = task
        self._deadline_ms = deadline_ms
        self._is_over = is_over
        self._seen: dict[str, Found] | None = None
        self._came_ms: dict[str, int] = {}
        self._works: dict[str, Job] | None = None

    def look(self) -> Iterator[Submission]:
        """Submit what is there and nobody has; each is told as soon as it is submitted.

        Raises:
            EngineBusyError: the queue cannot be reached.
            CommandError, InputError, StorageError: the source cannot be listed.
        """
        seen = {found.source: found for found in found_in(self._source, self._listing(), self._task)}
        self._works = None
        if self._seen is not None:
            came = [source for source, found in seen.items() if _grew(self._seen.get(source), found)]
            self._came_ms |= dict.fromkeys(came, self._clock())
        before = self._seen or {}
        self._seen = before | seen  # what is not listed once has not come when it is again
        for source, found in seen.items():
            if self._is_over():
                return
            if (made := self._submitted(found, before.get(source))) is not None:
                yield made

    def _submitted(self, found: Found, before: Found | None) -> Submission | None:
        document = json.dumps(document_of(self._template, found.source))
        key, now = key_of(document, found.source), self._clock()
        same = self._engine.jobs(key=key, most=1)
        job = same[0] if same else self._elsewhere(document, found.source)
        if self._is_over():  # it may not have read all
            return None
        why = verdict(found, before, job, now, self._settle_ms, came_ms=self._came_ms.get(found.source, 0))
        if why not in {Verdict.NEW, Verdict.CHANGED}:
            return None
        order = Order(key, document, deadline_ms=now + self._deadline_ms, vendor=found.vendor)
        submitted = self._engine.submit(order, newest=same[0].id if same else 0)
        return Submission(submitted.id, found.source, why) if submitted.new else None

    def _elsewhere(self, document: str, source: str) -> Job | None:
        """The newest job of the same work, whose files go elsewhere; the queue is read once in a look."""
        if self._works is None:
            self._works = {}
            for job in self._all():
                with suppress(CommandError):
                    self._works.setdefault(work_of(job.order.document, "a job"), job)
        return self._works.get(work_of(document, source))

    def _all(self) -> Iterator[Job]:
        """All jobs that are no parts of others, the newest first."""
        before = 0
        while not self._is_over() and (page := self._engine.jobs(before=before)):
            yield from (job for job in page if not job.parent)
            before = page[-1].id


def keep_looking(
    watch: Watch, every_s: float, over: Event, made: Callable[[Submission], None], tell: Callable[[str], None]
) -> None:
    """Look until it is over.

    Args:
        watch: looks.
        every_s: between two looks.
        over: ends it.
        made: is told what was submitted.
        tell: is told, once, why a look could not be; the next one comes all the same.

    Raises:
        RecpipeError: a look could not be, and another will not be.
    """
    said = ""
    while not over.is_set():
        try:
            for each in watch.look():
                made(each)
            said = ""
        except RecpipeError as error:
            if not error.retryable:
                raise
            if str(error) != said:
                said = str(error)
                tell(said)
        over.wait(every_s)


def document_of(template: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The job of one source: it goes to a folder of its own below the template's place.

    >>> document_of({"source": "{source}", "targets": [{"place": "vod:"}]}, "calls:a/room7")["targets"]
    [{'place': 'vod:room7_e165cb0c'}]
    """
    known, last = identity(source)
    folder = folder_name(last, known)
    targets = [
        {**target, "place": place_for(target["place"], folder)} if "place" in target else target
        for target in template["targets"]
    ]
    return {**template, "source": source, "targets": targets}
