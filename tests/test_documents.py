"""What the documents say is true: generated texts, targets, links, commands, sentences, numbers."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

import click
import pytest

from pipeline.cli.app import COMMANDS, app
from pipeline.errors import MEANINGS, RecpipeError
from tests.documents import DOCUMENTS, ROOT, RUN_AS, blocks, errors, markdown, prose

if TYPE_CHECKING:
    from pathlib import Path

MARKDOWN = markdown()
every_document = pytest.mark.parametrize("path", MARKDOWN, ids=[str(p.relative_to(ROOT)) for p in MARKDOWN])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_generated_document_says_what_the_code_says(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == DOCUMENTS[name](), "run: make docs"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_in_the_documents_is_what_a_terminal_shows(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", name, "--help"],
        env=RUN_AS,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"```text\n{done.stdout.strip()}\n```" in DOCUMENTS["docs/cli.md"]()


@pytest.mark.parametrize("error", [RecpipeError, *errors()], ids=lambda error: error.__name__)
def test_every_error_says_what_it_is(error: type[RecpipeError]) -> None:
    assert error.__module__ == "pipeline.errors"
    assert error.__doc__
    assert error.exit_code in MEANINGS


def test_the_generator_writes_only_when_told_to() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.documents"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")


@every_document
def test_every_recpipe_command_in_a_document_is_one(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = [
        line for kind in ("sh", "console") for block in blocks(text, kind) for line in block.splitlines()
    ]
    inline = [f"$ {code}" for code in re.findall(r"`(recpipe [a-z]+(?: [^`]*)?)`", prose(text))]
    for line in [*lines, *inline]:
        found = re.match(r"(?:\$ )?recpipe ([a-z]+)(.*)", line)
        if not found:
            continue
        whole = click.Context(app, info_name="recpipe", **app.context_settings)
        command = app.get_command(whole, found[1])
        assert command is not None, line
        arguments = shlex.split(found[2])
        bare = not arguments and line in inline  # the name of a command in a sentence
        if "--help" not in arguments and not bare:
            command.make_context(found[1], arguments, parent=whole)


@every_document
def test_every_make_target_in_a_document_exists(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z-]+)`", text))
    for block in blocks(text, "sh"):
        named |= set(re.findall(r"^make ([a-z-]+)$", block, re.MULTILINE))
    assert named - targets == set()


@every_document
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(path.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            assert link.startswith("https://"), link
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        if anchor:
            assert anchor in _anchors(target.read_text(encoding="utf-8")), link


def _anchors(text: str) -> set[str]:
    """The anchors that headings give themselves on the usual sites."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_document
def test_every_file_of_ours_named_in_a_document_exists(path: Path) -> None:
    text = prose(path.read_text(encoding="utf-8"))
    rooms = "pipeline|tests|benchmarks|docs|fixtures|\\.ci"
    for name in re.findall(rf"`((?:{rooms})(?:/[\w.\-/]+)?)`", text):
        assert (ROOT / name).exists(), name


def test_the_architecture_has_a_line_for_every_room() -> None:
    (tree, *_) = blocks((ROOT / "docs/architecture.md").read_text(encoding="utf-8"), "")
    named = re.findall(r"^  ([\w.]+)/?  ", tree, re.MULTILINE)
    there = {
        p.name for p in (ROOT / "pipeline").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
    }
    assert sorted(named) == sorted(there)


@cache
def _sentences() -> tuple[str, ...]:
    """Every text in the code, with ``…`` where something is filled in."""
    out: list[str] = []
    for file in sorted((ROOT / "pipeline").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (str(p.value) if isinstance(p, ast.Constant) else "…" for p in node.values)
                out.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                out.append(node.value)
    return tuple(out)


def _refusals() -> list[str]:
    """The last cell of each row of the tables of sentences in ``docs/inputs.md``."""
    text = (ROOT / "docs/inputs.md").read_text(encoding="utf-8")
    _, _, part = text.partition("## What is refused")
    return re.findall(r"^\|.*\| `(.*)` \|$", part, re.MULTILINE)


def test_there_are_sentences_to_look_up() -> None:
    assert len(_refusals()) >= 20
    assert not _is_said("this sentence is in no code")


@pytest.mark.parametrize("sentence", _refusals())
def test_a_sentence_that_the_documents_promise_is_in_the_code(sentence: str) -> None:
    assert _is_said(sentence)


def _is_said(sentence: str) -> bool:
    return any(sentence in said for said in _sentences())


def _numbers() -> list[tuple[str, int, str]]:
    text = (ROOT / "docs/timeline.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(pipeline\.[\w.]+)` \| (\d+) ([\w%]+) \|", text, re.MULTILINE)
    return [(name, int(value), unit) for name, value, unit in rows]


UNITS = {"ms": 90, "s": 90_000, "samples": 1, "stamps": 1, "%": 1}


@pytest.mark.parametrize(("name", "value", "unit"), _numbers(), ids=str)
def test_a_number_in_the_documents_is_the_number_in_the_code(name: str, value: int, unit: str) -> None:
    module, _, constant = name.rpartition(".")
    assert getattr(import_module(module), constant) == value * UNITS[unit]


def test_there_are_numbers_to_look_up() -> None:
    assert len(_numbers()) >= 14


def test_every_fixture_and_test_of_the_acceptance_list_is_there() -> None:
    text = (ROOT / "docs/acceptance.md").read_text(encoding="utf-8")
    tests = re.findall(r"`(tests/[\w/]+\.py)`", text)
    assert tests
    assert [path for path in tests if not (ROOT / path).is_file()] == []
    named = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", text))
    there = {path.stem for path in (ROOT / "fixtures").glob("*.toml")}
    assert named
    assert named - there == set()
