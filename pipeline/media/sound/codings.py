"""The codings that can be copied into MP4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.media.sound.adts import Adts
from pipeline.media.sound.opus import Opus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.media.sound.coding import Coding
    from pipeline.model.slices import Format


def coding_of(form: Format, beginning: Callable[[], Sequence[bytes]]) -> Coding:
    """The coding of a format that the plan does not refuse.

    Args:
        form: of the track.
        beginning: reads the first frames, for what no header tells.
    """
    return Opus(form) if form.codec == "opus" else Adts(form, beginning)
