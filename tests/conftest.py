"""What every room's tests share: documents compared as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

_TESTS = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden-update", action="store_true", help="write golden texts instead of comparing")


@pytest.fixture
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
