"""Look: what a source holds and what merge would make of it; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.model.options import Options
from pipeline.model.plan import plan
from pipeline.model.timeline import arrange
from pipeline.steps.arrange import arrange_plan, look, with_reading
from pipeline.steps.find import find

if TYPE_CHECKING:
    from pipeline.layout.scene import Seat
    from pipeline.model.inspection import Inspection
    from pipeline.model.options import Moment
    from pipeline.model.plan import Plan
    from pipeline.sources.protocol import Source
    from pipeline.steps.find import Found
    from pipeline.vendors.inventory import Inventory


@dataclass(frozen=True, slots=True)
class Planned:
    """A recording's plan and its inventory."""

    plan: Plan
    inventory: Inventory


def plan_all(source: Source, options: Options, *, deep: bool = False) -> tuple[Found, tuple[Planned, ...]]:
    """Find the recordings of a folder and plan each, by the ends of its slices or by all that is in them."""
    found = find(source)
    users, few = (None if deep else ()), source.far and not deep
    arranged = (arrange_plan(source, i, options, users, few=few) for i in found.inventories)
    plans = (with_reading(plan, source) for plan in arranged)
    return found, tuple(map(Planned, plans, found.inventories))


def seats_at(source: Source, moment: Moment) -> tuple[Seat, ...]:
    """Who is there at a moment of the one recording of a source that holds it.

    Raises:
        CommandError: no recording holds it, or several do.
    """
    from pipeline.layout import present  # no other command needs it

    found = []
    for inventory in find(source).inventories:
        recording = look(source, inventory, again=False)
        times = [time for user in recording.users if (time := arrange(user)) is not None]
        if not times:
            continue
        start, end = min(time.start for time in times), max(time.end for time in times)
        if start <= moment.utc(start) < end:
            found.append(present.seats_at(times, moment.utc(start)))
    if len(found) != 1:
        how = "none of its recordings holds" if not found else f"{len(found)} of its recordings hold"
        raise CommandError(f"{source.name}: {how} that moment: give one of one recording.")
    return found[0]


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
