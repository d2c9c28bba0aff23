"""Plans as lines and as a document."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.model import ticks
from pipeline.model.estimate import Estimate
from pipeline.model.ledger import Sort
from pipeline.report.ledgers import entry_lines
from pipeline.report.words import count, indented, length, size, visible, whose

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.errors import ExitCode
    from pipeline.model.plan import OutputPlan, Plan

VERSION = 1


def whole(plans: Sequence[Plan], jobs: int) -> Estimate:
    """What making all files takes when ``jobs`` of them are made at once, recordings one after another."""
    seconds, size_of_all, memory = 0.0, 0, 0
    for plan in plans:
        each = [output.estimate for output in plan.outputs if not output.refusal]
        longest = max((e.seconds for e in each), default=0.0)
        seconds += max(longest, sum(e.seconds for e in each) / jobs)
        size_of_all += sum(e.size for e in each)
        memory = max(memory, sum(sorted((e.memory for e in each), reverse=True)[:jobs]))
    return Estimate(round(seconds, 1), size_of_all, memory)


def plan_document(plans: Sequence[Plan], estimate: Estimate, code: ExitCode) -> dict[str, Any]:
    """What ``plan --json`` prints.

    Args:
        plans: one for each recording.
        estimate: over all of them.
        code: what ``merge`` would return.
    """
    return {
        "version": VERSION,
        "recordings": [_plan(plan) for plan in plans],
        "estimate": asdict(estimate),
        "exit_code": int(code),
    }


def _plan(plan: Plan) -> dict[str, Any]:
    recording = plan.recording
    return {
        "vendor": recording.vendor,
        "prefix": recording.prefix,
        "name": recording.name,
        "options": plan.options.as_text(),
        "outputs": [_output(output) for output in plan.outputs],
        "ledger": [asdict(entry) for entry in plan.ledger],
    }


def _output(output: OutputPlan) -> dict[str, Any]:
    return {
        "file": output.file,
        "uid": output.uid,
        "source": output.source,
        "utc_zero_ms": ticks.to_ms(output.zero),
        "duration_ms": ticks.to_ms(output.duration),
        "map": [
            {
                "utc_ms": ticks.to_ms(p.start),
                "at_ms": ticks.to_ms(p.at),
                "length_ms": ticks.to_ms(p.end - p.start),
            }
            for p in output.pieces
        ],
        "tracks": [
            {"medium": str(t.medium), "codec": str(t.form), "uncertainty_ms": t.uncertainty_ms}
            for t in output.tracks
        ],
        "shared_clock": output.shared_clock,
        "decisions": [asdict(decision) for decision in output.decisions],
        "estimate": asdict(output.estimate),
        "temporary": output.temporary,
        "refusal": output.refusal,
    }


def plan_lines(plans: Sequence[Plan], estimate: Estimate) -> Iterator[str]:
    """What ``plan`` prints: for each file what is done and why, what is lost already, what it takes."""
    for plan in plans:
        yield f"{visible(plan.recording.title)}"
        for output in plan.outputs:
            yield from indented(_decided(output))
        losses = list(entry_lines(plan.ledger, Sort.LOSS))
        if losses:
            yield "Lost already:"
            yield from indented(losses)
        notes = list(entry_lines(plan.ledger, Sort.NOTE)) if any(o.composed for o in plan.outputs) else []
        if notes:
            yield "Notes:"
            yield from indented(notes)
        yield ""
    files = sum(not output.refusal for plan in plans for output in plan.outputs)
    yield (
        f"{count(files, 'file')}: about {estimate.seconds:.1f} s, {size(estimate.size)} on the disk,"
        f" {size(estimate.memory)} of memory"
    )


def _decided(output: OutputPlan) -> Iterator[str]:
    who = whose(output.uid) + (
        f" ({visible(output.source)})" if output.source not in {"camera", output.uid} else ""
    )
    if output.refusal:
        yield f"{who}: refused: {visible(output.refusal)}"
        return
    yield (
        f"{who} -> {visible(output.file)}  {length(ticks.to_ms(output.duration))}"
        f"  {size(output.estimate.size)}  from {ticks.iso(output.zero)}"
    )
    if output.temporary:
        yield f"  into a store: through a temporary file of about {size(output.temporary)}"
    for decision in output.decisions:
        yield f"  {visible(decision.what)}: {visible(decision.why)}"
