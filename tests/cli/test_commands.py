"""The commands on generated recordings: exit codes, documents, texts."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.drawing.fonts import BUILT_IN, Font, Fonts
from pipeline.model.manifest import from_json
from tests.cli.running import good, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.demo.made import Made


def _masked(text: str, place: Path) -> str:
    """Text without what depends on the machine's encoders: sizes, and the columns that they move."""
    return re.sub(r" {2,}", "  ", re.sub(r"\d+\.\d [kM]B|\d+ B", "SIZE", text.replace(str(place), "DIR")))


@pytest.fixture(scope="module")
def merged(made: Callable[[str], Made], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished merge with a loss."""
    place = tmp_path_factory.mktemp("merged")
    assert run("merge", made("missing-slice").place, "-o", place, "--json").code == 1
    return place


@pytest.mark.parametrize("scenario", ["mute-and-rejoin", "missing-slice", "screen-trtc", "audio-only"])
def test_inspect_tells_of_every_user_and_of_no_other(made: Callable[[str], Made], scenario: str) -> None:
    truth = made(scenario)
    (recording,) = good("inspect", truth.place, "--json").document["recordings"]
    told = {(user["uid"], user["source"]) for user in recording["users"]}
    assert told == {(user.user.uid, str(user.user.source)) for user in truth.users}


@pytest.mark.parametrize("scenario", ["mute-and-rejoin", "missing-slice"])
def test_the_text_of_inspect(
    made: Callable[[str], Made], golden: Callable[[str, str], None], scenario: str
) -> None:
    place = made(scenario).place
    golden(f"cli/golden/inspect-{scenario}.txt", _masked(good("inspect", place).out, place))


def test_the_text_of_plan_merge_and_verify(
    made: Callable[[str], Made], golden: Callable[[str, str], None], tmp_path: Path
) -> None:
    source = made("missing-slice").place
    texts = []
    for typed in (
        ("plan", source),
        ("merge", source, "-o", tmp_path),
        ("merge", source, "-o", tmp_path),
        ("verify", tmp_path),
    ):
        said = run(*typed)
        shown = " ".join("SOURCE" if each is source else str(each) for each in typed)
        texts.append(_masked(f"$ recpipe {shown}\n{said.out}exit code {said.code}\n{said.err}", tmp_path))
    golden("cli/golden/plan-merge-verify.txt", "\n".join(texts))


@pytest.mark.parametrize(
    ("scenario", "options", "code"),
    [
        pytest.param("plain-agora", (), 0, id="a whole recording is good"),
        pytest.param("mute-and-rejoin", (), 0, id="absence is no loss"),
        pytest.param("missing-slice", (), 1, id="a missing slice is a loss"),
        pytest.param("missing-slice", ("--accept-loss",), 0, id="an accepted loss is good"),
        pytest.param("missing-slice", ("--tracks", "audio"), 0, id="what is not asked for is no loss"),
        pytest.param("missing-slice", ("--missing", "fail"), 4, id="a missing slice can be made to fail"),
        pytest.param("missing-slice", ("--uid", "nobody"), 2, id="an unknown user is refused"),
    ],
)
def test_plan_returns_what_merge_returns(
    made: Callable[[str], Made], tmp_path: Path, scenario: str, options: tuple[str, ...], code: int
) -> None:
    source = made(scenario).place
    assert run("plan", source, *options).code == code
    assert run("merge", source, "-o", tmp_path, *options).code == code


def test_plan_writes_nothing(made: Callable[[str], Made], tmp_path: Path) -> None:
    copy = tmp_path / "recording"
    shutil.copytree(made("plain-trtc").place, copy)
    before = sorted(tmp_path.rglob("*"))
    good("plan", copy, "--json")
    good("inspect", copy, "--json")
    assert sorted(tmp_path.rglob("*")) == before


def test_plan_names_the_files_that_merge_makes(made: Callable[[str], Made], tmp_path: Path) -> None:
    source = made("mute-and-rejoin").place
    options = ("--by", "session", "--name", "{uid}-{utc}")
    (planned,) = good("plan", source, *options, "--json").document["recordings"]
    (done,) = good("merge", source, "-o", tmp_path, *options, "--json").document["recordings"]
    names = [output["file"] for output in planned["outputs"]]
    assert [output["file"] for output in done["manifest"]["outputs"]] == names
    assert {path.name for path in tmp_path.iterdir()} == {*names, "manifest.json"}
    assert len(names) == 2


def test_the_document_of_merge_holds_the_manifest_as_it_was_written(merged: Path) -> None:
    manifest = (merged / "manifest.json").read_text(encoding="utf-8")
    assert json.loads(manifest) == json.loads(from_json(manifest).to_json())


def test_merging_again_is_already_done_with_its_former_code(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    source = made("missing-slice").place
    first = run("merge", source, "-o", tmp_path, "--json")
    again = run("merge", source, "-o", tmp_path, "--json")
    assert (first.code, again.code) == (1, 1)
    assert again.document["recordings"][0]["already"]
    assert again.document["recordings"][0]["manifest"] == first.document["recordings"][0]["manifest"]


def test_a_file_in_the_way_is_replaced_only_when_asked(made: Callable[[str], Made], tmp_path: Path) -> None:
    source = made("audio-only").place
    (document,) = good("plan", source, "--json").document["recordings"]
    foreign = tmp_path / document["outputs"][0]["file"]
    foreign.write_text("precious")
    said = run("merge", source, "-o", tmp_path)
    assert (said.code, foreign.read_text()) == (2, "precious")
    assert "--overwrite" in said.err
    good("merge", source, "-o", tmp_path, "--overwrite")
    assert foreign.read_bytes()[4:8] == b"ftyp"


def test_several_recordings_get_a_folder_each(made: Callable[[str], Made], tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in ("audio-only", "plain-trtc"):
        shutil.copytree(made(name).place, source / name)
    document = good("merge", source, "-o", tmp_path / "out", "--json").document
    assert len({each["place"] for each in document["recordings"]}) == 2
    assert len(good("verify", tmp_path / "out", "--json").document["files"]) == len(
        [output for each in document["recordings"] for output in each["manifest"]["outputs"]]
    )


def test_an_output_place_that_is_a_file_is_code_6(made: Callable[[str], Made], tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("")
    said = run("merge", made("audio-only").place, "-o", place, "--json")
    assert said.code == said.document["error"]["exit_code"] == 6
    assert said.document["error"]["kind"] == "OutputError"
    assert said.err == f"recpipe: {said.document['error']['sentence']}\n"


def test_verify_returns_5_for_a_changed_file(merged: Path, tmp_path: Path) -> None:
    copy = tmp_path / "merged"
    shutil.copytree(merged, copy)
    (file,) = copy.glob("*.mp4")
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    said = run("verify", copy, "--level", "fast")
    assert said.code == 5
    assert "BAD" in said.out
    assert "SHA-256" in said.out


def test_the_demo_can_be_run_again_and_its_commands_can_be_typed(tmp_path: Path) -> None:
    first = good("demo", tmp_path).out
    assert f"$ recpipe merge {tmp_path}/recording -o {tmp_path}/merged\n" in first
    document = good("demo", tmp_path, "--json").document
    assert document["exit_code"] == 0
    assert all(file in first for file in document["files"])
    assert len(document["files"]) == 3
    for step in document["commands"]:
        good(*step["command"][1:])
    assert "already done: 3 files" in good("merge", tmp_path / "recording", "-o", tmp_path / "merged").out


def test_a_demo_place_that_cannot_be_written_is_code_6(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert run("demo", tmp_path / "file").code == 6


def test_doctor_finds_this_machine_fit() -> None:
    document = good("doctor", "--json").document
    assert document["exit_code"] == 0
    names = [finding["what"] for finding in document["findings"]]
    assert {"Python", "PyAV", "decoders", "encoders", "processors", "fonts"} <= set(names)
    assert [line.partition(": ")[2].partition(": ")[0] for line in good("doctor").out.splitlines()] == names


def test_doctor_tells_what_names_can_be_written_and_what_to_install_for_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only = Fonts((Font(BUILT_IN),))
    monkeypatch.setattr("pipeline.drawing.fonts.find_fonts", lambda: only)
    monkeypatch.setattr("pipeline.drawing.fonts.can_join", lambda: False)
    (line,) = [line for line in good("doctor").out.splitlines() if ": fonts: " in line]
    assert line.startswith("note: fonts: Latin (Aileron); without Chinese, Japanese, Arabic: install fonts-")
    assert line.endswith("; Arabic letters stand alone: install libfribidi0")


def test_the_ids_of_a_task_are_told_apart_by_its_options(tmp_path: Path) -> None:
    for uid in ("ann", "bob_9"):
        (tmp_path / f"my_task_room_{uid}_C_1700000000000_000010_c4694fa1.m3u8").write_text(
            "#EXTM3U\n#EXTINF:1,\nslice.ts\n"
        )
    alone = run("inspect", tmp_path, "--json").document
    assert [r["name"] for r in alone["recordings"]] == ["my_task_room_ann", "my_task_room_bob_9"]
    told = run("inspect", tmp_path, "--task-id", "my_task", "--room-id", "room", "--json").document
    (recording,) = told["recordings"]
    assert (recording["name"], [u["uid"] for u in recording["users"]]) == ("my_task_room", ["ann", "bob_9"])


def _written(place: Path, seconds_ago: int) -> Path:
    """A folder whose files were all written so long ago; of what is to come the first look counts."""
    at = time.time() - seconds_ago
    for path in place.rglob("*.*"):
        os.utime(path, (at, at))
    return place


def test_merge_waits_for_a_recording_that_has_just_changed(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    place = Path(shutil.copytree(made("audio-only").place, tmp_path / "rec"))
    said = run("merge", _written(place, -7200), "-o", tmp_path / "out", "--settle", "1s", "--json")
    assert said.code == 0
    assert said.err == (
        f"recpipe: waiting for {place}: all of it is there, and may still change: at most 0:01 more.\n"
    )
    assert said.document["recordings"][0]["manifest"]["ledger"] == []


def test_merge_goes_on_without_what_did_not_come_in_time(made: Callable[[str], Made], tmp_path: Path) -> None:
    place = Path(shutil.copytree(made("missing-slice").place, tmp_path / "rec"))
    typed = ("merge", _written(place, 7200), "-o", tmp_path / "out", "--settle", "2m", "--settle-limit", "1h")
    said = run(*typed)
    assert said.code == 1
    start = f"recpipe: {place} has not changed for long enough and is taken as it is: slice "
    assert said.err.startswith(start)
    assert said.err.endswith(" is not there.\n")


def test_merge_says_nothing_where_nothing_is_to_be_waited_for(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    place = Path(shutil.copytree(made("audio-only").place, tmp_path / "rec"))
    good("merge", _written(place, 7200), "-o", tmp_path / "out", "--settle", "2m", "--settle-limit", "6h")
