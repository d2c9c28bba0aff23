"""Outputs under the vendors' names, from the command line to the reader that takes them for a recording."""

from __future__ import annotations

import hashlib
import re
import shlex
import shutil
from typing import TYPE_CHECKING

import pytest

from pipeline.demo import trtc
from pipeline.demo.scenario import Source
from pipeline.model.job_key import job_key
from pipeline.model.options import Options
from tests.cli.running import good, run
from tests.documents import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.demo.made import Made, MadeUser

EXAMPLES = re.findall(
    r"^\| `recpipe plan ([a-z-]+)(.*)` \| `(.*)` \|$",
    (ROOT / "docs/names.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)
SID = "32cbd49b368a195c26484c0b30b68254"


def of_trtc(_made: Made, user: MadeUser) -> str:
    media = "aux" if user.user.source is Source.SCREEN else "main"
    return f"20055501_1042317788__UserId_s_{trtc.encoded_id(user.user.uid)}__UserId_e_{media}.mp4"


def of_agora(_made: Made, user: MadeUser) -> str:
    return f"{SID}_demo1__uid_s_{user.user.uid}__uid_e_0.mp4"


@pytest.mark.parametrize(
    ("scenario", "name", "of"),
    [
        pytest.param("plain-trtc", "trtc", of_trtc, id="TRTC"),
        pytest.param("screen-trtc", "trtc", of_trtc, id="TRTC with a screen"),
        pytest.param("plain-agora", "agora", of_agora, id="Agora"),
    ],
)
def test_files_are_called_as_the_cloud_calls_them_and_read_as_its_recording(
    made: Callable[[str], Made], tmp_path: Path, scenario: str, name: str, of: Callable[[Made, MadeUser], str]
) -> None:
    truth, place = made(scenario), tmp_path / "out"
    planned = good("plan", truth.place, "--name", name, "--json").document
    document = good("merge", truth.place, "-o", place, "--name", name, "--json").document
    expected = sorted(of(truth, user) for user in truth.users)
    assert sorted(output["file"] for output in planned["recordings"][0]["outputs"]) == expected
    assert sorted(path.name for path in place.iterdir()) == sorted([*expected, "manifest.json"])
    assert document["exit_code"] == 0
    # The manifest is no part of a recording.
    (recording,) = good("inspect", place, "--json").document["recordings"]
    told = {(user["uid"], user["source"]) for user in recording["users"]}
    assert told == {(user.user.uid, str(user.user.source)) for user in truth.users}
    good("verify", place)


def test_the_default_pattern_of_volcengine(made: Callable[[str], Made], tmp_path: Path) -> None:
    truth, place = made("volcengine-hls"), tmp_path / "out"
    good("merge", truth.place, "-o", place, "--name", "volcengine")
    key = job_key("volcengine", "", "mytask_myroom", Options(name="volcengine").as_text())
    planned = good("plan", truth.place, "--name", "volcengine", "--json").document["recordings"][0]["outputs"]
    expected = set()
    for output in planned:
        uid, source = output["uid"], output["source"]
        kind = "S" if source == "screen" else "C"
        digits = hashlib.sha256(f"{key}\0{uid}\0{source}\0{0}".encode()).hexdigest()[:8]
        seconds = output["duration_ms"] // 1000
        ending = "mp4" if any(track["medium"] == "video" for track in output["tracks"]) else "m4a"
        start = output["utc_zero_ms"]
        expected.add(f"mytask_myroom_{uid}_{kind}_{start}_{seconds:06d}_{digits}.{ending}")
    assert {path.name for path in place.iterdir()} == {*expected, "manifest.json"}
    (recording,) = good("inspect", place, "--json").document["recordings"]
    told = {(u["uid"], u["source"], u["sessions"][0]["start_ms"]) for u in recording["users"]}
    assert told == {(each["uid"], each["source"], each["utc_zero_ms"]) for each in planned}


def test_stays_of_a_user_are_numbered(made: Callable[[str], Made]) -> None:
    place = made("mute-and-rejoin").place
    (recording,) = good("plan", place, "--by", "session", "--name", "agora", "--json").document["recordings"]
    outputs = sorted(recording["outputs"], key=lambda output: output["utc_zero_ms"])
    assert [output["file"][-13:] for output in outputs] == ["__uid_e_0.mp4", "__uid_e_1.mp4"]


@pytest.mark.parametrize(
    ("scenario", "options", "file"),
    [
        pytest.param(
            "plain-trtc", ("--name", "trtc:lesson", "--mix"), None, id="TRTC mixes nothing into M4A"
        ),
        pytest.param(
            "plain-agora", ("--name", "agora", "--mix"), f"{SID}_demo1_0.m4a", id="Agora's audio mix"
        ),
        pytest.param("mix-agora-hls", ("--name", "agora"), f"{SID}_demo1_0.mp4", id="a composite"),
    ],
)
def test_files_of_all_users(
    made: Callable[[str], Made], scenario: str, options: tuple[str, ...], file: str | None
) -> None:
    outputs = good("plan", made(scenario).place, *options, "--json").document["recordings"][0]["outputs"]
    expected = file or "lesson__UserDefine_u_20055501_1042317788.mp4"
    assert [output["file"] for output in outputs] == [expected]


def test_folders_before_names_lie_below_the_destination(made: Callable[[str], Made], tmp_path: Path) -> None:
    arguments = ("merge", made("plain-trtc").place, "-o", tmp_path, "--name", "trtc:2026/room-1/x")
    good(*arguments)
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    files = {
        f"2026/room-1/x__UserDefine_u_{of_trtc(made('plain-trtc'), u)}" for u in made("plain-trtc").users
    }
    assert names == {*files, "2026/room-1/manifest.json"}
    assert "already done" in good(*arguments).out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param(
            ("--name", "agora"), "--name agora needs the sid, and names by TRTC tell none", id="a field"
        ),
        pytest.param(("--name", "trtc:a b"), "--name trtc has the prefix 'a b'", id="a prefix"),
        pytest.param(
            ("--name", "trtc", "--container", "mkv"), "--name trtc has no names in .mkv", id="a container"
        ),
        pytest.param(("--name", "volcengine:{UserId}"), "cannot name the user", id="a user id"),
        pytest.param(
            ("--name", "volcengine:x"), "gives two files the name 'x.mp4'", id="one name for two files"
        ),
    ],
)
def test_what_has_no_name_is_refused_before_anything_is_made(
    made: Callable[[str], Made], tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    said = run("merge", made("plain-trtc").place, "-o", tmp_path / "out", *options)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("below", ["", "merged", "a/../merged"])
def test_names_of_a_vendor_are_not_put_into_the_source(
    made: Callable[[str], Made], tmp_path: Path, below: str
) -> None:
    source = shutil.copytree(made("plain-trtc").place, tmp_path / "in")
    said = run("merge", source, "-o", source / below, "--name", "trtc")
    assert said.code == 2
    assert "they would be read as one: choose a place outside of it." in said.err
    assert sorted(source.rglob("*.mp4")) == []
    good("merge", source, "-o", source / below)


def test_there_are_examples_to_look_up() -> None:
    assert len(EXAMPLES) >= 7


@pytest.mark.parametrize(("scenario", "options", "file"), EXAMPLES)
def test_an_example_in_the_documents_is_true(
    made: Callable[[str], Made], scenario: str, options: str, file: str
) -> None:
    document = good("plan", made(scenario).place, *shlex.split(options), "--json").document
    assert document["recordings"][0]["outputs"][0]["file"] == file
