"""The painter: the layers of the shot that is on, and the canvas; only what changed is drawn anew."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pipeline.layout.canvas import WHOLE
from pipeline.layout.fill import Rect
from pipeline.layout.looks import ClockMark
from pipeline.layout.stage import Face
from pipeline.layout.visible import covers, visible
from pipeline.media.compose.board import BLACK, Board, Patch, patch_of
from pipeline.media.compose.layers import Clock, Moving, Still, opacity_of, still_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from av.video.frame import VideoFrame

    from pipeline.layout.canvas import Region
    from pipeline.layout.composite import CompositePlan
    from pipeline.layout.stage import Role, Shot
    from pipeline.media.compose.artist import Artist
    from pipeline.media.compose.board import Plane
    from pipeline.media.compose.feed import Feed
    from pipeline.media.compose.layers import Layer
    from pipeline.media.compose.sprite import Sprite


class Painter:
    """Draws the frames of a composite.

    Args:
        plan: the composite.
        artist: draws what is not recorded.
        feed_of: the pictures of a stream, ready for a moment (UTC ticks); asked when somebody is seen.
    """

    def __init__(
        self, plan: CompositePlan, artist: Artist, feed_of: Callable[[str, str, int], Feed | None]
    ) -> None:
        self._plan, self._artist, self._feed_of = plan, artist, feed_of
        self._board = Board(plan.canvas)
        self._whole = Rect(0, 0, plan.canvas.width, plan.canvas.height)
        self._layers: list[Layer] = []
        self._shot: Shot | None = None
        self.seen: frozenset[tuple[str, str]] = frozenset()
        """Whose pictures the shot that is on shows."""
        self._images: dict[object, Patch] = {}
        self._fronts: dict[object, Patch | None] = {}

    def frame(self, number: int) -> VideoFrame:
        """A frame of the composite; frames are drawn in order, into the same picture."""
        utc, shot = self._plan.utc(number), self._plan.shot_at(number)
        if shot is not self._shot:
            self._shot, self.seen = shot, _seen(self._plan, shot)
            self._layers = list(self._all(shot, utc))
            for layer in self._layers:
                layer.update(utc)
            self._draw(self._whole)
            return self._board.frame
        for rect in [layer.rect for layer in self._layers if layer.update(utc)]:
            self._draw(rect)
        return self._board.frame

    def _draw(self, rect: Rect) -> None:
        """Draw a part of the canvas, from the foremost layer on that hides all behind it."""
        layers = self._layers
        first = next((n for n in reversed(range(len(layers))) if _hides(layers[n], rect)), None)
        if first is None:
            self._board.clear(rect)
        for layer in layers[first or 0 :]:
            if layer.patch is not None and _meet(layer.rect, rect):
                self._board.lay(layer.patch, rect)

    def _all(self, shot: Shot, utc: int) -> Iterator[Layer]:
        """The layers of a shot, the hindmost first."""
        looks, canvas = self._plan.looks, self._plan.canvas
        if looks.backdrop is not None:
            backdrop = looks.backdrop
            yield Still(
                self._kept(backdrop, lambda: patch_of(self._artist.backdrop(backdrop, canvas))), hides=True
            )
        for region in visible(shot, self._plan.cells):
            role = shot.role(region)
            yield from self._of(shot, region, role, utc)
            if looks.label is not None and role.face is not Face.AVATAR:  # which has the name itself
                label, name = looks.label, looks.name_of(role.uid)
                key = ("label", name, replace(region, seat=0))
                yield from self._drawn(key, partial(self._artist.label, name, label, region))
        for mark in looks.marks:
            if isinstance(mark, ClockMark):
                yield Clock(mark, self._artist, canvas)
            else:
                yield from self._drawn(mark, partial(self._artist.mark, mark, canvas))

    def _of(self, shot: Shot, region: Region, role: Role, utc: int) -> Iterator[Layer]:
        """What a region shows."""
        corners = self._corners(region)
        hides = covers(shot, region, self._plan.cells)
        if role.face in {Face.LIVE, Face.HELD}:
            feed = self._feed_of(role.uid, role.source, utc)
            if feed is not None:
                cell = self._plan.cells[region.cell] if region.cell is not None else None
                crop = cell.crop if cell else WHOLE
                yield Moving(region, role, feed, crop, corners, hides=hides)
        elif role.face is Face.BLACK:
            yield Still(_plain(region, BLACK, corners), hides=hides)
        elif role.face is Face.AVATAR:
            name = self._plan.looks.name_of(role.uid)
            avatar = self._kept(
                ("avatar", role.uid, replace(region, seat=0)),
                lambda: still_in(region, self._artist.avatar(role.uid, name, region), corners),
            )
            yield Still(avatar, hides=hides)
        elif role.image is not None:
            image = role.image
            key = (image, replace(region, seat=0))
            yield Still(self._kept(key, lambda: still_in(region, self._artist.image(image, region), corners)))

    def _drawn(self, key: object, draw: Callable[[], Sprite | None]) -> Iterator[Layer]:
        """What lies in front of pictures, where there is anything."""
        if key not in self._fronts:
            sprite = draw()
            self._fronts[key] = None if sprite is None else patch_of(sprite)
        patch = self._fronts[key]
        if patch is not None:
            yield Still(patch)

    def _kept(self, key: object, make: Callable[[], Patch]) -> Patch:
        """A patch that many shots have."""
        if key not in self._images:
            self._images[key] = make()
        return self._images[key]

    def _corners(self, region: Region) -> Plane | None:
        cell = self._plan.cells[region.cell] if region.cell is not None else None
        radius = round(cell.radius * self._plan.canvas.width) if cell else 0
        if not radius or radius > min(region.w, region.h) // 2:
            return None
        return self._artist.rounded(region.w, region.h, radius)


def _seen(plan: CompositePlan, shot: Shot) -> frozenset[tuple[str, str]]:
    roles = (shot.role(region) for region in visible(shot, plan.cells))
    return frozenset((role.uid, role.source) for role in roles if role.face in {Face.LIVE, Face.HELD})


def _meet(one: Rect, other: Rect) -> bool:
    """Whether two rectangles share a pixel."""
    across = one.x < other.x + other.w and other.x < one.x + one.w
    return across and one.y < other.y + other.h and other.y < one.y + one.h


def _hides(layer: Layer, rect: Rect) -> bool:
    if not layer.hides or layer.patch is None:
        return False
    own = layer.rect
    inside = own.x <= rect.x and own.y <= rect.y
    return inside and own.right >= rect.right and own.bottom >= rect.bottom


def _plain(region: Region, yuv: tuple[int, int, int], corners: Plane | None) -> Patch:
    """A region of one colour."""
    y, u, v = (
        np.full((region.h >> int(n > 0), region.w >> int(n > 0)), value, dtype=np.uint8)
        for n, value in enumerate(yuv)
    )
    return Patch(region.x, region.y, (y, u, v), opacity_of(region, corners))
