"""Which images a composite names, and where each is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.layout.looks import ImageMark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.layout.composing import Composing


def named(composing: Composing) -> dict[str, str]:
    """The images of a composite: what names each, and the place that does so first."""
    found: dict[str, str] = {}
    for ref, where in _all(composing):
        found.setdefault(ref, where)
    return found


def _all(composing: Composing) -> Iterator[tuple[str, str]]:
    looks = composing.looks
    if looks.backdrop is not None:
        yield looks.backdrop.ref, "the backdrop"
    if looks.image is not None:
        yield looks.image.ref, "the image of cameras that are off"
    for who, image in looks.images:
        yield image.ref, f"the image of {who}"
    for number, cell in enumerate(composing.cells, 1):
        if cell.image is not None:
            yield cell.image.ref, f"the image of region {number}"
    for number, mark in enumerate(looks.marks, 1):
        if isinstance(mark, ImageMark):
            yield mark.ref, f"watermark {number}"
