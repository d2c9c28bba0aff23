"""The codings that can be copied into MP4, each made once for a track."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.media.sound.adts import Adts
from pipeline.media.sound.opus import Opus
from pipeline.model.decisions import forms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.media.sound.coding import Coding
    from pipeline.model.slices import Format
    from pipeline.model.timeline import Run, TrackTime


class Codings:
    """The codings of a track.

    Args:
        track: of sound, which the plan does not refuse.
        beginning: reads the first frames of a coding, for what no header tells.
    """

    def __init__(self, track: TrackTime, beginning: Callable[[Coding], Sequence[bytes]]) -> None:
        self._of = {form: _coding_of(form, beginning) for form in forms(track)}

    def of(self, form: Format) -> Coding:
        """The coding of a format of the track."""
        return self._of[form]

    def of_run(self, run: Run) -> Coding:
        """The coding that a run begins with."""
        ends = run.placed[0].piece.ends
        if ends is None:
            raise AssertionError(run.placed[0].piece.key)  # runs hold readable slices only
        return self._of[ends.form]

    def holds(self, run: Run, coding: Coding) -> bool:
        """Whether a run has frames of a coding, as far as the plan knows."""
        ends = [placed.piece.ends for placed in run.placed if placed.piece.ends is not None]
        found = (form for e in ends for form in (e.form, *(change.form for change in e.changes)))
        return any(self._of[form] is coding for form in found)

    def like(self, parameters: str) -> Coding | None:
        """The coding with the parameters of a format; None if the plan knows of none."""
        return next((c for form, c in self._of.items() if form.parameters == parameters), None)


def _coding_of(form: Format, beginning: Callable[[Coding], Sequence[bytes]]) -> Coding:
    return Opus(form) if form.codec == "opus" else Adts(form, beginning)
