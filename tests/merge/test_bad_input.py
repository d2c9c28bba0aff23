"""Hostile input is normal input: one clear sentence, the right exit code, nothing half-done left behind.

Damage goes through the whole merge, because what one step lets pass the next must bear. Faults of a disk
that cannot be had in a test are named fakes of the folder or the file; the codec is always the real one.
"""

from __future__ import annotations

import errno
import io
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import av
import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario import Scenario, Style, User, Vendor
from pipeline.errors import (
    CommandError,
    ExitCode,
    InputError,
    NoRecordingError,
    NoSpaceError,
    OutputError,
    PlaylistError,
    RecpipeError,
    UnsafeUriError,
)
from pipeline.job import Limits, merge_all, plan_all
from pipeline.media.remux import remux
from pipeline.model.manifest import FILE, total_dropped
from pipeline.model.options import Options
from pipeline.steps.find import Folder
from pipeline.steps.render import blame
from tests import truth
from tests.merge.merging import merge, tree

if TYPE_CHECKING:
    from collections.abc import Buffer, Callable

    from pipeline.demo.made import Made

ROOT = Path(__file__).parents[2]
MOST_CHARACTERS = 300
PACKET = 188
LONG_SLICE = 60  # packets; every damaged slice here has more
HTML = b"<!DOCTYPE html><html><body>Access denied</body></html>\n"


@pytest.fixture
def copy(made: Callable[[str], Made], tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a recording that may be spoilt."""

    def copied(name: str) -> Path:
        return Path(shutil.copytree(made(name).place, tmp_path / "in" / name))

    return copied


def _refused(folder: Folder | Path, place: Path, kind: type[RecpipeError], *, jobs: int = 1) -> str:
    """The sentence that a merge ends with; it has the right kind, and nothing is left behind."""
    folder = folder if isinstance(folder, Folder) else Folder(folder)
    with pytest.raises(kind) as caught:
        merge_all(folder, place, Options(), Limits(jobs=jobs))
    assert type(caught.value) is kind
    sentence = str(caught.value)
    assert 0 < len(sentence) < MOST_CHARACTERS
    assert sentence.isprintable()
    assert not place.is_dir() or tree(place) == {}
    return sentence


def _slices(folder: Path, medium: str) -> list[Path]:
    found = sorted(folder.glob(f"*_{medium}_*.ts"))
    assert len(found) > 1
    return found


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    sentence = _refused(tmp_path / "no such", tmp_path / "out", CommandError)
    assert "no such does not exist: give the folder" in sentence


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert "file is a file: give the folder" in _refused(tmp_path / "file", tmp_path / "out", CommandError)


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    sentence = _refused(tmp_path / "in", tmp_path / "out", NoRecordingError)
    assert "in is empty: give the folder" in sentence


def test_a_folder_of_other_things(tmp_path: Path) -> None:
    place = tmp_path / "in"
    (place / "deeper").mkdir(parents=True)
    (place / "holiday.jpg").write_bytes(b"\xff\xd8")
    (place / "deeper" / "notes.txt").write_bytes(b"")
    sentence = _refused(place, tmp_path / "out", NoRecordingError)
    assert "holds 2 files and no " in sentence
    assert "expected names" in sentence


def test_a_folder_that_contains_itself_by_a_link_is_read_once(
    copy: Callable[[str], Path], tmp_path: Path
) -> None:
    place = copy("video-only")
    (place / "again").symlink_to(place, target_is_directory=True)
    (done,) = merge_all(Folder(place), tmp_path / "out", Options(), Limits())
    assert done.exit_code(accept_loss=False) is ExitCode.GOOD


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
    playlist.write_bytes(head + random.Random(1).randbytes(2 << 20))
    assert playlist.name in _refused(place, tmp_path / "out", kind)


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
from pipeline.job import Limits, merge_all
from pipeline.model.options import Options
from pipeline.steps.find import Folder

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
        server.setblocking(False)  # noqa: FBT003 - the socket's own signature
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
    return random.Random(2).randbytes(len(data))


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
        truth.decodes_silently(done.place / output.file)
        for track in output.tracks:
            assert track.packets_in == track.packets_out + total_dropped([track])


def _holed(data: bytes) -> bytes:
    """Without 20 packets in its middle: their continuity counters are missing."""
    middle = len(data) // PACKET // 2 * PACKET
    return data[:middle] + data[middle + 20 * PACKET :]


def _overwritten(data: bytes) -> bytes:
    """A third of it replaced, the length kept."""
    third = len(data) // 3
    return data[:third] + random.Random(3).randbytes(third) + data[2 * third :]


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
    sentence = _refused(place, tmp_path / "out", InputError)
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
    chance = random.Random(seed)
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


class LockedFolder(Folder):
    """Somebody else's files: the slices may be listed and not opened."""

    def open(self, key: str) -> BinaryIO:
        if key.endswith(".ts"):
            raise PermissionError(errno.EACCES, "Permission denied", str(self.root / key))
        return super().open(key)


class _DyingFile(io.FileIO):
    """A file on a disk that fails after the first kilobytes, without saying which file it was."""

    def readinto(self, buffer: Buffer, /) -> int | None:
        if self.tell() > LONG_SLICE * PACKET // 2:
            raise OSError(errno.EIO, "Input/output error")
        return super().readinto(memoryview(buffer)[: LONG_SLICE * PACKET])

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > LONG_SLICE * PACKET // 2:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(min(size or 0, LONG_SLICE * PACKET) if size and size > 0 else size)


class DyingFolder(Folder):
    """A disk that fails while the slices are copied, after their ends could still be read."""

    def open(self, key: str) -> BinaryIO:
        if key.endswith(".ts") and (self.root / ".copying").exists():
            return _DyingFile(self.root / key)
        return super().open(key)


def test_a_slice_that_must_not_be_opened_is_named(copy: Callable[[str], Path], tmp_path: Path) -> None:
    sentence = _refused(LockedFolder(copy("plain-agora")), tmp_path / "out", InputError)
    assert ".ts cannot be read (Permission denied): make it readable" in sentence


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_disk_that_dies_in_mid_copy_is_the_inputs_fault_and_names_the_slice(
    jobs: int, copy: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = DyingFolder(copy("plain-agora"))
    dying = folder.root / ".copying"

    def begin(_: int) -> None:
        dying.touch()

    with pytest.raises(InputError) as caught:
        merge_all(folder, tmp_path / "out", Options(), Limits(jobs=jobs), begin=begin)
    assert re.search(r"\S+__uid_e_\w+\.ts cannot be read \(Input/output error\)", str(caught.value))
    assert tree(tmp_path / "out") == {}


@pytest.mark.parametrize(
    ("where", "why"),
    [("file", "File exists"), ("file/below", "Not a directory"), ("/proc/recpipe", "No such file")],
)
def test_an_output_place_that_cannot_be_made(
    where: str, why: str, made: Callable[[str], Made], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    place = tmp_path / where
    with pytest.raises(OutputError, match=why) as caught:
        merge(made("video-only"), place)
    assert str(place) in str(caught.value)
    assert "choose another place with -o" in str(caught.value)
    assert caught.value.exit_code is ExitCode.OUTPUT
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_a_folder_that_has_an_outputs_name_is_left_alone(made: Callable[[str], Made], tmp_path: Path) -> None:
    _, (planned,) = plan_all(Folder(made("video-only").place), Options())
    (tmp_path / planned.plan.outputs[0].file).mkdir()
    with pytest.raises(CommandError, match="exists and is not the result of this merge"):
        merge(made("video-only"), tmp_path)
    assert tree(tmp_path) == {}


class FullDisk(io.BytesIO):
    """A disk that takes some bytes and then is full."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room

    def write(self, data: Buffer, /) -> int:
        self._room -= memoryview(data).nbytes
        if self._room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("room", [0, 10_000, 60_000])
def test_a_disk_that_is_full_is_reported_as_full(room: int, made: Callable[[str], Made]) -> None:
    folder = Folder(made("plain-agora").place)
    _, (planned,) = plan_all(folder, Options())
    with pytest.raises(OSError, match="No space left") as caught:
        remux(planned.plan.outputs[0], folder.open, FullDisk(room))
    error = blame(caught.value, Path("out/.x.part"))
    assert isinstance(error, NoSpaceError)
    assert error.exit_code is ExitCode.NO_SPACE
    assert "the disk of out is full: free some space" in str(error)


LIMITED = """
import resource, signal, sys
from pathlib import Path
from pipeline.errors import RecpipeError
from pipeline.job import Limits, merge_all
from pipeline.model.options import Options
from pipeline.steps.find import Folder

source, place, most, jobs = sys.argv[1:]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), resource.RLIM_INFINITY))
try:
    merge_all(Folder(Path(source)), Path(place), Options(), Limits(jobs=int(jobs)))
except RecpipeError as error:
    print(error, end="")
    sys.exit(error.exit_code)
"""


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("most", [10_000, 40_000, 150_000])
def test_no_room_in_mid_write_leaves_nothing_under_any_name(
    most: int, jobs: int, made: Callable[[str], Made], tmp_path: Path
) -> None:
    place = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(made("plain-agora").place), str(place), str(most), str(jobs)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == ExitCode.NO_SPACE, done.stderr
    assert done.stdout.startswith(f"the disk of {place} is full")
    assert tree(place) == {}
    merge(made("plain-agora"), place)
    assert FILE in tree(place)


def test_the_limit_of_the_tests_before_is_really_met() -> None:
    assert hasattr(resource, "RLIMIT_FSIZE")
    assert hasattr(signal, "SIGXFSZ")


UIDS = (
    "a\"b'c`$(reboot)",
    "line\nbreak\r\ttab",
    "😀👩‍👩‍👧",
    "--help",
    "-rf",
    ".hidden",
    "..",
    "a/b\\c",
    "Ann",
    "ann",
    "ANN",
    "Straße",
    "strasse",
    "%2e",
    "bell\x07\x1b[31m",
    "con",
    "长" * 33,
    " ",
)


def test_any_user_id_gives_a_safe_name_of_its_own_and_stays_what_it_is(tmp_path: Path) -> None:
    users = tuple(User(uid=uid, number=n, sound=((0, 1500),)) for n, uid in enumerate(UIDS))
    scenario = Scenario(
        vendor=Vendor.TRTC,
        start_ms=1_772_442_000_250,
        slice_ms=10_000,
        channel="4711",
        users=users,
        style=Style(written=False),
    )
    result = merge(make(scenario, tmp_path / "in"), tmp_path / "out")
    assert result.code is ExitCode.GOOD
    assert sorted(output.uid for output in result.outputs) == sorted(UIDS)
    names = [output.file for output in result.outputs]
    assert len({name.casefold() for name in names}) == len(UIDS)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*names, FILE}
    for name in names:
        assert len(name.encode()) <= 130
        assert not name.startswith((".", "-"))
        assert name.isprintable()
        assert not set(name) & set("\"'`$()/\\ \n\r\t&|;<>*?!#~")
    for output in result.outputs:
        with av.open(str(result.file(output))) as container:
            assert container.metadata["title"] == output.uid


@pytest.mark.parametrize(
    "uid", ["x" * 300, "长" * 100, "-" * 300], ids=["ascii", "three bytes each", "dashes"]
)
def test_a_tagged_user_id_of_300_bytes_is_cut_in_the_name_alone(
    uid: str, copy: Callable[[str], Path], tmp_path: Path
) -> None:
    place = copy("audio-only")
    playlist = _playlist(place)
    text = playlist.read_text("utf-8")
    assert "#EXT-X-TRTC-USER-ID:voice\n" in text
    playlist.write_text(text.replace("-ID:voice\n", f"-ID:{uid}\n"), "utf-8")
    (done,) = merge_all(Folder(place), tmp_path / "out", Options(), Limits())
    (output,) = done.manifest.outputs
    assert output.uid == uid
    assert len(output.file.encode()) <= 130
    assert not output.file.startswith("-")
    assert (tmp_path / "out" / output.file).is_file()
