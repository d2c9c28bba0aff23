"""Scenes as lines, as a document and as a picture; the only module that draws with Pillow."""

from __future__ import annotations

import colorsys
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING, Any

from pipeline.layout.canvas import OPAQUE, Mode
from pipeline.report.words import columns, count, indented, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

    from pipeline.layout.canvas import Region
    from pipeline.layout.rules import Known
    from pipeline.layout.scene import Scene, Seat

VERSION = 1
HEAD = ("user", "name", "x", "y", "width", "height", "z", "mode")
_GOLDEN = 0.618_034
"""Hues that lie this far apart never meet, however many there are."""


def scene_document(scene: Scene) -> dict[str, Any]:
    """What ``compose --json`` prints: canvas, regions in pixels, what they follow; users count from 1."""
    return {
        "version": VERSION,
        "layout": scene.layout,
        "vendor": scene.vendor,
        "canvas": {
            "width": scene.canvas.width,
            "height": scene.canvas.height,
            "background": scene.canvas.background,
        },
        "regions": [_region(region, scene.seats[region.seat]) for region in scene.regions],
        "left_out": [{"user": n + 1, **_whose(scene.seats[n])} for n in scene.left_out],
        "approximate": scene.approximate,
        "known": [_known(each) for each in scene.known],
    }


def _region(region: Region, seat: Seat) -> dict[str, Any]:
    return {
        "user": region.seat + 1,
        **_whose(seat),
        "x": region.x,
        "y": region.y,
        "width": region.w,
        "height": region.h,
        "z": region.z,
        "mode": str(region.mode),
        "opacity": region.opacity,
    }


def _whose(seat: Seat) -> dict[str, Any]:
    return {"name": seat.name, "screen": seat.screen}


def _known(known: Known[Any]) -> dict[str, Any]:
    value = known.value if isinstance(known.value, int) else known.text
    return {"what": known.what, "value": value, "mark": str(known.mark), "source": known.source}


def scene_lines(scene: Scene) -> Iterator[str]:
    """What ``compose`` prints: a line a region, who got none, and what is inferred."""
    whose = f" of {scene.vendor}" if scene.vendor else ""
    yield f"{scene.layout}{whose} on {scene.canvas}: {count(len(scene.regions), 'region')}"
    rows = [_row(region, scene.seats[region.seat]) for region in scene.regions]
    yield from indented(columns([HEAD, *rows]))
    for n in scene.left_out:
        yield f"left out: user {n + 1} ({_named(scene.seats[n])})"
    sources = dict.fromkeys(each.source for each in scene.inferred)
    for source in sources:
        told = (f"{each.what} {each.text}" for each in scene.inferred if each.source == source)
        yield f"approximate, inferred: {', '.join(told)}"
        yield f"  from {source}"


def _row(region: Region, seat: Seat) -> tuple[str, ...]:
    numbers = (region.x, region.y, region.w, region.h, region.z)
    return (str(region.seat + 1), _named(seat), *map(str, numbers), str(region.mode))


def _named(seat: Seat) -> str:
    return visible(seat.name) + (" (screen)" if seat.screen else "")


def scene_png(scene: Scene) -> bytes:
    """A PNG of the size of the canvas: each region in a colour of its own, with its number, size and z.

    Where pictures are fitted, the colour covers what the picture covers. Names are not drawn: the letters of
    Pillow's own font are Latin.
    """
    from PIL import Image, ImageColor

    size = (scene.canvas.width, scene.canvas.height)
    picture = Image.new("RGBA", size, ImageColor.getrgb(scene.canvas.background))
    for region in sorted(scene.regions, key=lambda each: each.z):
        layer = Image.new("RGBA", size, (0, 0, 0, 0))
        _draw(layer, region, scene)
        picture.alpha_composite(layer)
    out = BytesIO()
    picture.convert("RGB").save(out, "PNG")
    return out.getvalue()


def _draw(layer: Image.Image, region: Region, scene: Scene) -> None:
    from PIL import ImageDraw, ImageFont

    draw = ImageDraw.Draw(layer)
    red, green, blue = colorsys.hsv_to_rgb(region.seat * _GOLDEN % 1, 0.55, 0.75)
    colour = (round(red * 255), round(green * 255), round(blue * 255), region.opacity)
    draw.rectangle(_inside(region.x, region.y, region.w, region.h), outline=(*colour[:3], OPAQUE))
    x, y, w, h = _covered(region, scene)
    draw.rectangle(_inside(x, y, w, h), fill=colour, outline=(255, 255, 255, region.opacity))
    middle = (region.x + region.w / 2, region.y + region.h / 2)
    large = max(8, min(region.h // 3, region.w // 4, 120))
    small = max(6, large // 3)
    draw.text(middle, str(region.seat + 1), (255, 255, 255), ImageFont.load_default(large), anchor="mb")
    told = f"{region.w}x{region.h} z{region.z} {region.mode}"
    draw.text(middle, told, (255, 255, 255), ImageFont.load_default(small), anchor="mt")


def _covered(region: Region, scene: Scene) -> tuple[int, int, int, int]:
    """What a user's picture covers of his region."""
    if region.mode is not Mode.FIT:
        return region.x, region.y, region.w, region.h
    aspect = scene.seats[region.seat].aspect
    width = min(Fraction(region.w), region.h * aspect)
    w, h = max(1, round(width)), max(1, round(width / aspect))
    return region.x + (region.w - w) // 2, region.y + (region.h - h) // 2, w, h


def _inside(x: int, y: int, w: int, h: int) -> tuple[int, int, int, int]:
    """Pillow's rectangles contain their last column and row."""
    return x, y, x + w - 1, y + h - 1
