"""What pydantic finds wrong with a document, as sentence parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import ValidationError

MOST_FAULTS = 50
KINDS = frozenset({"Place", "Vod", "ImageMarkDocument", "TextMarkDocument", "ClockMarkDocument"})
"""Names that pydantic puts into paths where a field may be one of several things."""


def faults_of(error: ValidationError) -> list[str]:
    """What is wrong with a document, each fault with the path of its field."""
    found: dict[str, str] = {}
    for fault in error.errors(include_input=False, include_url=False):
        where = ".".join(_path(fault["loc"]))
        if fault["type"] == "too_short" and any(path.startswith(f"{where}.") for path in found):
            continue  # its items are there, and wrong
        what = fault["msg"].removesuffix(".").removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            what = "is not known"
        elif fault["type"] == "missing":
            what = "is missing"
        else:
            what = f"{what[0].lower()}{what[1:]}"
        found.setdefault(where, f"{where}: {what}" if where else what)
    return list(found.values())[:MOST_FAULTS]


def _path(place: Sequence[str | int]) -> Iterator[str]:
    """The path of a field; which of the kinds of a target or of outputs was tried is no part of it."""
    for number, part in enumerate(place):
        if part not in KINDS and (number, place[0]) != (1, "outputs"):
            yield str(part)
