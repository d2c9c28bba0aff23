"""Seats and scenes for tests of layouts."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from pipeline.layout.canvas import Canvas, Place
from pipeline.layout.scene import Seat
from pipeline.vendors.layouts import CUSTOM, TEMPLATES, Wish, offered

if TYPE_CHECKING:
    from pipeline.layout.canvas import Box
    from pipeline.layout.scene import Scene

LARGE_CANVAS = Canvas(8000, 8000)
"""So large that no two fractions of a table fall on one pixel."""

EVERY = [(name, vendor) for vendor in ("", *TEMPLATES) for name in offered(vendor) if name != CUSTOM]
EVERY_ID = [f"{name} of {vendor or 'nobody'}" for name, vendor in EVERY]

canvases = st.builds(lambda w, h: Canvas(2 * w, 2 * h), st.integers(160, 1280), st.integers(160, 1280))
aspects = st.sampled_from([(16, 9), (9, 16), (4, 3), (3, 4), (1, 1), (640, 360), (20, 9)])


def seats(users: int, *, sharing: int | None = None) -> tuple[Seat, ...]:
    return tuple(Seat(f"user {n + 1}", screen=n == sharing) for n in range(users))


def scene(
    name: str, vendor: str, users: int, canvas: Canvas = LARGE_CANVAS, large: int | None = None
) -> Scene:
    return Wish(name, vendor, large).scene(canvas, seats(users))


def places(found: Scene) -> dict[int, tuple[int, int, int, int]]:
    """Where each user is, users counted from 1."""
    return {r.seat + 1: (r.x, r.y, r.right, r.bottom) for r in found.regions}


def near(found: Scene, user: int, text: str) -> bool:
    """Whether a user's edges are within a pixel of the fractions ``x y w h``."""
    x, y, w, h = map(Fraction, text.split())
    canvas = found.canvas
    exact = (x * canvas.width, y * canvas.height, (x + w) * canvas.width, (y + h) * canvas.height)
    return all(abs(edge - wanted) <= 1 for edge, wanted in zip(places(found)[user], exact, strict=True))


def overlapping(found: Scene) -> list[tuple[int, int]]:
    """Pairs of seats of one depth that share a pixel."""
    return [(a.seat, b.seat) for a, b in combinations(found.regions, 2) if a.z == b.z and a.overlaps(b)]


def placed(*boxes: Box) -> tuple[Place, ...]:
    return tuple(map(Place, boxes))
