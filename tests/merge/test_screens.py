"""A shared screen beside a camera: which of them is shown when, read back from the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario import Source
from pipeline.demo.scenario_toml import parse
from pipeline.errors import ExitCode
from pipeline.model.ledger import Sort
from pipeline.model.options import Gaps, Moment, OnChange, Options, Screen, Tracks
from pipeline.steps.place import Limits
from tests import truth
from tests.merge.merging import (
    PICTURE_MS,
    TICKS_A_SECOND,
    Merged,
    assert_beeps,
    beeps_ms,
    has,
    merge,
    seen,
    tree,
    utc_ms,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pipeline.demo.made import Made
    from pipeline.model.manifest import Output
    from tests.merge.conftest import Merging

CAMERA, SCREEN = Source.CAMERA, Source.SCREEN
NAME = "screen-and-camera"
STAMP = "20260302090000250"

# Where one takes over in mid-stream it goes on with its next key frame: one comes every 2 s.
SHOWN: dict[Screen, list[tuple[Source, float, float]]] = {
    Screen.PREFER: [
        (CAMERA, 0.3, 5.0),
        (SCREEN, 5.0, 18.0),
        (CAMERA, 22.0, 26.0),
        (SCREEN, 26.0, 33.0),
        (CAMERA, 34.0, 40.0),
    ],
    Screen.FILL: [(CAMERA, 0.3, 12.0), (SCREEN, 13.0, 18.0), (CAMERA, 22.0, 40.0)],
    Screen.ONLY: [(SCREEN, 5.0, 18.0), (SCREEN, 26.0, 33.0)],
    Screen.NONE: [(CAMERA, 0.3, 12.0), (CAMERA, 22.0, 40.0)],
}
every_mode = pytest.mark.parametrize("screen", SHOWN)


def expected(made: Made, stretches: Sequence[tuple[Source, float, float]]) -> list[tuple[int, int]]:
    """(UTC ms, number of the source) of each picture that is to be seen."""
    zero = made.scenario.start_ms
    return [
        (at, user.user.number)
        for source, start, end in stretches
        for user in [made.user("user_01", source)]
        for at in user.pictures_ms
        if zero + start * 1000 <= at < zero + end * 1000
    ]


def assert_shown(result: Merged, output: Output, told: list[tuple[int, int]]) -> None:
    """These pictures and no others, of these sources, each at its place."""
    pictures = seen(result.file(output))
    assert [(coded.at_ms, coded.user) for _, coded in pictures] == told
    off = [utc_ms(output, float(at * TICKS_A_SECOND)) - coded.at_ms for at, coded in pictures]
    assert max(map(abs, off)) <= PICTURE_MS


@every_mode
def test_the_source_asked_for_is_shown_at_each_moment_and_the_microphone_heard(
    screen: Screen, merged: Merging, tmp_path: Path
) -> None:
    result = merged(NAME, Options(screen=screen))
    assert result.code is ExitCode.GOOD
    assert result.only.file == f"user_01_{STAMP}_av.mp4"
    assert_shown(result, result.only, expected(result.made, SHOWN[screen]))
    assert_beeps(result, result.only, beeps_ms(result.made, result.made.user("user_01")), tmp_path)
    truth.decodes_silently(result.file(result.only))


def test_by_default_a_screen_has_a_file_of_its_own(merged: Merging) -> None:
    result = merged(NAME)
    assert [output.file for output in result.outputs] == [
        f"user_01_{STAMP}_av.mp4",
        "user_01_screen_20260302090005250_video.mp4",
    ]
    for output in result.outputs:
        sender = result.sender(output)
        assert_shown(result, output, [(at, sender.user.number) for at in sender.pictures_ms])


@pytest.mark.parametrize(
    ("screen", "notes"),
    [
        (
            Screen.PREFER,
            [
                "0:07.000 of the camera behind the screen; not shown",
                "0:07.000 of the camera behind the screen; not shown",
                "the picture before is held 0:01.000 longer, up to the next key frame",
            ],
        ),
        (
            Screen.FILL,
            [
                "0:07.000 of the screen behind the camera; not shown",
                "the picture before is held 0:01.000 longer, up to the next key frame",
                "0:07.000 of the screen behind the camera; not shown",
            ],
        ),
        (Screen.ONLY, ["the pictures of the camera left out (--screen)"]),
        (Screen.NONE, ["the pictures of the screen left out (--screen)"]),
    ],
)
def test_what_is_not_shown_is_noted_and_is_no_loss(screen: Screen, notes: list[str], merged: Merging) -> None:
    result = merged(NAME, Options(screen=screen))
    assert [e.what for e in result.manifest.ledger if e.sort is Sort.NOTE] == notes
    assert result.manifest.losses == ()
    dropped = {d.reason for track in result.only.tracks for d in track.dropped}
    assert dropped <= {"behind the user's other pictures"}


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        pytest.param(
            "0:10", "0:30", [(SCREEN, 9, 18), (CAMERA, 22, 26), (SCREEN, 26, 30)], id="cut in both screens"
        ),
        pytest.param(
            "0:23", "0:36", [(CAMERA, 22, 26), (SCREEN, 26, 33), (CAMERA, 34, 36)], id="cut in the camera"
        ),
    ],
)
def test_a_cut_snaps_to_key_frames_of_what_is_shown_there(
    start: str, end: str, told: list[tuple[Source, float, float]], merged: Merging
) -> None:
    options = Options(screen=Screen.PREFER, start=Moment.parse(start), end=Moment.parse(end))
    result = merged(NAME, options)
    assert_shown(result, result.only, expected(result.made, told))


def test_splitting_makes_a_copied_file_of_each_stretch_of_one_source(merged: Merging) -> None:
    result = merged(NAME, Options(screen=Screen.PREFER, on_change=OnChange.SPLIT))
    assert result.code is ExitCode.GOOD
    assert not any(track.encoded for output in result.outputs for track in output.tracks)
    for output, stretch in zip(result.outputs, SHOWN[Screen.PREFER], strict=True):
        assert_shown(result, output, expected(result.made, [stretch]))


def test_nothing_shown_is_black_if_asked_for(merged: Merging) -> None:
    result = merged(NAME, Options(screen=Screen.PREFER, gaps=Gaps.BLACK))
    zero = result.made.scenario.start_ms
    blank = [
        utc_ms(result.only, float(at * TICKS_A_SECOND)) - zero
        for at, coded in truth.shown(result.file(result.only))
        if coded is None
    ]
    assert blank == pytest.approx([0, 18_000], abs=PICTURE_MS), "and not while the camera's key frame is due"
    assert_shown(result, result.only, expected(result.made, SHOWN[Screen.PREFER]))


@every_mode
def test_the_media_asked_for_go_in_and_no_others(screen: Screen, merged: Merging, tmp_path: Path) -> None:
    pictures = merged(NAME, Options(screen=screen, tracks=Tracks.VIDEO))
    assert not has(pictures.only, "audio")
    assert_shown(pictures, pictures.only, expected(pictures.made, SHOWN[screen]))
    sound = merged(NAME, Options(screen=screen, tracks=Tracks.AUDIO))
    assert not has(sound.only, "video")
    assert [e for e in sound.manifest.ledger if e.track == "video"] == []
    assert_beeps(sound, sound.only, beeps_ms(sound.made, sound.made.user("user_01")), tmp_path)


def test_two_jobs_make_the_same_bytes(made: Callable[[str], Made], merged: Merging, tmp_path: Path) -> None:
    options = Options(screen=Screen.PREFER)
    two = merge(made(NAME), tmp_path, options, Limits(jobs=2))
    assert tree(two.place) == tree(merged(NAME, options).place)


CALL = """
vendor = "trtc"
start = 2026-03-02T09:00:00.250Z
slice_seconds = 4

[[users]]
uid = "camera only"
number = 1
size = "160x120"
fps = 5
picture = [[0.0, 8.0]]

[[users]]
uid = "screen only"
number = 2
source = "screen"
size = "160x120"
fps = 5
picture = [[0.0, 8.0]]

[[users]]
uid = "user_01"
number = 3
size = "160x120"
fps = 5
sound = [[0.0, 30.0]]
picture = [[0.0, 30.0]]

[[users]]
uid = "user_01"
number = 4
source = "screen"
size = "160x120"
fps = 5
picture = [[9.0, 27.0]]
"""


@pytest.mark.parametrize(
    ("screen", "files"),
    [
        (
            Screen.OWN,
            [
                "camera%20only_{}_video",
                "screen%20only_screen_{}_video",
                "user_01_{}_av",
                "user_01_screen_{}_video",
            ],
        ),
        (Screen.PREFER, ["camera%20only_{}_video", "screen%20only_{}_video", "user_01_{}_av"]),
        (Screen.FILL, ["camera%20only_{}_video", "screen%20only_{}_video", "user_01_{}_av"]),
        (Screen.ONLY, ["screen%20only_{}_video", "user_01_{}_av"]),
        (Screen.NONE, ["camera%20only_{}_video", "user_01_{}_av"]),
    ],
)
def test_users_with_one_source_have_their_file_if_it_goes_in(
    screen: Screen, files: list[str], tmp_path: Path
) -> None:
    result = merge(make(parse(CALL), tmp_path / "in"), tmp_path / "out", Options(screen=screen))
    stamps = [STAMP, STAMP, STAMP, "20260302090009250"]
    names = [f"{file.format(stamp)}.mp4" for file, stamp in zip(files, stamps, strict=False)]
    assert [output.file for output in result.outputs] == names
    assert result.code is ExitCode.GOOD


MISSING = '[[faults]]\nuser = "user_01"\ntrack = "video"\nslice = {}\nkind = "missing"\nsource = "{}"\n'


@pytest.mark.parametrize(
    ("source", "number", "told", "lost"),
    [
        pytest.param(
            CAMERA, 4, [(CAMERA, 0, 9), (SCREEN, 9, 27), (CAMERA, 28, 30)], False, id="behind the screen"
        ),
        pytest.param(
            SCREEN,
            2,
            [(CAMERA, 0, 9), (SCREEN, 9, 17), (CAMERA, 18, 21), (SCREEN, 21, 27), (CAMERA, 28, 30)],
            True,
            id="of the screen, which the camera fills",
        ),
    ],
)
def test_a_slice_is_lost_if_it_would_have_been_shown(
    source: Source,
    number: int,
    told: list[tuple[Source, float, float]],
    lost: bool,  # noqa: FBT001 - a column of the table
    tmp_path: Path,
) -> None:
    made = make(parse(CALL + MISSING.format(number, source)), tmp_path / "in")
    result = merge(made, tmp_path / "out", Options(screen=Screen.PREFER, uids=("user_01",)))
    assert_shown(result, result.only, expected(made, told))
    assert result.code is (ExitCode.LOSSES if lost else ExitCode.GOOD)
    missing = [e for e in result.manifest.ledger if "is not there" in e.what]
    assert [(e.sort is Sort.LOSS, "other pictures are shown there" in e.what) for e in missing] == [
        (lost, not lost)
    ]
    truth.decodes_silently(result.file(result.only))


def test_a_screen_that_changes_inside_a_slice_is_met_while_copying_and_planned_anew(tmp_path: Path) -> None:
    grows = CALL.replace("[[9.0, 27.0]]", '[[9.0, 27.0]]\nchanges = [{ at = 15.0, size = "320x240" }]')
    made = make(parse(grows), tmp_path / "in")
    result = merge(made, tmp_path / "out", Options(screen=Screen.PREFER, uids=("user_01",)))
    assert result.code is ExitCode.GOOD
    assert_shown(result, result.only, expected(made, [(CAMERA, 0, 9), (SCREEN, 9, 27), (CAMERA, 28, 30)]))
    assert any("re-encode" in decision.what for decision in result.only.decisions)
    truth.decodes_silently(result.file(result.only))
