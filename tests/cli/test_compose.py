"""`recpipe compose`: scenes of invented users and of recordings, drawn and told."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.cli.running import good, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.demo.made import Made


def test_a_picture_is_as_large_as_the_canvas(tmp_path: Path) -> None:
    place = tmp_path / "scene.png"
    said = good("compose", "--preview", "9", "--layout", "floating", "--vendor", "agora", "-o", place)
    assert said.out.startswith("floating of agora on 360x640: 9 regions\n")
    with Image.open(place) as image:
        assert (image.size, image.format) == ((360, 640), "PNG")
    assert os.listdir(tmp_path) == ["scene.png"]  # noqa: PTH208 - hidden files too


def test_the_same_scene_gives_the_same_picture_and_a_file_needs_leave(tmp_path: Path) -> None:
    place = tmp_path / "scene.png"
    typed = ("compose", "--preview", "3", "--size", "320x180", "-o", place)
    good(*typed)
    first = place.read_bytes()
    refused = run(*typed)
    assert refused.code == 2
    assert f"{place} exists: use --overwrite to replace it, or another name with -o." in refused.err
    good(*typed, "--overwrite")
    assert place.read_bytes() == first


def test_a_folder_that_is_not_there_is_the_output_place_s_fault(tmp_path: Path) -> None:
    said = run("compose", "--preview", "3", "-o", tmp_path / "nowhere" / "scene.png")
    assert said.code == 6
    assert "cannot be written" in said.err


def test_the_document_has_canvas_regions_marks_and_whether_it_is_approximate() -> None:
    typed = ("compose", "--preview", "18", "--layout", "best-fit", "--json")
    agora = good(*typed, "--vendor", "agora").document
    assert (agora["canvas"]["width"], agora["canvas"]["height"]) == (360, 640)
    assert (len(agora["regions"]), agora["left_out"][0]["user"], agora["approximate"]) == (17, 18, False)
    volcengine = good(*typed, "--vendor", "volcengine").document
    assert volcengine["approximate"] is True
    assert {each["mark"] for each in volcengine["known"]} == {"doc", "inferred"}
    nobodys = good(*typed).document
    assert (len(nobodys["regions"]), nobodys["vendor"]) == (18, "")


def test_aspects_are_taken_in_turn_and_a_screen_is_large() -> None:
    typed = ("--aspect", "16:9", "--aspect", "9:16", "--sharing", "3")
    regions = good("compose", "--preview", "4", *typed, "--json").document["regions"]
    sizes = {region["user"]: (region["width"], region["height"]) for region in regions}
    assert (regions[0]["user"], regions[0]["screen"]) == (3, True)
    assert sizes[3][0] > sizes[3][1]
    assert sizes[1][0] > sizes[1][1]
    assert sizes[2][0] < sizes[2][1]


CAMERA, SCREEN = (160, 120), (320, 180)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param("3", [False], id="before the screen is shared"),
        pytest.param("0:00:10", [True, False], id="while it is: large"),
        pytest.param("22", [False], id="between two times"),
        pytest.param("2026-03-02T09:00:30Z", [True, False], id="in UTC"),
    ],
)
def test_a_moment_of_a_recording_shows_who_is_there(
    made: Callable[[str], Made], at: str, expected: list[bool]
) -> None:
    regions = good("compose", made("screen-and-camera").place, "--at", at, "--json").document["regions"]
    assert [region["screen"] for region in regions] == expected
    for region in regions:
        width, height = SCREEN if region["screen"] else CAMERA
        assert abs(region["width"] * height - region["height"] * width) <= 2 * (width + height)


def test_people_stand_in_the_order_of_joining(made: Callable[[str], Made]) -> None:
    place = made("plain-agora").place
    document = good("compose", place, "--at", "10", "--layout", "grid", "--json").document
    seen = good("inspect", place, "--json").document["recordings"][0]
    began = {user["uid"]: user["sessions"][0]["start_ms"] for user in seen["users"]}
    names = [region["name"] for region in document["regions"]]
    assert len(names) > 1
    assert names == sorted(names, key=lambda name: (began[name], name))


def test_a_moment_outside_of_the_recording_is_refused(made: Callable[[str], Made]) -> None:
    place = made("plain-agora").place
    said = run("compose", place, "--at", "9:00:00")
    assert said.code == 2
    assert f"{place}: none of its recordings holds that moment: give one of one recording." in said.err


def test_a_moment_of_several_recordings_is_refused(made: Callable[[str], Made], tmp_path: Path) -> None:
    for name in ("a", "b"):
        shutil.copytree(made("plain-agora").place, tmp_path / name)
    said = run("compose", tmp_path, "--at", "5")
    assert said.code == 2
    assert "2 of its recordings hold that moment: give one of one recording." in said.err
