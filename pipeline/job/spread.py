"""Spread: a long composite of a queue's job is made in shares, each a job of its own, and joined by this one.

The job that was claimed asks for shares and waits. When all have ended it is claimed once more, finds the
pieces in its place, makes what was lost of them, and joins them as if it had made all of them itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import (
    CommandError,
    ExitCode,
    InputError,
    NoRecordingError,
    NoSpaceError,
    OutputError,
    RecpipeError,
    WorkerKilledError,
)
from pipeline.job.divide import composites, divided
from pipeline.job.shares import Parting, Share, of_work
from pipeline.model import ticks
from pipeline.steps.compose import names_of
from pipeline.steps.pieces import identity_of
from pipeline.steps.publish import FolderPlace
from pipeline.steps.render import pieces_of
from pipeline.steps.stock import forget_old, stock_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.job.shares import Dead, Known, Spread
    from pipeline.job.works import Work
    from pipeline.layout.composite import CompositePlan
    from pipeline.model.plan import Plan
    from pipeline.steps.place import Shelf
    from pipeline.steps.stock import Stock

_ERRORS: dict[ExitCode, type[RecpipeError]] = {
    ExitCode.USAGE: CommandError,
    ExitCode.NO_RECORDING: NoRecordingError,
    ExitCode.INPUT: InputError,
    ExitCode.OUTPUT: OutputError,
    ExitCode.NO_SPACE: NoSpaceError,
    ExitCode.TERMINATED: WorkerKilledError,
}
"""What a job raises whose share could not be made, by the exit code of that one."""


def error_of(dead: Dead) -> RecpipeError:
    """The error of a job one of whose shares cannot be made: what that one said."""
    return _ERRORS.get(dead.code, RecpipeError)(dead.sentence)


def spread(
    work: Work, plan: Plan, shelf: Shelf, known: Known, rule: Spread, *, now_ms: int
) -> Callable[[Callable[[], object]], None]:
    """Have the composites of a plan made in shares, or what came of that put where they are joined.

    Args:
        work: whose recording it is.
        plan: of it.
        shelf: where the composites will be made.
        known: of the shares that were asked for.
        rule: which composites are spread.
        now_ms: UTC.

    Returns:
        Puts the pieces where they are joined; calls now and then what it is given.

    Raises:
        Parting: shares are to be made first.
    """
    films = [film for film in composites(plan) if _is_spread(film, work, known, rule)]
    if not films:
        return lambda _: None
    shelf.take([output for output in plan.outputs if not output.refusal])  # before others work for nothing
    job, stock = work.wanted.job, stock_of(work.place, work.wanted.job)
    identities = {film.file: identity_of(film) for film in films}
    shares = tuple(share for film in films for share in _open(film, identities[film.file], job, known, stock))
    if shares:
        forget_old(work.place, job, now_ms)
        for identity in identities.values():
            stock.begin(identity)
        old = {share.identity for share in known.made if share.work == job}
        raise Parting(shares, counts=bool(old))

    def fetch(moved: Callable[[], object]) -> None:
        for film in films:
            _fetch(film, identities[film.file], shelf, stock, moved)

    return fetch


def _is_spread(film: CompositePlan, work: Work, known: Known, rule: Spread) -> bool:
    far = not isinstance(work.place, FolderPlace)
    may = rule.asked or known.reached or far
    return may and rule.from_ms is not None and ticks.to_ms(film.duration) >= rule.from_ms


def _open(film: CompositePlan, identity: str, job: str, known: Known, stock: Stock) -> list[Share]:
    """Shares of what is neither there nor was made once: what was lost since is made where it is joined."""
    there = stock.finished(identity) | of_work(known.made, job, identity)
    missing = [name for name in names_of(film) if name not in there]
    return [Share(job, film.file, identity, names) for names in divided(film, missing)]


def _fetch(
    film: CompositePlan, identity: str, shelf: Shelf, stock: Stock, moved: Callable[[], object]
) -> None:
    folder = pieces_of(shelf.film(film.file))
    folder.mkdir(exist_ok=True)
    for name in names_of(film):
        stock.fetch(identity, name, folder)
        moved()
        shelf.beat()
