"""TRTC's request: what each field takes, what is said of what it does not take, and what it means."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.layout.canvas import WHOLE, Canvas, Mode, Place
from pipeline.layout.encoding import Encoding, SoundEncoding
from pipeline.layout.looks import CameraOff, Cell, ClockMark, Corner, Image, ImageMark, TextMark
from pipeline.layout.streams import ALL, Choice, Who
from pipeline.vendors.layouts import Wish
from tests.vendors.asking import (
    Row,
    all_wrong,
    asked,
    cases,
    choice,
    colour,
    documents,
    drop,
    even,
    example,
    faults,
    flag,
    name_of,
    notes,
    objects,
    put,
    text,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable

VIDEO, AUDIO = "MixTranscodeParams.VideoParams", "MixTranscodeParams.AudioParams"
LAYOUT, RECORD = "MixLayoutParams", "RecordParams"
FIRST = f"{LAYOUT}.MixLayoutList[1]"
LOGO, WORDS, CLOCK = (
    f"{LAYOUT}.WaterMarkList[{n}].{kind}"
    for n, kind in enumerate(("WaterMarkImage", "WaterMarkChar", "WaterMarkTimestamp"))
)

ROWS: tuple[Row, ...] = (
    objects("trtc-grid", "MixTranscodeParams"),
    objects("trtc-grid", LAYOUT),
    objects("trtc-grid", RECORD),
    even("trtc-grid", f"{VIDEO}.Width", 2, 1920),
    even("trtc-grid", f"{VIDEO}.Height", 2, 1920),
    whole("trtc-grid", f"{VIDEO}.Fps", 1, 60),
    whole("trtc-grid", f"{VIDEO}.BitRate", 64_000, 8_192_000),
    whole("trtc-grid", f"{VIDEO}.Gop", 1, 60),
    choice("trtc-grid", f"{AUDIO}.SampleRate", 1, 2, 3),
    choice("trtc-grid", f"{AUDIO}.Channel", 1, 2),
    whole("trtc-grid", f"{AUDIO}.BitRate", 32_000, 128_000),
    whole("trtc-grid", "ResourceExpiredHour", 6, 720),
    choice("trtc-grid", f"{RECORD}.RecordMode", 1, 2, free=False),
    whole("trtc-grid", f"{RECORD}.MaxIdleTime", 5, 86_400),
    choice("trtc-grid", f"{RECORD}.StreamType", 0, 1, 2),
    whole("trtc-grid", f"{RECORD}.OutputFormat", 0, 4),
    whole("trtc-grid", f"{RECORD}.AvMerge", 0, 1),
    whole("trtc-grid", f"{RECORD}.MaxMediaFileDuration", 1, 1440),
    choice("trtc-grid", f"{RECORD}.MediaId", 0, 1, 2),
    choice("trtc-grid", f"{RECORD}.FillType", 0, 1),
    whole("trtc-grid", f"{RECORD}.SubscribeAbility", 0, 1),
    choice("trtc-grid", f"{LAYOUT}.MixLayoutMode", 1, 2, 3, 4, free=False),
    colour("trtc-grid", f"{LAYOUT}.BackGroundColor"),
    choice("trtc-screen", f"{LAYOUT}.BackgroundImageRenderMode", 0, 1, 2, 3),
    text("trtc-screen", f"{LAYOUT}.MaxResolutionUserId"),
    choice("trtc-screen", f"{LAYOUT}.MediaId", 0, 1),
    choice("trtc-screen", f"{LAYOUT}.MaxResolutionUserAlign", 0, 1),
    flag("trtc-screen", f"{LAYOUT}.PureAudioDisableLayout"),
    choice("trtc-grid", f"{LAYOUT}.PlaceHolderMode", 0, 1),
    choice("trtc-grid", f"{LAYOUT}.RenderMode", 0, 1, 2, 3),
    whole("trtc-custom", f"{FIRST}.Left", 0, 1920, free=False),
    whole("trtc-custom", f"{FIRST}.Top", 0, 1920, free=False),
    whole("trtc-custom", f"{FIRST}.Width", 1, 1920, free=False),
    whole("trtc-custom", f"{FIRST}.Height", 1, 1920, free=False),
    text("trtc-custom", f"{FIRST}.UserId"),
    whole("trtc-custom", f"{FIRST}.Alpha", 0, 255),
    choice("trtc-custom", f"{FIRST}.RenderMode", 0, 1, 2, 3),
    choice("trtc-custom", f"{FIRST}.MediaId", 0, 1, free=False),
    whole("trtc-custom", f"{FIRST}.ImageLayer", -1_000_000, 1_000_000),
    choice("trtc-grid", f"{LAYOUT}.WaterMarkList[0].WaterMarkType", 0, 1, 2, free=False),
    whole("trtc-grid", f"{LOGO}.Left", 0, 2560, free=False),
    whole("trtc-grid", f"{LOGO}.Top", 0, 2560, free=False),
    whole("trtc-grid", f"{LOGO}.Width", 1, 2560, free=False),
    whole("trtc-grid", f"{LOGO}.Height", 1, 2560, free=False),
    text("trtc-grid", f"{WORDS}.Chars", 1024),
    whole("trtc-grid", f"{WORDS}.FontSize", 1, 512),
    whole("trtc-grid", f"{WORDS}.Left", 0, 640),
    whole("trtc-grid", f"{WORDS}.Top", 0, 480),
    whole("trtc-grid", f"{WORDS}.Width", 0, 2560),
    whole("trtc-grid", f"{WORDS}.Height", 0, 2560),
    choice("trtc-grid", f"{CLOCK}.Pos", *range(7)),
    whole("trtc-grid", f"{CLOCK}.TimeZone", -12, 14),
    whole("tuicallkit", f"{VIDEO}.Fps", 1, 60),
    even("tuicallkit", f"{VIDEO}.Width", 2, 2560),
    even("tuicallkit", f"{VIDEO}.Height", 2, 2560),
    choice("tuicallkit", f"{AUDIO}.SampleRate", 1, 2, 3),
    choice("tuicallkit", "KitType", 2, free=False),
)
FREE = tuple(row for row in ROWS if row.free)


@pytest.mark.parametrize("row", FREE, ids=str)
def test_a_field_takes_what_is_allowed(row: Row) -> None:
    for value in row.good:
        assert faults(put(example(row.example), row.path, value)) == []


@pytest.mark.parametrize("case", cases(ROWS), ids=name_of)
def test_a_field_says_what_it_takes_and_what_it_was_given(case: tuple[Row, Any, str]) -> None:
    row, value, says = case
    assert f"{row.path}: {says}" in faults(put(example(row.example), row.path, value))


@given(documents(FREE), st.sampled_from(cases(FREE)))
def test_of_a_request_that_can_be_followed_one_broken_field_is_named_alone(
    made: tuple[Any, str], case: tuple[Row, Any, str]
) -> None:
    (document, name), (row, value, says) = made, case
    assert faults(document) == []
    if row.example == name:
        assert faults(put(document, row.path, value)) == [f"{row.path}: {says}"]


@pytest.mark.parametrize("name", ["trtc-grid", "trtc-custom", "tuicallkit"])
def test_all_faults_of_a_request_come_at_once(name: str, golden: Callable[[str, str], None]) -> None:
    told = faults(all_wrong(name, ROWS))
    golden(f"vendors/golden/requests/{name}-wrong.txt", "\n".join([*told, ""]))


def sized(name: str, width: int, height: int) -> Any:
    return put(put(example(name), f"{VIDEO}.Width", width), f"{VIDEO}.Height", height)


LISTS = f"{RECORD}.SubscribeStreamUserIds"
PER_USER = "2 for a composite, since 1 asks for a file for each user, which recpipe merge makes"
GIVEN = "where it is given, all of its fields are"
TOGETHER = [
    pytest.param(
        sized("trtc-floating", 1920, 1082),
        [f"{VIDEO}.Width: with Height at most 2073600 pixels, not 1920 x 1082"],
        id="a canvas of more pixels than 1920 x 1080",
    ),
    pytest.param(
        sized("tuicallkit", 2560, 1442),
        [f"{VIDEO}.Width: with Height at most 3686400 pixels, not 2560 x 1442"],
        id="TUICallKit's of more pixels than 2560 x 1440",
    ),
    pytest.param(
        sized("tuicallkit", 14, 14),
        [f"{VIDEO}.Width: the longer of Width and Height 16 to 2560, not 14 x 14"],
        id="TUICallKit's whose longer side is too short",
    ),
    pytest.param(
        put(example("trtc-custom"), f"{VIDEO}.Width", 641),
        [f"{VIDEO}.Width: an even number from 2 to 1920, not 641"],
        id="a canvas that is odd, and no region to blame",
    ),
    pytest.param(sized("tuicallkit", 2, 16), [], id="TUICallKit's whose longer side is long enough"),
    pytest.param(sized("tuicallkit", 1440, 2560), [], id="TUICallKit's upright"),
    pytest.param(
        drop(example("trtc-grid"), f"{VIDEO}.Gop"),
        [f"{VIDEO}.Gop: is missing: {GIVEN}"],
        id="pictures of which one field is absent",
    ),
    pytest.param(
        put(example("trtc-grid"), AUDIO, {"Channel": 1}),
        [f"{AUDIO}.SampleRate: is missing: {GIVEN}", f"{AUDIO}.BitRate: is missing: {GIVEN}"],
        id="sound of which fields are absent",
    ),
    pytest.param(
        put(example("trtc-grid"), VIDEO, {}), [f"{VIDEO}: is empty: {GIVEN}"], id="pictures of which all are"
    ),
    pytest.param(
        put(example("trtc-custom"), f"{FIRST}.Left", 481),
        [f"{FIRST}.Width: with Left at most 640, not 641"],
        id="a region that ends right of the canvas",
    ),
    pytest.param(
        put(example("trtc-custom"), f"{FIRST}.Height", 471),
        [f"{FIRST}.Height: with Top at most 480, not 481"],
        id="a region that ends below the canvas",
    ),
    pytest.param(
        put(put(example("trtc-custom"), f"{LAYOUT}.MixLayoutList[0].MediaId", 0), f"{FIRST}.UserId", "1"),
        [f"{FIRST}.UserId: has the region MixLayoutList[0] already"],
        id="two regions of one stream",
    ),
    pytest.param(
        put(example("trtc-custom"), f"{LAYOUT}.MixLayoutList", []),
        [f"{LAYOUT}.MixLayoutList: a custom layout (MixLayoutMode 4) needs at least one region"],
        id="a custom layout without regions",
    ),
    pytest.param(
        put(
            example("trtc-custom"),
            f"{LAYOUT}.MixLayoutList",
            example("trtc-custom")[LAYOUT]["MixLayoutList"][2:3] * 26,
        ),
        [f"{LAYOUT}.MixLayoutList: at most 25, not 26"],
        id="more regions than 25",
    ),
    pytest.param(
        put(
            example("trtc-grid"),
            f"{LAYOUT}.WaterMarkList",
            example("trtc-grid")[LAYOUT]["WaterMarkList"][2:] * 26,
        ),
        [f"{LAYOUT}.WaterMarkList: at most 25, not 26"],
        id="more watermarks than 25",
    ),
    pytest.param(
        drop(example("trtc-grid"), WORDS),
        [f"{WORDS}: is missing"],
        id="a watermark without what its type says",
    ),
    pytest.param(
        put(example("trtc-grid"), f"{LOGO}.Left", 600),
        [f"{LOGO}.Width: with Left at most 640, not 664"],
        id="a watermark that leaves the canvas",
    ),
    pytest.param(
        put(example("trtc-grid"), f"{LOGO}.WaterMarkUrl", "https://images.example/logo.gif"),
        [f"{LOGO}.WaterMarkUrl: an address that ends in .jpg, .jpeg or .png"],
        id="an image of a kind that is not taken",
    ),
    pytest.param(
        put(example("trtc-grid"), f"{LOGO}.WaterMarkUrl", "x" * 2045 + ".png"),
        [f"{LOGO}.WaterMarkUrl: at most 2048 bytes, not 2049"],
        id="an address that is too long",
    ),
    pytest.param(
        put(example("trtc-grid"), f"{LOGO}.WaterMarkUrl", "x" * 2044 + ".png"),
        [],
        id="an address as long as can be",
    ),
    pytest.param(
        drop(example("trtc-grid"), f"{LOGO}.WaterMarkUrl"),
        [f"{LOGO}.WaterMarkUrl: is missing"],
        id="a watermark without its image",
    ),
    pytest.param(
        put(example("trtc-grid"), f"{LOGO}.WaterMarkUrl", "https://images.example/logo.JPG?v=1"),
        [],
        id="an image whose address goes on behind its end",
    ),
    pytest.param(
        put(example("trtc-grid"), f"{WORDS}.FontColor", "white"),
        [f"{WORDS}.FontColor: a colour such as #1a2b3c"],
        id="a colour that is a word",
    ),
    pytest.param(
        put(example("trtc-grid"), f"{WORDS}.Font", "Arial"),
        [f"{WORDS}.Font: Tencent or SourceHanSans, not 'Arial'"],
        id="letters that there are not",
    ),
    pytest.param(
        put(example("trtc-screen"), f"{LISTS}.UnSubscribeAudioUserIds", ["4"]),
        [f"{LISTS}.SubscribeAudioUserIds: not together with UnSubscribeAudioUserIds"],
        id="a white list and a black one",
    ),
    pytest.param(
        put(example("trtc-screen"), f"{LISTS}.SubscribeVideoUserIds", [str(n) for n in range(33)]),
        [
            f"{LISTS}.SubscribeVideoUserIds: at most 32, not 33",
            f"{LISTS}.SubscribeVideoUserIds: not together with UnSubscribeVideoUserIds",
        ],
        id="a list of more than 32",
    ),
    pytest.param(
        put(example("trtc-grid"), f"{RECORD}.RecordMode", 1),
        [f"{RECORD}.RecordMode: {PER_USER}"],
        id="a file for each user",
    ),
    pytest.param(
        put(example("trtc-grid"), f"{LAYOUT}.BackgroundColor", "#000000"),
        [f"{LAYOUT}.BackgroundColor: no such field, did you mean BackGroundColor?"],
        id="a field in other letters",
    ),
]


@pytest.mark.parametrize(("document", "said"), TOGETHER)
def test_what_fields_do_not_take_together_is_told_at_the_one_to_change(
    document: Any, said: list[str]
) -> None:
    assert faults(document) == said


def test_what_is_absent_is_what_the_page_says() -> None:
    made = asked(example("trtc-defaults"))
    assert (made.canvas, made.layout.name, made.layout.vendor) == (Canvas(360, 640), "grid", "trtc")
    assert made.encoding == Encoding(15, 550_000, gop_ms=10_000)
    assert made.sound == SoundEncoding(48_000, 2, 64_000)
    assert (made.streams.drawn, made.streams.heard, made.main) == (ALL, ALL, None)
    assert (made.looks.camera_off, made.looks.sound_only, made.looks.mode) == (CameraOff.HOLD, True, None)
    assert made.most_ms == 24 * 3_600_000


@pytest.mark.parametrize(("number", "name"), [(1, "floating"), (2, "screen"), (3, "grid")], ids=str)
def test_a_number_is_a_layout(number: int, name: str) -> None:
    assert asked(put(example("trtc-floating"), f"{LAYOUT}.MixLayoutMode", number)).layout.name == name


def test_regions_of_a_custom_layout_are_cells_in_their_order() -> None:
    made = asked(example("trtc-custom"))
    assert [cell.who for cell in made.cells] == [
        Who("1", "screen"),
        Who("1", "camera"),
        None,
        Who("2", "camera", begins=True),
    ]
    assert [cell.place.mode for cell in made.cells] == [Mode.FIT, Mode.CROP, Mode.SMART, Mode.STRETCH]
    assert [(cell.place.z, cell.place.opacity) for cell in made.cells] == [
        (0, 255),
        (2, 191),
        (1, 255),
        (1, 255),
    ]
    boxes = [made.canvas.region(0, cell.place) for cell in made.cells]
    assert [(box.x, box.y, box.w, box.h) for box in boxes[:2]] == [(0, 0, 640, 480), (470, 10, 160, 120)]
    assert made.cells[1].image == Image("https://images.example/one.png", Mode.CROP)


def test_a_region_has_the_defaults_of_the_page() -> None:
    region = {"Left": 0, "Top": 0, "Width": 640, "Height": 480, "UserId": "1"}
    region["SubBackgroundImage"] = "https://images.example/one.png"
    document = put(example("trtc-custom"), f"{LAYOUT}.MixLayoutList", [region])
    cell = Cell(Place(WHOLE, Mode.CROP, 0, 255), Who("1", "camera"))
    shown = Image("https://images.example/one.png", Mode.CROP)
    assert asked(document).cells == (replace(cell, image=shown),)
    assert asked(drop(document, f"{LAYOUT}.PlaceHolderMode")).cells == (cell,)


def test_a_layout_has_the_defaults_of_the_page() -> None:
    wall = "https://images.example/wall.png"
    given = {"MixLayoutMode": 2, "MaxResolutionUserId": "1", "BackgroundImageUrl": wall}
    made = asked(put(example("trtc-screen"), LAYOUT, given))
    assert (made.main, made.layout) == (Who("1", "camera"), Wish("screen", "trtc"))
    assert (made.looks.backdrop, made.looks.mode) == (Image(wall, Mode.CROP), None)
    document = put(example("trtc-grid"), LAYOUT, {"DefaultSubBackgroundImage": wall, "PlaceHolderMode": 1})
    assert asked(document).looks.image == Image(wall, Mode.CROP)
    assert asked(drop(document, f"{LAYOUT}.PlaceHolderMode")).looks.image is None


def test_a_small_picture_is_a_picture() -> None:
    assert faults(sized("trtc-floating", 2, 2)) == []


def test_a_screen_of_nobody_in_particular_is_anybodys() -> None:
    document = put(example("trtc-custom"), f"{LAYOUT}.MixLayoutList[2].MediaId", 1)
    assert asked(document).cells[2].who == Who("", "screen", begins=True)


@pytest.mark.parametrize("mode", [0, 1])
def test_placeholders_are_shown_where_they_are_switched_on(mode: int) -> None:
    grid = put(example("trtc-grid"), f"{LAYOUT}.PlaceHolderMode", mode)
    custom = put(example("trtc-custom"), f"{LAYOUT}.PlaceHolderMode", mode)
    shown = Image("https://images.example/off.png", Mode.CROP) if mode else None
    assert asked(grid).looks.image == shown
    assert (asked(custom).cells[1].image is not None) == bool(mode)
    for document in (grid, custom):
        told = [note for note in notes(document) if "PlaceHolderMode is 0" in note]
        assert len(told) == 1 - mode


def test_a_large_user_has_a_source_and_a_side() -> None:
    made = asked(example("trtc-screen"))
    assert made.main == Who("1", "screen")
    assert made.layout == Wish("screen", "trtc", right=True)
    assert (made.looks.sound_only, made.looks.camera_off) == (False, CameraOff.BLACK)
    assert made.looks.backdrop == Image("https://images.example/wall.png", Mode.CROP)


def test_lists_hold_users_and_beginnings_of_users() -> None:
    streams = asked(example("trtc-screen")).streams
    assert streams.heard == Choice((Who("1"), Who("2"), Who("3")))
    assert streams.drawn == Choice(None, (Who("9", begins=True),))


@pytest.mark.parametrize(("number", "source"), [(1, "camera"), (2, "screen")])
def test_streams_of_one_source_alone_are_everybodys_or_those_of_the_list(number: int, source: str) -> None:
    streams = asked(put(example("trtc-screen"), f"{RECORD}.MediaId", number)).streams
    assert streams.drawn.only == (Who("", source, begins=True),)
    assert streams.heard.only == tuple(Who(uid, source) for uid in "123")


def test_watermarks_are_an_image_text_and_the_time() -> None:
    logo, words, clock = asked(example("trtc-grid")).looks.marks
    assert logo == ImageMark("https://images.example/logo.png", 8, 8, 64, 32)
    assert words == TextMark("会议 42", 8, 440, 18, "#FFFFFF", "#000000")
    assert clock == ClockMark(Corner.TOP_RIGHT, 480)


def test_a_watermark_has_the_defaults_of_the_page() -> None:
    document = put(example("trtc-grid"), f"{LAYOUT}.WaterMarkList[2].WaterMarkTimestamp", {})
    document = put(document, WORDS, {"Chars": "x", "FontColor": "0xFF00aa"})
    _, words, clock = asked(document).looks.marks
    assert words == TextMark("x", 0, 0, 14, "#FF00aa", "")
    assert clock == ClockMark(Corner.TOP_LEFT, 480)


def test_all_corners_are_those_of_the_page() -> None:
    corners = [
        mark.corner
        for n in range(7)
        for mark in asked(put(example("trtc-grid"), f"{CLOCK}.Pos", n)).looks.marks
        if isinstance(mark, ClockMark)
    ]
    assert [str(corner) for corner in corners] == [
        "top-left",
        "top-right",
        "bottom-left",
        "bottom-right",
        "top",
        "bottom",
        "middle",
    ]


@pytest.mark.parametrize(("number", "rate"), [(1, 48_000), (2, 44_100), (3, 16_000)])
def test_a_number_is_a_rate(number: int, rate: int) -> None:
    sound = asked(put(example("trtc-grid"), f"{AUDIO}.SampleRate", number)).sound
    assert sound
    assert sound.rate == rate


@pytest.mark.parametrize(
    ("number", "pictures", "sound"), [(0, True, True), (1, False, True), (2, True, False)]
)
def test_types_of_streams_leave_pictures_or_sound_out(number: int, *, pictures: bool, sound: bool) -> None:
    made = asked(put(example("trtc-grid"), f"{RECORD}.StreamType", number))
    assert (made.encoding is not None, made.sound is not None) == (pictures, sound)


def test_files_are_at_most_so_many_minutes_long() -> None:
    assert asked(example("trtc-grid")).most_ms == 3_600_000


def test_a_mode_of_all_is_of_templates_alone() -> None:
    assert asked(example("trtc-floating")).looks.mode is Mode.FIT
    custom = put(example("trtc-custom"), f"{LAYOUT}.RenderMode", 2)
    assert asked(custom).looks.mode is None
    assert f"{LAYOUT}.RenderMode: not used, regions of layout 4 have their own." in notes(custom)
