"""The document of a composite: what it means, and what is refused with its field, its range and its value."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import CommandError
from pipeline.job.compose_json import Composites, composing_of, parse_composite, who
from pipeline.layout.canvas import WHOLE, Box, Canvas, Mode, Place
from pipeline.layout.composing import Composing
from pipeline.layout.encoding import Encoding, SoundEncoding, VideoCodec
from pipeline.layout.looks import (
    CameraOff,
    Cell,
    ClockMark,
    Corner,
    Image,
    ImageMark,
    Label,
    Looks,
    TextMark,
)
from pipeline.layout.streams import Who
from pipeline.model.options import Missing, Verify
from pipeline.vendors.layouts import NAMES, TEMPLATES, Wish, offered

if TYPE_CHECKING:
    from collections.abc import Callable

REQUESTS = Path(__file__).parents[2] / "fixtures" / "requests"
DEFAULT = Composing(Canvas(1280, 720), Wish("auto"))


def composing(**document: Any) -> Composing:
    found, notes = composing_of(parse_composite(document), "job.json")
    assert notes == ()
    return found


def refused(**document: Any) -> str:
    with pytest.raises(CommandError) as caught:
        composing_of(parse_composite(document), "job.json")
    told = str(caught.value)
    assert told.isprintable()
    assert "Document" not in told
    return told


def looks(**fields: Any) -> Composing:
    return replace(DEFAULT, looks=replace(Looks(), **fields))


def pictures(**fields: Any) -> Composing:
    return replace(DEFAULT, encoding=replace(Encoding(), **fields))


def sound(**fields: Any) -> Composing:
    return replace(DEFAULT, sound=replace(SoundEncoding(), **fields))


def test_a_document_of_no_words_does_what_one_expects() -> None:
    assert composing() == DEFAULT


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param({"layout": "grid"}, replace(DEFAULT, layout=Wish("grid")), id="a layout"),
        pytest.param(
            {"layout": "grid", "vendor": "agora"} | {"layout": "floating"},
            replace(DEFAULT, layout=Wish("floating", "agora"), canvas=Canvas(360, 640)),
            id="a vendor's has its size",
        ),
        pytest.param({"size": "640x360"}, replace(DEFAULT, canvas=Canvas(640, 360)), id="a size"),
        pytest.param(
            {"background": "#A0b1C2"}, replace(DEFAULT, canvas=Canvas(1280, 720, "#A0b1C2")), id="a colour"
        ),
        pytest.param({"backdrop": "b.png"}, looks(backdrop=Image("b.png")), id="a backdrop"),
        pytest.param({"large": "ann"}, replace(DEFAULT, main=Who("ann")), id="somebody large"),
        pytest.param(
            {"large": "ann:screen", "layout": "screen", "large_right": True},
            replace(DEFAULT, main=Who("ann", "screen"), layout=Wish("screen", right=True)),
            id="his screen, at the right",
        ),
        pytest.param({"mode": "fit"}, looks(mode=Mode.FIT), id="a mode"),
        pytest.param({"camera_off": "hold"}, looks(camera_off=CameraOff.HOLD), id="cameras that are off"),
        pytest.param({"linger": "3.5s"}, looks(linger_ms=3500), id="three and a half seconds"),
        pytest.param({"linger": "0"}, looks(linger_ms=0), id="off at once"),
        pytest.param({"sound_only": False}, looks(sound_only=False), id="no region for sound alone"),
        pytest.param({"image": "a.png"}, looks(image=Image("a.png")), id="an image for all"),
        pytest.param(
            {"images": {"bob": "b.png", "ann:screen": "a.png"}},
            looks(images=((Who("ann", "screen"), Image("a.png")), (Who("bob"), Image("b.png")))),
            id="images of single users",
        ),
        pytest.param({"labels": True}, looks(label=Label()), id="labels"),
        pytest.param({"labels": True, "label_size": 30}, looks(label=Label(30)), id="large labels"),
        pytest.param({"label_size": 30}, DEFAULT, id="a size of labels that are not asked for"),
        pytest.param({"names": {"2": "Bo", "1": "An"}}, looks(names=(("1", "An"), ("2", "Bo"))), id="names"),
        pytest.param({"tracks": "audio"}, replace(DEFAULT, encoding=None), id="sound alone"),
        pytest.param({"tracks": "video"}, replace(DEFAULT, sound=None), id="pictures alone"),
        pytest.param({"fps": 1}, pictures(fps=1), id="the fewest pictures a second"),
        pytest.param({"fps": 60}, pictures(fps=60), id="the most"),
        pytest.param({"bit_rate": 32_000}, pictures(bit_rate=32_000), id="the lowest bit rate"),
        pytest.param({"bit_rate": 100_000_000}, pictures(bit_rate=100_000_000), id="the highest"),
        pytest.param({"crf": 0}, pictures(crf=0), id="the lowest crf"),
        pytest.param({"crf": 51}, pictures(crf=51), id="the highest crf"),
        pytest.param({"gop": "0.1s"}, pictures(gop_ms=100), id="the shortest gop"),
        pytest.param({"gop": "1m"}, pictures(gop_ms=60_000), id="the longest gop"),
        pytest.param(
            {"codec": "hevc", "encoder": "hevc_nvenc", "profile": "main", "preset": "p7"},
            pictures(codec=VideoCodec.HEVC, encoder="hevc_nvenc", profile="main", preset="p7"),
            id="an encoder",
        ),
        pytest.param({"audio_rate": 16_000}, sound(rate=16_000), id="the lowest sample rate"),
        pytest.param({"audio_rate": 44_100, "audio_channels": 1}, sound(rate=44_100, channels=1), id="mono"),
        pytest.param({"audio_bit_rate": 8_000}, sound(bit_rate=8_000), id="the lowest bit rate of sound"),
        pytest.param({"audio_bit_rate": 320_000}, sound(bit_rate=320_000), id="the highest of sound"),
        pytest.param({"loudness": -40}, sound(loudness=-40), id="the softest"),
        pytest.param({"loudness": -8}, sound(loudness=-8), id="the loudest"),
        pytest.param({"max_duration": "1s"}, replace(DEFAULT, most_ms=1000), id="the shortest parts"),
        pytest.param({"max_duration": "168h"}, replace(DEFAULT, most_ms=604_800_000), id="the longest parts"),
    ],
)
def test_what_a_field_means(document: dict[str, Any], expected: Composing) -> None:
    assert composing(**document) == expected


@pytest.mark.parametrize(
    ("document", "told"),
    [
        pytest.param({"layuot": "grid"}, "layuot: is not known", id="a misspelt field"),
        pytest.param({"layout": "heap"}, "there is no layout 'heap'", id="a layout"),
        pytest.param({"vendor": "zoom"}, "no layouts of 'zoom' are known", id="a vendor"),
        pytest.param({"vendor": "agora"}, "agora has no layout auto", id="a layout that a vendor has not"),
        pytest.param({"size": "640"}, "a size is WIDTHxHEIGHT", id="a size"),
        pytest.param(
            {"size": "641x360"}, "width is an even number from 2 to 8192, not 641", id="an odd size"
        ),
        pytest.param(
            {"size": "640x8194"}, "height is an even number from 2 to 8192, not 8194", id="too high"
        ),
        pytest.param({"background": "red"}, "background: ", id="a colour"),
        pytest.param({"background": "#12345"}, "background: ", id="five digits"),
        pytest.param({"background": "#123456\n"}, "background: ", id="a colour and a new line"),
        pytest.param({"layout": "grid", "large": "ann"}, "the layout grid has no large region", id="large"),
        pytest.param({"large_right": True}, "chooses itself where the large region is", id="at the right"),
        pytest.param(
            {"mode": "zoom"}, "mode: input should be 'stretch', 'crop', 'fit' or 'smart'", id="mode"
        ),
        pytest.param({"camera_off": "blue"}, "camera_off: input should be 'hold',", id="camera off"),
        pytest.param({"linger": "soon"}, "linger: 'soon' is no duration", id="linger"),
        pytest.param(
            {"label_size": 401}, "label_size: input should be less than or equal to 400", id="labels"
        ),
        pytest.param({"label_size": -1}, "label_size: input should be greater", id="labels below nothing"),
        pytest.param({"tracks": "none"}, "tracks: input should be", id="tracks"),
        pytest.param({"fps": 0}, "fps: 1 to 60, not 0", id="no pictures"),
        pytest.param({"fps": 61}, "fps: 1 to 60, not 61", id="too many pictures"),
        pytest.param({"fps": 7.5}, "fps: input should be a valid integer", id="half a picture"),
        pytest.param({"bit_rate": 31_999}, "bit rate: 32000 to 100000000 bits a second, not 31999", id="low"),
        pytest.param({"bit_rate": 100_000_001}, "bit rate: 32000 to 100000000", id="high"),
        pytest.param({"crf": -1}, "crf: 0 to 51, not -1", id="crf below"),
        pytest.param({"crf": 52}, "crf: 0 to 51, not 52", id="crf above"),
        pytest.param({"crf": 20, "bit_rate": 10**6}, "crf: not with a bit rate, give one of them", id="both"),
        pytest.param({"gop": "0"}, "gop: 100 to 60000 ms, not 0", id="gop of nothing"),
        pytest.param({"gop": "61s"}, "gop: 100 to 60000 ms, not 61000", id="gop above"),
        pytest.param({"gop": "often"}, "gop: 'often' is no duration", id="gop that is none"),
        pytest.param({"codec": "av1"}, "codec: input should be 'h264' or 'hevc'", id="codec"),
        pytest.param(
            {"audio_rate": 8000}, "sample rate: 16000, 32000, 44100 or 48000, not 8000", id="sample rate"
        ),
        pytest.param({"audio_channels": 3}, "channels: 1 or 2, not 3", id="channels"),
        pytest.param({"audio_channels": 0}, "channels: 1 or 2, not 0", id="no channels"),
        pytest.param(
            {"audio_bit_rate": 7999}, "sound bit rate: 8000 to 320000 bits a second", id="sound low"
        ),
        pytest.param({"audio_bit_rate": 320_001}, "sound bit rate: 8000 to 320000", id="sound high"),
        pytest.param({"loudness": -41}, "loudness: -40 to -8 LUFS, not -41", id="soft"),
        pytest.param({"loudness": -7}, "loudness: -40 to -8 LUFS, not -7", id="loud"),
        pytest.param({"max_duration": "0"}, "max duration: 1000 to 604800000 ms, not 0", id="no length"),
        pytest.param({"max_duration": "0.999s"}, "max duration: 1000 to 604800000 ms, not 999", id="short"),
        pytest.param({"max_duration": "169h"}, "max duration: 1000 to 604800000 ms", id="long"),
        pytest.param({"max_duration": "a day"}, "max_duration: 'a day' is no duration", id="no duration"),
        pytest.param({"version": "2024-01-01"}, "version: input should be ''", id="an API of Volcengine"),
        pytest.param({"layout": "custom"}, "a custom layout needs regions", id="custom without regions"),
        pytest.param(
            {"cells": [{"region": "0,0,1,1"}]}, "no other layout takes any", id="regions of another layout"
        ),
    ],
)
def test_what_a_field_may_not_be(document: dict[str, Any], told: str) -> None:
    assert told in refused(**document)


def test_all_faults_are_told_at_once() -> None:
    words = refused(codec="av1", linger="soon", marks=[{"corner": "top", "size": 5}], layuot=1)
    for field in ("codec: ", "linger: ", "marks.0.size: ", "layuot: "):
        assert field in words
    numbers = refused(fps=0, crf=99, gop="0", audio_rate=1, audio_channels=9, loudness=0, max_duration="0")
    for field in ("fps: ", "crf: ", "gop: ", "sample rate: ", "channels: ", "loudness: ", "max duration: "):
        assert field in numbers


MARKS = {
    "an image": (
        {"image": "a.png", "x": -3, "y": 8192, "width": 2, "height": 8192},
        ImageMark("a.png", -3, 8192, 2, 8192),
    ),
    "a text": ({"text": "x", "x": 1, "y": 2}, TextMark("x", 1, 2)),
    "a text with all": (
        {"text": "会议", "x": 1, "y": 2, "size": 400, "colour": "#000000", "behind": "#ffffff"},
        TextMark("会议", 1, 2, 400, "#000000", "#ffffff"),
    ),
    "a clock": ({"corner": "top-left"}, ClockMark(Corner.TOP_LEFT)),
    "a clock in the east": ({"corner": "bottom", "zone": "+08:00"}, ClockMark(Corner.BOTTOM, 480)),
    "a clock in India": ({"corner": "middle", "zone": "+05:30"}, ClockMark(Corner.MIDDLE, 330)),
    "a clock in the west": ({"corner": "top", "zone": "-09:30", "size": 6}, ClockMark(Corner.TOP, -570, 6)),
    "a clock furthest": ({"corner": "top", "zone": "+14:00"}, ClockMark(Corner.TOP, 840)),
}


@pytest.mark.parametrize(("document", "mark"), MARKS.values(), ids=MARKS)
def test_watermarks(document: dict[str, Any], mark: ImageMark | TextMark | ClockMark) -> None:
    assert composing(marks=[document]).looks.marks == (mark,)


def test_watermarks_keep_their_order() -> None:
    found = composing(marks=[document for document, _ in MARKS.values()])
    assert found.looks.marks == tuple(mark for _, mark in MARKS.values())


@pytest.mark.parametrize(
    ("document", "told"),
    [
        pytest.param({"image": "a", "x": 0, "y": 0, "width": 1, "height": 2}, "marks.0.width: ", id="narrow"),
        pytest.param(
            {"image": "a", "x": 0, "y": 0, "width": 2, "height": 8193}, "marks.0.height: ", id="high"
        ),
        pytest.param(
            {"image": "a", "x": 0, "y": 0, "width": 2}, "marks.0.height: is missing", id="no height"
        ),
        pytest.param({"text": "", "x": 0, "y": 0}, "marks.0.text: ", id="no text"),
        pytest.param({"text": "x" * 501, "x": 0, "y": 0}, "marks.0.text: ", id="a novel"),
        pytest.param({"text": "x", "x": 0}, "marks.0.y: is missing", id="no place"),
        pytest.param({"text": "x", "x": 0, "y": 0, "size": 401}, "marks.0.size: ", id="large letters"),
        pytest.param({"text": "x", "x": 0, "y": 0, "size": 5}, "marks.0.size: ", id="small letters"),
        pytest.param({"text": "x", "x": 0, "y": 0, "colour": "red"}, "marks.0.colour: ", id="a colour"),
        pytest.param({"corner": "left"}, "marks.0.corner: ", id="no corner"),
        pytest.param({"corner": "top", "zone": "+8:00"}, "marks.0.zone: ", id="a short zone"),
        pytest.param({"corner": "top", "zone": "+15:00"}, "marks.0.zone: ", id="no zone of this world"),
        pytest.param({"corner": "top", "zone": "+08:60"}, "marks.0.zone: ", id="sixty minutes"),
        pytest.param({}, "marks.0.image: is missing", id="nothing"),
    ],
)
def test_what_is_no_watermark(document: dict[str, Any], told: str) -> None:
    words = refused(marks=[document])
    assert told in words
    if document:
        assert words.count("marks.0") == 1


HALF = Fraction(1, 2)
LEFT = Box(Fraction(0), Fraction(0), HALF, Fraction(1))


@pytest.mark.parametrize(
    ("document", "cell"),
    [
        pytest.param({"region": "0,0,0.5,1"}, Cell(Place(LEFT)), id="fractions"),
        pytest.param({"region": "0,0,640,720,3"}, Cell(Place(LEFT, z=3)), id="pixels and depth"),
        pytest.param({"region": "0,0,1/2,1", "user": "ann"}, Cell(Place(LEFT), Who("ann")), id="somebody's"),
        pytest.param(
            {"region": "0,0,0.5,1", "user": "a:b:screen"},
            Cell(Place(LEFT), Who("a:b", "screen")),
            id="screen",
        ),
        pytest.param(
            {"region": "0,0,0.5,1", "mode": "fit", "opacity": 0},
            Cell(Place(LEFT, Mode.FIT, opacity=0)),
            id="fitted and unseen",
        ),
        pytest.param(
            {"region": "0,0,0.5,1", "crop": "0,0,0.5,1", "radius": 0.1, "image": "a.png"},
            Cell(Place(LEFT), crop=LEFT, radius=Fraction(1, 10), image=Image("a.png")),
            id="cut, round, with an image",
        ),
        pytest.param({"region": "0,0,0.5,1", "radius": 1}, Cell(Place(LEFT), radius=Fraction(1)), id="round"),
    ],
)
def test_regions_of_a_custom_layout(document: dict[str, Any], cell: Cell) -> None:
    found = composing(layout="custom", cells=[document])
    assert found.cells == (cell,)
    assert found.layout == Wish("custom", places=(cell.place,))
    assert found.cells[0].crop in {LEFT, WHOLE}


@pytest.mark.parametrize(
    ("vendor", "mode"),
    [("", Mode.CROP), ("agora", Mode.CROP), ("trtc", Mode.CROP), ("volcengine", Mode.STRETCH)],
)
def test_a_region_is_filled_as_its_vendor_does(vendor: str, mode: Mode) -> None:
    found = composing(layout="custom", vendor=vendor, cells=[{"region": "0,0,1,1"}])
    assert found.cells[0].place.mode is mode


@pytest.mark.parametrize(
    ("document", "told"),
    [
        pytest.param({}, "cells.0.region: is missing", id="nothing"),
        pytest.param({"region": "0,0,1"}, "region", id="three numbers"),
        pytest.param({"region": "0,0,2000,10"}, "leaves the canvas of 1280x720", id="outside"),
        pytest.param({"region": "0,0,1,1", "opacity": 256}, "cells.0.opacity: ", id="too opaque"),
        pytest.param({"region": "0,0,1,1", "opacity": -1}, "cells.0.opacity: ", id="less than nothing"),
        pytest.param({"region": "0,0,1,1", "radius": 1.1}, "cells.0.radius: ", id="a radius"),
        pytest.param({"region": "0,0,1,1", "radius": -0.1}, "cells.0.radius: ", id="a radius below"),
        pytest.param({"region": "0,0,1,1", "mode": "zoom"}, "cells.0.mode: ", id="a mode"),
        pytest.param({"region": "0,0,1,1", "crop": "0,0,1"}, "the crop '0,0,1'", id="a crop"),
        pytest.param({"region": "0,0,1,1", "crop": "0,0,2,2"}, "the crop", id="a crop in pixels"),
        pytest.param({"region": "0,0,1,1", "crop": "0,0,1,1,3"}, "the crop", id="a crop with a depth"),
        pytest.param({"region": "0,0,1,1", "crop": "0.5,0,0.6,1"}, "outside", id="a crop too wide"),
        pytest.param({"region": "0,0,1,1", "z": 1}, "cells.0.z: is not known", id="a field"),
    ],
)
def test_what_is_no_region(document: dict[str, Any], told: str) -> None:
    assert told in refused(layout="custom", cells=[document])


@pytest.mark.parametrize("vendor", ["", *TEMPLATES])
def test_every_layout_of_every_vendor_may_be_asked_for(vendor: str) -> None:
    names = [name for name in offered(vendor) if name != "custom"]
    found = {composing(layout=name, vendor=vendor).layout.name for name in names}
    assert found == set(names) <= set(NAMES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann", Who("ann")),
        ("ann:camera", Who("ann", "camera")),
        ("ann:screen", Who("ann", "screen")),
        ("ann:sceen", Who("ann:sceen")),
        (":screen", Who("", "screen")),
        ("a:b", Who("a:b")),
    ],
)
def test_users_and_their_screens(text: str, expected: Who) -> None:
    assert who(text) == expected


def request(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((REQUESTS / name).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", sorted(path.name for path in REQUESTS.glob("*.json")))
def test_every_example_of_a_request_is_a_composite(name: str) -> None:
    asked = parse_composite({"request": request(name)})
    found, _ = composing_of(asked, name)
    assert found.layout.vendor or found.layout.name == "custom"


def test_what_a_request_tells_is_not_told_beside_it() -> None:
    words = refused(request=request("agora-floating.json"), fps=15, layout="grid")
    assert words == "job.json: a request tells all of the composite: leave fps, layout out."


def test_what_a_request_does_not_tell_may_be_given_beside_it() -> None:
    plain, notes = composing_of(parse_composite({"request": request("agora-floating.json")}), "x")
    beside: dict[str, Any] = {"names": {"1": "An"}, "labels": True, "camera_off": "black", "linger": "2s"}
    asked = parse_composite({"request": request("agora-floating.json"), **beside})
    found, again = composing_of(asked, "x")
    wanted = replace(
        plain.looks,
        names=(("1", "An"),),
        label=Label(),
        camera_off=CameraOff.BLACK,
        linger_ms=2000,
        image=None,
        images=(),
    )
    assert (found, again) == (replace(plain, looks=wanted), notes)


def test_a_composite_of_a_job_has_its_images_and_fonts_below_its_folder(tmp_path: Path) -> None:
    document = {"files": {"https://x/y.png": "y.png", "a": "b"}, "fonts": ["f.ttf"], "fps": 7}
    outputs = Composites(kind="compose", composite=parse_composite(document), missing=Missing.FAIL)
    wanted = outputs.options(["ann"], "name", None, None, tmp_path)
    assert wanted.composing == pictures(fps=7)
    assert wanted.files == (("a", "b"), ("https://x/y.png", "y.png"))
    assert (wanted.folder, wanted.outside) == (str(tmp_path), False)
    assert (wanted.fonts, wanted.folder, wanted.outside) == (("f.ttf",), str(tmp_path), False)
    assert (wanted.uids, wanted.name, wanted.missing, wanted.verify) == (
        ("ann",),
        "name",
        Missing.FAIL,
        Verify.FULL,
    )


def _deep(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(levels):
        found = {"a": found}
    return found


@pytest.mark.parametrize(
    "make",
    [list, lambda: "x", lambda: None, lambda: _deep(50)],
    ids=["a list", "a word", "none", "deep"],
)
def test_what_is_no_document_is_one_sentence(make: Callable[[], Any]) -> None:
    with pytest.raises(CommandError) as caught:
        parse_composite(make())
    assert str(caught.value).startswith("the composite cannot be made so: ")
