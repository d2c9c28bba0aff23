"""Round corners: what a circle covers of each pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.drawing.corners import disc, rounded


@pytest.mark.parametrize(
    ("size", "radius"),
    [
        pytest.param((20, 10), 0, id="no radius"),
        pytest.param((20, 10), 6, id="more than half the short side"),
    ],
)
def test_no_corner_is_round(size: tuple[int, int], radius: int) -> None:
    assert rounded(*size, radius).tolist() == [[255] * size[0]] * size[1]


@given(st.integers(1, 300), st.integers(1, 300), st.data())
def test_a_corner_is_a_quarter_of_a_circle_and_all_four_are_alike(
    w: int, h: int, data: st.DataObject
) -> None:
    radius = data.draw(st.integers(0, min(w, h) // 2))
    mask = rounded(w, h, radius)
    assert mask.shape == (h, w)
    assert mask.dtype == np.uint8
    assert np.array_equal(mask, mask[::-1])
    assert np.array_equal(mask, mask[:, ::-1])
    assert (mask[radius : h - radius] == 255).all()
    assert (mask[:, radius : w - radius] == 255).all()
    outside = (4 - np.pi) * radius**2
    assert abs((255 - mask.astype(float)).sum() / 255 - outside) <= 1 + radius / 8


def test_edges_are_smooth() -> None:
    mask = rounded(100, 100, 40)
    assert mask[0, 0] == 0
    assert mask[50, 50] == 255
    assert len(np.unique(mask)) > 20


@given(st.integers(1, 200))
def test_a_disc_covers_the_area_of_a_circle(size: int) -> None:
    assert abs(disc(size).astype(float).sum() / 255 - np.pi * size**2 / 4) <= 1 + size / 20
