"""Ledger entries as lines: each with its time, whose it is, and its sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model.ledger import Sort
from pipeline.report.words import between, columns, count, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.model.ledger import Entry

MOST_LINES = 200
"""Entries of one sort that are written out; the rest are in the JSON and the manifest."""
_PLURALS = {
    Sort.LOSS: ("loss", "losses"),
    Sort.REPAIR: ("repair", "repairs"),
    Sort.ABSENCE: ("absence", "absences"),
    Sort.NOTE: ("note", "notes"),
}


def entry_lines(entries: Sequence[Entry], sort: Sort) -> Iterator[str]:
    """The entries of one sort, a line each."""
    chosen = [entry for entry in entries if entry.sort == sort]
    yield from columns(
        [
            (
                str(entry.sort),
                between(entry.start_ms, entry.end_ms),
                visible(" ".join(part for part in (entry.uid, entry.track) if part)),
                visible(_sentence(entry)),
            )
            for entry in chosen[:MOST_LINES]
        ],
        most=32,
    )
    if len(chosen) > MOST_LINES:
        yield f"and {count(len(chosen) - MOST_LINES, *_PLURALS[sort])} more"


def _sentence(entry: Entry) -> str:
    """What happened, to what."""
    return entry.what if entry.key in entry.what else f"{entry.what}: {entry.key}"


def tally(entries: Sequence[Entry]) -> str:
    """How many entries of each sort: ``1 loss, 2 absences``."""
    numbers = [(sum(entry.sort == sort for entry in entries), sort) for sort in _PLURALS]
    return ", ".join(count(number, *_PLURALS[sort]) for number, sort in numbers if number) or "empty"
