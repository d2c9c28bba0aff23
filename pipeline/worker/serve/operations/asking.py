"""What requests say besides their route: the parameters of a query, and a posted job. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.worker.queue.jobs import LAST_MS, MOST_NUMBER, MOST_SMALL, Order, State
from pipeline.worker.queue.schedule import deadline_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_PAGE, PAGE = 1000, 100
MOST_KEY = 200
"""Characters."""
_WHOLE = re.compile(r"-?[0-9]{1,19}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Listing:
    """Which jobs are asked for.

    Attributes:
        states: of these; of all where there is none.
        key: of this; of any where it is empty.
        most: how many.
        before: with a smaller number; 0 for any.
    """

    states: tuple[State, ...]
    key: str
    most: int
    before: int


def listing(query: Iterable[tuple[str, str]]) -> Listing:
    """The jobs that a query asks for: ``state`` (again and again), ``key``, ``most``, ``before``.

    Raises:
        CommandError: a parameter that is unknown, given twice, or of another form.
    """
    pairs = list(query)
    states = [value for name, value in pairs if name == "state"]
    if unknown := [state for state in states if state not in set(State)]:
        raise CommandError(f"state {unknown[0][:40]!r} is none: expected one of {', '.join(State)}.")
    found = _singles(
        [(name, value) for name, value in pairs if name != "state"], {"key", "most", "before"}, "state"
    )
    return Listing(
        tuple(State(state) for state in states),
        found.get("key", ""),
        _number(found, "most", PAGE, 1, MOST_PAGE),
        _number(found, "before", 0, 0, MOST_NUMBER),
    )


def posted(query: Iterable[tuple[str, str]], document: str, usual_key: str, now_ms: int) -> Order:
    """The order of a posted job.

    Args:
        query: ``key``, ``priority``, ``not_before_ms``, ``deadline_ms`` (UTC).
        document: the job, checked.
        usual_key: where the query gives none.
        now_ms: UTC.

    Raises:
        CommandError: as `listing`.
    """
    found = _singles(list(query), {"key", "priority", "not_before_ms", "deadline_ms"})
    key = found.get("key", usual_key)
    if not 0 < len(key) <= MOST_KEY:
        raise CommandError(f"key has {len(key)} characters: expected 1 to {MOST_KEY}.")
    if any(not char.isprintable() for char in key):
        raise CommandError("key has characters that nobody sees: expected some that can be printed.")
    not_before_ms = _number(found, "not_before_ms", 0, 0, LAST_MS)
    return Order(
        key,
        document,
        priority=_number(found, "priority", 0, -MOST_SMALL, MOST_SMALL),
        not_before_ms=not_before_ms,
        deadline_ms=deadline_of(_number(found, "deadline_ms", 0, 0, LAST_MS), not_before_ms, now_ms),
    )


def number_of(text: str) -> int | None:
    """The number of a job in a path; None for what is none."""
    return int(text) if re.fullmatch(r"[0-9]{1,19}", text, re.ASCII) else None


def _singles(pairs: list[tuple[str, str]], known: set[str], *others: str) -> Mapping[str, str]:
    names = [name for name, _ in pairs]
    for name in names:
        if name not in known:
            raise CommandError(
                f"the parameter {name[:40]!r} is not known: expected {', '.join(sorted({*known, *others}))}."
            )
        if names.count(name) > 1:
            raise CommandError(f"the parameter {name} is given twice: give it once.")
    return dict(pairs)


def _number(found: Mapping[str, str], name: str, usual: int, least: int, most: int) -> int:
    if name not in found:
        return usual
    text = found[name]
    number = int(text) if _WHOLE.fullmatch(text) else None
    if number is None or not least <= number <= most:
        raise CommandError(f"{name} is {text[:40]!r}: expected a whole number from {least} to {most}.")
    return number
