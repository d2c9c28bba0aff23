"""Which jobs fit on the machine at the same time, by what their plans say they take. Pure.

What is admitted together takes no more than there is. A job that is larger than the machine would never begin
by this rule, so it runs alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.worker.queue.jobs import Needs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

UNPLANNED = Needs(cores=1, memory=100_000_000)
"""Of a job until it has planned: it lists, and reads the ends of slices."""
ANYTHING = Needs(cores=1 << 31, memory=1 << 62, disk=1 << 62)
"""Room for whatever comes next, because nothing else runs."""
NOTHING = Needs(cores=0)


@dataclass(frozen=True, slots=True)
class Asking:
    """A job that has planned and waits to be let in.

    Attributes:
        id: of the job.
        rank: the smaller is let in first.
        needs: what it takes.
    """

    id: int
    rank: tuple[int, ...]
    needs: Needs


def at_least(needs: Needs) -> Needs:
    """What a job is taken to need: no less than any job does before it has planned."""
    return Needs(
        max(needs.cores, UNPLANNED.cores),
        max(needs.memory, UNPLANNED.memory),
        max(needs.disk, UNPLANNED.disk),
    )


def left(machine: Needs, taken: Iterable[Needs]) -> Needs:
    """What is left of a machine; nothing where more of any kind is taken than there is."""
    each = list(taken)
    cores = machine.cores - sum(needs.cores for needs in each)
    memory = machine.memory - sum(needs.memory for needs in each)
    disk = machine.disk - sum(needs.disk for needs in each)
    return NOTHING if min(cores, memory, disk) < 0 else Needs(cores, memory, disk)


def fits(needs: Needs, room: Needs) -> bool:
    """Whether it is enough in each respect."""
    return needs.cores <= room.cores and needs.memory <= room.memory and needs.disk <= room.disk


def room_for_next(machine: Needs, running: Sequence[Needs]) -> Needs | None:
    """What the next job that is claimed may need; None where none may come.

    Args:
        machine: what there is.
        running: what those take that are claimed.
    """
    if not running:
        return ANYTHING
    room = left(machine, map(at_least, running))
    return room if fits(UNPLANNED, room) else None


def let_in(machine: Needs, working: Sequence[Needs], asking: Iterable[Asking]) -> list[int]:
    """Which of those that ask may begin now, in their order: nobody overtakes one that does not fit yet.

    Args:
        machine: what there is.
        working: what those take that were let in before.
        asking: who waits.
    """
    taken, found = list(working), []
    for each in sorted(asking, key=lambda one: (one.rank, one.id)):
        needs = at_least(each.needs)
        if taken and not fits(needs, left(machine, taken)):
            break
        taken.append(needs)
        found.append(each.id)
    return found
