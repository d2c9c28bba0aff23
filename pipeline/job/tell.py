"""Tell: every receiver of a job is told, and only then an error of one counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import RecpipeError
from pipeline.model.job_key import job_key
from pipeline.model.summary import failed, summary_of
from pipeline.notify.event import Event
from pipeline.notify.sending import send

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.job.edges import Edges
    from pipeline.job.spec import Job
    from pipeline.job.works import Work
    from pipeline.model.manifest import Manifest


def tell_done(job: Job, edges: Edges, manifest: Manifest, place: str, check: Callable[[], None]) -> None:
    """Tell what came out. Raises the first error of a receiver when all were told, or that of the check.

    Args:
        job: what was wanted.
        edges: the world.
        manifest: what came out.
        place: where.
        check: asked before each whether the job is still ours.
    """
    errors = _told(job, edges, Event.of(manifest.job, summary_of(manifest, place=place)), check)
    if errors:
        raise errors[0]


def tell_failed(job: Job, edges: Edges, error: RecpipeError, work: Work | None = None) -> None:
    """Tell what went wrong with a recording, or before any was known; errors of receivers are only said.

    Nobody is told what another attempt may mend.
    """
    if error.retryable and not edges.last:
        return
    if work is None:
        key, recording, place = job_key("", job.source, "", job.options.as_text()), None, job.place
    else:
        key, recording, place = work.wanted.job, work.wanted.recording, work.place.name
    _told(job, edges, Event.of(key, failed(error, recording=recording, place=place)))


def _told(
    job: Job, edges: Edges, event: Event, check: Callable[[], None] = lambda: None
) -> list[RecpipeError]:
    errors = []
    for webhook in job.webhooks:
        check()
        try:
            send(webhook, event, now_ms=edges.clock, environ=edges.environ)
        except RecpipeError as error:
            errors.append(error)
            edges.tell(str(error))
    return errors
