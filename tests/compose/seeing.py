"""What a composite shows: frames taken apart into the regions that must be there, and what is beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np
import numpy.typing as npt

from pipeline.demo.picture import Coded, read
from pipeline.layout.canvas import OPAQUE
from pipeline.layout.fill import Rect, fill
from pipeline.layout.looks import CameraOff
from pipeline.media.compose.board import colour

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipeline.layout.canvas import Region
    from tests.compose.stage_model import Present

Plane = npt.NDArray[np.uint8]
AROUND = 8
"""Pixels beside a region into which its picture may bleed when it is encoded."""
OFF = 24
"""How far a level may be from what was drawn, once it was encoded."""
BLACK, NEARLY = 16, 2


@dataclass(frozen=True)
class Drawn:
    """What one region must show.

    Attributes:
        region: where.
        who: in it.
        off: what cameras that are off show.
        behind: luma of the background.
    """

    region: Region
    who: Present
    off: CameraOff
    behind: int

    @property
    def name(self) -> str:
        """Of the stream."""
        return f"{self.who.seat.source} of {self.who.seat.name}"

    @property
    def shows(self) -> bool:
        """There is a picture of his in it."""
        return self.who.on or (self.off is CameraOff.HOLD and bool(self.who.pictures))

    @property
    def rect(self) -> Rect | None:
        """The part of the canvas that is drawn on; None for nothing."""
        region = self.region
        if self.shows:
            return self.place
        if self.off in {CameraOff.HOLD, CameraOff.NOTHING}:
            return None
        return Rect(region.x, region.y, region.w, region.h)

    @property
    def place(self) -> Rect:
        """Where a picture of his would be."""
        region, seat = self.region, self.who.seat
        dest = fill(region.mode, (seat.width, seat.height), (region.w, region.h)).dest
        return Rect(region.x + dest.x, region.y + dest.y, dest.w, dest.h)

    def cut(self, luma: Plane, rect: Rect) -> Plane:
        """What is drawn, as if it were opaque; what is not lies before the background alone."""
        part = luma[rect.y : rect.bottom, rect.x : rect.right]
        if self.region.opacity == OPAQUE:
            return part
        alpha = self.region.opacity / OPAQUE
        front = np.clip((part - self.behind * (1 - alpha)) / alpha, 0, 255)
        return np.asarray(front, dtype=np.uint8)


def frames(path: Path) -> Iterator[tuple[float, Plane, Plane]]:
    """Seconds, luma and Cb of every frame."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            planes = np.asarray(frame.to_ndarray(format="yuv420p"), dtype=np.uint8)
            blue = planes[frame.height : frame.height * 5 // 4].reshape(frame.height // 2, -1)
            assert frame.pts is not None
            assert frame.time_base is not None
            yield float(frame.pts * frame.time_base), planes[: frame.height], blue


def wrong(luma: Plane, blue: Plane, drawn: Sequence[Drawn], background: str) -> list[str]:
    """What a frame shows that it must not, and what it does not show that it must.

    Args:
        luma: of the frame.
        blue: its Cb.
        drawn: what must be there, the hindmost first.
        background: colour where nobody is.
    """
    found = [said for n, each in enumerate(drawn) for said in _region(luma, each, drawn[n + 1 :])]
    y, u, _ = colour(background)
    free = np.ones(luma.shape, dtype=np.bool_)
    for each in drawn:
        if (rect := each.rect) is not None:
            down = slice(max(0, rect.y - AROUND), rect.bottom + AROUND)
            free[down, max(0, rect.x - AROUND) : rect.right + AROUND] = False
    for name, plane, level in (("luma", luma[free], y), ("Cb", blue[free[::2, ::2]], u)):
        if plane.size and np.abs(plane.astype(np.int16) - level).max() > OFF:
            found.append(f"where nobody is {name} goes from {plane.min()} to {plane.max()}")
    return found


def readable(each: Drawn, front: Sequence[Drawn]) -> bool:
    """Whether the code in a picture can be seen: it is in its upper half."""
    rect = each.rect
    return rect is not None and each.shows and _clear(Rect(rect.x, rect.y, rect.w, rect.h // 2), front)


def _clear(rect: Rect, front: Sequence[Drawn]) -> bool:
    others = [other for each in front if (other := each.rect) is not None]
    return not any(
        o.x < rect.right and rect.x < o.right and o.y < rect.bottom and rect.y < o.bottom for o in others
    )


def _region(luma: Plane, each: Drawn, front: Sequence[Drawn]) -> Iterator[str]:
    rect = each.rect
    if not each.shows and _own(read(each.cut(luma, each.place)), each):
        yield f"{each.name} is seen and sends no pictures"
    if rect is None:
        return
    part = each.cut(luma, rect)
    if not each.shows:
        far = float(np.abs(part.astype(np.int16) - BLACK).mean())
        if each.off is CameraOff.BLACK and _clear(rect, front) and far > NEARLY:
            yield f"{each.name} is not black: {far:.0f} levels off"
    elif readable(each, front):
        yield from _picture(part, each)


def _own(coded: Coded | None, each: Drawn) -> bool:
    return coded is not None and coded.user == each.who.number


def _picture(part: Plane, each: Drawn) -> Iterator[str]:
    coded = read(part)
    if coded is None:
        yield f"{each.name} cannot be read"
    elif coded.user != each.who.number:
        yield f"{each.name}: it is user {coded.user}, not {each.who.number}"
    elif coded.at_ms not in each.who.pictures:
        yield f"{each.name}: the picture of {coded.at_ms} is shown, not that of {sorted(each.who.pictures)}"
