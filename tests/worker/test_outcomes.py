"""What a job that came to its end says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.job.run import Ran
from pipeline.job.works import Done
from pipeline.model.ledger import Entry, Sort
from pipeline.worker.shift.outcomes import outcome_of
from tests.outcomes import MISSING, START, manifest, output, slice_lost

if TYPE_CHECKING:
    from pipeline.model.manifest import Manifest

JUMP = Entry(Sort.LOSS, "the clock of the sound jumps", "ann", "audio", START, START + 2000)
DAMAGED = Entry(Sort.LOSS, "a.ts is no TS file", key="a.ts")
LISTED = f"slice … {MISSING}"
TOLD = [
    pytest.param([manifest(output())], 0, "", id="nothing was lost"),
    pytest.param(
        [manifest(output(), ledger=(slice_lost(1),))],
        1,
        f"1 loss, 0:10.000 of media: {LISTED}.",
        id="one slice",
    ),
    pytest.param(
        [manifest(output(), ledger=(JUMP, slice_lost(1))), manifest(output(), ledger=(slice_lost(4),))],
        1,
        f"3 losses, 0:22.000 of media: {LISTED} (and 2 more).",
        id="of two recordings, the kind that took the most first",
    ),
    pytest.param(
        [manifest(output(), ledger=(DAMAGED,))], 1, "1 loss: … is no TS file.", id="of which no time is known"
    ),
]


@pytest.mark.parametrize(("made", "code", "sentence"), TOLD)
@pytest.mark.parametrize("accept_loss", [False, True], ids=["", "accepted"])
def test_what_was_lost_is_said(made: list[Manifest], code: int, sentence: str, *, accept_loss: bool) -> None:
    ran = [Ran("out", Done("out", each, already=False), None) for each in made]
    outcome = outcome_of(ran, accept_loss=accept_loss)
    assert (outcome.code, outcome.sentence) == (0 if accept_loss else code, sentence)
