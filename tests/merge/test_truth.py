"""What a player shows and plays of every fixture, decoded and compared with what was sent, and when."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import av
import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.errors import ExitCode
from tests import truth
from tests.cells import cell
from tests.merge.merging import (
    TICKS_A_MS,
    assert_beeps,
    assert_pictures,
    beeps_ms,
    first_and_end_ms,
    has,
    merge,
    pictures_ms,
    sound_ms,
)

if TYPE_CHECKING:
    from tests.merge.conftest import Merging

FIXTURES = sorted(path.stem for path in (Path(__file__).parents[2] / "fixtures").glob("*.toml"))
LOSING = {"empty-slice", "html-slice", "missing-slice", "random-slice", "truncated-slice"}
AAC_FRAME = 1024

LONG = {"gap-of-two-hours"}
"""Whose sound takes longer to decode than all others together."""

every_fixture = pytest.mark.parametrize("name", FIXTURES)
every_sound = pytest.mark.parametrize(
    "name", [cell(name, name=name, always=name not in LONG) for name in FIXTURES]
)


@every_fixture
def test_every_user_gets_a_file_and_losses_are_told(name: str, merged: Merging) -> None:
    result = merged(name)
    users = [(user.user.uid, user.user.source) for user in result.made.users]
    assert sorted((o.uid, o.source) for o in result.outputs) == sorted(users)
    assert result.code is (ExitCode.LOSSES if name in LOSING else ExitCode.GOOD)
    lost = {s.name for user in result.made.users for s in user.slices if s.useless or s.fault == "truncated"}
    assert {entry.key for entry in result.manifest.losses if entry.key} == lost
    assert {path.name for path in result.place.iterdir()} == {o.file for o in result.outputs} | {
        "manifest.json"
    }


@every_fixture
def test_every_picture_is_there_and_within_1_ms_of_its_place(name: str, merged: Merging) -> None:
    result = merged(name)
    for output in result.outputs:
        user = result.sender(output)
        expected = pictures_ms(result.made, user)
        assert has(output, "video") == bool(expected)
        if expected:
            assert_pictures(result, output, expected)


@every_sound
def test_every_beep_is_there_and_at_its_place_by_stamps_and_by_count(
    name: str, merged: Merging, tmp_path: Path
) -> None:
    result = merged(name)
    for output in result.outputs:
        user = result.sender(output)
        expected = beeps_ms(result.made, user)
        assert has(output, "audio") == bool(expected)
        if expected:
            assert_beeps(result, output, expected, tmp_path)


@every_fixture
def test_offset_zero_and_length_are_those_of_what_was_sent(name: str, merged: Merging) -> None:
    result = merged(name)
    for output in result.outputs:
        user = result.sender(output)
        first, end = first_and_end_ms(result.made, user)
        assert output.utc_zero_ms == pytest.approx(first, abs=1)
        # sound ends on a whole frame, as it was sent or as silence up to the last picture
        frame_ms = AAC_FRAME * 1000 / user.user.rate
        assert output.duration / TICKS_A_MS == pytest.approx(end - first, abs=frame_ms)
        with av.open(str(result.file(output))) as container:
            assert container.duration is not None
            assert container.duration / 1000 == pytest.approx(output.duration / TICKS_A_MS, abs=1)
        pictures, sound = pictures_ms(result.made, user), sound_ms(result.made, user)
        if pictures and sound:
            assert output.av_offset_ms == pytest.approx(sound[0][0] - pictures[0], abs=1)
        else:
            assert output.av_offset_ms is None


@every_fixture
def test_a_second_decoder_plays_it_without_a_word(name: str, merged: Merging) -> None:
    result = merged(name)
    for output in result.outputs:
        truth.decodes_silently(result.file(output))


@pytest.mark.parametrize("name", ["pts-restarts", "pts-starts-anywhere", "pts-wraps"])
def test_the_origin_of_pts_leaves_no_trace_in_the_files(name: str, merged: Merging) -> None:
    plain, other = merged("plain-agora"), merged(name)
    for one, two in zip(plain.outputs, other.outputs, strict=True):
        assert other.file(two).read_bytes() == plain.file(one).read_bytes()


def test_a_turned_picture_is_turned_by_the_display_matrix_alone(merged: Merging) -> None:
    result = merged("rotation-90")
    (video, _) = result.only.tracks
    assert (video.width, video.height, video.clockwise) == (160, 120, 90)


def test_many_mutes_do_not_add_up(tmp_path: Path) -> None:
    """Rounding each hole to whole frames by itself would lose half a frame at each, by sample count."""
    mutes = 24
    stretches = ", ".join(f"[{n * 1.551:.3f}, {n * 1.551 + 1.29:.3f}]" for n in range(mutes + 1))
    text = (
        f'vendor = "trtc"\nstart = 2026-03-02T09:00:00.250Z\n[[users]]\nuid = "chatty"\nsound = [{stretches}]'
    )
    result = merge(make(parse(text), tmp_path / "in"), tmp_path / "out")
    output, (user,) = result.only, result.made.users
    assert len(output.tracks[0].spans) == mutes + 1
    assert len(beeps_ms(result.made, user)) > mutes
    assert_beeps(result, output, beeps_ms(result.made, user), tmp_path)
