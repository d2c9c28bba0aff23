"""`docs/migrating.md` is true: each command in its tables is run, and gives the files that its row claims."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.errors import ExitCode
from tests import truth
from tests.cli.running import run
from tests.documents import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXT = (ROOT / "docs/migrating.md").read_text(encoding="utf-8")
START = "start = 2026-03-02T09:00:00.250Z\n"
SMALL = 'size = "160x120"\nfps = 5\n'
RECORDINGS = {
    "calls": f"""vendor = "agora"
{START}
[[users]]
uid = "100"
{SMALL}
sound = [[0.0, 20.0], [50.0, 70.0]]
picture = [[0.0, 20.0], [50.0, 70.0]]
changes = [{{ at = 50.0, size = "240x180" }}]
[[users]]
uid = "123"
{SMALL}
sound = [[0.0, 70.0]]
picture = [[0.0, 70.0]]
""",
    "room": f"""vendor = "trtc"
{START}
[[users]]
uid = "user_01"
number = 1
{SMALL}
sound = [[0.0, 20.0], [50.0, 70.0]]
picture = [[0.0, 20.0], [50.0, 70.0]]
[[users]]
uid = "user_01"
number = 2
source = "screen"
{SMALL}
picture = [[5.0, 10.0], [15.0, 55.0]]
""",
}
RECORDINGS["premise"] = f"""vendor = "agora_onpremise"
{START}
[[users]]
uid = "207"
{SMALL}
sound = [[0.0, 20.0], [50.0, 70.0]]
picture = [[0.0, 20.0], [50.0, 70.0]]
"""
SECONDS = 0.05
"""What a length of one decimal may differ by: sound ends on a whole frame."""


@dataclass(frozen=True)
class Row:
    """A row of the tables: the option, the command that stands for it, file names with their seconds."""

    option: str
    command: str
    files: dict[str, float]


def _rows() -> list[Row]:
    out = []
    for line in re.findall(r"^\| (.*) \|$", TEXT, re.MULTILINE):
        option, _, instead, comes_out = (cell.strip() for cell in f"{line} ".split(" | "))
        commands = re.findall(r"`(recpipe [^`]+)`", instead)
        assert len(commands) <= 1, line
        files = re.findall(r"`([^`]+)` (\d+):(\d\d\.\d)", comes_out)
        assert comes_out.count("`") == 2 * len(files), line
        if option not in {"option", "---"}:
            lengths = {name: int(minutes) * 60 + float(seconds) for name, minutes, seconds in files}
            out.append(Row(option, commands[0] if commands else "", lengths))
    return out


ROWS = _rows()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The recordings of the examples by the names that they have in the document."""
    place = tmp_path_factory.mktemp("migrating")
    for name, text in RECORDINGS.items():
        make(parse(text), place / name)
    return {name: place / name for name in RECORDINGS}


@pytest.fixture(scope="module")
def typed(
    folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[int, Path]]:
    """Runs a command in a fresh folder, each once: its exit code, and where its output is."""
    done: dict[str, tuple[int, Path]] = {}

    def get(command: str) -> tuple[int, Path]:
        if command not in done:
            program, name, source, flag, dest, *options = shlex.split(command)
            assert (program, name, flag) == ("recpipe", "merge", "-o"), command
            place = tmp_path_factory.mktemp("typed") / dest
            done[command] = run(name, folders[source], flag, place, *options).code, place
        return done[command]

    return get


@pytest.mark.parametrize("row", [row for row in ROWS if row.command], ids=lambda row: row.option)
def test_a_command_gives_the_files_that_its_row_claims(
    row: Row, typed: Callable[[str], tuple[int, Path]]
) -> None:
    code, place = typed(row.command)
    assert code == ExitCode.GOOD
    there = {path.name for path in place.iterdir()} - {"manifest.json"}
    assert there == set(row.files)
    for name, seconds in row.files.items():
        with av.open(str(place / name)) as container:
            assert container.duration is not None
            end = (container.start_time or 0) + container.duration
            assert end / 1_000_000 == pytest.approx(seconds, abs=SECONDS)
            kinds = [bool(container.streams.video), bool(container.streams.audio)]
        sound_alone, pictures_alone = name.endswith(".m4a"), name.endswith("_video.mp4")
        assert kinds == [not sound_alone, not pictures_alone]


def test_a_row_without_a_command_says_so_and_claims_no_file() -> None:
    bare = [row for row in ROWS if not row.command]
    assert len(ROWS) - len(bare) >= 25
    assert all(not row.files for row in bare)
    assert all(row.files for row in ROWS if row.command)


def shown(place: Path, name: str) -> list[tuple[float, int | None]]:
    """Second and number of the source of each picture; None for a picture that shows neither."""
    return [(round(float(at), 3), coded.user if coded else None) for at, coded in truth.shown(place / name)]


USER = "user_01_20260302090000250_av.mp4"


@pytest.mark.parametrize(
    ("screen", "stretches"),
    [
        ("none", [(1, 0, 20), (1, 50, 70)]),
        # from its next key frame on, one second after the camera went off
        ("fill", [(1, 0, 20), (2, 21, 50), (1, 50, 70)]),
        ("only", [(2, 5, 10), (2, 15, 55)]),
    ],
)
def test_the_screen_is_shown_where_the_row_says(
    screen: str, stretches: list[tuple[int, float, float]], typed: Callable[[str], tuple[int, Path]]
) -> None:
    (command,) = {
        row.command
        for row in ROWS
        if row.command.endswith(f"--screen {screen}") and "--by" not in row.command
    }
    _, place = typed(command)
    at = [(start + n / 5, number) for number, start, end in stretches for n in range(int(end - start) * 5)]
    assert shown(place, USER) == [(round(seconds, 3), number) for seconds, number in at]


@pytest.mark.parametrize(
    "row", [row for row in ROWS if "--gaps black" in row.command], ids=lambda row: row.option
)
def test_an_absence_is_black_where_the_row_says(row: Row, typed: Callable[[str], tuple[int, Path]]) -> None:
    _, place = typed(row.command)
    first = next(iter(row.files))
    assert [at for at, number in shown(place, first) if number is None] == [20.0]


def test_pictures_of_another_size_are_fitted_where_the_row_says(
    typed: Callable[[str], tuple[int, Path]],
) -> None:
    (row,) = (row for row in ROWS if "--on-change fit" in row.command)
    _, place = typed(row.command)
    sizes = {}
    for name in row.files:
        with av.open(str(place / name)) as container:
            sizes[name[:3]] = {(frame.width, frame.height) for frame in container.decode(video=0)}
        assert all(number is not None for _, number in shown(place, name))
    assert sizes == {"100": {(240, 180)}, "123": {(160, 120)}}


def test_a_missing_slice_ends_the_run_where_the_row_says(folders: dict[str, Path], tmp_path: Path) -> None:
    (row,) = (row for row in ROWS if "--missing fail" in row.command)
    assert f"else exit code {int(ExitCode.INPUT)} and no file" in TEXT
    source = shutil.copytree(folders["calls"], tmp_path / "calls")
    next(source.glob("*.ts")).unlink()
    said = run("merge", source, "-o", tmp_path / "merged", *shlex.split(row.command)[5:])
    assert said.code == ExitCode.INPUT
    assert list(tmp_path.glob("merged/*")) == []
