"""The poller: recordings in a store that have come to rest, and that no job was made for, are submitted once.

A callback may be lost, and on-premise recorders send none. What lies in the store is the truth; who announced
it first does not matter, because both make the same key.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pipeline.job.asked import identity
from pipeline.model.batch import apart, folder_name, inside, place_for
from pipeline.vendors.inventory import sort_objects
from pipeline.worker.jobs import ENDED, Order, State
from pipeline.worker.orders import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pipeline.vendors.inventory import Object
    from pipeline.vendors.volcengine import Task
    from pipeline.worker.engine import Engine
    from pipeline.worker.jobs import Job

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Found:
    """A recording, or several in one folder, as it lies in the store.

    Attributes:
        source: its address.
        newest_ms: UTC at which the last of its objects was written; 0 where nothing tells.
        count: of its objects.
        size: bytes of them all.
    """

    source: str
    newest_ms: int
    count: int
    size: int


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
    folders: dict[str, list[Object]] = defaultdict(list)
    for group in sort_objects(objects, task).groups:
        folders[group.prefix] += [*(named.item for named in group.items), *group.unnamed]
    parts = apart(folders.keys())
    if folders and not parts:
        parts, folders = ("",), {"": [item for each in folders.values() for item in each]}
    for prefix in parts:
        items = folders[prefix]
        yield Found(
            inside(source, f"{prefix}/") if prefix else source,
            max(item.modified_ms for item in items),
            len(items),
            sum(item.size for item in items),
        )


def verdict(found: Found, before: Found | None, job: Job | None, now_ms: int, settle_ms: int) -> Verdict:
    """What is to be done about a recording.

    Args:
        found: as it is now.
        before: as it was when it was looked at last; None where that was never.
        job: the newest one of it; None where there is none.
        now_ms: UTC.
        settle_ms: how long nothing may have come.
    """
    unsure = not found.newest_ms and before is None  # a store without times tells at the second look
    if unsure or now_ms - found.newest_ms < settle_ms or (before is not None and before != found):
        return Verdict.GROWING
    if job is None:
        return Verdict.NEW
    late = job.state in ENDED and job.state is not State.CANCELLED and found.newest_ms > job.started_ms
    return Verdict.CHANGED if late else Verdict.KNOWN


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
    ) -> None:
        self._engine = engine
        self._source = source
        self._template = template
        self._settle_ms = settle_ms
        self._listing = listing
        self._clock = clock
        self._task = task
        self._deadline_ms = deadline_ms
        self._seen: dict[str, Found] = {}

    def look(self) -> list[Submission]:
        """Submit what is there and nobody has.

        Raises:
            EngineBusyError: the queue cannot be reached.
            CommandError, InputError, StorageError: the source cannot be listed.
        """
        seen = {found.source: found for found in found_in(self._source, self._listing(), self._task)}
        before, self._seen = self._seen, seen
        made = (self._submitted(found, before.get(source)) for source, found in seen.items())
        return [each for each in made if each is not None]

    def _submitted(self, found: Found, before: Found | None) -> Submission | None:
        document = json.dumps(document_of(self._template, found.source))
        key, now = key_of(document, found.source), self._clock()
        (job,) = self._engine.jobs(key=key, most=1) or (None,)
        why = verdict(found, before, job, now, self._settle_ms)
        if why not in {Verdict.NEW, Verdict.CHANGED}:
            return None
        order = Order(key, document, deadline_ms=now + self._deadline_ms)
        submitted = self._engine.submit(order)
        return Submission(submitted.id, found.source, why) if submitted.new else None


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
