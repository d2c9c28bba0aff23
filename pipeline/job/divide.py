"""Divide: the pieces of a composite in shares, each enough work for a job. Pure; it follows from the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.layout.composite import CompositePlan
from pipeline.model import ticks
from pipeline.steps.compose import SOUND, name_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipeline.model.plan import Plan

LEAST_MS, MOST_MS = 120_000, 300_000
"""Of pictures in a share: beside the shortest one the start of a process and its plan, a second or two, is
little; the longest is what is done twice where a worker is lost."""
AIM = 8
"""Shares of a composite whose length lies between: a worker that comes later still finds some."""


def composites(plan: Plan) -> list[CompositePlan]:
    """The composites with pictures of a plan, but those that it refuses."""
    return [
        output
        for output in plan.outputs
        if isinstance(output, CompositePlan) and output.pictures and not output.refusal
    ]


def divided(film: CompositePlan, names: Collection[str]) -> list[tuple[str, ...]]:
    """Pieces in shares: the sound alone and first, then pictures of about the same time, in order.

    Args:
        film: the composite.
        names: of those of its pieces that are wanted.
    """
    length = min(max(ticks.to_ms(film.duration) // AIM, LEAST_MS), MOST_MS)
    shares: list[list[str]] = [[SOUND]] if SOUND in names else []
    taken = length  # the first piece begins a share
    for chunk in film.chunks:
        if name_of(chunk) not in names:
            continue
        lasts = ticks.to_ms(film.at(chunk.end) - film.at(chunk.first))
        if taken + lasts > length:
            shares.append([])
            taken = 0
        shares[-1].append(name_of(chunk))
        taken += lasts
    return [tuple(share) for share in shares]
