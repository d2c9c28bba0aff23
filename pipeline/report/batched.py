"""What a batch did, as a line for each source while it works, as a table, and as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.model.batch import State, code_of, count_states
from pipeline.report.words import columns, count, length, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.model.batch import Row

VERSION = 1
WORDS = {
    State.DONE: "done",
    State.ALREADY: "already done",
    State.BEFORE: "done before",
    State.PARTIAL: "partial",
    State.FAILED: "FAILED",
}
_HEAD = ("code", "state", "files", "losses", "media", "source", "place")


def batch_document(rows: Sequence[Row]) -> dict[str, Any]:
    """What ``batch --json`` prints: each recording with its exit code, and how many ended how."""
    return {
        "version": VERSION,
        "recordings": [_document(row) for row in rows],
        "states": {str(state): number for state, number in count_states(rows).items()},
        "exit_code": int(code_of(rows)),
    }


def _document(row: Row) -> dict[str, Any]:
    error = {"sentence": row.sentence, "exit_code": int(row.code), "kind": row.kind} if row.kind else None
    return {
        "source": row.source,
        "place": row.place,
        "recording": row.recording,
        "state": str(row.state),
        "exit_code": int(row.code),
        "files": row.files,
        "losses": row.losses,
        "media_ms": row.media_ms,
        "sentence": row.sentence,
        "error": error,
    }


def batch_lines(rows: Sequence[Row]) -> Iterator[str]:
    """What ``batch`` prints: a table, what is wrong with whom, and how many ended how."""
    yield from columns([_HEAD, *map(_cells, rows)])
    for row in rows:
        if row.sentence:
            yield f"{WORDS[row.state]} {visible(row.source)}: {visible(row.sentence)}"
    counted = [f"{number:,} {WORDS[state]}" for state, number in count_states(rows).items() if number]
    yield f"{count(len(rows), 'recording')}: {', '.join(counted)}; exit code {int(code_of(rows))}"


def _cells(row: Row) -> tuple[str, ...]:
    made = (str(row.files), str(row.losses), length(row.media_ms)) if row.recording else ("-", "-", "-")
    return str(int(row.code)), WORDS[row.state], *made, visible(row.source), visible(row.place)


def ended_lines(rows: Sequence[Row], ended: int, known: int) -> Iterator[str]:
    """What is said when a source has ended.

    Args:
        rows: its recordings.
        ended: how many sources have.
        known: how many there are, as far as is known by now.
    """
    for row in rows:
        if row.state is State.FAILED:
            what = row.sentence
        else:
            lost = f", {count(row.losses, 'loss', 'losses')}" if row.losses else ""
            what = f"{count(row.files, 'file')} in {row.place}{lost}"
        yield f"[{ended}/{known}] {WORDS[row.state]} {visible(row.source)}: {visible(what)}"
