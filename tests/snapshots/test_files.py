"""Pictures as files: kept, verified, replaced, put into a store, and whole whoever kills the run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pipeline
from pipeline.errors import CommandError, NoRecordingError, OutputError
from pipeline.job.merge import merge_all
from pipeline.model.manifest import FILE
from pipeline.model.options import Moment, Options, Verify
from pipeline.model.snapshots import SnapshotOptions
from pipeline.sources.folder import Folder
from pipeline.steps.deliver import Target
from pipeline.steps.keep import alone_in
from pipeline.steps.place import Limits
from pipeline.steps.recheck import recheck
from pipeline.steps.recheck_stored import recheck_stored
from pipeline.storage.below import Below
from pipeline.storage.memory import MemoryStore
from tests.job.jobs import document, ran
from tests.merge.merging import tree
from tests.snapshots.snapping import Snapped, snap

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.demo.made import Made

OPTIONS = SnapshotOptions(every_ms=2000, sheet=True)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def taken(made: Callable[[str], Made], tmp_path_factory: pytest.TempPathFactory) -> Snapped:
    """The pictures of a recording of two users; never to be written to."""
    return snap(made("plain-agora"), tmp_path_factory.mktemp("taken") / "out", OPTIONS)


def test_the_manifest_tells_every_file(taken: Snapped) -> None:
    there = {name: data for name, data in tree(taken.place).items() if name != FILE}
    assert {picture.file: (picture.size, picture.sha256) for picture in taken.manifest.pictures} == {
        name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in there.items()
    }
    assert not taken.manifest.outputs


def test_what_is_there_is_kept(taken: Snapped, made: Callable[[str], Made]) -> None:
    before = {path: path.stat().st_mtime_ns for path in taken.place.iterdir()}
    again = snap(made("plain-agora"), taken.place, OPTIONS)
    assert again.done.already
    assert {path: path.stat().st_mtime_ns for path in taken.place.iterdir()} == before


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_same_pictures_by_any_number_of_processes(
    taken: Snapped, made: Callable[[str], Made], tmp_path: Path, jobs: int
) -> None:
    snap(made("plain-agora"), tmp_path, OPTIONS, Limits(jobs=jobs))
    assert tree(tmp_path) == tree(taken.place)


def test_one_that_is_gone_is_taken_again(made: Callable[[str], Made], tmp_path: Path) -> None:
    found = snap(made("video-only"), tmp_path, OPTIONS)
    whole = tree(tmp_path)
    (tmp_path / found.pictures[2].file).unlink()
    assert not snap(made("video-only"), tmp_path, OPTIONS, Limits(overwrite=True)).done.already
    assert tree(tmp_path) == whole


@pytest.mark.parametrize(
    ("spoil", "level", "told"),
    [
        pytest.param(lambda path: path.unlink(), Verify.FAST, "it is not there", id="gone"),
        pytest.param(lambda path: path.write_bytes(b"x"), Verify.FAST, "1 bytes instead of", id="cut"),
        pytest.param(
            lambda path: path.write_bytes(path.read_bytes()[:-9] + b"123456789"),
            Verify.FAST,
            "its SHA-256 is not that of the manifest",
            id="changed",
        ),
    ],
)
def test_verify_finds_what_is_wrong(
    made: Callable[[str], Made], tmp_path: Path, spoil: Callable[[Path], object], level: Verify, told: str
) -> None:
    found = snap(made("video-only"), tmp_path, OPTIONS)
    assert recheck(tmp_path, Verify.FULL).good
    file = tmp_path / found.pictures[1].file
    spoil(file)
    (wrong,) = [each for each in recheck(tmp_path, level).files if not each.verdict.good]
    assert wrong.path == str(file)
    assert told in wrong.verdict.problems[0]


def test_verify_decodes_what_a_manifest_calls_whole(made: Callable[[str], Made], tmp_path: Path) -> None:
    """A manifest may come from anywhere, and its hash be that of what is no picture."""
    found = snap(made("video-only"), tmp_path, OPTIONS)
    first, second = found.pictures[:2]
    for picture, data in ((first, b"no picture"), (second, (tmp_path / second.file).read_bytes()[:-300])):
        (tmp_path / picture.file).write_bytes(data)
        told = json.loads((tmp_path / FILE).read_text())
        entry = next(each for each in told["pictures"] if each["file"] == picture.file)
        entry |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        (tmp_path / FILE).write_text(json.dumps(told))
    bad = {
        each.path: each.verdict.problems[0]
        for each in recheck(tmp_path, Verify.FULL).files
        if not each.verdict.good
    }
    assert bad[str(tmp_path / first.file)] == "it is no JPEG and no PNG"
    assert str(tmp_path / second.file) in bad


def test_a_foreign_file_and_a_foreign_manifest_are_not_replaced(
    taken: Snapped, made: Callable[[str], Made], tmp_path: Path
) -> None:
    file = tmp_path / taken.pictures[0].file
    file.write_bytes(b"of somebody else")
    with pytest.raises(CommandError, match="is not the result of this merge"):
        snap(made("plain-agora"), tmp_path, OPTIONS)
    assert tree(tmp_path) == {file.name: b"of somebody else"}
    snap(made("plain-agora"), tmp_path, OPTIONS, Limits(overwrite=True))
    with pytest.raises(CommandError, match="has the manifest of other work"):
        snap(made("plain-agora"), tmp_path, SnapshotOptions(every_ms=3000))
    assert tree(tmp_path) == tree(taken.place)


def test_two_runs_do_not_take_pictures_into_one_folder(made: Callable[[str], Made], tmp_path: Path) -> None:
    with alone_in(tmp_path), pytest.raises(OutputError, match="is being written by another recpipe"):
        snap(made("video-only"), tmp_path, OPTIONS)
    assert tree(tmp_path) == {}
    assert snap(made("video-only"), tmp_path, OPTIONS).pictures


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        pytest.param("audio-only", OPTIONS, "no moment that was asked for", id="nobody shows anything"),
        pytest.param(
            "video-only",
            SnapshotOptions(every_ms=2000, end=Moment.parse("2026-01-01T00:00:00Z")),
            "no moment that was asked for",
            id="an end before the beginning",
        ),
    ],
)
def test_no_moment_at_all_is_an_error(
    made: Callable[[str], Made], tmp_path: Path, name: str, options: SnapshotOptions, told: str
) -> None:
    with pytest.raises(CommandError, match=told):
        snap(made(name), tmp_path, options)
    assert tree(tmp_path) == {}


def test_a_moment_outside_of_the_recording_is_told(made: Callable[[str], Made], tmp_path: Path) -> None:
    found = snap(made("video-only"), tmp_path, SnapshotOptions(at=(Moment.parse("9:00:00"),)))
    assert not found.pictures
    assert [entry.what for entry in found.manifest.ledger] == [
        "no picture at this moment: before the first or after the last one"
    ]


def test_sheets_show_every_picture_in_its_place(taken: Snapped) -> None:
    for sheet in taken.sheets:
        mine = [p for p in taken.pictures if (p.uid, p.source) == (sheet.uid, sheet.source)]
        assert sheet.stills == len(mine)
        assert sheet.utc_ms == mine[0].utc_ms
        assert sheet.file == mine[0].file.replace(".jpg", "_sheet.jpg")
    assert len(taken.sheets) == len({(p.uid, p.source) for p in taken.pictures})


def test_into_a_store_and_kept_there(taken: Snapped, made: Callable[[str], Made]) -> None:
    store = MemoryStore()
    place = Target("memory:out", Below(store, "out/"))
    (done,) = merge_all(Folder(made("plain-agora").place), place, OPTIONS, Limits())
    there = {stat.key.removeprefix("out/"): store.get(stat.key).data for stat in store.list("out/")}
    here = tree(taken.place)
    assert there.keys() == here.keys()
    assert {k: v for k, v in there.items() if k != FILE} == {k: v for k, v in here.items() if k != FILE}
    assert all(picture.etag for picture in done.manifest.pictures)
    assert recheck_stored(place, Verify.FAST).good
    assert recheck_stored(place, Verify.FULL).good
    (again,) = merge_all(Folder(made("plain-agora").place), place, OPTIONS, Limits())
    assert again.already
    store.put(f"out/{done.manifest.pictures[0].file}", b"another")
    assert not recheck_stored(place, Verify.FAST).good


def test_many_in_a_store_are_found_by_listing(made: Callable[[str], Made]) -> None:
    place = Target("memory:out", MemoryStore())
    options = SnapshotOptions(every_ms=300)
    (done,) = merge_all(Folder(made("plain-agora").place), place, options, Limits())
    assert len(done.manifest.pictures) > 100
    (again,) = merge_all(Folder(made("plain-agora").place), place, options, Limits())
    assert again.already


def test_a_job_may_want_pictures(made: Callable[[str], Made], tmp_path: Path, taken: Snapped) -> None:
    wanted = {"kind": "snapshot", "every": "2s", "sheet": True}
    job = document(made("plain-agora").place, tmp_path / "out", outputs=wanted)
    (first,) = ran(job)
    assert first.done is not None
    assert tree(tmp_path / "out") == tree(taken.place)
    (second,) = ran(job)
    assert second.done is not None
    assert second.done.already
    (other,) = ran(document(made("plain-agora").place, tmp_path / "out", outputs=wanted | {"every": "3s"}))
    assert isinstance(other.error, CommandError)


def test_slices_that_came_late_make_a_new_revision_of_the_pictures(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    call = Path(shutil.copytree(made("video-only").place, tmp_path / "in"))
    late = sorted(call.glob("*.ts"))[1:]
    for file in late:
        file.rename(tmp_path / file.name)
    wanted = {"kind": "snapshot", "every": "2s", "sheet": True, "hold": True}
    job = document(call, tmp_path / "out", outputs=wanted, limits={"accept_loss": True})
    (first,) = ran(job)
    assert first.done is not None
    for file in late:
        (tmp_path / file.name).rename(file)
    (second,) = ran(job)
    assert second.done is not None
    assert second.done.manifest.revision == first.done.manifest.revision + 1
    assert len(second.done.manifest.pictures) > len(first.done.manifest.pictures)
    assert set(tree(tmp_path / "out")) == {*second.done.manifest.files, FILE}


def test_the_interface_of_python_takes_pictures_and_tells_how_far_it_is(
    taken: Snapped, made: Callable[[str], Made], tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    place = tmp_path / "out"
    (done,) = pipeline.snapshot(
        made("plain-agora").place, place, OPTIONS, jobs=1, progress=lambda *far: told.append(far)
    )
    assert tree(place) == tree(taken.place)
    assert done.manifest.pictures == taken.manifest.pictures
    assert told[-1][0] >= told[-1][1] > 0


def test_pictures_alone_are_no_recording(made: Callable[[str], Made], tmp_path: Path) -> None:
    with pytest.raises(NoRecordingError):
        merge_all(
            Folder(snap(made("video-only"), tmp_path, OPTIONS).place), tmp_path / "x", Options(), Limits()
        )


RUN = """
import os, signal, sys
from pathlib import Path

source, place, jobs, kill_at = sys.argv[1:]
seen, main = 0, os.getpid()

def watch(event, arguments):
    global seen
    if event not in {"open", "os.rename", "os.remove", "os.mkdir"} or os.getpid() != main:
        return
    if not isinstance(arguments[0], (str, bytes)) or not os.fsdecode(arguments[0]).startswith(place):
        return
    seen += 1
    if seen == int(kill_at):
        os.kill(main, signal.SIGKILL)

from pipeline.job.merge import merge_all
from pipeline.model.snapshots import SnapshotOptions
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits

sys.addaudithook(watch)
options = SnapshotOptions(every_ms=2000, sheet=True)
merge_all(Folder(Path(source)), Path(place), options, Limits(jobs=int(jobs)))
print(seen)
"""
SURELY_OVER_S = 60


def _run(made: Made, place: Path, kill_at: int, jobs: int = 1) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", RUN, str(made.place), str(place), str(jobs), str(kill_at)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SURELY_OVER_S,
        check=False,
    )


def test_killed_anywhere_and_run_again(taken: Snapped, made: Callable[[str], Made], tmp_path: Path) -> None:
    call, whole = made("plain-agora"), tree(taken.place)
    told = _run(call, tmp_path / "told", 0)
    events = int(told.stdout)
    assert events > 2 * len(whole), "each file is written hidden and gets its name by a rename"
    for number, at in enumerate(range(1, events - 2, max(1, events // 9))):
        place = tmp_path / str(at)
        assert _run(call, place, at, jobs=1 + number % 2).returncode in {-signal.SIGKILL, 0}
        left = tree(place) if place.exists() else {}
        for name, data in left.items():
            assert name.startswith(".") or data == whole[name], f"{name} has its name and is not finished"
        if FILE in left:
            assert left == whole
        snap(call, place, OPTIONS)
        assert tree(place) == whole
