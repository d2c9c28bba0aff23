from __future__ import annotations

from pipeline.model.ledger import Entry, Sort, losses


def test_only_losses_are_losses() -> None:
    entries = tuple(Entry(sort, f"a {sort}") for sort in Sort)
    assert [entry.what for entry in losses(entries)] == ["a loss"]


def test_nothing_is_lost_in_an_empty_ledger() -> None:
    assert losses(()) == ()
