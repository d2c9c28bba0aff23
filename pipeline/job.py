"""The table of contents: in what order the steps make the files of a source."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline import __version__
from pipeline.errors import ExitCode
from pipeline.model.ledger import Entry, Sort
from pipeline.model.manifest import Manifest, Origin, Refusal
from pipeline.model.options import Options
from pipeline.model.outputs import cut, safe
from pipeline.model.plan import plan
from pipeline.model.timeline import arrange
from pipeline.steps.arrange import arrange_plan, look, with_reading
from pipeline.steps.find import find
from pipeline.steps.publish import FolderPlace
from pipeline.steps.render import render

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from pipeline.model.inspection import Inspection
    from pipeline.model.plan import OutputPlan, Plan
    from pipeline.sources.protocol import Source
    from pipeline.steps.deliver import Target
    from pipeline.steps.find import Found
    from pipeline.steps.place import Limits, Place
    from pipeline.steps.render import Rendered
    from pipeline.vendors.inventory import Inventory


@dataclass(frozen=True, slots=True)
class Planned:
    """A recording's plan and its inventory."""

    plan: Plan
    inventory: Inventory


@dataclass(frozen=True, slots=True)
class Done:
    """What merge did with one recording.

    Attributes:
        place: the folder of its outputs, or the name of the store's prefix.
        already: everything was there from an earlier run.
    """

    place: str
    manifest: Manifest
    already: bool

    def exit_code(self, *, accept_loss: bool) -> ExitCode:
        """What it means for the command."""
        if any(not output.verdict.good for output in self.manifest.outputs):
            return ExitCode.VERIFICATION
        if self.manifest.refused:
            return ExitCode.USAGE
        return ExitCode.LOSSES if self.manifest.losses and not accept_loss else ExitCode.GOOD


def plan_all(source: Source, options: Options, *, deep: bool = False) -> tuple[Found, tuple[Planned, ...]]:
    """Find the recordings of a folder and plan each, by the ends of its slices or by all that is in them."""
    found = find(source)
    users, few = (None if deep else ()), source.far and not deep
    arranged = (arrange_plan(source, i, options, users, few=few) for i in found.inventories)
    plans = (with_reading(plan, source) for plan in arranged)
    return found, tuple(map(Planned, plans, found.inventories))


@dataclass(frozen=True, slots=True)
class _Work:
    """One recording to merge: where to, and a manifest that says what was asked for."""

    inventory: Inventory
    wanted: Manifest
    place: Place


def merge_all(
    source: Source,
    dest: Path | Target,
    options: Options,
    limits: Limits,
    *,
    begin: Callable[[int], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Done, ...]:
    """Find, arrange, render, verify and publish every recording of a source.

    Args:
        source: where the slices are.
        dest: where the outputs go; a folder each below it when there are several recordings. What goes
            into a store is made in a temporary folder.
        options: what comes out.
        limits: how the work is done.
        begin: told how many input bytes will be read, before the first is.
        progress: told bytes as they are read.
    """
    found = find(source)
    works = [_Work(i, _wanted(i, options), _place(dest, i, found)) for i in found.inventories]
    kept = {work.place.name: old for work in works if (old := work.place.kept(work.wanted))}
    source.shared(min(limits.jobs, max(len(w.inventory.recording.users) for w in works)))
    plans = {
        w.place.name: arrange_plan(source, w.inventory, options) for w in works if w.place.name not in kept
    }
    begin(sum(output.reads for plan in plans.values() for output in plan.outputs))
    return tuple(
        Done(work.place.name, kept[work.place.name], already=True)
        if work.place.name in kept
        else _merge(work, plans[work.place.name], source, limits, notes=found.notes, progress=progress)
        for work in works
    )


def _merge(
    work: _Work,
    plan: Plan,
    source: Source,
    limits: Limits,
    *,
    notes: Sequence[Entry],
    progress: Callable[[int], None],
) -> Done:
    with work.place.hold(work.wanted, limits) as shelf:

        def advance(count: int) -> None:
            progress(count)
            shelf.beat()

        def made(outputs: Sequence[OutputPlan]) -> list[_Output]:
            doable = [output for output in outputs if not output.refusal]
            shelf.take(doable)
            make = shelf.maker(source, plan.options.verify)
            rendered = render(doable, make, jobs=limits.jobs, progress=advance)
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
        manifest = shelf.finish(_told(plan, work.wanted, done, notes))
    return Done(work.place.name, manifest, already=False)


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


def _wanted(inventory: Inventory, options: Options) -> Manifest:
    """A manifest that says which work this is, and nothing yet of what came out."""
    recording = inventory.recording
    origin = Origin(recording.vendor, recording.prefix, recording.name, inventory.inputs_sha256)
    return Manifest(origin, options.as_text(), (), (), (), f"recpipe {__version__}")


def _place(dest: Path | Target, inventory: Inventory, found: Found) -> Place:
    """The outputs' place: DEST itself, or one folder each when there are several recordings."""
    place: Place = FolderPlace(dest) if isinstance(dest, Path) else dest
    if len(found.inventories) == 1:
        return place
    title = inventory.recording.title
    return place.below(cut(safe(title), title))


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
        ledger=tuple(sorted(ledger, key=_order)),
    )


def _order(entry: Entry) -> tuple[int, int, str, str, str]:
    rank = {Sort.LOSS: 0, Sort.REPAIR: 1, Sort.ABSENCE: 2, Sort.NOTE: 3}[entry.sort]
    return (rank, entry.start_ms or 0, entry.uid, entry.key, entry.what)


def inspect_all(source: Source) -> Inspection:
    """Find the recordings of a source and tell what each holds; what cannot be read is told, not raised."""
    from pipeline.model.inspection import Inspection, seen  # no other command needs it

    found = find(source)
    recordings = []
    for inventory in found.inventories:
        recording = look(source, inventory, again=False)
        times = [time for user in recording.users if (time := arrange(user)) is not None]
        ledger = plan(recording, times, Options(), notes=inventory.notes).ledger
        recordings.append(seen(recording, times, ledger))
    return Inspection(tuple(recordings), found.notes)
