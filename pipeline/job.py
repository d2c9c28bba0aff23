"""The table of contents: in what order the steps make the files of a source."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from pipeline import __version__
from pipeline.errors import ExitCode, NoSpaceError, OutputError
from pipeline.model.ledger import Entry, Sort
from pipeline.model.manifest import Manifest, Origin, Refusal
from pipeline.model.options import Options
from pipeline.model.outputs import cut, safe
from pipeline.model.plan import plan
from pipeline.model.timeline import arrange
from pipeline.steps import publish as publishing
from pipeline.steps.arrange import arrange_plan, look, with_reading
from pipeline.steps.find import find
from pipeline.steps.render import render

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from pipeline.model.inspection import Inspection
    from pipeline.model.plan import OutputPlan, Plan
    from pipeline.sources.protocol import Source
    from pipeline.steps.deliver import Target
    from pipeline.steps.find import Found
    from pipeline.steps.render import Rendered
    from pipeline.vendors.inventory import Inventory


@dataclass(frozen=True, slots=True)
class Limits:
    """What decides how the work is done and never what comes out.

    Attributes:
        jobs: how many users at once.
        overwrite: replace files that are in the way.
    """

    jobs: int = 1
    overwrite: bool = False


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
    place: Path | Target

    def kept(self) -> Manifest | None:
        """What an earlier run of the same work left, if all of it is there."""
        if isinstance(self.place, Path):
            return publishing.kept(self.place, self.wanted)
        from pipeline.steps.deliver import delivered

        return delivered(self.place, self.wanted)

    @property
    def name(self) -> str:
        """Of its place."""
        return str(self.place) if isinstance(self.place, Path) else self.place.name


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
    kept = {work.name: old for work in works if (old := work.kept())}
    plans = {w.name: arrange_plan(source, w.inventory, options) for w in works if w.name not in kept}
    begin(sum(output.reads for plan in plans.values() for output in plan.outputs))
    return tuple(
        Done(work.name, kept[work.name], already=True)
        if work.name in kept
        else _made(work, plans[work.name], source, limits, notes=found.notes, progress=progress)
        for work in works
    )


def _made(
    work: _Work,
    plan: Plan,
    source: Source,
    limits: Limits,
    *,
    notes: Sequence[Entry],
    progress: Callable[[int], None],
) -> Done:
    """A recording merged into a folder, or into a temporary one and from there into a store."""
    place = work.place
    if isinstance(place, Path):
        return _merge(work, place, plan, source, limits, notes=notes, progress=progress)
    from pipeline.steps.deliver import deliver, refuse_taken

    files = [o.file for o in plan.outputs if not o.refusal]
    refuse_taken(place, files, work.wanted, overwrite=limits.overwrite)
    with TemporaryDirectory(prefix="recpipe-") as scratch:
        made = _merge(work, Path(scratch), plan, source, limits, notes=notes, progress=progress)
        # After a surprise there may be others than were planned.
        files = [o.file for o in made.manifest.outputs if o.verdict.good]
        refuse_taken(place, files, work.wanted, overwrite=limits.overwrite)
        return Done(place.name, deliver(Path(scratch), place, made.manifest), already=False)


def _merge(
    work: _Work,
    place: Path,
    plan: Plan,
    source: Source,
    limits: Limits,
    *,
    notes: Sequence[Entry],
    progress: Callable[[int], None],
) -> Done:
    publishing.prepare(place)
    publishing.forget(place)
    files: list[str] = []

    def made(outputs: Sequence[OutputPlan]) -> list[_Output]:
        doable = [output for output in outputs if not output.refusal]
        names = [output.file for output in doable]
        publishing.refuse_foreign(place, names, overwrite=limits.overwrite)
        _check_space(place, doable, limits.jobs)
        files.extend(names)
        rendered = render(doable, source, place, plan.options.verify, jobs=limits.jobs, progress=progress)
        return [_Output(o, r) for o, r in zip(doable, rendered, strict=True)]

    try:
        done = made(plan.outputs)
        surprised = {(m.plan.uid, m.plan.source) for m in done if m.rendered.surprise}
        if surprised:
            publishing.abandon(place, [m.plan.file for m in done if _who(m.plan) in surprised])
            whole = None if plan.options.mix else surprised  # whoever it was, the mix is made anew
            seen = arrange_plan(source, work.inventory, plan.options, whole)
            plan = _replanned(plan, seen, surprised)
            done = [m for m in done if _who(m.plan) not in surprised]
            done += made([output for output in plan.outputs if _who(output) in surprised])
        manifest = _told(plan, work.wanted, done, notes)
        publishing.publish(place, manifest)
    except BaseException:
        publishing.abandon(place, files)
        raise
    return Done(str(place), manifest, already=False)


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


def _place(dest: Path | Target, inventory: Inventory, found: Found) -> Path | Target:
    """The outputs' place: DEST itself, or one folder each when there are several recordings."""
    if len(found.inventories) == 1:
        return dest
    title = inventory.recording.title
    folder = cut(safe(title), title)
    return dest / folder if isinstance(dest, Path) else dest.below(folder)


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


def _check_space(place: Path, outputs: Sequence[OutputPlan], jobs: int) -> None:
    at_once = sorted((output.scratch for output in outputs), reverse=True)[:jobs]
    needed = sum(output.estimate.size for output in outputs) + sum(at_once)
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise OutputError(f"{place} cannot be asked for its free space ({error.strerror}).") from error
    if free < needed:
        raise NoSpaceError(
            f"{place} has {free // 1_000_000} MB free and the outputs need about {needed // 1_000_000} MB: "
            "free some space, or choose another place with -o (for a store: with TMPDIR)."
        )


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
