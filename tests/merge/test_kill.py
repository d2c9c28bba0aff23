"""Killed anywhere and run again: the same files as if nothing had happened, and nothing else.

A real process is killed with SIGKILL at exact places: before each thing that it does to the output folder
(its own audit events tell: opened, renamed, removed), after given amounts of input, and from outside at any
time. Nothing can be caught or cleaned up then; what counts is what the next run makes of it.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.model.containers import Container
from pipeline.model.manifest import FILE, from_json
from pipeline.model.options import Options
from tests.merge.merging import merge, tree

if TYPE_CHECKING:
    from pipeline.demo.made import Made

ROOT = Path(__file__).parents[2]
ROOM = """
vendor = "trtc"
start = 2026-03-02T09:00:00.250Z
"""
SCENARIO = (
    ROOM
    + """
[[users]]
uid = "ann"
size = "160x120"
fps = 10
sound = [[0.0, 60.0], [80.0, 120.0]]
picture = [[0.2, 60.0], [80.3, 120.0]]

[[users]]
uid = "ben"
size = "160x120"
fps = 10
sound = [[2.0, 110.0]]
picture = [[2.3, 100.0]]

[[users]]
uid = "eve"
sound = [[5.0, 115.0]]
"""
)
ONE = (
    ROOM
    + """
[[users]]
uid = "ann"
size = "160x120"
fps = 10
sound = [[0.0, 4.0], [6.0, 10.0]]
picture = [[0.2, 10.0]]
"""
)
RUN = """
import os, signal, sys
from pathlib import Path
from threading import Lock

source, place, jobs, kill_at, tell, container = sys.argv[1:]
main, seen, one_at_a_time = os.getpid(), 0, Lock()

def watch(event, arguments):
    global seen
    if event not in {"open", "os.rename", "os.remove", "os.mkdir"} or os.getpid() != main:
        return
    if not isinstance(arguments[0], (str, bytes)) or not os.fsdecode(arguments[0]).startswith(place):
        return
    with one_at_a_time:
        seen += 1
        if tell == "events":
            os.write(1, f"{event} {os.fsdecode(arguments[0]).removeprefix(place)}\\n".encode())
        if kill_at == f"event {seen}":
            os.kill(main, signal.SIGKILL)

def read(count):
    global bytes_read
    bytes_read += count
    if kill_at.startswith("byte ") and bytes_read >= int(kill_at[5:]):
        os.kill(main, signal.SIGKILL)

from pipeline.job.merge import merge_all
from pipeline.steps.place import Limits
from pipeline.model.options import Container, Options
from pipeline.sources.folder import Folder

bytes_read = 0
sys.addaudithook(watch)
if tell == "begin":
    print("begin", flush=True)
options = Options(container=Container(container))
merge_all(Folder(Path(source)), Path(place), options, Limits(jobs=int(jobs)), progress=read)
print("end", bytes_read, flush=True)
"""
SURELY_OVER_S = 30
NOTICED_S = 5


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A recording of three users and two minutes."""
    return make(parse(SCENARIO), tmp_path_factory.mktemp("kill") / "source")


@pytest.fixture(scope="module")
def undisturbed(call: Made, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What comes out when nobody interferes."""
    place = tmp_path_factory.mktemp("kill") / "undisturbed"
    merge(call, place)
    return tree(place)


def _start(
    call: Made,
    place: Path,
    *,
    jobs: int = 1,
    kill_at: str = "",
    tell: str = "",
    container: Container = Container.MP4,
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(call.place), str(place), str(jobs), kill_at, tell, container],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _alive(group: int) -> list[int]:
    """Processes of a group; those that ended and that nobody has waited for are not alive."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = path.read_text("utf-8").rpartition(") ")[2].split()[:3]
        except OSError:
            continue  # it ended while we looked
        if int(its_group) == group and state != "Z":
            found.append(int(path.parent.name))
    return found


def _wait_for_the_whole_group(process: subprocess.Popen[str]) -> None:
    """Until the workers of a killed run are gone too: they must notice by themselves."""
    process.wait(SURELY_OVER_S)
    deadline = time.monotonic() + NOTICED_S
    while (left := _alive(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    for worker in left:
        os.kill(worker, signal.SIGKILL)
    assert not left, "workers live on after their run was killed"


def _assert_recovers(
    call: Made, place: Path, undisturbed: dict[str, bytes], options: Options | None = None
) -> None:
    left = tree(place) if place.exists() else {}
    for name, data in left.items():
        if not name.startswith("."):
            assert data == undisturbed[name], f"{name} has its name and is not finished"
    if FILE in left:
        assert left == undisturbed, "a manifest stands there and not all that it speaks of"
    merge(call, place, options)
    assert tree(place) == undisturbed
    from_json((place / FILE).read_text("utf-8"))


def _events(call: Made, place: Path) -> list[str]:
    process = _start(call, place, tell="events")
    told, _ = process.communicate(timeout=SURELY_OVER_S)
    assert process.returncode == 0
    return told.splitlines()[:-1]


def test_before_each_thing_done_to_the_output_folder(
    call: Made, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    events = _events(call, tmp_path / "told")
    renamed = [n for n, event in enumerate(events, start=1) if event.startswith("os.rename")]
    assert len(renamed) == len(undisturbed), "each file gets its name by a rename, the manifest too"
    last_write = renamed[-1] + 1
    assert events[renamed[-1] - 1].endswith(f".{FILE}.part")
    for n in range(1, min(last_write, len(events)) + 1):
        process = _start(call, tmp_path / str(n), kill_at=f"event {n}")
        process.communicate(timeout=SURELY_OVER_S)
        assert process.returncode == -signal.SIGKILL, f"it was not killed before {events[n - 1]}"
        _assert_recovers(call, tmp_path / str(n), undisturbed)


@pytest.mark.parametrize("container", [Container.MKV, pytest.param(Container.MP3, marks=pytest.mark.soak)])
def test_in_every_container(container: Container, tmp_path: Path) -> None:
    call = make(parse(ONE), tmp_path / "source")
    options = Options(container=container)
    merge(call, tmp_path / "undisturbed", options)
    undisturbed = tree(tmp_path / "undisturbed")
    told, _ = _start(call, tmp_path / "told", container=container, tell="events").communicate()
    events = told.splitlines()
    size = int(events.pop().split()[1])
    last = next(n for n, event in enumerate(events, start=1) if event.startswith("os.rename")) + 1
    for at in [
        f"byte {size // 3}",
        f"byte {size}",
        *(f"event {n}" for n in range(max(2, last - 5), last + 1)),
    ]:
        place = tmp_path / at
        process = _start(call, place, kill_at=at, container=container)
        process.communicate(timeout=SURELY_OVER_S)
        assert process.returncode == -signal.SIGKILL
        _assert_recovers(call, place, undisturbed, options)


def _seeded(many: int, most: int) -> list[int]:
    chance = random.Random(20260302)  # noqa: S311 - places to try, not secrets
    return sorted(chance.randrange(1, most) for _ in range(many))


def test_in_the_middle_of_writing(call: Made, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    process = _start(call, tmp_path / "whole")
    told, _ = process.communicate(timeout=SURELY_OVER_S)
    size = int(told.split()[1])
    for at in [*_seeded(5, size), size]:
        place = tmp_path / str(at)
        process = _start(call, place, kill_at=f"byte {at}")
        process.communicate(timeout=SURELY_OVER_S)
        assert process.returncode == -signal.SIGKILL
        assert any(name.endswith(".part") for name in tree(place)), "it was killed before it wrote anything"
        _assert_recovers(call, place, undisturbed)


def test_a_file_that_is_longer_than_what_comes_leaves_nothing(
    call: Made, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    for name, data in undisturbed.items():
        if name != FILE:
            (tmp_path / f".{name}.part").write_bytes(b"\xff" * (len(data) + 1))
    assert any(tmp_path.iterdir())
    _assert_recovers(call, tmp_path, undisturbed)


@pytest.mark.parametrize("delay_ms", _seeded(5, 60))
def test_with_two_jobs_from_outside_at_any_time(
    delay_ms: int, call: Made, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    process = _start(call, tmp_path / "out", jobs=2, tell="begin")
    assert process.stdout is not None
    assert process.stdout.readline() == "begin\n"
    time.sleep(delay_ms / 1000)
    process.kill()
    process.stdout.close()
    _wait_for_the_whole_group(process)
    _assert_recovers(call, tmp_path / "out", undisturbed)


def test_workers_that_wait_for_work_end_with_the_run_that_was_killed(
    call: Made, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    told, _ = _start(call, tmp_path / "whole", jobs=2).communicate(timeout=SURELY_OVER_S)
    place = tmp_path / "out"
    process = _start(call, place, jobs=2, kill_at=f"byte {told.split()[1]}")
    _wait_for_the_whole_group(process)
    assert process.communicate()[0] == ""
    assert process.returncode == -signal.SIGKILL
    _assert_recovers(call, place, undisturbed)


def test_after_a_kill_between_two_names_the_next_run_copies_nothing_again(
    call: Made, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    events = _events(call, tmp_path / "told")
    second = [n for n, event in enumerate(events, start=1) if event.startswith("os.rename")][1]
    place = tmp_path / "out"
    process = _start(call, place, kill_at=f"event {second}")
    process.communicate(timeout=SURELY_OVER_S)
    parts = {path: path.stat().st_ino for path in place.iterdir()}
    assert sum(path.name.startswith(".") for path in parts) == len(undisturbed) - 1
    merge(call, place)
    assert tree(place) == undisturbed
    assert {path.stat().st_ino for path in place.iterdir()} == set(parts.values())
