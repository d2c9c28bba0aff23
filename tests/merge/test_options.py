"""What each option changes in the files, measured as `test_truth` measures them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.demo.recorder import make
from pipeline.errors import CommandError, ExitCode, MissingSliceError
from pipeline.job.look import plan_all
from pipeline.job.merge import merge_all
from pipeline.model import ticks
from pipeline.model.options import Align, By, Gaps, Missing, Moment, Options, Tracks, Verify
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from pipeline.steps.recheck import recheck
from tests import truth
from tests.merge.merging import (
    TICKS_A_MS,
    assert_beeps,
    assert_pictures,
    beeps_ms,
    has,
    merge,
    pictures_ms,
    placed_pictures,
    seen,
    tree,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.demo.made import Made
    from tests.merge.conftest import Merging

AAC_FRAME_MS = 1024 / 48
AWAY_MS = (20_000, 37_000)  # of user 101 in mute-and-rejoin, since the recording's start


def test_by_session_every_stay_has_its_own_file_and_zero(merged: Merging, tmp_path: Path) -> None:
    result = merged("mute-and-rejoin", Options(by=By.SESSION))
    start_ms = result.made.scenario.start_ms
    user = result.made.users[0]
    leaves, returns = (start_ms + at for at in AWAY_MS)
    first, second = result.outputs
    assert first.utc_zero_ms == start_ms
    assert second.utc_zero_ms == returns
    pictures, beeps = pictures_ms(result.made, user), beeps_ms(result.made, user)
    for output, begin, end in ((first, start_ms, leaves), (second, returns, returns + 60_000)):
        assert_pictures(result, output, [at for at in pictures if begin <= at < end])
        assert_beeps(result, output, [at for at in beeps if begin <= at < end], tmp_path)
        assert len(output.map) == 1


def test_dropping_gaps_leaves_out_the_absence_and_the_map_still_tells_utc(
    merged: Merging, tmp_path: Path
) -> None:
    held, dropped = merged("mute-and-rejoin"), merged("mute-and-rejoin", Options(gaps=Gaps.DROP))
    output, user = dropped.only, dropped.made.users[0]
    away_ms = AWAY_MS[1] - AWAY_MS[0]
    assert (held.only.duration - output.duration) / TICKS_A_MS == pytest.approx(away_ms, abs=AAC_FRAME_MS)
    before, after = output.map
    assert after.utc_ms - before.utc_ms == AWAY_MS[1]
    assert after.at == before.at + before.length
    assert_pictures(dropped, output, pictures_ms(dropped.made, user))
    assert_beeps(dropped, output, beeps_ms(dropped.made, user), tmp_path)
    truth.decodes_silently(dropped.file(output))


@pytest.mark.parametrize(("tracks", "ending"), [(Tracks.AUDIO, ".m4a"), (Tracks.VIDEO, "_video.mp4")])
def test_one_kind_of_track_is_taken_alone_and_begins_the_file(
    tracks: Tracks, ending: str, merged: Merging, tmp_path: Path
) -> None:
    result = merged("late-sound", Options(tracks=tracks))
    output, user = result.only, result.made.users[0]
    assert output.file.endswith(ending)
    assert [track.medium for track in output.tracks] == [tracks]
    if tracks is Tracks.AUDIO:
        assert output.utc_zero_ms == result.made.scenario.start_ms + 7300
        assert_beeps(result, output, beeps_ms(result.made, user), tmp_path)
    else:
        assert output.utc_zero_ms == result.made.scenario.start_ms
        assert_pictures(result, output, pictures_ms(result.made, user))


def test_a_user_without_the_track_asked_for_gets_no_file(merged: Merging) -> None:
    result = merged("screen-trtc", Options(tracks=Tracks.AUDIO))
    assert [output.source for output in result.outputs] == ["camera"]


def test_aligned_to_the_recording_all_files_share_their_zero(merged: Merging, tmp_path: Path) -> None:
    result = merged("plain-agora", Options(align=Align.RECORDING))
    assert {o.utc_zero_ms for o in result.outputs} == {result.made.scenario.start_ms}
    late = result.outputs[1]
    assert seen(result.file(late))[0][0] >= 2  # seconds: he came 2.3 s later
    for output in result.outputs:
        user = result.sender(output)
        assert_pictures(result, output, pictures_ms(result.made, user))
        assert_beeps(result, output, beeps_ms(result.made, user), tmp_path)
        truth.decodes_silently(result.file(output))


def _utc(ms: int) -> Moment:
    return Moment(ticks.from_ms(ms), absolute=True)


START_MS, END_MS = 5_000, 9_000  # what is asked for, since the recording's start
SNAPPED_MS = (4_200, 10_200)  # key frames come every 2 s from 0.2 s on


@pytest.mark.parametrize("absolute", [True, False], ids=["given in UTC", "given from the recording's start"])
def test_a_cut_snaps_outwards_to_key_frames_with_sound_and_picture_at_one_point(
    absolute: bool,  # noqa: FBT001 - a column of the table
    made: Callable[[str], Made],
    merged: Merging,
    tmp_path: Path,
) -> None:
    zero = made("plain-agora").scenario.start_ms
    asked = [
        _utc(zero + at) if absolute else Moment(ticks.from_ms(at), absolute=False)
        for at in (START_MS, END_MS)
    ]
    result = merged("plain-agora", Options(uids=("101",), start=asked[0], end=asked[1]))
    output, user = result.only, result.made.user("101")
    begin, end = (zero + at for at in SNAPPED_MS)
    assert output.utc_zero_ms == begin
    assert output.duration / TICKS_A_MS == pytest.approx(end - begin, abs=AAC_FRAME_MS)
    assert_pictures(result, output, [at for at in pictures_ms(result.made, user) if begin <= at < end])
    assert_beeps(result, output, [at for at in beeps_ms(result.made, user) if begin <= at < end], tmp_path)
    assert output.av_offset_ms is not None
    assert 0 <= output.av_offset_ms <= AAC_FRAME_MS
    outside = {d.reason: d.packets for track in output.tracks for d in track.dropped}
    assert set(outside) == {"outside the cut"}
    truth.decodes_silently(result.file(output))


def test_a_cut_with_an_open_end_keeps_the_rest(merged: Merging) -> None:
    result = merged("plain-agora", Options(start=Moment(ticks.from_ms(20_500), absolute=False)))
    for output in result.outputs:
        user = result.sender(output)
        everything = pictures_ms(result.made, user)
        kept = [said for _, said in placed_pictures(result, output)]
        asked = result.made.scenario.start_ms + 20_500
        assert kept == everything[-len(kept) :]
        assert asked - user.user.gop_ms < kept[0] <= asked


def test_a_cut_beside_the_recording_is_refused(made: Callable[[str], Made], tmp_path: Path) -> None:
    options = Options(start=Moment(ticks.from_ms(3_600_000), absolute=False))
    with pytest.raises(CommandError, match="leave nothing of the recording") as caught:
        merge(made("plain-agora"), tmp_path / "out", options)
    assert caught.value.exit_code is ExitCode.USAGE


def test_only_the_users_asked_for_are_merged_and_come_out_as_ever(merged: Merging) -> None:
    everyone, one = merged("plain-trtc"), merged("plain-trtc", Options(uids=("李雷ab?",)))
    output = one.only
    assert output.uid == "李雷ab?"
    assert one.file(output).read_bytes() == everyone.file(output).read_bytes()


def test_a_user_who_was_not_there_is_refused_with_those_who_were(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    with pytest.raises(CommandError) as caught:
        merge(made("plain-agora"), tmp_path / "out", Options(uids=("303",)))
    said = str(caught.value)
    assert "no user '303'" in said
    assert "'101', '202'" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("{uid}", ["101.mp4", "202.mp4"]),
        ("../{uid}/x y", ["%2E.%2F101%2Fx%20y.mp4", "%2E.%2F202%2Fx%20y.mp4"]),
        ("{utc}", ["20260302090000250.mp4", "20260302090002250.mp4"]),
    ],
)
def test_names_follow_the_pattern_and_stay_in_the_folder(
    pattern: str, files: list[str], merged: Merging
) -> None:
    result = merged("plain-agora", Options(name=pattern))
    assert [output.file for output in result.outputs] == files
    assert {path.name for path in result.place.iterdir()} == {o.file for o in result.outputs} | {
        "manifest.json"
    }


def test_users_of_one_name_get_names_apart(merged: Merging) -> None:
    one, two = (output.file for output in merged("plain-agora", Options(name="all")).outputs)
    assert one != two
    assert one.startswith("all_")
    assert two.startswith("all_")


@pytest.mark.parametrize(
    ("pattern", "part"), [("{user}", "unknown field 'user'"), ("{uid", "is no pattern"), ("{uid!r}", "uid")]
)
def test_a_pattern_that_is_none_is_refused_before_any_work(
    pattern: str, part: str, made: Callable[[str], Made], tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=part):
        merge(made("plain-agora"), tmp_path / "out", Options(name=pattern))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "state"),
    [("missing-slice", "missing"), ("empty-slice", "empty"), ("random-slice", "unreadable")],
)
def test_a_slice_that_is_not_there_stops_the_work_when_asked_to(
    name: str, state: str, made: Callable[[str], Made], tmp_path: Path
) -> None:
    (bad,) = [s.name for user in made(name).users for s in user.slices if s.useless]
    with pytest.raises(MissingSliceError) as caught:
        merge(made(name), tmp_path / "out", Options(missing=Missing.FAIL))
    assert bad in str(caught.value)
    assert state in str(caught.value)
    assert caught.value.exit_code is ExitCode.INPUT
    assert not (tmp_path / "out").exists()


def test_with_all_slices_there_asking_to_stop_changes_no_byte(merged: Merging) -> None:
    plain, strict = merged("plain-agora"), merged("plain-agora", Options(missing=Missing.FAIL))
    assert strict.code is ExitCode.GOOD
    for output in plain.outputs:
        assert strict.file(output).read_bytes() == plain.file(output).read_bytes()


@pytest.mark.parametrize("level", [Verify.FAST, Verify.OFF])
def test_the_level_of_verification_changes_no_byte_of_the_files(level: Verify, merged: Merging) -> None:
    plain, other = merged("plain-agora"), merged("plain-agora", Options(verify=level))
    for one, two in zip(plain.outputs, other.outputs, strict=True):
        assert other.file(two).read_bytes() == plain.file(one).read_bytes()
        assert (one.size, one.sha256) == (two.size, two.sha256)
        assert two.verdict.level == level


def test_what_was_made_without_verification_is_not_hashed_on_its_way_and_is_verified_later(
    merged: Merging,
) -> None:
    unverified = merged("plain-agora", Options(verify=Verify.OFF))
    assert {track.payload_sha256 for output in unverified.outputs for track in output.tracks} == {""}
    later = recheck(unverified.place, Verify.FULL)
    assert later.good
    assert all(each.verdict.checks for each in later.files)


@pytest.mark.parametrize("name", ["plain-trtc", "screen-trtc", "missing-slice"])
def test_two_jobs_make_the_bytes_of_one(
    name: str, made: Callable[[str], Made], merged: Merging, tmp_path: Path
) -> None:
    one = merged(name)
    merge(made(name), tmp_path / "out", limits=Limits(jobs=2))
    assert tree(tmp_path / "out") == tree(one.place)


@pytest.mark.parametrize("name", ["plain-agora", "truncated-slice"])
def test_a_second_run_finds_everything_done_and_touches_nothing(
    name: str, made: Callable[[str], Made], tmp_path: Path
) -> None:
    place = tmp_path / "out"
    folder = Folder(made(name).place)
    (first,) = merge_all(folder, place, Options(), Limits())
    before = {path: path.stat().st_mtime_ns for path in place.iterdir()}
    content = tree(place)
    (second,) = merge_all(folder, place, Options(), Limits(jobs=2))
    assert (first.already, second.already) == (False, True)
    assert second.manifest == first.manifest
    assert second.exit_code(accept_loss=False) is first.exit_code(accept_loss=False)
    assert {path: path.stat().st_mtime_ns for path in place.iterdir()} == before
    assert tree(place) == content


def test_other_options_find_their_names_taken_until_they_may_overwrite(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    place = tmp_path / "out"
    merge(made("plain-agora"), place)
    content = tree(place)
    aligned = Options(end=Moment(ticks.from_ms(9_000), absolute=False))
    with pytest.raises(CommandError, match="allow to replace it"):
        merge(made("plain-agora"), place, aligned)
    assert tree(place) == content
    again = merge(made("plain-agora"), place, aligned, Limits(overwrite=True))
    assert again.code is ExitCode.GOOD
    assert set(tree(place)) == set(content)
    assert tree(place) != content


def test_a_changed_output_is_never_taken_for_a_finished_one(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    result = merge(made("video-only"), tmp_path)
    content = tree(tmp_path)
    path = result.file(result.only)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(CommandError, match="allow to replace it"):
        merge(made("video-only"), tmp_path)
    merge(made("video-only"), tmp_path, limits=Limits(overwrite=True))
    assert tree(tmp_path) == content


def test_two_recordings_of_one_scenario_in_different_folders_give_the_same_bytes(
    made: Callable[[str], Made], merged: Merging, tmp_path: Path
) -> None:
    scenario = made("plain-trtc").scenario
    again = make(scenario, tmp_path / "somewhere else")
    merge(again, tmp_path / "out")
    assert tree(tmp_path / "out") == tree(merged("plain-trtc").place)


def test_several_recordings_get_a_folder_each_and_come_out_as_they_do_alone(
    made: Callable[[str], Made], merged: Merging, tmp_path: Path
) -> None:
    both = tmp_path / "both"
    for name in ("late-sound", "plain-trtc"):
        shutil.copytree(made(name).place, both / name)
    done = merge_all(Folder(both), tmp_path / "out", Options(), Limits())
    assert len({d.place for d in done}) == 2
    assert all(Path(d.place).parent == tmp_path / "out" for d in done)
    assert {path.parent for path in (tmp_path / "out").rglob("*.mp4")} == {Path(d.place) for d in done}
    alone = {
        o.file: merged(n).file(o).read_bytes()
        for n in ("late-sound", "plain-trtc")
        for o in merged(n).outputs
    }
    together = {o.file: (Path(d.place) / o.file).read_bytes() for d in done for o in d.manifest.outputs}
    assert together == alone


@pytest.mark.parametrize("name", ["plain-trtc", "mute-and-rejoin", "missing-slice", "video-only"])
def test_the_plan_says_what_merge_then_does_and_writes_nothing(
    name: str, made: Callable[[str], Made], merged: Merging
) -> None:
    before = sorted(made(name).place.iterdir())
    _, (planned,) = plan_all(Folder(made(name).place), Options())
    result = merged(name)
    assert [o.file for o in planned.plan.outputs] == [o.file for o in result.outputs]
    for told, output in zip(planned.plan.outputs, result.outputs, strict=True):
        assert ticks.to_ms(told.zero) == output.utc_zero_ms
        assert [t.medium for t in told.tracks] == [t.medium for t in output.tracks]
        assert told.duration / TICKS_A_MS == pytest.approx(output.duration / TICKS_A_MS, abs=AAC_FRAME_MS)
        assert [(d.what, d.why) for d in told.decisions] == [(d.what, d.why) for d in output.decisions]
        assert has(output, "video") == (told.video is not None)
    assert {e.key for e in planned.plan.ledger if e.sort == "loss"} <= {e.key for e in result.manifest.losses}
    assert sorted(made(name).place.iterdir()) == before
