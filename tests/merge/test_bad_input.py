"""Hostile input is normal input: one clear sentence, the right exit code, nothing half-done left behind.

Damage goes through the whole merge, because what one step lets pass the next must bear.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import (
    CommandError,
    ExitCode,
    InputError,
    NoRecordingError,
    PlaylistError,
    RecpipeError,
    UnsafeUriError,
)
from pipeline.job.merge import merge_all
from pipeline.model.manifest import total_dropped
from pipeline.model.options import Options
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from tests import truth
from tests.merge.merging import MOST_CHARACTERS, refused, tree

if TYPE_CHECKING:
    from collections.abc import Callable


ROOT = Path(__file__).parents[2]
PACKET = 188
LONG_SLICE = 60  # packets; every damaged slice here has more
HTML = b"<!DOCTYPE html><html><body>Access denied</body></html>\n"


def _slices(folder: Path, medium: str) -> list[Path]:
    found = sorted(folder.glob(f"*_{medium}_*.ts"))
    assert len(found) > 1
    return found


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    sentence = refused(tmp_path / "no such", tmp_path / "out", CommandError)
    assert "no such does not exist: give the folder" in sentence


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert "file is a file: give the folder" in refused(tmp_path / "file", tmp_path / "out", CommandError)


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    sentence = refused(tmp_path / "in", tmp_path / "out", NoRecordingError)
    assert "in is empty: give the folder" in sentence


def test_a_folder_of_other_things(tmp_path: Path) -> None:
    place = tmp_path / "in"
    (place / "deeper").mkdir(parents=True)
    (place / "holiday.jpg").write_bytes(b"\xff\xd8")
    (place / "deeper" / "notes.txt").write_bytes(b"")
    sentence = refused(place, tmp_path / "out", NoRecordingError)
    assert "holds 2 files and no " in sentence
    assert "expected names" in sentence


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param(
            "7_20190208084418569.mp4.aac",
            "7_20190208084418569.mp4.aac is a recovery file of a recorder that crashed: raw pictures or "
            "sound that hold no timing.",
            id="a recovery file of the Agora on-premise SDK",
        ),
        pytest.param(
            "holiday_2024_0.mp4",
            "no recording by Agora, TRTC or Volcengine",
            id="a name that may be a mix of Agora",
        ),
        pytest.param(
            "task_room_user_C_1700000000000_000030_c4694fa1.flv",
            "no recording by Agora, TRTC or Volcengine",
            id="FLV of Volcengine",
        ),
    ],
)
def test_a_folder_of_what_is_not_merged(name: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(b"#EXTM3U\n#EXTINF:1,\nslice.ts\n")
    assert told in refused(tmp_path / "in", tmp_path / "out", NoRecordingError)


def test_a_folder_that_contains_itself_by_a_link_is_read_once(
    copy: Callable[[str], Path], tmp_path: Path
) -> None:
    place = copy("video-only")
    (place / "again").symlink_to(place, target_is_directory=True)
    (done,) = merge_all(Folder(place), tmp_path / "out", Options(), Limits())
    assert done.exit_code(accept_loss=False) is ExitCode.GOOD


def _chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - damage that is the same every time, no secret


def _playlist(folder: Path) -> Path:
    return next(folder.glob("*.m3u8"))


@pytest.mark.parametrize(
    ("head", "kind"),
    [(b"", PlaylistError), (b"#EXTM3U\n", UnsafeUriError)],
    ids=["from its first byte on", "after a good first line"],
)
def test_two_megabytes_of_garbage_are_one_short_sentence(
    head: bytes, kind: type[RecpipeError], copy: Callable[[str], Path], tmp_path: Path
) -> None:
    place = copy("video-only")
    playlist = _playlist(place)
    playlist.write_bytes(head + _chance(1).randbytes(2 << 20))
    assert playlist.name in refused(place, tmp_path / "out", kind)


UNSAFE = [
    "../x.ts",
    "{outside}",
    "file://{outside}",
    "http://127.0.0.1:{port}/x.ts",
    "concat:{outside}|b",
    "..",
]
WATCHED = """
import sys
from pathlib import Path
from pipeline.errors import UnsafeUriError
from pipeline.job.merge import merge_all
from pipeline.steps.place import Limits
from pipeline.model.options import Options
from pipeline.sources.folder import Folder

def watch(event, arguments):
    if event in {"open", "socket.connect", "socket.getaddrinfo"}:
        print(event, *arguments, file=sys.stderr)

sys.addaudithook(watch)
try:
    merge_all(Folder(Path(sys.argv[1])), Path(sys.argv[2]), Options(), Limits())
except UnsafeUriError as error:
    print(error)
"""


@pytest.mark.parametrize("pattern", UNSAFE)
def test_a_line_that_leaves_the_folder_is_refused_by_name_and_nothing_is_opened(
    pattern: str, copy: Callable[[str], Path], tmp_path: Path
) -> None:
    place = copy("video-only")
    outside = place.parent / "x.ts"
    os.mkfifo(outside)  # whoever opens it, even from inside the codec library, waits for ever
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        uri = pattern.format(outside=outside, port=server.getsockname()[1])
        playlist = _playlist(place)
        text = playlist.read_text("utf-8").replace("#EXT-X-ENDLIST", f"#EXTINF:3.0\n{uri}\n#EXT-X-ENDLIST")
        playlist.write_text(text, "utf-8")
        done = subprocess.run(
            [sys.executable, "-c", WATCHED, str(place), str(tmp_path / "out")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        with pytest.raises(BlockingIOError):
            server.accept()
    assert playlist.name in done.stdout
    assert uri in done.stdout
    assert len(done.stdout) < MOST_CHARACTERS + len(uri)
    assert "connect" not in done.stderr
    assert not [line for line in done.stderr.splitlines() if str(outside) in line or ".ts" in line]
    assert not (tmp_path / "out").exists()


def _nothing(_: bytes) -> bytes:
    return b""


def _in_mid_packet(data: bytes) -> bytes:
    return data[: LONG_SLICE // 2 * PACKET + 57]


def _in_mid_access_unit(data: bytes) -> bytes:
    return data[: LONG_SLICE // 2 * PACKET]


def _random(data: bytes) -> bytes:
    return _chance(2).randbytes(len(data))


def _html(_: bytes) -> bytes:
    return HTML


def _one_byte(_: bytes) -> bytes:
    return b"G"


@pytest.mark.parametrize("medium", ["video", "audio"])
@pytest.mark.parametrize(
    "damage",
    [
        _nothing,
        _one_byte,
        _in_mid_packet,
        _in_mid_access_unit,
        _random,
        _html,
    ],
)
def test_a_damaged_slice_is_a_loss_that_names_it_and_the_rest_is_delivered(
    damage: Callable[[bytes], bytes], medium: str, copy: Callable[[str], Path], tmp_path: Path
) -> None:
    place = copy("plain-agora")
    bad = _slices(place, medium)[1]
    assert bad.stat().st_size > LONG_SLICE * PACKET
    bad.write_bytes(damage(bad.read_bytes()))
    (done,) = merge_all(Folder(place), tmp_path / "out", Options(), Limits())
    assert done.exit_code(accept_loss=False) is ExitCode.LOSSES
    assert done.exit_code(accept_loss=True) is ExitCode.GOOD
    assert bad.name in {entry.key for entry in done.manifest.losses}
    assert len(done.manifest.outputs) == 2
    for output in done.manifest.outputs:
        truth.decodes_silently(Path(done.place) / output.file)
        for track in output.tracks:
            assert track.packets_in == track.packets_out + total_dropped([track])


def _holed(data: bytes) -> bytes:
    """Without 20 packets in its middle: their continuity counters are missing."""
    middle = len(data) // PACKET // 2 * PACKET
    return data[:middle] + data[middle + 20 * PACKET :]


def _overwritten(data: bytes) -> bytes:
    """A third of it replaced, the length kept."""
    third = len(data) // 3
    return data[:third] + _chance(3).randbytes(third) + data[2 * third :]


def _slipped(data: bytes) -> bytes:
    """50 bytes less, so that the sync bytes after them stand elsewhere."""
    return data[: LONG_SLICE // 2 * PACKET] + data[LONG_SLICE // 2 * PACKET + 50 :]


@pytest.mark.parametrize("medium", ["video", "audio"])
@pytest.mark.parametrize("damage", [_holed, _overwritten, _slipped])
def test_damage_inside_a_slice_is_never_passed_over_in_silence(
    damage: Callable[[bytes], bytes], medium: str, copy: Callable[[str], Path], tmp_path: Path
) -> None:
    place = copy("plain-agora")
    bad = _slices(place, medium)[1]
    bad.write_bytes(damage(bad.read_bytes()))
    (done,) = merge_all(Folder(place), tmp_path / "out", Options(), Limits())
    assert done.exit_code(accept_loss=False) is not ExitCode.GOOD
    assert {entry.key for entry in done.manifest.losses if entry.key} == {bad.name}
    good = [output.uid for output in done.manifest.outputs if output.verdict.good]
    assert "202" in good, "the other user has nothing to do with it"


@pytest.mark.parametrize("what", ["a folder", "a pipe", "a link to nothing"])
def test_what_is_no_file_in_a_slices_place_is_a_missing_slice(
    what: str, copy: Callable[[str], Path], tmp_path: Path
) -> None:
    place = copy("plain-agora")
    bad = _slices(place, "video")[1]
    bad.unlink()
    match what:
        case "a folder":
            bad.mkdir()
        case "a pipe":
            os.mkfifo(bad)
        case _:
            bad.symlink_to(place / "gone")
    (done,) = merge_all(Folder(place), tmp_path / "out", Options(), Limits())
    assert done.exit_code(accept_loss=False) is ExitCode.LOSSES
    (loss,) = (entry for entry in done.manifest.losses if entry.key)
    assert loss.key == bad.name
    assert "is not there" in loss.what


@pytest.mark.parametrize("damage", [_nothing, _random, _html, _one_byte])
def test_a_recording_without_one_usable_slice_is_refused_with_an_example(
    damage: Callable[[bytes], bytes], copy: Callable[[str], Path], tmp_path: Path
) -> None:
    place = copy("plain-agora")
    for path in place.glob("*.ts"):
        path.write_bytes(damage(path.read_bytes()))
    sentence = refused(place, tmp_path / "out", InputError)
    assert ".ts" in sentence
    assert "Download the recording again" in sentence


def _mutated(data: bytes, chance: random.Random) -> bytes:
    """A slice with one kind of damage in one to twenty places."""
    spoilt = bytearray(data)
    kind = chance.randrange(7)
    for _ in range(chance.choice([1, 3, 20])):
        at = chance.randrange(len(spoilt))
        some = chance.choice([1, 4, 50, PACKET, 10 * PACKET, 20_000])
        length = len(spoilt[at : at + some])
        match kind:
            case 0:
                spoilt[at] = chance.randrange(256)
            case 1:
                del spoilt[at : at + min(some, len(spoilt) - 1)]
            case 2:
                spoilt[at:at] = chance.randbytes(some)
            case 3:
                spoilt[at : at + some] = bytes(length)
            case 4:
                spoilt[at:at] = spoilt[at : at + some]
            case 5:
                at -= at % PACKET
                spoilt[at : at + 4] = chance.randbytes(len(spoilt[at : at + 4]))
            case _:
                spoilt[at : at + some] = chance.randbytes(length)
    return bytes(spoilt)


@pytest.mark.parametrize("seed", range(48))
def test_whatever_a_slice_holds_the_end_is_a_file_or_a_sentence(
    seed: int, copy: Callable[[str], Path], tmp_path: Path
) -> None:
    chance = _chance(seed)
    place = copy(chance.choice(["late-sound", "b-frames", "hevc", "audiovideo-trtc", "audio-only"]))
    bad = chance.choice(sorted(place.glob("*.ts")))
    bad.write_bytes(_mutated(bad.read_bytes(), chance))
    out = tmp_path / "out"
    try:
        (done,) = merge_all(Folder(place), out, Options(), Limits())
    except RecpipeError as error:
        assert bad.name in str(error)  # noqa: PT017 - an error is one of two good ends
        assert tree(out) == {}
        return
    for output in done.manifest.outputs:
        assert (out / output.file).is_file() == output.verdict.good
        for track in output.tracks:
            assert track.packets_in == track.packets_out + total_dropped([track])
    assert not [path for path in out.iterdir() if path.name.startswith(".")]
