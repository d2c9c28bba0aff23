"""Agora's request: what each field takes, what is said of what it does not take, and what it means."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.layout.canvas import WHOLE, Box, Canvas, Mode, Place
from pipeline.layout.encoding import SoundEncoding
from pipeline.layout.looks import CameraOff, Cell, Image
from pipeline.layout.streams import ALL, NOBODY, Choice, Who
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

CONFIG = "clientRequest.recordingConfig"
VIDEO = f"{CONFIG}.transcodingConfig"
FIRST = f"{VIDEO}.layoutConfig[1]"

ROWS: tuple[Row, ...] = (
    objects("agora-floating", "clientRequest"),
    objects("agora-floating", CONFIG),
    objects("agora-floating", VIDEO),
    choice("agora-floating", f"{CONFIG}.streamTypes", 0, 1, 2),
    choice("agora-floating", f"{CONFIG}.audioProfile", 0, 1, 2),
    whole("agora-floating", f"{CONFIG}.channelType", 0, 1),
    whole("agora-floating", f"{CONFIG}.maxIdleTime", 5, 2_592_000),
    whole("agora-floating", f"{CONFIG}.subscribeUidGroup", 0, 5),
    whole("agora-floating", f"{CONFIG}.videoStreamType", 0, 1),
    whole("agora-floating", f"{CONFIG}.decryptionMode", 0, 8),
    even("agora-defaults", f"{VIDEO}.width", 2, 8192, free=False),
    even("agora-defaults", f"{VIDEO}.height", 2, 8192, free=False),
    whole("agora-floating", f"{VIDEO}.fps", 1, 60),
    whole("agora-floating", f"{VIDEO}.bitrate", 32, 100_000),
    choice("agora-floating", f"{VIDEO}.mixedVideoLayout", 0, 1, 2, 3, free=False),
    colour("agora-floating", f"{VIDEO}.backgroundColor"),
    text("agora-vertical", f"{VIDEO}.maxResolutionUid"),
    text("agora-vertical", f"{VIDEO}.backgroundImage", 2048),
    text("agora-vertical", f"{VIDEO}.defaultUserBackgroundImage", 2048),
    text("agora-custom", f"{FIRST}.uid"),
    fraction("agora-custom", f"{FIRST}.x_axis", free=False),
    fraction("agora-custom", f"{FIRST}.y_axis", free=False),
    fraction("agora-custom", f"{FIRST}.width", above=True, free=False),
    fraction("agora-custom", f"{FIRST}.height", above=True, free=False),
    fraction("agora-custom", f"{FIRST}.alpha"),
    choice("agora-custom", f"{FIRST}.render_mode", 0, 1),
    text("agora-custom", f"{VIDEO}.backgroundConfig[0].uid"),
    text("agora-custom", f"{VIDEO}.backgroundConfig[0].image_url", 2048),
    choice("agora-custom", f"{VIDEO}.backgroundConfig[0].render_mode", 0, 1),
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


@pytest.mark.parametrize("name", ["agora-floating", "agora-custom"])
def test_all_faults_of_a_request_come_at_once(name: str, golden: Callable[[str, str], None]) -> None:
    told = faults(all_wrong(name, ROWS))
    golden(f"vendors/golden/requests/{name}-wrong.txt", "\n".join([*told, ""]))


TOGETHER = [
    pytest.param(
        put(put(example("agora-floating"), f"{VIDEO}.width", 2048), f"{VIDEO}.height", 1080),
        [f"{VIDEO}.width: with height at most 2073600 pixels, not 2048 x 1080"],
        id="a canvas of more pixels than 1920 x 1080",
    ),
    pytest.param(
        put(example("agora-custom"), f"{FIRST}.x_axis", 0.8),
        [f"{FIRST}.width: with x_axis at most 1, not 1.05"],
        id="a region that ends right of the canvas",
    ),
    pytest.param(
        put(example("agora-custom"), f"{FIRST}.height", 1),
        [f"{FIRST}.height: with y_axis at most 1, not 1.05"],
        id="a region that ends below the canvas",
    ),
    pytest.param(
        put(put(example("agora-custom"), f"{FIRST}.x_axis", 0.75), f"{FIRST}.width", 0.250001),
        [],
        id="a region that ends a millionth outside",
    ),
    pytest.param(
        put(put(example("agora-custom"), f"{FIRST}.x_axis", 0.75), f"{FIRST}.width", 0.2500011),
        [f"{FIRST}.width: with x_axis at most 1, not 1.0000011"],
        id="a region that ends a little more outside",
    ),
    pytest.param(
        put(put(example("agora-custom"), f"{FIRST}.y_axis", 1), f"{FIRST}.height", 0.000001),
        [f"{FIRST}.height: nothing of it lies inside"],
        id="a region that begins where the canvas ends",
    ),
    pytest.param(
        put(example("agora-custom"), f"{FIRST}.width", 0.001),
        [f"{FIRST}.width: the region has no pixels on a canvas of 640x480"],
        id="a region of less than a pixel",
    ),
    pytest.param(
        drop(example("agora-custom"), f"{FIRST}.x_axis"),
        [f"{FIRST}.x_axis: is missing"],
        id="a region without its place",
    ),
    pytest.param(
        put(example("agora-custom"), f"{FIRST}.uid", "1"),
        [f"{FIRST}.uid: has the region layoutConfig[0] already"],
        id="two regions of one user",
    ),
    pytest.param(
        put(example("agora-custom"), f"{VIDEO}.layoutConfig", [{}] * 18),
        [
            f"{VIDEO}.layoutConfig: at most 17, not 18",
            *(
                f"{VIDEO}.layoutConfig[{n}].{name}: is missing"
                for n in range(17)
                for name in ("x_axis", "y_axis", "width", "height")
            ),
        ][:50],
        id="more regions than 17",
    ),
    pytest.param(
        put(example("agora-custom"), f"{VIDEO}.mixedVideoLayout", 1),
        [f"{VIDEO}.layoutConfig: only with mixedVideoLayout 3"],
        id="regions of a layout that has none",
    ),
    pytest.param(
        put(example("agora-custom"), f"{VIDEO}.mixedVideoLayout", 4),
        [f"{VIDEO}.mixedVideoLayout: 0, 1, 2 or 3, not 4"],
        id="regions of a layout that there is not",
    ),
    pytest.param(
        put(example("agora-custom"), f"{VIDEO}.layoutConfig", []),
        [f"{VIDEO}.layoutConfig: a custom layout (mixedVideoLayout 3) needs at least one region"],
        id="a custom layout without regions",
    ),
    pytest.param(
        put(example("agora-floating"), f"{CONFIG}.subscribeVideoUids", [str(n) for n in range(33)]),
        [f"{CONFIG}.subscribeVideoUids: at most 32, not 33"],
        id="a list of more than 32",
    ),
    pytest.param(
        put(example("agora-vertical"), f"{CONFIG}.subscribeVideoUids", ["1"]),
        [f"{CONFIG}.subscribeVideoUids: not together with unSubscribeVideoUids"],
        id="a white list and a black one",
    ),
    pytest.param(
        put(example("agora-vertical"), f"{CONFIG}.unSubscribeAudioUids", ["", 7]),
        [
            f"{CONFIG}.unSubscribeAudioUids[0]: a text that is not empty, not a text",
            f"{CONFIG}.unSubscribeAudioUids[1]: a text that is not empty, not 7",
        ],
        id="users that are none",
    ),
    pytest.param(
        put(example("agora-floating"), "clientRequest.recordingFileConfig.avFileType", ["avi", "mp4"]),
        ["clientRequest.recordingFileConfig.avFileType[0]: hls, mp4 or mp3, not 'avi'"],
        id="a file of no known kind",
    ),
    pytest.param(
        put(example("agora-floating"), "clientRequest.extensionServiceConfig", {"a": 1}),
        [
            "clientRequest.extensionServiceConfig: asks for a web page, and not for a composite of users",
        ],
        id="a web page",
    ),
    pytest.param(
        put(example("agora-custom"), f"{FIRST}.x_axsi", 0.1),
        [f"{FIRST}.x_axsi: no such field, did you mean x_axis?"],
        id="a field that is misspelt",
    ),
    pytest.param(
        put(example("agora-floating"), f"{VIDEO}.qqqqq", 1),
        [f"{VIDEO}.qqqqq: no such field"],
        id="a field like none",
    ),
]


@pytest.mark.parametrize(("document", "said"), TOGETHER)
def test_what_fields_do_not_take_together_is_told_at_the_one_to_change(
    document: Any, said: list[str]
) -> None:
    told = faults(document)
    assert [fault for fault in told if not fault.startswith("and ")][:50] == said


def test_what_is_absent_is_what_the_page_says() -> None:
    made = asked(example("agora-defaults"))
    assert (made.canvas, made.layout.name, made.layout.vendor) == (Canvas(360, 640), "floating", "agora")
    assert made.encoding
    assert (made.encoding.fps, made.encoding.bit_rate) == (15, 500_000)
    assert made.sound == SoundEncoding(48_000, 1, 48_000)
    assert (made.streams.drawn, made.streams.heard, made.main, made.most_ms) == (ALL, ALL, None, None)
    assert (made.looks.camera_off, made.looks.linger_ms) == (CameraOff.HOLD, 3500)
    assert (made.looks.sound_only, made.looks.backdrop, made.looks.image) == (True, None, None)


@pytest.mark.parametrize(("number", "name"), [(0, "floating"), (1, "best-fit"), (2, "vertical")], ids=str)
def test_a_number_is_a_layout(number: int, name: str) -> None:
    assert asked(put(example("agora-floating"), f"{VIDEO}.mixedVideoLayout", number)).layout.name == name


def test_regions_of_a_custom_layout_are_cells_in_their_order() -> None:
    made = asked(example("agora-custom"))
    first, second, third = made.cells
    assert (first.who, first.place.mode, first.place.opacity) == (Who("1"), Mode.FIT, 255)
    assert (second.who, second.place.mode, second.place.opacity) == (Who("2"), Mode.CROP, 204)
    box = Box(Fraction(7, 10), Fraction(1, 20), Fraction(1, 4), Fraction(1, 4))
    assert (third.who, second.place.box) == (None, box)
    assert made.layout.name == "custom"


def test_backgrounds_are_of_a_user_then_of_all_then_of_the_canvas() -> None:
    looks = asked(example("agora-custom")).looks
    assert looks.image_of("2", "camera") == Image("https://images.example/two.jpg", Mode.FIT)
    assert looks.image_of("1", "camera") == Image("https://images.example/off.jpg", Mode.CROP)
    assert looks.backdrop == Image("https://images.example/wall.jpg", Mode.CROP)


def test_a_region_and_an_image_have_the_defaults_of_the_page() -> None:
    region = {"x_axis": 0, "y_axis": 0, "width": 1, "height": 1}
    document = put(example("agora-custom"), f"{VIDEO}.layoutConfig", [region])
    background = {"uid": "2", "image_url": "https://images.example/two.jpg"}
    made = asked(put(document, f"{VIDEO}.backgroundConfig", [background]))
    assert made.cells == (Cell(Place(WHOLE, Mode.CROP, 0, 255)),)
    assert made.looks.images == ((Who("2"), Image("https://images.example/two.jpg", Mode.CROP)),)


@pytest.mark.parametrize(
    ("fps", "done"), [(1, 1), (7, 7), (10, 10), (24, 24), (30, 30), (60, 60), (25, 15), (59, 15)]
)
def test_a_rate_that_is_none_of_agoras_is_15_and_noted(fps: int, done: int) -> None:
    document = put(example("agora-floating"), f"{VIDEO}.fps", fps)
    encoding = asked(document).encoding
    assert encoding
    assert encoding.fps == done
    note = f"{VIDEO}.fps: {fps} is done as 15, as Agora does what is none of its rates."
    assert (note in notes(document)) == (fps != done)


@pytest.mark.parametrize(
    ("profile", "sound"),
    [
        (0, SoundEncoding(48_000, 1, 48_000)),
        (1, SoundEncoding(48_000, 1, 128_000)),
        (2, SoundEncoding(48_000, 2, 192_000)),
    ],
)
def test_a_profile_is_channels_and_bit_rate(profile: int, sound: SoundEncoding) -> None:
    assert asked(put(example("agora-floating"), f"{CONFIG}.audioProfile", profile)).sound == sound


@pytest.mark.parametrize(
    ("types", "pictures", "sound"), [(0, False, True), (1, True, False), (2, True, True)]
)
def test_types_of_streams_leave_pictures_or_sound_out(types: int, *, pictures: bool, sound: bool) -> None:
    made = asked(put(example("agora-floating"), f"{CONFIG}.streamTypes", types))
    assert (made.encoding is not None, made.sound is not None) == (pictures, sound)


@pytest.mark.parametrize(
    ("lists", "drawn", "heard", "said"),
    [
        pytest.param({}, ALL, ALL, "", id="none"),
        pytest.param(
            {"subscribeVideoUids": ["1"]},
            Choice((Who("1"),)),
            NOBODY,
            "subscribeVideoUids: alone, so nobody's sound takes part",
            id="pictures alone",
        ),
        pytest.param(
            {"unSubscribeAudioUids": ["1"]},
            NOBODY,
            Choice(None, (Who("1"),)),
            "unSubscribeAudioUids: alone, so nobody's pictures take part",
            id="sound alone",
        ),
        pytest.param(
            {"subscribeVideoUids": ["1", "2"], "subscribeAudioUids": ["#allstream#"]},
            Choice((Who("1"), Who("2"))),
            ALL,
            "",
            id="some pictures and all sound",
        ),
        pytest.param(
            {"unSubscribeVideoUids": ["1"], "unsubscribeAudioUids": ["2"]},
            Choice(None, (Who("1"),)),
            Choice(None, (Who("2"),)),
            "",
            id="two black lists, in both spellings",
        ),
    ],
)
def test_a_list_for_one_of_pictures_and_sound_leaves_the_other_out(
    lists: dict[str, list[str]], drawn: Choice, heard: Choice, said: str
) -> None:
    document = example("agora-floating")
    for name, uids in lists.items():
        document = put(document, f"{CONFIG}.{name}", uids)
    made = asked(document)
    assert (made.streams.drawn, made.streams.heard) == (drawn, heard)
    assert (made.encoding is None, made.sound is None) == (drawn == NOBODY, heard == NOBODY)
    told = [note for note in notes(document) if "as with Agora" in note]
    assert told == ([f"{CONFIG}.{said}, as with Agora."] if said else [])


def test_a_large_user_is_of_the_vertical_layout_alone() -> None:
    assert asked(example("agora-vertical")).main == Who("2")
    document = put(example("agora-floating"), f"{VIDEO}.maxResolutionUid", "2")
    assert asked(document).main is None
    assert f"{VIDEO}.maxResolutionUid: not used, only the vertical layout (2) has a large user." in notes(
        document
    )


@pytest.mark.parametrize(("x", "w"), [(0.6000000000000001, 0.4), (0.666667, 0.333334), (2 / 3, 1 / 3)])
def test_rounding_of_fractions_ends_no_region_outside(x: float, w: float) -> None:
    document = put(put(example("agora-custom"), f"{FIRST}.x_axis", x), f"{FIRST}.width", w)
    assert asked(document).cells[1].place.box.right <= 1


def test_a_user_that_is_null_is_as_one_that_is_absent() -> None:
    assert asked(put(example("agora-custom"), f"{FIRST}.uid", None)).cells[1].who is None
