"""What every room's tests share: documents compared as text, and generated recordings."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.demo.made import Made

pytest_plugins = ["tests.servers.fixtures", "tests.servers.postgres"]

settings.register_profile("recpipe", deadline=None)  # a busy machine is no failure
settings.load_profile("recpipe")

LONGEST = {"test_readme.py", "test_chunks.py", "test_chromium.py"}
_TESTS = Path(__file__).parent
_FIXTURES = _TESTS.parent / "fixtures"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden-update", action="store_true", help="write golden texts instead of comparing")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests first: all others are done beside them, and nobody waits for them at the end."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_collection_finish() -> None:
    """All that stays to the end, a million of objects: no collection of garbage has to look at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with a file, its path relative to ``tests``, or writes it with ``--golden-update``."""

    def compare(path: str, text: str) -> None:
        file = _TESTS / path
        if request.config.getoption("--golden-update"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.is_file(), f"there is no {path}: run pytest with --golden-update and review it"
        assert text == file.read_text(encoding="utf-8")

    return compare


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """The recording of ``fixtures/<name>.toml`` and the truth about it; made once, never to be written to.

    Each xdist worker has its own temporary folder and its own copies.
    """
    recordings: dict[str, Made] = {}

    def get(name: str) -> Made:
        if name not in recordings:
            scenario = parse((_FIXTURES / f"{name}.toml").read_text(encoding="utf-8"))
            recordings[name] = make(scenario, tmp_path_factory.mktemp("recordings") / name)
        return recordings[name]

    return get
