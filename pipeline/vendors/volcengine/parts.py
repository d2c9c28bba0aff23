"""Streams and regions of Volcengine's request for a composite, in fractions or pixels by its version."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from pipeline.layout.canvas import OPAQUE, WHOLE, Box, Mode, Place
from pipeline.layout.looks import Cell, Image
from pipeline.layout.streams import CAMERA, SCREEN, Who
from pipeline.vendors.boxes import boxed, shown
from pipeline.vendors.volcengine.layouts import LIMIT

if TYPE_CHECKING:
    from pipeline.layout.canvas import Canvas
    from pipeline.vendors.fields import Fields

VERSIONS = ("2020-12-01", "2022-06-01", "2023-06-01", "2023-11-01")
NEWEST = VERSIONS[-1]
FRACTIONS = VERSIONS[-2]
"""The newest whose regions are in fractions."""

MOST_INDEX = 2**31 - 1
MOST_URL = 1024
MOST_Z = 100
MODES = {0: Mode.STRETCH, 1: Mode.CROP, 2: Mode.FIT, 3: Mode.STRETCH}
MEDIA = {0: (True, True), 1: (False, True), 2: (True, False)}
"""Pictures and sound of a region, by its ``MediaType``."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a list; ``index`` is what regions name it by, None where it has none."""

    who: Who
    index: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """A region, whose it is, and whether he is seen and heard there."""

    cell: Cell
    who: Who
    drawn: bool
    heard: bool


def streams(part: Fields, most: int) -> tuple[Stream, ...]:
    """The streams of a ``StreamList``."""
    found: list[Stream] = []
    for stream in part.parts("StreamList", most):
        source = stream.one_of("StreamType", {0: CAMERA, 1: SCREEN}, 0)
        index = stream.whole("Index", 0, MOST_INDEX, 0) if stream.has("Index") else None
        who = Who(stream.text("UserId"), source)
        if index is not None and index in {each.index for each in found}:
            stream.fault("Index", f"{index} is that of another stream too")
        if who.uid and who in {each.who for each in found}:
            stream.fault("UserId", "is there twice with this StreamType")
        found.append(Stream(who, index))
    return tuple(found)


def image(part: Fields, name: str, mode: Mode = Mode.STRETCH) -> Image | None:
    """What names an image, where there is one."""
    ref = part.text(name, "", most=MOST_URL)
    return Image(ref, mode) if ref else None


def regions(layout: Fields, canvas: Canvas, targets: tuple[Stream, ...], version: str) -> tuple[Part, ...]:
    """The regions of a custom layout, exactly one for each stream that is asked for."""
    known = {each.index: each.who for each in targets if each.index is not None}
    found: dict[int, Part] = {}
    clear = True
    for region in layout.parts("Regions", LIMIT.value):
        index = region.whole("StreamIndex", 0, MOST_INDEX)
        part = _region(region, canvas, known.get(index, Who("")), version)
        if region.faulty("StreamIndex"):
            clear = False
            continue
        if index in found:
            region.fault("StreamIndex", f"{index} has a region already")
        elif index not in known:
            region.fault("StreamIndex", f"no stream of TargetStreams has the Index {index}")
        found[index] = part
    without = [str(index) for index in known if index not in found]
    without += ["none" for each in targets if each.index is None]
    if without and clear:
        layout.fault("Regions", f"one for each stream of TargetStreams, none for Index {', '.join(without)}")
    elif not any(part.drawn for part in found.values()):
        layout.fault("Regions", "at least one that is drawn (MediaType 0 or 2)")
    return tuple(found.values())


def _region(region: Fields, canvas: Canvas, who: Who, version: str) -> Part:
    box = _pixels(region, canvas) if version == NEWEST else _fractions(region)
    mode = region.one_of("RenderMode", MODES, 0)
    opacity = max(1, round(region.fraction("Alpha", Fraction(1), above=True) * OPAQUE))
    place = Place(box, mode, region.whole("ZOrder", 0, MOST_Z, 0), opacity)
    shown(region, "Width" if version == NEWEST else "WidthProportion", canvas, place)
    drawn, heard = region.one_of("MediaType", MEDIA, 0)
    alternate = image(region, "AlternateImage", mode)
    if not region.one_of("AlternateImageFillMode", {0: False, 1: True}, 0) and alternate:
        region.note("AlternateImage", "drawn with its own aspect, as AlternateImageFillMode 1 says")
    region.ignore("not used, sound is mixed where it is", "ApplySpatialAudio", "SpatialPosition")
    radius = region.fraction("CornerRadius", Fraction(0), above=version != NEWEST)
    cell = Cell(place, who, _crop(region.part("SourceCrop")), radius, alternate)
    return Part(cell, who, drawn, heard)


def _fractions(region: Fields) -> Box:
    names = ("LocationX", "LocationY", "WidthProportion", "HeightProportion")
    edges = [region.fraction(name, Fraction(0), below=True) for name in names[:2]]
    sides = [region.fraction(name, above=True) for name in names[2:]]
    return boxed(region, names, (*edges, *sides))


def _pixels(region: Fields, canvas: Canvas) -> Box:
    names = ("LocationX", "LocationY", "Width", "Height")
    size = (canvas.width, canvas.height)
    edges = [region.whole(name, 0, most - 1, 0) for name, most in zip(names[:2], size, strict=True)]
    sides = [region.whole(name, 1, most) for name, most in zip(names[2:], size, strict=True)]
    return boxed(region, names, (*edges, *sides), size)


def _crop(crop: Fields) -> Box:
    names = ("LocationX", "LocationY", "WidthProportion", "HeightProportion")
    edges = [crop.fraction(name, Fraction(0), below=True) for name in names[:2]]
    sides = [crop.fraction(name, Fraction(1), above=True) for name in names[2:]]
    return boxed(crop, names, (*edges, *sides)) if any(edges) or sides != [1, 1] else WHOLE
