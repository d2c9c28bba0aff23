"""Make: all outputs of a plan, and those of users whose slices held something else than planned once more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from pipeline.model.ledger import by_severity
from pipeline.model.manifest import Manifest, Refusal
from pipeline.model.snapshots import SnapshotOptions
from pipeline.steps.arrange import arrange_plan
from pipeline.steps.render import render

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from pipeline.job.works import Work
    from pipeline.model.ledger import Entry
    from pipeline.model.plan import OutputPlan, Plan
    from pipeline.sources.protocol import Source
    from pipeline.steps.place import Limits, Shelf
    from pipeline.steps.render import Rendered


@dataclass(frozen=True, slots=True)
class Doing:
    """How the works of a source are done.

    Attributes:
        source: where the slices are.
        limits: of the work.
        notes: what belongs to no recording of the source.
        progress: told input bytes as they are read.
    """

    source: Source
    limits: Limits
    notes: Sequence[Entry] = ()
    progress: Callable[[int], None] = lambda _: None


def make(work: Work, plan: Plan, shelf: Shelf, doing: Doing) -> Manifest:
    """Make and verify the outputs of a recording on a shelf; the manifest that tells of them."""
    if isinstance(plan.options, SnapshotOptions):
        from pipeline.job.snap import snap  # with what merges do not need

        return snap(work, plan, plan.options, shelf, doing)
    source, limits = doing.source, doing.limits

    def advance(count: int) -> None:
        doing.progress(count)
        shelf.beat()

    def made(outputs: Sequence[OutputPlan]) -> list[_Output]:
        doable = [output for output in outputs if not output.refusal]
        shelf.take(doable)
        maker = shelf.maker(source, plan.options.verify)
        rendered = render(doable, maker, jobs=limits.jobs, progress=advance)
        return [_Output(o, r) for o, r in zip(doable, rendered, strict=True)]

    done = made(plan.outputs)
    surprised = {(m.plan.uid, m.plan.source) for m in done if m.rendered.surprise}
    if surprised:
        shelf.drop([m.plan.file for m in done if _who(m.plan) in surprised])
        whole = None if plan.options.mix else surprised  # whoever it was, the mix is made anew
        seen = arrange_plan(source, work.inventory, plan.options, whole)
        plan = _replanned(plan, seen, surprised)
        done = [m for m in done if _who(m.plan) not in surprised]
        done += made([output for output in plan.outputs if _who(output) in surprised])
    return _told(plan, work.wanted, done, doing.notes)


class _Output(NamedTuple):
    """An output and what came of it."""

    plan: OutputPlan
    rendered: Rendered


def _who(output: OutputPlan) -> tuple[str, str]:
    return output.uid, output.source


def _replanned(plan: Plan, seen: Plan, surprised: Collection[tuple[str, str]]) -> Plan:
    """The plan with the outputs of some users as they are planned once all of their slices was seen."""
    others = [output for output in plan.outputs if _who(output) not in surprised]
    anew = [output for output in seen.outputs if _who(output) in surprised]
    return replace(seen, outputs=tuple(sorted((*others, *anew), key=lambda o: (*_who(o), o.zero))))


def _told(
    plan: Plan,
    wanted: Manifest,
    done: Sequence[_Output],
    notes: Sequence[Entry],
) -> Manifest:
    refused = [Refusal(o.uid, o.source, o.refusal) for o in plan.outputs if o.refusal]
    refused += [Refusal(*_who(m.plan), m.rendered.surprise) for m in done if m.rendered.surprise]
    in_order = sorted(done, key=lambda m: (*_who(m.plan), m.plan.zero))
    ledger = (*notes, *plan.ledger, *(entry for m in in_order for entry in m.rendered.entries))
    return replace(
        wanted,
        outputs=tuple(m.rendered.output for m in in_order if m.rendered.output is not None),
        refused=tuple(refused),
        ledger=tuple(sorted(ledger, key=by_severity)),
    )
