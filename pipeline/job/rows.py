"""Rows: what came of each recording of a batch, out of what its job did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.batch import Row, State
from pipeline.model.summary import summary_of

if TYPE_CHECKING:
    from pipeline.errors import RecpipeError
    from pipeline.job.run import Ran
    from pipeline.job.works import Done


def rows_of(source: str, ran: Ran, *, accept_loss: bool) -> tuple[Row, ...]:
    """The row of a recording that a job has met."""
    if ran.done is not None:
        return (_row_of(source, ran.place, ran.done, accept_loss=accept_loss),)
    return (row_of_error(source, ran.place, ran.error),) if ran.error is not None else ()


def _row_of(source: str, place: str, done: Done, *, accept_loss: bool) -> Row:
    manifest = done.manifest
    summary = summary_of(manifest, place=place)
    state = State(summary.state)
    if done.already and state is not State.FAILED:
        state = State.ALREADY
    good = [output for output in manifest.outputs if output.verdict.good]
    wrong = (
        *((summary.failure.sentence,) if summary.failure else ()),
        *(f"{o.file}: {p}" for o in manifest.outputs for p in o.verdict.problems),
        *(f"user {refusal.uid} is refused: {refusal.why}" for refusal in manifest.refused),
        *(loss.what for loss in manifest.losses),
    )
    return Row(
        source=source,
        place=place,
        state=state,
        code=done.exit_code(accept_loss=accept_loss),
        recording=manifest.recording.name,
        files=len(good) + len(manifest.pictures),
        losses=len(manifest.losses),
        media_ms=sum(ticks.to_ms(output.duration) for output in good),
        sentence=next(iter(wrong), ""),
    )


def row_of_error(source: str, place: str, error: RecpipeError) -> Row:
    """The row of what an error has ended."""
    kind = type(error).__name__
    return Row(source, place, State.FAILED, error.exit_code, sentence=str(error), kind=kind)
