"""Outputs in Matroska, WebM and M4A: the same packets at the same times as in MP4, read back by FFmpeg."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import pytest

from pipeline.errors import ExitCode
from pipeline.job.merge import merge_all
from pipeline.model.containers import Container
from pipeline.model.manifest import from_json
from pipeline.model.options import By, Gaps, OnChange, Options, Tracks, Verify
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from pipeline.steps.recheck import recheck
from pipeline.steps.verify import verify
from tests import truth
from tests.merge.merging import (
    Merged,
    assert_beeps,
    assert_heard,
    assert_pictures,
    beeps_ms,
    has,
    merge,
    pictures_ms,
)
from tests.merge.web_sound import WebSound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.demo.made import Made
    from pipeline.model.manifest import Output
    from tests.merge.conftest import Merging

MKV = Options(container=Container.MKV)
RECORDINGS = (
    "audio-only",
    "b-frames",
    "hevc",
    "late-picture",
    "late-sound",
    "missing-slice",
    "mute-and-rejoin",
    "rotation-90",
    "stereo-44100",
    "video-only",
    "web-vp9",
)
in_mkv = pytest.mark.parametrize("name", RECORDINGS)


def packets(path: Path, options: dict[str, str] | None = None) -> dict[str, list[str]]:
    """A hash of each packet of each kind of track, as FFmpeg reads the file."""
    found: dict[str, list[str]] = {}
    with av.open(str(path), options=options or {}) as container:
        for packet in container.demux():
            if packet.size:
                found.setdefault(packet.stream.type, []).append(hashlib.sha256(bytes(packet)).hexdigest())
    return found


def assert_shown_and_heard(result: Merged, output: Output, tmp_path: Path) -> None:
    user = result.sender(output)
    assert output.verdict.good, output.verdict.problems
    if has(output, "video"):
        assert_pictures(result, output, pictures_ms(result.made, user))
    if has(output, "audio"):
        assert_beeps(result, output, beeps_ms(result.made, user), tmp_path)
    truth.decodes_silently(result.file(output))


@in_mkv
def test_matroska_shows_and_plays_everything_at_its_place(name: str, merged: Merging, tmp_path: Path) -> None:
    result = merged(name, MKV)
    for output in result.outputs:
        assert result.file(output).suffix == (".mkv" if has(output, "video") else ".mka")
        assert_shown_and_heard(result, output, tmp_path)


@in_mkv
def test_matroska_has_the_packets_and_the_length_of_the_mp4(name: str, merged: Merging) -> None:
    one, other = merged(name), merged(name, MKV)
    assert one.code == other.code
    for mp4, mkv in zip(one.outputs, other.outputs, strict=True):
        # Without its edit list FFmpeg would leave out packets of the MP4.
        assert packets(other.file(mkv)) == packets(one.file(mp4), {"ignore_editlist": "1"})
        assert (mkv.tracks, mkv.map, mkv.duration) == (mp4.tracks, mp4.map, mp4.duration)
        with av.open(str(other.file(mkv))) as container:
            assert container.duration is not None
            assert container.duration / 1000 == pytest.approx(mkv.duration / 90, abs=1)
            assert container.metadata["title"] == mkv.uid


@pytest.mark.parametrize(
    "options",
    [
        Options(container=Container.MKV, by=By.SESSION),
        Options(container=Container.MKV, gaps=Gaps.DROP),
        Options(container=Container.MKV, gaps=Gaps.BLACK),
    ],
    ids=["by session", "absences dropped", "absences black"],
)
def test_matroska_goes_with_the_other_options(options: Options, merged: Merging) -> None:
    result = merged("mute-and-rejoin", options)
    assert all(output.verdict.good for output in result.outputs)
    one = merged("mute-and-rejoin", replace(options, container=Container.MP4))
    for mkv, mp4 in zip(result.outputs, one.outputs, strict=True):
        assert packets(result.file(mkv)) == packets(one.file(mp4), {"ignore_editlist": "1"})


def test_players_find_the_cues_in_front_of_the_media(merged: Merging) -> None:
    result = merged("mute-and-rejoin", MKV)
    data = result.file(result.only).read_bytes()
    assert data.index(bytes.fromhex("1c53bb6b"), 200) < data.index(bytes.fromhex("1f43b675"))


def test_the_same_bytes_with_any_number_of_jobs(
    made: Callable[[str], Made], merged: Merging, tmp_path: Path
) -> None:
    one = merged("plain-trtc", MKV)
    other = merge(made("plain-trtc"), tmp_path / "out", MKV, Limits(jobs=3))
    assert [o.sha256 for o in one.outputs] == [o.sha256 for o in other.outputs]


def test_a_second_run_keeps_the_files_and_another_container_makes_others(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    folder, place = Folder(made("plain-agora").place), tmp_path / "out"
    for options, already in ((MKV, False), (MKV, True), (Options(), False), (Options(), True)):
        (done,) = merge_all(folder, place, options, Limits())
        assert done.already is already
        assert recheck(place, Verify.FULL).good
    assert Counter(path.suffix for path in place.iterdir()) == {".mkv": 2, ".mp4": 2, ".json": 1}


def test_h264_and_aac_are_refused_for_webm_with_a_word_for_matroska(merged: Merging) -> None:
    result = merged("plain-agora", Options(container=Container.WEBM))
    assert result.code is ExitCode.USAGE
    assert result.outputs == ()
    for refused in result.manifest.refused:
        assert refused.why.startswith("WebM does not hold h264 160x120, only VP8, VP9 and Opus")
        assert refused.why.endswith("use --container mkv")


VP8 = Options(container=Container.WEBM, tracks=Tracks.VIDEO, on_change=OnChange.COPY)


@pytest.mark.parametrize("container", [Container.WEBM, Container.MKV])
def test_vp8_is_copied_in_all_its_sizes(container: Container, merged: Merging, tmp_path: Path) -> None:
    result = merged("web-vp8", replace(VP8, container=container))
    (output,) = result.outputs
    assert_shown_and_heard(result, output, tmp_path)
    (track,) = output.tracks
    assert (track.codec, track.packets_out, track.packets_encoded) == ("vp8", track.packets_in, 0)
    slices = sorted(result.made.place.glob("*.webm"))
    sent = [each for path in slices for each in packets(path)["video"]]
    assert packets(result.file(output))["video"] == sent


def test_vp8_of_odd_sizes_is_encoded_as_vp8_and_the_rest_copied(merged: Merging, tmp_path: Path) -> None:
    result = merged("web-vp8", replace(VP8, on_change=OnChange.FIT))
    (output,) = result.outputs
    assert_shown_and_heard(result, output, tmp_path)
    (track,) = output.tracks
    assert track.codec == "vp8"
    assert track.packets_out > track.packets_encoded > 0
    with av.open(str(result.file(output))) as container:
        assert {(f.width, f.height) for f in container.decode(video=0)} == {(track.width, track.height)}


@pytest.mark.parametrize("container", [Container.WEBM, Container.MKV])
def test_what_a_browser_sends_is_copied_whole(container: Container, merged: Merging, tmp_path: Path) -> None:
    result = merged("web-opus", Options(container=container))
    assert result.manifest.refused == ()
    seen_and_heard, heard = result.outputs
    assert [result.file(o).suffix for o in result.outputs] == [
        f".{container}",
        ".webm" if container is Container.WEBM else ".mka",
    ]
    for output in result.outputs:
        assert_shown_and_heard(result, output, tmp_path)
        assert all(track.packets_out == track.packets_in for track in output.tracks)
    assert [track.codec for track in seen_and_heard.tracks] == ["vp9", "opus"]
    assert [track.codec for track in heard.tracks] == ["opus"]


def test_vp9_is_copied_into_webm(merged: Merging, tmp_path: Path) -> None:
    result = merged("web-vp9", Options(container=Container.WEBM, tracks=Tracks.VIDEO))
    (output,) = result.outputs
    assert_shown_and_heard(result, output, tmp_path)
    assert b"\x42\x82\x84webm" in result.file(output).read_bytes()[:64], "DocType"


@pytest.mark.parametrize("container", [Container.WEBM, Container.MKV, Container.M4A])
@pytest.mark.parametrize(
    "sound",
    [
        WebSound(((0, 6_000), (8_340, 12_010)), channels=2),
        WebSound(((0, 5_000), (6_100, 9_000)), frame=120, anew=False),
    ],
    ids=["stereo with a mute", "packets of 2.5 ms"],
)
def test_opus_is_copied_and_heard_at_its_place(sound: WebSound, container: Container, tmp_path: Path) -> None:
    sent = sound.record(tmp_path / "in")
    options = Options(container=container)
    (done,) = merge_all(Folder(tmp_path / "in"), tmp_path / "out", options, Limits())
    (output,) = done.manifest.outputs
    path = tmp_path / "out" / output.file
    assert output.verdict.good, output.verdict.problems
    assert_heard(path, output, sound.beeps_ms, tmp_path)
    truth.decodes_silently(path)
    (told,) = output.tracks
    filled = {n for fill in told.fills for n in range(fill.first, fill.first + fill.count)}
    found = packets(path)["audio"]
    assert [each for n, each in enumerate(found) if n not in filled] == [
        hashlib.sha256(each).hexdigest() for each in sent
    ]


def test_m4a_is_the_sound_of_everybody_without_a_further_word(merged: Merging) -> None:
    one = merged("plain-trtc", Options(container=Container.M4A))
    other = merged("plain-trtc", Options(tracks=Tracks.AUDIO))
    assert [o.file for o in one.outputs] == [o.file for o in other.outputs]
    for mine, its in zip(one.outputs, other.outputs, strict=True):
        assert one.file(mine).suffix == ".m4a"
        assert one.file(mine).read_bytes() == other.file(its).read_bytes()


def _late(path: Path, place: Path, medium: str, ms: int) -> Path:
    """The file with one track later than it was."""
    with av.open(str(path)) as source, av.open(str(place), "w", options={"fflags": "+bitexact"}) as target:
        streams = [target.add_stream_from_template(stream) for stream in source.streams]
        for key in ("title", "creation_time"):
            target.metadata[key] = source.metadata[key]
        for packet in source.demux():
            if packet.size:
                late = ms if packet.stream.type == medium else 0
                packet.pts = (packet.pts or 0) + late
                packet.dts = packet.pts
                packet.time_base = Fraction(1, 1000)
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    return place


@pytest.mark.parametrize("medium", ["video", "audio"])
def test_a_track_that_is_3_ms_late_is_found(medium: str, merged: Merging, tmp_path: Path) -> None:
    result = merged("mute-and-rejoin", MKV)
    output = replace(result.only, size=0, sha256="")
    late = _late(result.file(output), tmp_path / "late.mkv", medium, 3)
    verdict, _ = verify(late, output, Verify.FULL)
    assert sum(problem.startswith(f"{medium}: a span lies") for problem in verdict.problems) >= 2
    assert any(problem.startswith("Cues stand after the media") for problem in verdict.problems)


@pytest.mark.parametrize("container", [Container.MKV, Container.M4A])
def test_a_damaged_file_is_found(container: Container, made: Callable[[str], Made], tmp_path: Path) -> None:
    result = merge(made("plain-agora"), tmp_path / "out", Options(container=container))
    assert recheck(result.place, Verify.FULL).good
    manifest = from_json((result.place / "manifest.json").read_text("utf-8"))
    path = result.file(manifest.outputs[0])
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    found, other = recheck(result.place, Verify.FAST).files
    assert "its SHA-256 is not that of the manifest" in found.verdict.problems
    assert any(
        problem.endswith("the payloads are not those that were read") for problem in found.verdict.problems
    )
    assert other.verdict.good
