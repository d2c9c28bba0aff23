"""A table of argument lists, each with everything that the command says about it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from pipeline.cli.app import COMMANDS
from pipeline.errors import MEANINGS, ExitCode
from tests.cli.running import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CASES = [
    pytest.param("nothing", "", 2, id="nothing at all prints the help and fails"),
    pytest.param("help", "--help", 0, id="help"),
    pytest.param("version", "--version", 0, id="version"),
    *(pytest.param(f"{name}-help", f"{name} --help", 0, id=f"help of {name}") for name in COMMANDS),
    pytest.param("unknown-command", "mrge x", 2, id="unknown command"),
    pytest.param("unknown-option", "inspect x --frob", 2, id="unknown option"),
    pytest.param("m4a-with-pictures", "merge x -o y --container m4a --tracks av", 2, id="pictures in m4a"),
    pytest.param("no-source", "inspect", 2, id="no source"),
    pytest.param("no-destination", "merge x", 2, id="merge without a destination"),
    pytest.param("missing-source", "inspect nowhere", 2, id="a source that does not exist"),
    pytest.param(
        "missing-source-json", "inspect nowhere --json", 2, id="a source that does not exist, in JSON"
    ),
    pytest.param("usage-json", "merge --frob --json", 2, id="wrong usage, in JSON"),
    pytest.param("json-is-a-name", "inspect -- --json", 2, id="a source called --json wants no JSON"),
    pytest.param("empty-source", "inspect empty", 3, id="an empty source"),
    pytest.param("foreign-source", "plan foreign", 3, id="a source without a recording"),
    pytest.param("file-source", "plan foreign/notes.txt", 2, id="a source that is a file"),
    pytest.param("bad-choice", "merge x -o y --by month", 2, id="a value that is no choice"),
    pytest.param("bad-jobs", "merge x -o y --jobs 0", 2, id="no job at all"),
    pytest.param("bad-moment", "merge foreign -o y --start noon", 2, id="a start that is no moment"),
    pytest.param("bad-order", "plan foreign --start 20 --end 10", 2, id="an end before the start"),
    pytest.param("bad-name", "plan foreign --name agora:my_calls", 2, id="folders that a vendor refuses"),
    pytest.param("bad-duration", "merge foreign -o y --settle soon", 2, id="a time to settle that is none"),
    pytest.param("half-a-task", "plan foreign --room-id r", 2, id="a room without its task"),
    pytest.param("no-task-id", "inspect foreign --task-id 'a b'", 2, id="a task id that is none"),
    pytest.param("hostile-name", "verify 'a\x1b[31m\nb'", 2, id="a path with control characters"),
    pytest.param("no-manifest", "verify foreign", 2, id="verify where nothing was merged"),
    pytest.param("not-there", "verify nowhere.mp4", 2, id="verify a file that never was"),
    pytest.param("compose-nothing", "compose", 2, id="compose of nobody"),
    pytest.param("compose-both", "compose foreign --preview 3", 2, id="of a source and of nobody's users"),
    pytest.param("compose-no-moment", "compose foreign", 2, id="compose of a source at no moment"),
    pytest.param("compose-aspects-of-source", "compose foreign --at 3 --aspect 4:3", 2, id="told twice"),
    pytest.param(
        "compose-other-vendor",
        "compose --preview 3 --layout grid --vendor agora",
        2,
        id="a layout of another vendor",
    ),
    pytest.param("compose-bad-aspect", "compose --preview 3 --aspect 16x9", 2, id="an aspect that is none"),
    pytest.param("compose-bad-size", "compose --preview 3 --size 641x480", 2, id="a canvas of odd width"),
    pytest.param("compose-bad-sharing", "compose --preview 3 --sharing 4", 2, id="a screen of nobody"),
    pytest.param("compose-bad-picture", "compose --preview 3 -o x.jpg", 2, id="a picture that is no PNG"),
    pytest.param(
        "compose-bad-region",
        "compose --preview 1 --layout custom --region 0,0,700,480 --size 640x480",
        2,
        id="a region outside the canvas",
    ),
    pytest.param(
        "compose-custom",
        "compose --preview 2 --layout custom --region 0,0,1,1 --region 1/2,1/2,1/2,1/2,1",
        0,
        id="regions of one's own",
    ),
    pytest.param(
        "compose-screen",
        "compose --preview 6 --layout screen --vendor trtc --large 2 --large-right",
        0,
        id="TRTC's screen layout with the large one at the right",
    ),
    pytest.param("compose-json", "compose --preview 2 --layout grid --json", 0, id="a scene in JSON"),
    pytest.param("snapshot-no-moment", "snapshot foreign -o y", 2, id="pictures at no moment"),
    pytest.param("snapshot-too-often", "snapshot foreign -o y --every 50ms", 2, id="pictures too often"),
    pytest.param("snapshot-odd-width", "snapshot foreign -o y --every 5s --width 321", 2, id="an odd width"),
    pytest.param(
        "snapshot-unknown-names", "snapshot foreign -o y --every 5s --name trtc", 2, id="names nobody knows"
    ),
    pytest.param("no-verify-off", "verify x --level off", 2, id="verify cannot be told to do nothing"),
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with an empty folder and one that holds no recording."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "notes.txt").write_text("no slice")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(("name", "typed", "code"), CASES)
def test_what_is_said(golden: Callable[[str, str], None], name: str, typed: str, code: int) -> None:
    said = run(*shlex.split(typed))
    assert said.code == code
    golden(
        f"cli/golden/{name}.txt",
        f"$ recpipe {typed!r}\nexit code {said.code}\n--- stdout\n{said.out}--- stderr\n{said.err}",
    )


@pytest.mark.usefixtures("place")
def test_an_error_is_one_line_and_obeys_nobody() -> None:
    said = run("verify", "a\x1b[31m\nb")
    assert said.err.count("\n") == 1
    assert "\x1b" not in said.err


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_exit_codes_in_the_words_of_the_error_tree(name: str) -> None:
    table = run(name, "--help").out.partition("Exit codes:\n")[2].splitlines()
    codes = {int(line.split(maxsplit=1)[0]): line.split(maxsplit=1)[1] for line in table}
    assert codes == {int(code): MEANINGS[ExitCode(code)] for code in codes}
    assert {0, 2, 70, 130, 143} <= set(codes)
