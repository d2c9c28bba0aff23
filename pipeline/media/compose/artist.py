"""Who draws what is not recorded: letters, marks, images. Whoever calls the engine brings the artist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.layout.canvas import Canvas, Region
    from pipeline.layout.looks import ClockMark, Image, ImageMark, Label, TextMark
    from pipeline.media.compose.sprite import Sprite


class Artist(Protocol):
    """Draws sprites; asked again for the same, it draws the same."""

    def label(self, name: str, label_: Label, region: Region) -> Sprite | None:
        """A user's name on his region; None where there is no room for it."""
        ...

    def avatar(self, uid: str, name: str, region: Region) -> Sprite:
        """What stands for somebody who is not seen, as large as his region."""
        ...

    def image(self, image: Image, region: Region) -> Sprite:
        """An image in a region."""
        ...

    def backdrop(self, image: Image, canvas: Canvas) -> Sprite:
        """An image behind everything."""
        ...

    def mark(self, mark: ImageMark | TextMark, canvas: Canvas) -> Sprite | None:
        """A watermark that stands still; None where nothing of it is on the canvas."""
        ...

    def clock(self, mark: ClockMark, utc_ms: int, canvas: Canvas) -> Sprite:
        """The time of day."""
        ...

    def rounded(self, w: int, h: int, radius: int) -> NDArray[np.uint8]:
        """Opacity of a rectangle whose corners are round, of shape (h, w), 0 to 255."""
        ...
