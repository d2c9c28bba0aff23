"""What a run does, by what earlier ones have left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipeline.job.resume import CLEAN, TELL, Left, Next
from tests.outcomes import manifest, output

if TYPE_CHECKING:
    from pipeline.model.manifest import Manifest

DONE = manifest(output())
REMOVED = replace(DONE, deletes_source=True)


@pytest.mark.parametrize(
    ("found", "whole", "notes", "cleans", "then"),
    [
        pytest.param(None, False, (), False, Next.MAKE, id="nothing"),
        pytest.param(None, False, ("owner", "claim"), False, Next.MAKE, id="a journal and no manifest"),
        pytest.param(DONE, True, (), False, Next.NOTHING, id="all is there"),
        pytest.param(DONE, True, (TELL,), False, Next.END, id="all is there and nobody knows"),
        pytest.param(DONE, True, ("claim",), False, Next.END, id="all is there, with a journal"),
        pytest.param(DONE, True, (), True, Next.END, id="all is there, and slices are to go"),
        pytest.param(DONE, False, (), False, Next.MAKE, id="other slices than then"),
        pytest.param(DONE, False, ("claim",), False, Next.MAKE, id="other slices, and a journal"),
        pytest.param(REMOVED, True, (), False, Next.NOTHING, id="slices that stayed after all"),
        pytest.param(REMOVED, False, (TELL, CLEAN), False, Next.CLEAN, id="some slices are gone"),
        pytest.param(REMOVED, True, (TELL, CLEAN), False, Next.END, id="none is gone yet"),
        pytest.param(REMOVED, False, (TELL,), False, Next.MAKE, id="late slices before the first went"),
        pytest.param(REMOVED, False, (), False, Next.REFUSE, id="late slices after all were gone"),
    ],
)
def test_what_is_left_to_do(
    found: Manifest | None, notes: tuple[str, ...], then: Next, *, whole: bool, cleans: bool
) -> None:
    assert Left(found, whole, notes, cleans).next is then


def test_a_revision_counts_up_where_the_inputs_are_others() -> None:
    late = replace(DONE, recording=replace(DONE.recording, inputs_sha256="cd" * 32))
    third = replace(DONE, revision=3)
    assert Left(None, whole=False, notes=(), cleans=False).revision(DONE) == 1
    assert Left(third, whole=False, notes=(), cleans=False).revision(DONE) == 3
    assert Left(third, whole=False, notes=(), cleans=False).revision(late) == 4
