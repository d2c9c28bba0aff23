"""What a job has done, as the outcome of an attempt and its summary document; what its plan takes. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipeline.errors import ExitCode, RecpipeError, WorkerKilledError
from pipeline.model.summary import Summary, failed, summary_of
from pipeline.report.words import count, length
from pipeline.worker.queue.jobs import Needs
from pipeline.worker.shift.retry import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.job.run import Ran
    from pipeline.model.plan import Plan

VERSION = 1


def outcome_of(ran: Sequence[Ran], *, accept_loss: bool) -> Outcome:
    """The outcome of a job that came to its end.

    Args:
        ran: one for each recording, at least one.
        accept_loss: as the job's limits say.
    """
    summaries = [_summary(each) for each in ran]
    codes = [each.done.exit_code(accept_loss=accept_loss) for each in ran if each.done]
    code = max([*codes, *(each.error.exit_code for each in ran if each.error)])
    sentences = [summary.failure.sentence for summary in summaries if summary.failure]
    if not sentences and code not in {ExitCode.GOOD, ExitCode.LOSSES}:
        sentences = ["an output failed its verification: the manifest names it."]
    return Outcome(
        code=int(code),
        sentence=_first(sentences) or _lost(summaries),
        retryable=any(each.error is not None and each.error.retryable for each in ran),
        died=any(isinstance(each.error, WorkerKilledError) for each in ran),
        summary=_document(summaries, code),
    )


def outcome_of_error(error: RecpipeError, place: str) -> Outcome:
    """The outcome of a job that ended before its recordings were known."""
    summary = failed(error, recording=None, place=place)
    return Outcome(
        int(error.exit_code), str(error), error.retryable, summary=_document([summary], error.exit_code)
    )


def _summary(ran: Ran) -> Summary:
    if ran.done is not None:
        return summary_of(ran.done.manifest, place=ran.place)
    return failed(ran.error or RecpipeError("nothing came out."), recording=None, place=ran.place)


def _first(sentences: Sequence[str]) -> str:
    more = f" (and {len(sentences) - 1} more)" if len(sentences) > 1 else ""
    return f"{sentences[0]}{more}" if sentences else ""


def _lost(summaries: Sequence[Summary]) -> str:
    """What was lost, the kind that took the most first; "" for nothing."""
    kinds = sorted(
        (kind for summary in summaries for kind in summary.losses), key=lambda kind: (-kind.ms, -kind.count)
    )
    if not kinds:
        return ""
    number, ms = sum(kind.count for kind in kinds), sum(summary.lost_ms for summary in summaries)
    media = f", {length(ms)} of media" if ms else ""
    return f"{count(number, 'loss', 'losses')}{media}: {_first([kind.what for kind in kinds])}."


def _document(summaries: Sequence[Summary], code: ExitCode) -> str:
    recordings = [asdict(summary) for summary in summaries]
    return json.dumps({"version": VERSION, "exit_code": int(code), "recordings": recordings})


def needs_of(plan: Plan, jobs: int) -> Needs:
    """What making the outputs of a plan takes.

    Args:
        plan: of one recording.
        jobs: how many outputs, or pieces of a composite, are made at once.
    """
    outputs = [output for output in plan.outputs if not output.refusal]
    memories = sorted(
        (m for o in outputs for m in [o.estimate.memory] * (jobs if o.composed else 1)), reverse=True
    )
    processes = len(memories) * 2  # an output that is made alone copies its sound aside
    return Needs(
        cores=max(1, min(jobs, processes)),
        memory=sum(memories[:jobs]),
        disk=sum(output.estimate.size + output.scratch for output in outputs),
    )
