"""Watermarks and images in TRTC's request for a mixed recording (``WaterMarkList``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.layout.looks import ClockMark, Corner, ImageMark, TextMark
from pipeline.vendors.boxes import boxed

if TYPE_CHECKING:
    from pipeline.layout.canvas import Canvas
    from pipeline.layout.looks import Mark
    from pipeline.vendors.fields import Fields

MOST_MARKS = 25
MOST_EDGE = 2560
MOST_URL = 2048
MOST_CHARS = 1024
FONT_SIZE = 14
MOST_FONT_SIZE = 512
FONTS = ("Tencent", "SourceHanSans")
EAST_8 = 8
KINDS = {0: "WaterMarkImage", 1: "WaterMarkChar", 2: "WaterMarkTimestamp"}
CORNERS = dict(
    enumerate(
        (
            Corner.TOP_LEFT,
            Corner.TOP_RIGHT,
            Corner.BOTTOM_LEFT,
            Corner.BOTTOM_RIGHT,
            Corner.TOP,
            Corner.BOTTOM,
            Corner.MIDDLE,
        )
    )
)
_IMAGE = re.compile(r"[^?#]*\.(?:jpg|png|jpeg)(?:[?#].*)?", re.ASCII | re.IGNORECASE)
_COLOUR = re.compile(r"(?:#|0x)[0-9a-fA-F]{6}", re.ASCII)


def image(part: Fields, name: str, *, needed: bool = False) -> str:
    """What names an image; its end has to tell which kind it is. Empty where there is none."""
    ref = part.text(name, None if needed else "", most=MOST_URL)
    if ref and not _IMAGE.fullmatch(ref):
        part.fault(name, "an address that ends in .jpg, .jpeg or .png")
        return ""
    return ref


def marks(layout: Fields, canvas: Canvas) -> tuple[Mark, ...]:
    """The watermarks, in their order."""
    found: list[Mark] = []
    for entry in layout.parts("WaterMarkList", MOST_MARKS):
        kind = entry.one_of("WaterMarkType", KINDS, 0)
        for other in KINDS.values():
            if other != kind:
                entry.ignore(f"not used, WaterMarkType asks for {kind}", other)
        if not entry.has(kind):
            entry.fault(kind, "is missing")
            continue
        part = entry.part(kind)
        match kind:
            case "WaterMarkImage":
                found.append(_image(part, canvas))
            case "WaterMarkChar":
                found.append(_text(part, canvas))
            case _:
                found.append(_clock(part))
    return tuple(found)


def _image(part: Fields, canvas: Canvas) -> ImageMark:
    left, top = (part.whole(name, 0, MOST_EDGE) for name in ("Left", "Top"))
    width, height = (part.whole(name, 1, MOST_EDGE) for name in ("Width", "Height"))
    size = (canvas.width, canvas.height)
    boxed(part, ("Left", "Top", "Width", "Height"), (left, top, width, height), size)
    return ImageMark(image(part, "WaterMarkUrl", needed=True), left, top, width, height)


def _text(part: Fields, canvas: Canvas) -> TextMark:
    part.ignored_whole("Width", 0, MOST_EDGE, "not used, text is as wide as it is")
    part.ignored_whole("Height", 0, MOST_EDGE, "not used, text is as high as it is")
    _font(part)
    return TextMark(
        part.text("Chars", most=MOST_CHARS),
        part.whole("Left", 0, min(canvas.width, MOST_EDGE), 0),
        part.whole("Top", 0, min(canvas.height, MOST_EDGE), 0),
        part.whole("FontSize", 1, MOST_FONT_SIZE, FONT_SIZE),
        _colour(part, "FontColor", "#ffffff"),
        _colour(part, "BackGroundColor", ""),
    )


def _clock(part: Fields) -> ClockMark:
    _font(part)
    return ClockMark(
        part.one_of("Pos", CORNERS, 0),
        part.whole("TimeZone", -12, 14, EAST_8) * 60,
        FONT_SIZE,
    )


def _font(part: Fields) -> None:
    if part.has("Font"):
        part.word("Font", FONTS, FONTS[0])
        part.note("Font", "not used, letters are those of this machine's fonts")


def _colour(part: Fields, name: str, default: str) -> str:
    """A colour as ``#RRGGBB``; the page does not say which form, and ``0xRRGGBB`` is usual there."""
    value = part.matching(name, _COLOUR, "a colour such as #1a2b3c", default)
    return f"#{value[2:]}" if value.startswith("0x") else value
