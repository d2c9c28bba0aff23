"""Files that the vendor has finished: cut, overlapping, cut off, turned, without a time."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario import Source
from pipeline.demo.scenario_toml import parse
from pipeline.errors import ExitCode, InputError
from pipeline.job.look import inspect_all
from pipeline.job.merge import merge_all
from pipeline.media.finish import finished
from pipeline.model.options import By, Moment, Options
from pipeline.report.inspected import inspection_lines
from pipeline.report.words import Screen
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from tests import truth
from tests.media.test_mp4_run import moov_first
from tests.merge.merging import Merged, assert_beeps, assert_pictures, pictures_ms, placed_pictures, refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.demo.made import Made
    from tests.merge.conftest import Merging


def _merge(made: Made, source: Path, place: Path, options: Options | None = None) -> Merged:
    (done,) = merge_all(Folder(source), place, options or Options(), Limits())
    return Merged(made, place, done.manifest, done.exit_code(accept_loss=False))


def test_names_are_the_usual_ones_and_a_composite_s_has_no_user(merged: Merging) -> None:
    assert sorted(o.file for o in merged("volcengine-mp4").outputs) == [
        "ann_20260302090000250_av.mp4",
        "bob_screen_20260302090010250_video.mp4",
        "cid_20260302090008027.m4a",
    ]
    for name in ("mix-agora-mp4", "mix-agora-hls"):
        (output,) = merged(name).outputs
        assert output.uid == ""
        assert output.file.startswith("mixed_20260302090000")
        assert output.file.endswith("_av.mp4")


def test_a_composite_is_told_as_mixed(made: Callable[[str], Made]) -> None:
    found = inspect_all(Folder(made("mix-agora-mp4").place))
    lines = list(inspection_lines(found, Screen(80, unicode=True)))
    assert any(line.startswith("mixed") for line in lines)


def test_a_cut_snaps_outwards_to_key_frames_in_the_parts(merged: Merging, tmp_path: Path) -> None:
    options = Options(uids=("ann",), start=Moment.parse("8.5"), end=Moment.parse("11.5"))
    result = merged("volcengine-mp4", options)
    output = result.only
    all_of_it = pictures_ms(result.made, result.sender(output))
    zero = result.made.scenario.start_ms
    said = [at for _, at in placed_pictures(result, output)]
    assert said == [at for at in all_of_it if said[0] <= at <= said[-1]]
    assert said[0] <= zero + 8500 < said[0] + 2000
    assert zero + 11_400 <= said[-1] < zero + 13_500
    heard = [at for at in result.sender(output).beeps_ms if said[0] <= at < said[-1]]
    assert_beeps(result, output, heard, tmp_path)


AWAY = """
vendor = "volcengine"
start = 2026-03-02T09:00:00.250Z
finished = true
[[users]]
uid = "ann"
size = "160x120"
fps = 10
merged = true
sound = [[0.0, 4.0], [24.0, 28.0]]
picture = [[0.0, 4.0], [24.0, 28.0]]
"""


def test_absences_divide_a_finished_file_into_sessions(tmp_path: Path) -> None:
    made = make(parse(AWAY), tmp_path / "in")
    result = _merge(made, made.place, tmp_path / "out", Options(by=By.SESSION))
    assert [o.file for o in result.outputs] == [
        "ann_20260302090000250_av.mp4",
        "ann_20260302090024250_av.mp4",
    ]
    said = [at for o in result.outputs for _, at in placed_pictures(result, o)]
    assert said == pictures_ms(made, made.users[0])


def test_parts_that_claim_the_same_time_are_used_once(made: Callable[[str], Made], tmp_path: Path) -> None:
    """The second part's name says that it began a second earlier than it did."""
    whole = made("volcengine-mp4")
    place = tmp_path / "in"
    place.mkdir()
    first, second = (s for s in whole.user("cid").slices[:2])
    shutil.copy(whole.place / first.name, place)
    early = second.name.replace(str(second.start_ms), str(second.start_ms - 1000))
    shutil.copy(whole.place / second.name, place / early)
    result = _merge(whole, place, tmp_path / "out")
    assert result.code is ExitCode.GOOD
    assert result.only.verdict.good
    (track,) = result.only.tracks
    assert [span.why for span in track.spans] == ["first slice", "begins before the file before has ended"]
    assert {d.reason for d in track.dropped} == {"overlap"}
    truth.decodes_silently(result.file(result.only))


HLS = """
vendor = "trtc"
start = 2026-03-02T09:00:00.250Z
[[users]]
uid = "user_01"
size = "160x120"
fps = 10
merged = true
sound = [[0.3, 12.0]]
picture = [[0.0, 12.0]]
"""


def test_playlists_beside_the_files_tell_when_they_began(tmp_path: Path) -> None:
    """The slices were not downloaded; the finished file says another time than the playlists."""
    hls = make(parse(HLS), tmp_path / "hls")
    (user,) = hls.users
    place = tmp_path / "in"
    place.mkdir()
    (index,) = hls.place.glob("*.m3u8")
    shutil.copy(index, place)
    name = index.name.replace("_audiovideo.m3u8", ".mp4")
    slices = b"".join((hls.place / s.name).read_bytes() for s in user.slices)
    (place / name).write_bytes(finished(slices, 1_600_000_000_000))
    result = _merge(hls, place, tmp_path / "out")
    assert result.code is ExitCode.GOOD
    assert_pictures(result, result.only, list(user.pictures_ms))
    assert_beeps(result, result.only, list(user.beeps_ms), tmp_path)


def test_a_file_of_which_nothing_tells_the_time_is_placed_in_1970(tmp_path: Path) -> None:
    hls = make(parse(HLS), tmp_path / "hls")
    place = tmp_path / "in"
    place.mkdir()
    name = hls.users[0].slices[0].name.partition("_audiovideo_")[0]
    slices = b"".join((hls.place / s.name).read_bytes() for s in hls.users[0].slices)
    (place / f"{name}.mp4").write_bytes(finished(slices))
    result = _merge(hls, place, tmp_path / "out")
    assert result.code is ExitCode.GOOD
    assert result.only.file == "user_01_19700101000000000_av.mp4"
    notes = [entry.what for entry in result.manifest.ledger]
    assert "nothing tells when it began; placed at the beginning of 1970" in notes


def test_a_file_that_was_cut_off_is_a_loss_and_the_rest_is_delivered(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    whole = made("volcengine-mp4")
    place = tmp_path / "in"
    place.mkdir()
    part = whole.user("ann").slices[1]
    data = moov_first((whole.place / part.name).read_bytes(), tmp_path)
    (place / part.name).write_bytes(data[: len(data) * 2 // 3])
    result = _merge(whole, place, tmp_path / "out")
    assert result.code is ExitCode.LOSSES
    said = [at for _, at in placed_pictures(result, result.only)]
    assert 0 < len(said) < len(part.pictures_ms)
    assert said == list(part.pictures_ms[: len(said)])
    assert {entry.key for entry in result.manifest.losses} == {part.name}


def test_a_file_that_was_never_finished_is_refused_with_the_reason(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    whole = made("volcengine-mp4")
    (tmp_path / "in").mkdir()
    part = whole.user("cid").slices[0]
    data = (whole.place / part.name).read_bytes()
    (tmp_path / "in" / part.name).write_bytes(data[: data.index(b"moov")])
    sentence = refused(tmp_path / "in", tmp_path / "out", InputError)
    assert "it has no moov: it was cut off, or never finished" in sentence


@pytest.mark.parametrize("name", ["rotation-90", "late-picture", "late-sound", "b-frames", "hevc"])
def test_an_output_of_ours_is_an_input_like_any_other(name: str, merged: Merging, tmp_path: Path) -> None:
    """Empty edits, skipped media time, display matrices: the same pictures and beeps come out again."""
    once = merged(name)
    (tmp_path / "in").mkdir()
    for output in once.outputs:
        file = f"task_room_{output.uid}_C_{output.utc_zero_ms}_000010_c4694fa1.mp4"
        shutil.copy(once.file(output), tmp_path / "in" / file)
    again = _merge(once.made, tmp_path / "in", tmp_path / "out")
    assert again.code is ExitCode.GOOD
    for one, two in zip(once.outputs, again.outputs, strict=True):
        if pictures := placed_pictures(once, one):
            assert [at for _, at in placed_pictures(again, two)] == [at for _, at in pictures]
            assert all(abs(at - said) <= 1 for at, said in placed_pictures(again, two))
            assert two.tracks[0].clockwise == one.tracks[0].clockwise
        if any(t.medium == "audio" for t in two.tracks):
            assert_beeps(again, two, list(once.sender(one).beeps_ms), tmp_path)


def _refused(source: Path, place: Path) -> str:
    """Why the one user of a recording is refused, the other outputs made."""
    (done,) = merge_all(Folder(source), place, Options(), Limits())
    assert done.exit_code(accept_loss=False) is ExitCode.USAGE
    (refusal,) = done.manifest.refused
    return refusal.why


def _screen(made: Callable[[str], Made], place: Path, spoil: Callable[[bytes], bytes]) -> Path:
    """A folder with a screen in HEVC whose file was changed."""
    whole = made("volcengine-mp4")
    part = whole.user("bob", Source.SCREEN).slices[0]
    place.mkdir()
    (place / part.name).write_bytes(spoil((whole.place / part.name).read_bytes()))
    return place


def test_bytevc1_is_refused_with_the_reason(made: Callable[[str], Made], tmp_path: Path) -> None:
    def renamed(data: bytes) -> bytes:
        at = data.index(b"hev1", data.index(b"moov"))
        return data[:at] + b"bvc1" + data[at + 4 :]

    why = _refused(_screen(made, tmp_path / "in", renamed), tmp_path / "out")
    assert why.startswith("the pictures are BYTEVC1, ByteDance's own codec, which FFmpeg cannot read")


def test_what_calls_itself_hevc_and_is_none_is_refused(made: Callable[[str], Made], tmp_path: Path) -> None:
    """ByteVC1 may be labelled as HEVC: its parameter sets then mean nothing to FFmpeg."""

    def spoilt(data: bytes) -> bytes:
        return re.sub(rb"\x42\x01\x01.{20}", b"\x42\x01" + b"\xff" * 21, data, flags=re.DOTALL)

    why = _refused(_screen(made, tmp_path / "in", spoilt), tmp_path / "out")
    assert why.startswith("FFmpeg cannot read the parameter sets of the hevc pictures")
