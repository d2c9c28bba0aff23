"""The ledger: what was missing, bad, dropped or filled, when (UTC), and what was done about it.

*Loss* is media that was recorded and cannot be delivered. *Absence* (mute, leave, camera off), duplicates,
cut overlaps, repairs and unknown names are written down and are no loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Sort(StrEnum):
    """How an entry counts."""

    LOSS = "loss"
    ABSENCE = "absence"
    REPAIR = "repair"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One line of the ledger.

    Attributes:
        sort: loss, absence, repair or note.
        what: one sentence that names the object and says what was done.
        uid: the user it concerns; empty for the recording.
        track: ``audio``, ``video`` or empty.
        start_ms: UTC of its beginning; None where it has no time.
        end_ms: UTC of its end; None where it has none.
        key: the object it concerns; empty where there is none.
    """

    sort: Sort
    what: str
    uid: str = ""
    track: str = ""
    start_ms: int | None = None
    end_ms: int | None = None
    key: str = ""


def by_severity(entry: Entry) -> tuple[int, int, str, str, str]:
    """What entries are sorted by for a person: losses first, then by time."""
    rank = {Sort.LOSS: 0, Sort.REPAIR: 1, Sort.ABSENCE: 2, Sort.NOTE: 3}[entry.sort]
    return (rank, entry.start_ms or 0, entry.uid, entry.key, entry.what)


def losses(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries that make a run exit with code 1."""
    return tuple(entry for entry in entries if entry.sort is Sort.LOSS)
