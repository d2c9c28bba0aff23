"""Web senders: WebM slices whose pictures are copied (VP9) or become H.264 (VP8), each at its own time."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import av
import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.errors import ExitCode
from pipeline.model.options import Options
from tests.merge.merging import (
    Merged,
    assert_beeps,
    assert_pictures,
    beeps_ms,
    merge,
    pictures_ms,
    placed_pictures,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.model.manifest import Output, OutputTrack
    from tests.merge.conftest import Merging

ONE_SLICE = """
vendor = "agora"
start = 2026-03-02T09:00:00.250Z
slice_seconds = 3600

[[users]]
uid = "7"
size = "320x180"
fps = 10
picture = [[0.0, 16.0]]
web = [[0.0, 16.0]]
"""


def pictures(output: Output) -> OutputTrack:
    return next(track for track in output.tracks if track.medium == "video")


def frames(path: Path) -> list[str]:
    """A hash of each packet of pictures, as FFmpeg reads the file."""
    with av.open(str(path)) as container:
        return [hashlib.sha256(bytes(p)).hexdigest() for p in container.demux(video=0) if p.size]


def in_slices(result: Merged, uid: str, ending: str) -> list[str]:
    found = sorted(result.made.place.glob(f"*__uid_s_{uid}__uid_e_video_*.{ending}"))
    return [each for path in found for each in frames(path)]


def codec(path: Path) -> str:
    with av.open(str(path)) as container:
        return container.streams.video[0].codec_context.name


def test_vp9_is_copied_frame_by_frame(merged: Merging) -> None:
    result = merged("web-vp9")
    (output,) = result.outputs
    assert codec(result.file(output)) == "vp9"
    assert frames(result.file(output)) == in_slices(result, "102", "webm")
    track = pictures(output)
    assert track.packets_in == track.packets_out
    assert track.encoded == ()


def test_vp8_becomes_h264_picture_by_picture(merged: Merging) -> None:
    result = merged("web-vp8")
    (output,) = result.outputs
    assert codec(result.file(output)) == "h264"
    track = pictures(output)
    assert track.packets_in == track.packets_encoded == len(in_slices(result, "101", "webm"))
    assert (track.packets_out, track.dropped, track.inserted) == (0, (), 0)
    assert (track.width, track.height) == (640, 360)


@pytest.mark.parametrize(
    ("uid", "kept", "ending"),
    [
        pytest.param("103", "h264", "ts", id="H.264 is copied"),
        pytest.param("104", "vp9", "webm", id="VP9 is copied"),
    ],
)
def test_who_changes_between_phone_and_browser_has_one_track(
    uid: str, kept: str, ending: str, merged: Merging, tmp_path: Path
) -> None:
    result = merged("web-native-switch")
    output = next(o for o in result.outputs if o.uid == uid)
    sender = result.sender(output)
    assert codec(result.file(output)) == kept
    assert_pictures(result, output, pictures_ms(result.made, sender))
    assert_beeps(result, output, beeps_ms(result.made, sender), tmp_path)
    track = pictures(output)
    assert track.packets_out + track.packets_encoded == track.packets_in
    assert 0 < track.packets_out < track.packets_in
    if ending == "webm":
        assert set(in_slices(result, uid, "webm")) <= set(frames(result.file(output)))


@pytest.mark.parametrize("web_codec", ["vp8", "vp9"])
def test_a_size_that_changes_inside_a_slice_is_found_while_copying(web_codec: str, tmp_path: Path) -> None:
    """Browsers ramp up within seconds, and a recorder cuts their pictures only now and then."""
    text = f'{ONE_SLICE}web_codec = "{web_codec}"\n' + 'changes = [{ at = 4.0, size = "640x360" }]\n'
    made = make(parse(text), tmp_path / "in")
    names = sorted((tmp_path / "in").glob("*.webm"))
    whole = b"".join(path.read_bytes() for path in names)  # a file appended to another is still WebM
    names[0].write_bytes(whole)
    for path in names[1:]:
        path.unlink()
    for playlist in (tmp_path / "in").glob("*.m3u8"):
        playlist.unlink()
    result = merge(made, tmp_path / "out", Options())
    assert result.code is ExitCode.GOOD
    track = pictures(result.only)
    assert (track.width, track.height) == (640, 360)
    assert_pictures(result, result.only, pictures_ms(made, result.sender(result.only)))


def spoil(place: Path, number: int, how: Callable[[bytes], bytes]) -> str:
    path = sorted(place.glob("*.webm"))[number]
    path.write_bytes(how(path.read_bytes()))
    return path.name


@pytest.mark.parametrize("web_codec", ["vp8", "vp9"])
def test_a_slice_that_is_cut_off_loses_its_end_alone(web_codec: str, tmp_path: Path) -> None:
    text = ONE_SLICE.replace("3600", "5") + f'web_codec = "{web_codec}"\n'
    made = make(parse(text), tmp_path / "in")
    name = spoil(tmp_path / "in", 1, lambda data: data[: len(data) * 2 // 3])
    result = merge(made, tmp_path / "out")
    assert result.code is ExitCode.LOSSES
    assert any(entry.key == name and "cut off" in entry.what for entry in result.manifest.ledger)
    cut = next(s for s in made.users[0].slices if s.name == name)
    all_ms = pictures_ms(made, made.users[0])
    late = [at for at in cut.pictures_ms if at > cut.pictures_ms[len(cut.pictures_ms) // 4]]
    there = [round(at) for at in truth_of(result)]
    assert set(all_ms) - set(there) <= set(late)
    assert there == sorted(there)
    assert len(there) < len(all_ms)


def holed(data: bytes) -> bytes:
    """With 64 zero bytes in its midst."""
    half = len(data) // 2
    return data[:half] + bytes(64) + data[half + 64 :]


def truth_of(result: Merged) -> list[int]:
    """UTC that the pictures say."""
    placed = placed_pictures(result, result.only)
    assert all(abs(at - said) <= 1 for at, said in placed)
    return [said for _, said in placed]


@pytest.mark.parametrize("web_codec", ["vp8", "vp9"])
def test_damage_inside_a_slice_drops_what_refers_to_it(web_codec: str, tmp_path: Path) -> None:
    text = ONE_SLICE.replace("3600", "5") + f'web_codec = "{web_codec}"\n'
    made = make(parse(text), tmp_path / "in")
    name = spoil(tmp_path / "in", 1, holed)
    result = merge(made, tmp_path / "out")
    there, all_ms = truth_of(result), pictures_ms(made, made.users[0])
    bad = next(s for s in made.users[0].slices if s.name == name)
    assert set(all_ms) - set(there) <= set(bad.pictures_ms)
    track = pictures(result.only)
    dropped = sum(each.packets for each in track.dropped)
    assert track.packets_in == track.packets_out + track.packets_encoded + dropped


def test_an_odd_size_becomes_even(tmp_path: Path) -> None:
    """H.264 in 4:2:0 has even sides; VP8 may have any."""
    made = make(parse(ONE_SLICE.replace("320x180", "322x182")), tmp_path / "in")
    path = next((tmp_path / "in").glob("*.webm"))
    odd = bytes((321 & 0xFF, 321 >> 8, 181, 0))
    path.write_bytes(path.read_bytes().replace(bytes((322 & 0xFF, 322 >> 8, 182, 0)), odd))
    result = merge(made, tmp_path / "out")
    track = pictures(result.only)
    assert (track.width, track.height) == (322, 182)
    assert track.packets_encoded == track.packets_in
