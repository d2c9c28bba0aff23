"""The rules of the house that no linter knows: rooms and contracts, who imports what, what is in the tree."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PIPELINE = ROOT / "pipeline"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS: list[dict[str, Any]] = PROJECT["tool"]["importlinter"]["contracts"]
MAKE = shutil.which("make") or "make"
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "NOTICE",
    "README.md",
    "benchmarks",
    "constraints.txt",
    "docs",
    "fixtures",
    "pipeline",
    "pyproject.toml",
    "tests",
}
HOMES = {
    "av": ("media/",),
    "click": ("cli/",),
    "rich": ("cli/",),
    "procrastinate": ("worker/queue/postgres/",),
    "psycopg": ("worker/queue/postgres/",),
    "PIL": ("drawing/", "report/scenes.py"),
    "m3u8": ("vendors/playlists.py",),
    "pydantic": (
        "model/manifest.py",
        "job/compose_json.py",
        "job/faults.py",
        "job/spec_json.py",
        "job/spec_snapshot.py",
        "notify/event.py",
        "storage/settings_toml.py",
        "publish/settings.py",
        "publish/tencent/table.py",
        "publish/volcengine/table.py",
        "worker/serve/inbox/settings.py",
        "worker/serve/operations/settings.py",
    ),
    "prometheus_client": ("worker/serve/operations/metrics.py",),
    "starlette": ("worker/serve/operations/app.py", "worker/serve/public/app.py"),
    "uvicorn": ("worker/serve/listening.py",),
    "sqlite3": ("worker/queue/sqlite/", "worker/serve/inbox/inbox.py"),
    "urllib3": ("notify/sending.py", "storage/replies.py", "publish/wire.py", "publish/volcengine/wire.py"),
}
NO_NAMES = {"utils", "util", "common", "helpers", "helper", "types", "misc"}
MOST_BYTES = 1_000_000
MODULES = sorted(path.relative_to(PIPELINE).as_posix() for path in PIPELINE.rglob("*.py"))


def _tracked() -> list[Path]:
    """What is committed or about to be, relative to the root."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    files = [Path(name) for name in listed.split("\0") if name and (ROOT / name).exists()]
    assert files
    return files


def _imports(source: str) -> Iterator[str]:
    """The top-level package of everything that a module imports, wherever the import stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def _contract(kind: str, module: str = "") -> dict[str, Any]:
    """The contract of a type; of forbidden imports that whose list begins with the module."""
    (found,) = [
        c for c in CONTRACTS if c["type"] == kind and (not module or module in c["forbidden_modules"][:1])
    ]
    return found


@pytest.mark.parametrize("container", ["pipeline", "pipeline.worker"])
def test_every_room_is_a_layer_and_every_layer_a_room(container: str) -> None:
    (layers,) = [c for c in CONTRACTS if c["type"] == "layers" and c["containers"] == [container]]
    assert layers["exhaustive"] is True
    named = [room.strip() for layer in layers["layers"] for room in re.split("[|:]", layer)]
    place = PIPELINE.parent / container.replace(".", "/")
    rooms = {path.stem for path in place.glob("*.py")} - {"__init__"}
    rooms |= {path.name for path in place.iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    assert sorted(named) == sorted(rooms)


@pytest.mark.parametrize(("module", "home"), [("av", "media"), ("click", "cli")])
def test_a_contract_keeps_a_library_in_its_room(module: str, home: str) -> None:
    kept_out = {name.removeprefix("pipeline.") for name in _contract("forbidden", module)["source_modules"]}
    rooms = {path.name for path in PIPELINE.iterdir() if (path / "__init__.py").exists()}
    assert rooms - kept_out == {home}


def test_the_contract_of_the_pure_rooms_names_them() -> None:
    assert set(_contract("forbidden", "os")["source_modules"]) == {
        "pipeline.model",
        "pipeline.layout",
        "pipeline.vendors",
        "pipeline.errors",
    }


@pytest.mark.parametrize("module", MODULES)
def test_a_library_is_imported_only_where_it_lives(module: str) -> None:
    found = set(_imports((PIPELINE / module).read_text(encoding="utf-8")))
    strangers = {name for name, homes in HOMES.items() if name in found and not module.startswith(homes)}
    assert not strangers


@pytest.mark.parametrize("library", HOMES)
def test_the_home_of_a_library_uses_it(library: str) -> None:
    homes = [m for m in MODULES if m.startswith(HOMES[library])]
    assert any(library in set(_imports((PIPELINE / m).read_text(encoding="utf-8"))) for m in homes)


@pytest.mark.parametrize(
    "source",
    ["import av", "import av.error", "from av import open", "def f():\n    from av.error import E"],
)
def test_an_import_is_seen_wherever_it_stands(source: str) -> None:
    assert list(_imports(source)) == ["av"]


def test_nothing_lies_outside_the_known_top_level() -> None:
    assert {path.parts[0] for path in _tracked()} - TOP_LEVEL == set()


def test_nothing_large_is_in_the_tree() -> None:
    assert [str(path) for path in _tracked() if (ROOT / path).stat().st_size > MOST_BYTES] == []


def test_no_room_or_module_has_a_name_that_takes_in_anything() -> None:
    named = {part for path in _tracked() if path.suffix == ".py" for part in path.with_suffix("").parts}
    assert named & NO_NAMES == set()


def test_no_media_is_in_the_tree_but_the_clips_that_cannot_be_generated() -> None:
    media = {".ts", ".mp4", ".m4a", ".webm", ".m3u8", ".aac"}
    there = [path for path in _tracked() if path.suffix in media]
    assert [str(path) for path in there if path.parent.as_posix() != "fixtures/clips"] == []
    assert len(there) == 2


@pytest.mark.parametrize("module", [m for m in MODULES if m != "__init__.py"])
def test_a_module_says_at_its_head_what_may_live_in_it(module: str) -> None:
    assert ast.get_docstring(ast.parse((PIPELINE / module).read_text(encoding="utf-8")))


def test_the_wheel_takes_in_the_scenario_of_the_demo() -> None:
    """All of pipeline is packed but what git ignores; ``make wheel`` runs the demo from a real wheel."""
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel == {"packages": ["pipeline"]}
    assert Path("pipeline/demo/meeting.toml") in _tracked()
    assert '/bin/recpipe" demo' in (ROOT / ".ci/wheel").read_text(encoding="utf-8")


def test_constraints_pin_versions_and_name_no_place_to_fetch_them_from() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line)] == []


def test_constraints_pin_every_library_that_the_project_names() -> None:
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    }
    project = PROJECT["project"]
    named = [
        *project["dependencies"],
        *(d for extra in project["optional-dependencies"].values() for d in extra),
    ]
    assert {re.split(r"[\[<>=~! ]", name)[0].lower() for name in named} - pinned == set()


def test_the_makefile_helps_with_every_public_target() -> None:
    told = subprocess.run(
        [MAKE, "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    helped = set(re.findall(r"^  make ([a-z-]+) +\S", told, re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    parts = re.search(r"^check: ([^#]*)", MAKEFILE, re.MULTILINE)
    assert phony
    assert parts
    assert helped == set(phony[1].split()) - set(parts[1].split())


def test_every_target_of_the_makefile_is_phony_or_a_file() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert targets == set(phony[1].split())
