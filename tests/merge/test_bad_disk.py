"""Disks that fail or are full, places that cannot be written: whose fault it is, and that nothing is left.

What cannot be had in a test is a named fake of the folder or the file; room is really taken away by a limit
on the size of files.
"""

from __future__ import annotations

import errno
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest

from pipeline.errors import CommandError, ExitCode, InputError, NoSpaceError, OutputError
from pipeline.job.look import plan_all
from pipeline.job.merge import merge_all
from pipeline.media.remux import remux
from pipeline.model.containers import Container
from pipeline.model.manifest import FILE
from pipeline.model.options import Options
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from pipeline.steps.render import blame
from tests.merge.merging import merge, refused, tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

    from pipeline.demo.made import Made

ROOT = Path(__file__).parents[2]
HEALTHY_BYTES = 6000
"""What can be read of a file on the disk that fails."""


class LockedFolder(Folder):
    """Somebody else's files: the slices may be listed and not opened."""

    def open(self, key: str) -> BinaryIO:
        if key.endswith(".ts"):
            raise PermissionError(errno.EACCES, "Permission denied", str(self.root / key))
        return super().open(key)


class _DyingFile(io.FileIO):
    """A file on a disk that fails after the first kilobytes, without saying which file it was."""

    def _check(self) -> None:
        if self.tell() >= HEALTHY_BYTES:
            raise OSError(errno.EIO, "Input/output error")

    def readinto(self, buffer: Buffer, /) -> int | None:
        self._check()
        return super().readinto(memoryview(buffer)[:HEALTHY_BYTES])

    def read(self, size: int | None = -1, /) -> bytes:
        self._check()
        return super().read(HEALTHY_BYTES if size is None or size < 0 else min(size, HEALTHY_BYTES))


class DyingFolder(Folder):
    """A disk that fails while the slices are copied, after their ends could still be read."""

    def open(self, key: str) -> BinaryIO:
        if key.endswith(".ts") and (self.root / ".copying").exists():
            return _DyingFile(self.root / key)
        return super().open(key)


def test_a_slice_that_must_not_be_opened_is_named(copy: Callable[[str], Path], tmp_path: Path) -> None:
    sentence = refused(LockedFolder(copy("plain-agora")), tmp_path / "out", InputError)
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
    assert "choose another place" in str(caught.value)
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
from pipeline.job.merge import merge_all
from pipeline.steps.place import Limits
from pipeline.model.options import Container, Options
from pipeline.sources.folder import Folder

source, place, most, jobs, container = sys.argv[1:]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), resource.RLIM_INFINITY))
try:
    options = Options(container=Container(container))
    merge_all(Folder(Path(source)), Path(place), options, Limits(jobs=int(jobs)))
except RecpipeError as error:
    print(error, end="")
    sys.exit(error.exit_code)
"""


@pytest.mark.parametrize(
    ("most", "jobs", "container"),
    [
        *((most, jobs, Container.MP4) for most in (10_000, 40_000, 150_000) for jobs in (1, 2)),
        (250_000, 2, Container.MKV),
        (150_000, 1, Container.MP3),
    ],
)
def test_no_room_in_mid_write_leaves_nothing_under_any_name(
    most: int, jobs: int, container: Container, made: Callable[[str], Made], tmp_path: Path
) -> None:
    place, source = tmp_path / "out", made("plain-agora").place
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(source), str(place), str(most), str(jobs), container],
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
