"""A slice read whole for codec parameters that change inside it, which its ends do not show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from pipeline.media.runs import open_run
from pipeline.media.tally import Surprise
from pipeline.model import ticks
from pipeline.model.slices import Change, Ends, Medium, Slice

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.media.look import Looker


def with_changes(
    open_slice: Callable[[str], BinaryIO], piece: Slice, ends: Ends, medium: Medium, looker: Looker
) -> Ends:
    """The ends of a slice with the changes inside it; none where FFmpeg cannot read it on.

    Raises:
        OSError: it cannot be read.
    """
    found: list[Change] = []
    form = ends.form
    try:
        run = open_run(open_slice, [replace(piece, ends=ends)], medium)
    except Surprise:
        return ends
    try:
        for packet in run:
            if packet.pts is None or packet.torn:
                continue
            now = looker.form(ends.form.codec, packet.data)
            if now is None or now == form or not now.parameters:
                continue
            after = ticks.forward(packet.pts, ends.first)
            if form.parameters and after > 0:
                found.append(Change(after, now))
            form = now
    except Surprise:
        pass  # what was seen holds; copying meets the same place and tells it
    finally:
        run.close()
    return replace(ends, changes=tuple(found))
