"""How pictures are called: as a pattern of ours says, or as a vendor does, whose names are read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.errors import CommandError
from pipeline.model.snapshots import Format, SnapshotOptions
from pipeline.vendors.agora.names import AgoraName
from pipeline.vendors.agora.names import parse as parse_agora
from pipeline.vendors.agora_onpremise.names import OnPremiseName
from pipeline.vendors.agora_onpremise.names import parse as parse_onpremise
from pipeline.vendors.base import Ignored, Kind
from tests.snapshots.snapping import Snapped, snap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.demo.made import Made

SID = "32cbd49b368a195c26484c0b30b68254"
EVERY_MS = 15_000


def named(made: Made, place: Path, name: str) -> Snapped:
    return snap(made, place, SnapshotOptions(every_ms=EVERY_MS, name=name))


def files(found: Snapped) -> list[str]:
    return [picture.file for picture in found.pictures]


@pytest.mark.parametrize(
    ("recording", "name", "first"),
    [
        pytest.param("video-only", "", "101_20260302090015000.jpg", id="our own"),
        pytest.param(
            "video-only", "{recording}-{utc}-{uid}", f"{SID}_demo1-20260302090015000-101.jpg", id="a pattern"
        ),
        pytest.param(
            "video-only",
            "agora",
            f"{SID}_demo1__uid_s_101__uid_e_video_20260302090015000.jpg",
            id="Agora's cloud recording",
        ),
        pytest.param(
            "video-only", "AGORA", f"{SID}_demo1__uid_s_101__uid_e_video_20260302090015000.jpg", id="case"
        ),
        pytest.param("video-only", "agora-script", "101_20260302090015000_1.jpg", id="Agora's old script"),
        pytest.param("video-only", "onpremise", "101_20260302090015000.jpg", id="on-premise"),
        pytest.param("video-only", "onpremise4", "demo1_101_20260302090015_000.jpg", id="on-premise 4.x"),
        pytest.param("screen-trtc", "", "user_01_20260302090015000.jpg", id="a camera beside a screen"),
        pytest.param("mix-agora-hls", "", "mixed_20260302090015000.jpg", id="a composite"),
    ],
)
def test_the_first_picture_of_a_recording(
    made: Callable[[str], Made], tmp_path: Path, recording: str, name: str, first: str
) -> None:
    assert files(named(made(recording), tmp_path, name))[0] == first


def test_a_shared_screen_says_so(made: Callable[[str], Made], tmp_path: Path) -> None:
    found = named(made("screen-trtc"), tmp_path, "")
    assert {picture.file for picture in found.pictures if picture.source == "screen"} == {
        file for file in files(found) if "_screen_2026" in file
    }
    assert any("_screen_" in file for file in files(found))


def test_names_of_agora_are_read_as_screenshots_of_their_users(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    for picture in named(made("plain-agora"), tmp_path, "agora").pictures:
        read = parse_agora(picture.file)
        assert isinstance(read, AgoraName)
        assert (read.kind, read.uid, read.stamp_ms) == (Kind.SNAPSHOT, picture.uid, picture.utc_ms)


def test_names_of_the_on_premise_sdk_are_read_as_screenshots_of_their_users(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    for picture in named(made("onpremise"), tmp_path, "onpremise").pictures:
        read = parse_onpremise(picture.file)
        assert isinstance(read, OnPremiseName)
        assert (read.kind, read.uid, read.stamp_ms) == (Kind.SNAPSHOT, picture.uid, picture.utc_ms)


@pytest.mark.parametrize("name", ["agora-script", "onpremise4"])
def test_other_names_are_known_and_no_input(made: Callable[[str], Made], tmp_path: Path, name: str) -> None:
    for file in files(named(made("plain-agora"), tmp_path, name)):
        assert isinstance(parse_onpremise(file), Ignored), file


def test_folders_of_agora_go_before_its_names(made: Callable[[str], Made], tmp_path: Path) -> None:
    found = named(made("video-only"), tmp_path, "agora:calls/2026")
    assert all((tmp_path / "calls/2026" / file).is_file() for file in files(found))


@pytest.mark.parametrize(
    ("recording", "options", "told"),
    [
        pytest.param(
            "plain-trtc", SnapshotOptions(every_ms=EVERY_MS, name="agora"), "needs the sid", id="no sid"
        ),
        pytest.param(
            "plain-trtc",
            SnapshotOptions(every_ms=EVERY_MS, name="onpremise4"),
            "needs the channel",
            id="no channel",
        ),
        pytest.param(
            "video-only",
            SnapshotOptions(every_ms=EVERY_MS, name="agora", format=Format.PNG),
            "is for JPEG",
            id="a PNG",
        ),
        pytest.param(
            "screen-trtc",
            SnapshotOptions(every_ms=EVERY_MS, name="onpremise"),
            "gives two pictures one name",
            id="a camera and a screen at one time",
        ),
        pytest.param(
            "video-only", SnapshotOptions(every_ms=EVERY_MS, name="trtc:x"), "is not known", id="TRTC's"
        ),
        pytest.param(
            "video-only",
            SnapshotOptions(every_ms=EVERY_MS, name="{room}"),
            "unknown field 'room'",
            id="a field",
        ),
    ],
)
def test_names_that_cannot_be(
    made: Callable[[str], Made], tmp_path: Path, recording: str, options: SnapshotOptions, told: str
) -> None:
    with pytest.raises(CommandError, match=told):
        snap(made(recording), tmp_path, options)


def test_pictures_that_a_pattern_does_not_tell_apart_are(made: Callable[[str], Made], tmp_path: Path) -> None:
    names = files(named(made("plain-agora"), tmp_path, "{uid}"))
    assert len(set(names)) == len(names)
