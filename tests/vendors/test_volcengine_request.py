"""Volcengine's request: what each field takes, what is said of what it does not take, and what it means."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.layout.canvas import WHOLE, Box, Canvas, Mode, Place
from pipeline.layout.encoding import Encoding, SoundEncoding, VideoCodec
from pipeline.layout.looks import CameraOff, Cell, Image
from pipeline.layout.streams import ALL, Choice, Who
from pipeline.vendors.requests import parse_request
from tests.vendors.asking import (
    EXAMPLES,
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
    fraction,
    name_of,
    notes,
    objects,
    put,
    text,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE, OLD, PIXELS = "volcengine-side-by-side", "volcengine-custom-fractions", "volcengine-custom-pixels"
VERTICAL = "volcengine-vertical"
CANVAS = "Layout.CustomLayout.Canvas"
REGIONS = "Layout.CustomLayout.Regions"
FIRST = f"{REGIONS}[1]"

ROWS: tuple[Row, ...] = (
    objects(SIDE, "Encode"),
    objects(SIDE, "Control"),
    objects(SIDE, "TargetStreams"),
    objects(SIDE, "Layout"),
    even(SIDE, "Encode.VideoWidth", 2, 1920, free=True),
    even(SIDE, "Encode.VideoHeight", 2, 1920, free=True),
    whole(SIDE, "Encode.VideoFps", 1, 60),
    whole(SIDE, "Encode.VideoBitrate", 0, 10_000),
    whole(VERTICAL, "Encode.VideoBitrate", 1, 10_000),
    whole(SIDE, "Encode.VideoGop", 1, 5),
    choice(SIDE, "Encode.VideoCodec", 0, 1),
    choice(SIDE, "Encode.AudioCodec", 0),
    choice(SIDE, "Encode.AudioProfile", 0, 1, 2, free=False),
    whole(SIDE, "Encode.AudioBitrate", 32, 192),
    choice(SIDE, "Encode.AudioSampleRate", 48_000, 44_100, 32_000),
    choice(SIDE, "Encode.AudioChannels", 1, 2),
    choice(SIDE, "Control.MediaType", 0, 1),
    choice(SIDE, "Control.FrameInterpolationMode", 0, 1),
    whole(SIDE, "Control.MaxIdleTime", 10, 86_400),
    whole(SIDE, "Control.MaxRecordTime", 0, 2**31 - 1),
    whole(SIDE, "Control.MaxSilenceSeconds", 60, 3600),
    choice(SIDE, "RecordMode", 0, 1, free=False),
    choice(SIDE, "Layout.LayoutMode", 0, 1, 2, 3, free=False),
    whole(SIDE, "TargetStreams.StreamList[0].Index", 0, 2**31 - 1),
    choice(SIDE, "TargetStreams.StreamList[0].StreamType", 0, 1),
    text(SIDE, "TargetStreams.StreamList[0].UserId"),
    choice(VERTICAL, "Layout.MainVideoStream.StreamType", 0, 1),
    text(VERTICAL, "Layout.MainVideoStream.UserId"),
    even(PIXELS, f"{CANVAS}.Width", 2, 1920),
    even(PIXELS, f"{CANVAS}.Height", 2, 1920),
    colour(PIXELS, f"{CANVAS}.Background"),
    text(PIXELS, f"{CANVAS}.BackgroundImage", 1024),
    whole(PIXELS, f"{FIRST}.StreamIndex", 0, 2**31 - 1, free=False),
    whole(PIXELS, f"{FIRST}.LocationX", 0, 1279, free=False),
    whole(PIXELS, f"{FIRST}.LocationY", 0, 719, free=False),
    whole(PIXELS, f"{FIRST}.Width", 1, 1280, free=False),
    whole(PIXELS, f"{FIRST}.Height", 1, 720, free=False),
    fraction(OLD, f"{FIRST}.LocationX", below=True, free=False),
    fraction(OLD, f"{FIRST}.LocationY", below=True, free=False),
    fraction(OLD, f"{FIRST}.WidthProportion", above=True, free=False),
    fraction(OLD, f"{FIRST}.HeightProportion", above=True, free=False),
    whole(PIXELS, f"{FIRST}.ZOrder", 0, 100),
    fraction(PIXELS, f"{FIRST}.Alpha", above=True),
    choice(PIXELS, f"{FIRST}.RenderMode", 0, 1, 2, 3),
    choice(PIXELS, f"{FIRST}.MediaType", 0, 1, 2),
    fraction(PIXELS, f"{FIRST}.CornerRadius"),
    fraction(OLD, f"{FIRST}.CornerRadius", above=True),
    text(PIXELS, f"{FIRST}.AlternateImage", 1024),
    choice(PIXELS, f"{FIRST}.AlternateImageFillMode", 0, 1),
    fraction(PIXELS, f"{REGIONS}[0].SourceCrop.LocationX", below=True, free=False),
    fraction(PIXELS, f"{REGIONS}[0].SourceCrop.LocationY", below=True, free=False),
    fraction(PIXELS, f"{REGIONS}[0].SourceCrop.WidthProportion", above=True),
    fraction(PIXELS, f"{REGIONS}[0].SourceCrop.HeightProportion", above=True),
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


@pytest.mark.parametrize("name", [SIDE, OLD, PIXELS])
def test_all_faults_of_a_request_come_at_once(name: str, golden: Callable[[str, str], None]) -> None:
    told = faults(all_wrong(name, ROWS))
    golden(f"vendors/golden/requests/{name}-wrong.txt", "\n".join([*told, ""]))


TOGETHER = [
    pytest.param(
        put(example(PIXELS), f"{FIRST}.LocationX", 961),
        [f"{FIRST}.Width: with LocationX at most 1280, not 1281"],
        id="a region that ends right of the canvas",
    ),
    pytest.param(
        put(example(OLD), f"{FIRST}.LocationX", 0.8),
        [f"{FIRST}.WidthProportion: with LocationX at most 1, not 1.05"],
        id="a fraction that ends right of the canvas",
    ),
    pytest.param(
        put(example(PIXELS), f"{FIRST}.SourceCrop.LocationX", 0.6),
        [f"{FIRST}.SourceCrop.WidthProportion: with LocationX at most 1, not 1.1"],
        id="a part that leaves the picture",
    ),
    pytest.param(
        put(put(example(PIXELS), f"{FIRST}.LocationX", 961), f"{FIRST}.Width", 1),
        [f"{FIRST}.Width: the region has no pixels on a canvas of 1280x720"],
        id="a region of one pixel",
    ),
    pytest.param(
        put(example(PIXELS), f"{CANVAS}.Width", 1281),
        [f"{CANVAS}.Width: an even number from 2 to 1920, not 1281"],
        id="a canvas that is odd, and no region to blame",
    ),
    pytest.param(
        put(example(PIXELS), f"{FIRST}.StreamIndex", -1),
        [f"{FIRST}.StreamIndex: 0 to 2147483647, not -1"],
        id="an index that is none",
    ),
    pytest.param(
        put(example(PIXELS), f"{FIRST}.WidthProportion", 0.5),
        [f"{FIRST}.WidthProportion: no such field, did you mean Width?"],
        id="a fraction in the version of pixels",
    ),
    pytest.param(
        put(drop(example(OLD), f"{FIRST}.WidthProportion"), f"{FIRST}.Width", 320),
        [
            f"{FIRST}.WidthProportion: is missing",
            f"{FIRST}.Width: no such field, did you mean WidthProportion?",
        ],
        id="pixels in a version of fractions",
    ),
    pytest.param(
        put(example(PIXELS), f"{FIRST}.StreamIndex", 0),
        [
            f"{FIRST}.StreamIndex: 0 has a region already",
            f"{REGIONS}: one for each stream of TargetStreams, none for Index 1",
        ],
        id="two regions of one stream",
    ),
    pytest.param(
        put(example(PIXELS), f"{FIRST}.StreamIndex", 9),
        [
            f"{FIRST}.StreamIndex: no stream of TargetStreams has the Index 9",
            f"{REGIONS}: one for each stream of TargetStreams, none for Index 1",
        ],
        id="a region of no stream",
    ),
    pytest.param(
        drop(example(PIXELS), "TargetStreams.StreamList[3].Index"),
        [
            f"{REGIONS}[3].StreamIndex: no stream of TargetStreams has the Index 3",
            f"{REGIONS}: one for each stream of TargetStreams, none for Index none",
        ],
        id="a stream without an index",
    ),
    pytest.param(
        put(example(PIXELS), "TargetStreams.StreamList[1].Index", 0),
        [
            "TargetStreams.StreamList[1].Index: 0 is that of another stream too",
            f"{FIRST}.StreamIndex: no stream of TargetStreams has the Index 1",
        ],
        id="two streams of one index",
    ),
    pytest.param(
        put(example(PIXELS), "TargetStreams.StreamList[2].UserId", "1"),
        ["TargetStreams.StreamList[2].UserId: is there twice with this StreamType"],
        id="one stream twice",
    ),
    pytest.param(
        put(
            put(put(example(PIXELS), f"{REGIONS}[0].MediaType", 1), f"{FIRST}.MediaType", 1),
            f"{REGIONS}[2].MediaType",
            1,
        ),
        [f"{REGIONS}: at least one that is drawn (MediaType 0 or 2)"],
        id="regions that are all heard only",
    ),
    pytest.param(
        put(example("volcengine-adaptive"), "ExcludeStreams.StreamList[0].StreamType", 1),
        ["ExcludeStreams.StreamList[0].StreamType: 0, a shared screen cannot be left out, not 1"],
        id="a screen that is left out",
    ),
    pytest.param(
        put(example(SIDE), "ExcludeStreams", {"StreamList": [{"UserId": "1"}]}),
        ["ExcludeStreams.StreamList[0].UserId: is one of TargetStreams too"],
        id="a stream that is asked for and left out",
    ),
    pytest.param(
        put(example(SIDE), "TargetStreams.StreamList", [{"UserId": str(n)} for n in range(18)]),
        ["TargetStreams.StreamList: at most 17, not 18"],
        id="more streams than 17",
    ),
    pytest.param(
        put(example(SIDE), "Encode.AudioProfile", 2),
        ["Encode.AudioChannels: 2 with AudioProfile 2, not 1"],
        id="HE-AAC v2 of one channel",
    ),
    pytest.param(
        put(example(SIDE), "FileFormatConfig.FileFormat", ["MP3", "OGG"]),
        [
            "FileFormatConfig.FileFormat[1]: MP4, HLS, FLV, MP3, AAC or M4A, not 'OGG'",
            "FileFormatConfig.FileFormat: MP3, AAC and M4A only with Control.MediaType 1",
        ],
        id="files of sound with pictures",
    ),
    pytest.param(
        put(example(SIDE), "RecordMode", 1),
        ["RecordMode: 0 for a composite, since 1 asks for a file for each user, which recpipe merge makes"],
        id="a file for each user",
    ),
    pytest.param(
        put(example(SIDE), "RoomId", "a/b"),
        ["RoomId: 1 to 128 of letters, digits and _ @ - ."],
        id="an id that is none",
    ),
    pytest.param(
        put(example(SIDE), "Version", "2024-01-01"),
        ["Version: 2020-12-01, 2022-06-01, 2023-06-01 or 2023-11-01, not '2024-01-01'"],
        id="a version that there is not",
    ),
    pytest.param(
        put(example(VERTICAL), "Layout.MainVideoStreamIndex", 3),
        ["Layout.MainVideoStreamIndex: no stream of TargetStreams has the Index 3"],
        id="a main stream of no index",
    ),
]


@pytest.mark.parametrize(("document", "said"), TOGETHER)
def test_what_fields_do_not_take_together_is_told_at_the_one_to_change(
    document: Any, said: list[str]
) -> None:
    assert faults(document) == said


def test_what_is_absent_is_what_the_page_says() -> None:
    made = asked(example("volcengine-defaults"))
    assert (made.canvas, made.layout.name, made.layout.vendor) == (Canvas(640, 480), "best-fit", "volcengine")
    assert made.encoding == Encoding(15, None, gop_ms=4000)
    assert made.sound == SoundEncoding(48_000, 2, 64_000)
    assert (made.streams.drawn, made.streams.heard, made.main, made.most_ms) == (ALL, ALL, None, None)
    assert (made.looks.camera_off, made.looks.sound_only) == (CameraOff.HOLD, True)


@pytest.mark.parametrize(("number", "name"), [(0, "best-fit"), (1, "vertical"), (3, "side-by-side")], ids=str)
def test_a_number_is_a_layout(number: int, name: str) -> None:
    assert asked(put(example(SIDE), "Layout.LayoutMode", number)).layout.name == name


def test_fractions_and_pixels_of_one_picture_are_the_same_regions() -> None:
    old, new = asked(example(OLD)), asked(example(PIXELS))
    assert old == new
    assert [cell.place.mode for cell in old.cells] == [Mode.FIT, Mode.CROP, Mode.STRETCH]
    assert [(cell.place.z, cell.place.opacity) for cell in old.cells] == [(0, 255), (2, 230), (1, 255)]
    assert old.cells[1].crop == Box(Fraction(1, 4), Fraction(0), Fraction(1, 2), Fraction(1))
    assert old.cells[1].radius == Fraction(1, 50)
    assert old.cells[2].image == Image("https://images.example/two.png", Mode.STRETCH)


def test_a_region_has_the_defaults_of_the_page() -> None:
    stream, region = {"UserId": "1", "Index": 0}, {"StreamIndex": 0, "Width": 1280, "Height": 720}
    document = put(put(example(PIXELS), "TargetStreams.StreamList", [stream]), REGIONS, [region])
    made = asked(document)
    assert made.cells == (Cell(Place(WHOLE, Mode.STRETCH, 0, 255), Who("1", "camera")),)
    assert made.streams.drawn == made.streams.heard == Choice((Who("1", "camera"),))
    proportions = {"StreamIndex": 0, "WidthProportion": 1, "HeightProportion": 1}
    assert asked(drop(put(document, REGIONS, [proportions]), "Version")) == made


def test_an_almost_transparent_region_is_not_quite() -> None:
    assert asked(put(example(PIXELS), f"{FIRST}.Alpha", 0.0001)).cells[1].place.opacity == 1


def test_a_region_of_sound_is_heard_and_one_of_pictures_is_seen() -> None:
    streams = asked(example(PIXELS)).streams
    assert streams.drawn == Choice((Who("1", "screen"), Who("1", "camera"), Who("2", "camera")))
    assert streams.heard == Choice((Who("1", "camera"), Who("2", "camera"), Who("3", "camera")))


def test_a_place_is_rounded_as_in_the_example_of_the_page() -> None:
    document = put(put(example(OLD), f"{CANVAS}.Width", 1920), f"{FIRST}.LocationX", 0.33)
    made = asked(document)
    assert made.canvas.region(0, made.cells[1].place).x == 634


@given(st.data())
def test_a_region_inside_the_canvas_is_where_it_was_put(data: st.DataObject) -> None:
    x, y = data.draw(st.integers(0, 639)) * 2, data.draw(st.integers(0, 359)) * 2
    w, h = data.draw(st.integers(1, 640 - x // 2)) * 2, data.draw(st.integers(1, 360 - y // 2)) * 2
    document = example(PIXELS)
    for name, value in (("LocationX", x), ("LocationY", y), ("Width", w), ("Height", h)):
        document = put(document, f"{FIRST}.{name}", value)
    made = asked(document)
    region = made.canvas.region(0, made.cells[1].place)
    assert (region.x, region.y, region.w, region.h) == (x, y, w, h)


@pytest.mark.parametrize("name", [OLD, PIXELS])
def test_the_version_is_told_by_the_fields_of_regions_where_nobody_tells_it(name: str) -> None:
    document = drop(example(name), "Version")
    assert faults(document) == []
    assert asked(document) == asked(example(name))


@pytest.mark.parametrize("version", ["2020-12-01", "2022-06-01", "2023-06-01"])
def test_the_version_may_be_told_beside_the_document(version: str) -> None:
    document = drop(example(OLD), "Version")
    assert faults(document, version) == []
    wrong = f"{FIRST}.WidthProportion: no such field, did you mean Width?"
    assert wrong in faults(document, "2023-11-01")


def test_two_versions_are_a_fault() -> None:
    assert faults(example(OLD), "2022-06-01") == ["Version: 2023-06-01, and the command says 2022-06-01"]
    known = "2020-12-01, 2022-06-01, 2023-06-01, 2023-11-01"
    assert faults(example(OLD), "1") == [f"Version: {known}, and the command says another"]


def test_the_oldest_version_names_the_main_stream_by_its_index() -> None:
    document = put(drop(example(VERTICAL), "Layout.MainVideoStream"), "Layout.MainVideoStreamIndex", 7)
    document = put(document, "TargetStreams", {"StreamList": [{"UserId": "5", "Index": 7}, {"UserId": "6"}]})
    assert asked(put(document, "Version", "2020-12-01")).main == Who("5", "camera")


def test_a_main_stream_is_a_camera_unless_it_is_said_to_be_a_screen() -> None:
    document = put(example(VERTICAL), "Layout.MainVideoStream", {"UserId": "4"})
    assert asked(document).main == Who("4", "camera")
    assert asked(drop(document, "Layout.MainVideoStream")).main is None
    screen = put(document, "Layout.MainVideoStream.StreamType", 1)
    assert asked(screen).main == Who("4", "screen")


@pytest.mark.parametrize("index", [0, 2**31 - 1])
def test_an_index_of_the_main_stream_may_be_any_of_a_stream(index: int) -> None:
    document = put(example(VERTICAL), "Layout.MainVideoStreamIndex", index)
    document = put(document, "TargetStreams", {"StreamList": [{"UserId": "5", "Index": index}]})
    assert asked(document).main == Who("5", "camera")
    below = "Layout.MainVideoStreamIndex: 0 to 2147483647, not -1"
    assert below in faults(put(document, "Layout.MainVideoStreamIndex", -1))


def test_a_custom_layout_has_the_canvas_and_the_filling_of_the_page() -> None:
    document = drop(drop(example(OLD), f"{CANVAS}"), "Control")
    made = asked(document)
    assert made.canvas == Canvas(640, 480)
    assert (made.looks.camera_off, made.looks.backdrop) == (CameraOff.HOLD, None)


def test_a_main_stream_is_of_the_vertical_layout_alone() -> None:
    assert asked(example(VERTICAL)).main == Who("2", "camera")
    document = put(example(SIDE), "Layout.MainVideoStream", {"UserId": "2"})
    assert asked(document).main is None
    assert "Layout.MainVideoStream: not used, only LayoutMode 1 has a main stream." in notes(document)


@pytest.mark.parametrize(
    ("profile", "channels", "rate", "done", "asked_for"),
    [
        (0, 2, 192, 192_000, ""),
        (0, 2, 191, 191_000, ""),
        (1, 2, 192, 128_000, "HE-AAC v1"),
        (1, 2, 100, 100_000, "HE-AAC v1"),
        (1, 1, 100, 64_000, "HE-AAC v1"),
        (2, 2, 192, 64_000, "HE-AAC v2"),
        (2, 2, 32, 32_000, "HE-AAC v2"),
    ],
)
def test_he_aac_has_its_most_and_is_remembered(
    profile: int, channels: int, rate: int, done: int, asked_for: str
) -> None:
    encode = {"AudioProfile": profile, "AudioChannels": channels, "AudioBitrate": rate}
    document = put(example("volcengine-defaults"), "Encode", encode)
    sound = asked(document).sound
    assert sound == SoundEncoding(48_000, channels, done, asked=asked_for)
    assert any("done as AAC-LC" in note for note in notes(document)) == bool(asked_for)
    assert any(f"{rate} is done as" in note for note in notes(document)) == (rate * 1000 != done)


def test_bytevc1_is_hevc_and_noted() -> None:
    encoding = asked(example(VERTICAL)).encoding
    assert encoding
    assert encoding.codec is VideoCodec.HEVC
    assert "Encode.VideoCodec: ByteVC1 is done as HEVC." in notes(example(VERTICAL))


def test_black_is_filled_in_regions_and_not_in_automatic_layouts() -> None:
    assert asked(example(PIXELS)).looks.camera_off is CameraOff.BLACK
    document = put(example(SIDE), "Control.FrameInterpolationMode", 1)
    assert asked(document).looks.camera_off is CameraOff.HOLD
    note = "Control.FrameInterpolationMode: not used, only regions of LayoutMode 2 are filled."
    assert note in notes(document)


def test_black_of_a_shared_screen_is_noted_where_one_is_drawn() -> None:
    note = "Control.FrameInterpolationMode: done for shared screens too, where Volcengine leaves the last."
    assert note in notes(example(PIXELS))
    assert note not in notes(put(example(PIXELS), f"{REGIONS}[0].MediaType", 1))
    assert note not in notes(put(example(PIXELS), "Control.FrameInterpolationMode", 0))


def test_an_image_of_a_region_keeps_its_own_aspect_and_that_is_noted() -> None:
    note = f"{REGIONS}[2].AlternateImage: drawn with its own aspect, as AlternateImageFillMode 1 says."
    assert note not in notes(example(PIXELS))
    assert note in notes(put(example(PIXELS), f"{REGIONS}[2].AlternateImageFillMode", 0))
    assert note in notes(drop(example(PIXELS), f"{REGIONS}[2].AlternateImageFillMode"))


def test_a_backdrop_fills_the_canvas() -> None:
    made = asked(example(PIXELS))
    assert made.looks.backdrop == Image("https://images.example/wall.png", Mode.STRETCH)
    assert made.canvas == Canvas(1280, 720, "#1a2B3c")


def test_regions_of_an_automatic_layout_are_not_looked_at() -> None:
    document = put(example(PIXELS), "Layout.LayoutMode", 3)
    document = put(document, f"{FIRST}.Width", "wide")
    assert asked(document).cells == ()
    assert "Layout.CustomLayout: not used, only LayoutMode 2 has regions." in notes(document)


def test_sound_alone_has_no_pictures() -> None:
    made = asked(example("volcengine-sound-only"))
    assert made.encoding is None
    assert made.sound


def test_streams_that_are_left_out_are_neither_drawn_nor_heard() -> None:
    but = Choice(None, (Who("9", "camera"),))
    streams = asked(example("volcengine-adaptive")).streams
    assert (streams.drawn, streams.heard) == (but, but)


def test_a_vendor_is_told_by_its_fields() -> None:
    for name, path in EXAMPLES.items():
        vendor = parse_request(path.read_text(encoding="utf-8"), name).vendor
        assert vendor == name.partition("-")[0].replace("tuicallkit", "trtc")
