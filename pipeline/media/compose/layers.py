"""What lies over one another on the canvas: each layer a rectangle that may change from frame to frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from pipeline.layout.canvas import OPAQUE, WHOLE
from pipeline.layout.fill import Rect, fill
from pipeline.media.compose.board import Patch, patch_of, pixels
from pipeline.model import ticks

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from pipeline.layout.canvas import Box, Canvas, Region
    from pipeline.layout.fill import Fill
    from pipeline.layout.looks import ClockMark
    from pipeline.layout.stage import Role
    from pipeline.media.compose.artist import Artist
    from pipeline.media.compose.board import Plane
    from pipeline.media.compose.feed import Feed, Picture
    from pipeline.media.compose.sprite import Sprite

_SECOND = 1000


class Layer(Protocol):
    """A rectangle of the canvas.

    Attributes:
        rect: where it lies.
        hides: nothing behind it can be seen.
        patch: what it shows; None for nothing.
    """

    rect: Rect
    hides: bool
    patch: Patch | None

    def update(self, utc: int) -> bool:
        """Be as at a moment (UTC ticks); whether anything changed."""


class Still:
    """What does not change while a shot lasts."""

    def __init__(self, patch: Patch, *, hides: bool = False) -> None:
        self.patch: Patch | None = patch
        self.rect = Rect(max(0, patch.x), max(0, patch.y), patch.w, patch.h)
        self.hides = hides and patch.alpha is None

    def update(self, utc: int) -> bool:  # noqa: ARG002 - it stays as it is
        """As `Layer.update`."""
        return False


class Clock:
    """The running time of day."""

    def __init__(self, mark: ClockMark, artist: Artist, canvas: Canvas) -> None:
        self._mark, self._artist, self._canvas = mark, artist, canvas
        self._second = -1
        self.rect = Rect(0, 0, canvas.width, canvas.height)
        self.hides = False
        self.patch: Patch | None = None

    def update(self, utc: int) -> bool:
        """As `Layer.update`."""
        second = utc // ticks.TICKS
        if second == self._second:
            return False
        before = self.patch
        self._second = second
        self.patch = patch_of(self._artist.clock(self._mark, second * _SECOND, self._canvas))
        around = _around(self.patch, before, self._canvas)
        if around is None:
            return False
        self.rect = around
        return True


def _around(patch: Patch, other: Patch | None, canvas: Canvas) -> Rect | None:
    """The part of the canvas that holds both; None where neither is on it."""
    both = [patch] if other is None else [patch, other]
    left, top = max(0, min(p.x for p in both)), max(0, min(p.y for p in both))
    right = min(canvas.width, max(p.x + p.w for p in both))
    bottom = min(canvas.height, max(p.y + p.h for p in both))
    return Rect(left, top, right - left, bottom - top) if left < right and top < bottom else None


class Moving:
    """The pictures of a stream in a region.

    Args:
        region: where.
        role: whose.
        feed: his pictures.
        crop: the part of them that is shown.
        corners: opacity of the region, of shape (h, w); None where it is one everywhere.
        hides: nothing behind the region can be seen once there is a picture.
    """

    def __init__(
        self,
        region: Region,
        role: Role,
        feed: Feed,
        crop: Box = WHOLE,
        corners: Plane | None = None,
        *,
        hides: bool = False,
    ) -> None:
        self.rect = Rect(region.x, region.y, region.w, region.h)
        self.patch: Patch | None = None
        self.hides = False
        self._hides = hides
        self._region, self._role, self._feed, self._crop = region, role, feed, crop
        self._corners = corners
        self._scaler = VideoReformatter()
        self._places: dict[tuple[int, int], tuple[Fill, tuple[Plane, Plane] | None]] = {}
        """How pictures of a size lie in the region, and how opaque they are."""
        self._shown: Picture | None = None

    def update(self, utc: int) -> bool:
        """As `Layer.update`."""
        picture = self._feed.at(utc, self._role.since)
        if picture is self._shown:
            return False
        self._shown = picture
        self.patch = None if picture is None else self._patch(picture)
        self.hides = self._hides and self.patch is not None
        return True

    def _patch(self, picture: Picture) -> Patch:
        """A picture as it lies in the region."""
        frame = _upright(picture)
        region, size = self._region, (frame.width, frame.height)
        if size not in self._places:
            place = fill(region.mode, size, (region.w, region.h), self._crop)
            self._places[size] = place, opacity_of(region, self._corners, place.dest)
        place, opacity = self._places[size]
        part, dest = place.source, place.dest
        if (part.w, part.h) != size:
            frame = _cut(frame, part)
        ready = _is_plain(frame) and (frame.width, frame.height) == (dest.w, dest.h)
        if not ready:
            frame = self._scaler.reformat(
                frame,
                dest.w,
                dest.h,
                "yuv420p",
                dst_colorspace=Colorspace.ITU601,
                interpolation="BICUBIC",
                dst_color_range="MPEG",
                threads=1,  # more would wait for one another: the pieces are made side by side
            )
        y, u, v = map(pixels, frame.planes)
        return Patch(region.x + dest.x, region.y + dest.y, (y, u, v), opacity)


def opacity_of(region: Region, corners: Plane | None, part: Rect | None = None) -> tuple[Plane, Plane] | None:
    """Opacity of luma and of chroma in a region, or in a part of it; None where it hides all behind it."""
    if region.opacity == OPAQUE and corners is None:
        return None
    place = part or Rect(0, 0, region.w, region.h)
    if corners is None:
        luma = np.full((place.h, place.w), region.opacity, dtype=np.uint8)
    else:
        inside = corners[place.y : place.bottom, place.x : place.right]
        luma = (inside.astype(np.uint16) * region.opacity // OPAQUE).astype(np.uint8)
    return luma, luma[::2, ::2]


def still_in(region: Region, sprite: Sprite, corners: Plane | None = None) -> Patch:
    """A sprite as part of a region: as opaque as that is, with its corners."""
    rgba = sprite.pixels
    if region.opacity != OPAQUE or corners is not None:
        rgba = rgba.copy()
        alpha = rgba[:, :, 3].astype(np.uint16) * region.opacity // OPAQUE
        if corners is not None:
            x, y = sprite.x - region.x, sprite.y - region.y
            alpha = alpha * corners[y : y + rgba.shape[0], x : x + rgba.shape[1]] // OPAQUE
        rgba[:, :, 3] = alpha
    return patch_of(type(sprite)(sprite.x, sprite.y, rgba))


def _is_plain(frame: VideoFrame) -> bool:
    """Whether a frame is such as the canvas is made of."""
    return (
        frame.format.name == "yuv420p"
        and frame.color_range != ColorRange.JPEG
        and frame.colorspace != Colorspace.ITU709
    )


def _upright(picture: Picture) -> VideoFrame:
    """A picture turned as it is to be seen."""
    frame = picture.frame
    if frame is None:
        raise AssertionError("only pictures are shown")
    if not picture.clockwise:
        return frame
    if frame.format.name != "yuv420p":
        frame = frame.reformat(format="yuv420p", threads=1)
    lying = picture.clockwise % 180 != 0
    size = (frame.height, frame.width) if lying else (frame.width, frame.height)
    turned = av.VideoFrame(*size, "yuv420p")
    for source, room in zip(frame.planes, turned.planes, strict=True):
        pixels(room)[:] = np.rot90(pixels(source), -picture.clockwise // 90)
    turned.color_range, turned.colorspace = frame.color_range, frame.colorspace
    return turned


def _cut(frame: VideoFrame, part: Rect) -> VideoFrame:
    """A part of a picture; odd edges lose their last line of colour."""
    if frame.format.name != "yuv420p":
        frame = frame.reformat(format="yuv420p", threads=1)
    out = av.VideoFrame(part.w, part.h, "yuv420p")
    for number, (source, room) in enumerate(zip(frame.planes, out.planes, strict=True)):
        half = int(number > 0)
        target = pixels(room)
        lines = pixels(source)[part.y >> half :, part.x >> half :]
        target[:] = lines[: target.shape[0], : target.shape[1]]
    out.color_range, out.colorspace = frame.color_range, frame.colorspace
    return out
