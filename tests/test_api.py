"""The Python interface: what importing it costs, and what its functions promise."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import pipeline
from pipeline.demo.scenario import Source
from pipeline.errors import CommandError, ExitCode
from pipeline.model.inspection import Presence
from pipeline.model.manifest import FILE
from pipeline.model.options import Verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.demo.made import Made, MadeUser

ROOT = Path(__file__).parents[1]
SCENARIOS = sorted(path.stem for path in (ROOT / "fixtures").glob("*.toml"))


def _python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_importing_the_package_loads_neither_codec_nor_command_line() -> None:
    _python(
        "import sys, pipeline\n"
        "assert not {'av', 'click', 'rich', 'numpy', 'pydantic', 'm3u8'} & set(sys.modules)\n"
    )


def test_value_types_load_no_codec() -> None:
    _python(
        "import sys\n"
        "from pipeline import Align, By, ExitCode, Gaps, Missing, Moment, Options, Tracks, Verify\n"
        "assert not {'av', 'click', 'rich', 'numpy'} & set(sys.modules)\n"
    )


@pytest.mark.parametrize("name", pipeline.__all__)
def test_every_public_name_is_there_and_listed(name: str) -> None:
    assert getattr(pipeline, name) is not None
    assert name in dir(pipeline)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'compose_all'"):
        pipeline.compose_all  # type: ignore[attr-defined]  # noqa: B018 - asking is the test


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_stretches_tell_of_every_moment_of_a_track_once(made: Callable[[str], Made], scenario: str) -> None:
    (recording,) = pipeline.inspect(made(scenario).place).recordings
    tracks = [track for user in recording.users for track in user.tracks]
    for track in tracks:
        assert all(s.start_ms <= s.end_ms for s in track.stretches)
        assert all(a.end_ms <= b.start_ms for a, b in pairwise(track.stretches))
        assert recording.start_ms <= track.stretches[0].start_ms
        assert track.stretches[-1].end_ms <= recording.end_ms
    lost = any(hole.presence is Presence.LOST for track in tracks for hole in track.holes)
    assert not lost or recording.losses


def _recorded(truth: Made, sent: MadeUser, medium: str) -> tuple[int, int]:
    """UTC ms of a medium's first access unit, and for how many ms at least it is in good slices."""
    if medium == "video":
        whole = [s.pictures_ms for s in sent.slices if s.pictures_ms and not s.fault]
        return sent.pictures_ms[0], sum(pictures[-1] - pictures[0] for pictures in whole)
    spoilt = sum(s.end_ticks - s.start_ticks for s in sent.slices if s.fault and s.track != "video")
    sound = sum(end - start for start, end in sent.sound)
    return truth.scenario.start_ms + sent.sound[0][0] // 90, (sound - spoilt) // 90


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_inspection_finds_media_where_it_was_recorded(made: Callable[[str], Made], scenario: str) -> None:
    truth = made(scenario)
    (recording,) = pipeline.inspect(truth.place).recordings
    for user in recording.users:
        sent = truth.user(user.uid, Source(user.source))
        for track in user.tracks:
            first_ms, least_ms = _recorded(truth, sent, track.medium)
            assert abs(track.stretches[0].start_ms - first_ms) <= 50
            assert track.present_ms >= least_ms - 50


def test_nothing_but_damaged_slices_is_told_and_not_raised(
    tmp_path: Path, made: Callable[[str], Made]
) -> None:
    shutil.copytree(made("plain-agora").place, tmp_path / "bad")
    for piece in (tmp_path / "bad").glob("*.ts"):
        piece.write_bytes(b"")
    (recording,) = pipeline.inspect(tmp_path / "bad").recordings
    for user in recording.users:
        assert user.sessions == ()
        for track in user.tracks:
            assert [s.presence for s in track.stretches] == [Presence.LOST]
    assert len(recording.losses) >= 2


def test_progress_rises_to_what_was_announced(made: Callable[[str], Made], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    pipeline.merge(
        made("plain-agora").place, tmp_path, jobs=1, progress=lambda done, total: told.append((done, total))
    )
    assert told[0][0] == 0
    assert len({total for _, total in told}) == 1
    assert all(a[0] <= b[0] for a, b in pairwise(told))
    assert 0 < told[-1][0] <= told[-1][1]


@pytest.fixture(scope="module")
def outputs(made: Callable[[str], Made], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good outputs, to be copied."""
    place = tmp_path_factory.mktemp("merged")
    pipeline.merge(made("plain-trtc").place, place, jobs=1)
    return place


@pytest.fixture
def merged(outputs: Path, tmp_path: Path) -> Path:
    """A folder with good outputs, to be spoilt; nothing else lies beside it."""
    shutil.copytree(outputs, tmp_path / "out")
    return tmp_path / "out"


def _manifest(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place / FILE).read_text(encoding="utf-8"))
    return found


def _write(place: Path, document: object) -> None:
    (place / FILE).write_text(json.dumps(document), encoding="utf-8")


def _change(**fields: object) -> Callable[[Path], None]:
    """Change the manifest's entry of the first output."""

    def spoil(place: Path) -> None:
        document = _manifest(place)
        document["outputs"][0] |= fields
        _write(place, document)

    return spoil


def _first(place: Path) -> Path:
    return place / str(_manifest(place)["outputs"][0]["file"])


def _missing(place: Path) -> None:
    _first(place).unlink()


def _truncated(place: Path) -> None:
    os.truncate(_first(place), 1000)


def _folder(place: Path) -> None:
    _first(place).unlink()
    _first(place).mkdir()


def _pipe(place: Path) -> None:
    _first(place).unlink()
    os.mkfifo(_first(place))


def _flipped(place: Path) -> None:
    data = bytearray(_first(place).read_bytes())
    data[len(data) // 2] ^= 1
    _first(place).write_bytes(data)


def _wrong_tracks(place: Path) -> None:
    document = _manifest(place)
    document["outputs"][0]["tracks"][0]["medium"] = "smell"
    _write(place, document)


def _no_rate(place: Path) -> None:
    document = _manifest(place)
    for track in document["outputs"][0]["tracks"]:
        track["timescale"] = 0
    _write(place, document)


def _no_json(place: Path) -> None:
    (place / FILE).write_text("{", encoding="utf-8")


def _no_text(place: Path) -> None:
    (place / FILE).write_bytes(b"\xff\xfe{")


def _newer(place: Path) -> None:
    _write(place, _manifest(place) | {"version": 99})


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        pytest.param(_missing, "it is not there", id="a missing file"),
        pytest.param(_truncated, "cannot be read back", id="a truncated file"),
        pytest.param(_flipped, "SHA-256", id="a flipped bit"),
        pytest.param(_folder, "no regular file", id="a folder in its place"),
        pytest.param(_pipe, "no regular file", id="a named pipe in its place"),
        pytest.param(_change(sha256="00"), "SHA-256", id="another hash"),
        pytest.param(_change(size=1), "bytes instead of 1", id="another size"),
        pytest.param(_change(size=0), "no size", id="a manifest that hides the size"),
        pytest.param(_change(utc_zero_ms=0), "creation_time", id="another zero"),
        pytest.param(
            _change(file="../manifest.json"), "no bare file name", id="a name outside of the folder"
        ),
        pytest.param(_change(file=""), "no bare file name", id="no name"),
        pytest.param(_wrong_tracks, "makes no sense", id="a medium that does not exist"),
        pytest.param(_no_rate, "", id="a time scale of nothing"),
        pytest.param(_no_json, "it is no manifest that we know", id="a manifest that is no JSON"),
        pytest.param(_no_text, "it is not UTF-8", id="a manifest that is no text"),
        pytest.param(_newer, "manifest version 99 is not", id="a manifest of another version"),
    ],
)
@pytest.mark.parametrize("level", [Verify.FULL, Verify.FAST])
def test_verify_finds_what_is_wrong(
    merged: Path, spoil: Callable[[Path], None], problem: str, level: Verify
) -> None:
    spoil(merged)
    found = pipeline.verify(merged, level)
    assert found.exit_code is ExitCode.VERIFICATION
    assert any(problem in each for file in found.files for each in file.verdict.problems), found


def test_verify_takes_a_folder_its_manifest_one_file_or_a_folder_of_folders(merged: Path) -> None:
    for path in (merged, merged / FILE, _first(merged), merged.parent):
        found = pipeline.verify(path)
        assert found.good
        assert len(found.files) >= 1


def test_verify_of_a_file_that_is_gone_finds_it_by_its_manifest(merged: Path) -> None:
    file = _first(merged)
    file.unlink()
    assert pipeline.verify(file).exit_code is ExitCode.VERIFICATION


def test_verify_of_a_file_that_no_manifest_names_is_a_wrong_command(merged: Path) -> None:
    (merged / "other.mp4").write_bytes(b"")
    with pytest.raises(CommandError, match=r"does not name other\.mp4"):
        pipeline.verify(merged / "other.mp4")
