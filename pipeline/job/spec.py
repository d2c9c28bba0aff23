"""A job: everything that `recpipe run` is asked for, as a value that is valid once it exists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.job.shares import Spread
from pipeline.model.completeness import OF_JOBS, Settling
from pipeline.model.options import Options
from pipeline.storage.protocol import PLAIN, Extras

if TYPE_CHECKING:
    from pipeline.notify.webhook import Webhook
    from pipeline.vendors.volcengine import Task


@dataclass(frozen=True, slots=True)
class JobLimits:
    """What decides how the work is done.

    Attributes:
        jobs: users at once; None for as many as there are processors.
        settling: how long a recording is waited for that is not complete.
        accept_loss: losses are no reason for exit code 1.
        overwrite: files in the way are replaced that no earlier run of this job has made.
        spread: which composites are made by several jobs of a queue.
    """

    jobs: int | None = None
    settling: Settling = OF_JOBS
    accept_loss: bool = False
    overwrite: bool = False
    spread: Spread = field(default_factory=Spread)


@dataclass(frozen=True, slots=True)
class Job:
    """A whole job.

    Attributes:
        source: where the recording lies, as a command's SOURCE.
        place: where the files and the manifest go, as a command's DEST.
        options: what comes out.
        task: what is known of a Volcengine task.
        extras: that go with the files, where the place is a store.
        vod: names of the VOD services that get the files too, as ``recpipe.toml`` has them.
        webhooks: who is told.
        delete_source: the slices are removed once the files are known to be good where they are.
        limits: how it is done.
    """

    source: str
    place: str
    options: Options = field(default_factory=Options)
    task: Task | None = None
    extras: Extras = PLAIN
    vod: tuple[str, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    delete_source: bool = False
    limits: JobLimits = field(default_factory=JobLimits)
