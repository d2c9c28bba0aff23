"""The README does what it shows: its commands are run, its Python is a doctest, its lists are complete.

So does the guide to composites, whose examples are of the same recording.
"""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from pipeline.cli.app import COMMANDS, app
from pipeline.demo.default import meeting
from pipeline.demo.recorder import make
from pipeline.errors import MEANINGS
from tests.documents import ROOT, RUN_AS, blocks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMPOSE = (ROOT / "docs" / "compose.md").read_text(encoding="utf-8")
each_guide = pytest.mark.parametrize("guide", [README, COMPOSE], ids=["README.md", "compose.md"])
NOTES = re.compile(r"(recpipe: [\w.]+: (not used|done as).*\n)+")
"""What is said of a request's fields that mean nothing here, or are done otherwise."""


def test_the_readme_has_every_exit_code_in_the_words_of_the_code() -> None:
    for code, meaning in MEANINGS.items():
        assert f"| {int(code)} | {meaning} |" in README


@pytest.mark.parametrize("name", ["merge", "plan"])
def test_the_readme_has_every_option_of_a_command(name: str) -> None:
    command = app.get_command(click.Context(app, **app.context_settings), name)
    assert command is not None
    options = [o for p in command.params if isinstance(p, click.Option) for o in p.opts if o[:2] == "--"]
    told = set(re.findall(r"--[a-z-]+", README)) | {"--output"}  # told as -o
    assert set(options) - told == set()


def test_the_readme_names_every_command() -> None:
    assert re.findall(r"^\| `([a-z]+)(?: [A-Z\[][^`]*)?` \|", README, re.MULTILINE)[: len(COMMANDS)] == list(
        COMMANDS
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recording of the demo where ``recpipe demo`` makes it, and our requests."""
    place = tmp_path_factory.mktemp("readme")
    make(meeting(), place / "recpipe-demo" / "recording")
    (place / "fixtures").symlink_to(ROOT / "fixtures")
    return place


def _examples(guide: str) -> Iterator[tuple[str, str]]:
    """Each command of a guide's console blocks with the output that stands below it, in order."""
    for block in blocks(guide, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


def _shape(text: str) -> str:
    """Output without the numbers that encoders decide, and without the columns that follow from them."""
    numbers = re.sub(r"(?<![\w/.-])\d[\d.,:]*(?: [kMG]?B\b)?(?!\w)", "#", text.strip())
    return re.sub(r"[ \t]+", " ", numbers)


def test_the_readme_shows_about_every_command() -> None:
    assert len(list(_examples(README))) >= len(COMMANDS)


@each_guide
def test_the_commands_of_a_guide_do_what_it_shows(place: Path, guide: str) -> None:
    examples = list(_examples(guide))
    assert examples
    for command, output in examples:
        program, *arguments = shlex.split(command)
        assert program == "recpipe", command
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *arguments],
            env=RUN_AS,
            cwd=place,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        said = done.stderr if "--request" not in arguments else NOTES.sub("", done.stderr)
        assert (done.returncode, said) == (0, ""), command
        if output:
            ending = "\n".join(done.stdout.splitlines()[-len(output.splitlines()) :])
            assert _shape(ending) == _shape(output), command


@each_guide
def test_the_python_of_a_guide_gives_what_it_shows(
    place: Path, guide: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    found = blocks(guide, "pycon")
    assert found
    for block in found:
        example = doctest.DocTestParser().get_doctest(block, {}, "guide", "guide", 0)
        told: list[str] = []
        result = doctest.DocTestRunner(verbose=False).run(example, out=told.append)
        assert result.attempted
        assert not result.failed, "".join(told)
