"""Jobs of a queue as documents for programs and as lines for people. Pure.

Documents name the receivers of a job nowhere: their addresses may hold tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report.words import columns, count, length, moment, size, visible
from pipeline.worker.queue.asked import asked_of
from pipeline.worker.queue.jobs import State
from pipeline.worker.queue.results import result_of, summary_of
from pipeline.worker.queue.schedule import due_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.worker.queue.jobs import Job, Note

_HEAD = ("job", "state", "tries", "progress", "submitted (UTC)", "recording", "sentence")
_FINE = 10
"""Parts of a thousand in one of a hundred."""


def job_document(job: Job) -> dict[str, Any]:
    """A job for a program; what there is not yet is null."""
    order, asked = job.order, asked_of(job.order.document)
    return {
        "id": job.id,
        "state": str(job.state),
        "key": order.key,
        "vendor": order.vendor,
        "source": asked.source,
        "place": asked.place,
        "kind": asked.kind,
        "parent": job.parent or None,
        "parts": job.parts,
        "priority": order.priority,
        "attempts": job.attempts,
        "worker": job.worker,
        "progress": job.progress if job.progress >= 0 else None,
        "submitted_ms": job.submitted_ms,
        "not_before_ms": order.not_before_ms or None,
        "due_ms": due_ms(job),
        "started_ms": job.started_ms or None,
        "ended_ms": job.ended_ms or None,
        "sentence": job.sentence,
        "exit_code": job.end.code if job.end else None,
        "summary": summary_of(job),
    }


def note_documents(notes: Sequence[Note]) -> list[dict[str, Any]]:
    """What was said, for a program."""
    return [{"at_ms": note.at_ms, "sentence": note.sentence} for note in notes]


def note_lines(notes: Sequence[Note]) -> Iterator[str]:
    """What was said, for people."""
    return (f"{moment(note.at_ms)}  {visible(note.sentence)}" for note in notes)


def job_rows(jobs: Sequence[Job]) -> Iterator[str]:
    """Jobs as a table."""
    yield from columns(
        [
            _HEAD,
            *(
                (
                    str(job.id),
                    str(job.state),
                    str(job.attempts),
                    progress(job),
                    moment(job.submitted_ms)[:19],
                    (f"part of {job.parent}: " if job.parent else "")
                    + visible(asked_of(job.order.document).source),
                    visible(job.sentence),
                )
                for job in jobs
            ),
        ],
        most=48,
    )


def progress(job: Job) -> str:
    """How far it is, of one that runs.

    >>> from pipeline.worker.queue.jobs import Job, Order, State
    >>> progress(Job(1, Order("a", "{}"), State.RUNNING, 1, 1, 0, progress=304))
    '30%'
    """
    return f"{job.progress // _FINE}%" if job.state is State.RUNNING and job.progress >= 0 else "-"


def took_ms(job: Job) -> int:
    """How long its last attempt took; 0 where it has not ended, or was never begun."""
    return max(0, job.ended_ms - job.started_ms) if job.ended_ms and job.started_ms else 0


def job_lines(job: Job, pieces: str = "") -> Iterator[str]:
    """A job for people; ``pieces`` tells how far its parts are."""
    order, asked, result = job.order, asked_of(job.order.document), result_of(job)
    yield f"job {job.id}: {job.state}" + (f", exit code {job.end.code}" if job.end else "")
    told = [
        ("recording", asked.source),
        ("goes to", asked.place),
        ("makes", asked.kind),
        ("part of", f"job {job.parent}" if job.parent else ""),
        ("parts", f"{job.parts}{': ' if pieces else ''}{pieces}" if job.parts else ""),
        ("vendor", order.vendor),
        ("key", order.key),
        ("priority", str(order.priority)),
        ("tries", str(job.attempts)),
        ("progress", progress(job)),
        ("submitted", moment(job.submitted_ms)),
        ("not before", moment(order.not_before_ms) if order.not_before_ms else ""),
        ("due", moment(due_ms(job))),
        ("begun", moment(job.started_ms) if job.started_ms else ""),
        ("ended", moment(job.ended_ms) if job.ended_ms else ""),
        ("took", length(took_ms(job)) if took_ms(job) else ""),
        ("worker", job.worker),
        ("made", f"{count(result.files, 'file')}, {size(result.size)}" if result.files else ""),
        ("sentence", job.sentence),
    ]
    yield from columns([(f"  {name}", visible(value)) for name, value in told if value])
