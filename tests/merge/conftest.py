"""Merges shared by this room: each fixture and set of options is merged once and never written to."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from pipeline.model.options import Options
from pipeline.steps.place import Limits
from tests.merge.merging import Merged, merge

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.demo.made import Made


class Merging(Protocol):
    """What the ``merged`` fixture gives."""

    def __call__(self, name: str, options: Options = ...) -> Merged:
        """The outputs of ``fixtures/<name>.toml``."""


@pytest.fixture(scope="session")
def merged(made: Callable[[str], Made], tmp_path_factory: pytest.TempPathFactory) -> Merging:
    """Merges a fixture with options."""
    kept: dict[tuple[str, Options], Merged] = {}

    def get(name: str, options: Options = Options()) -> Merged:  # noqa: B008 - a frozen value
        if (name, options) not in kept:
            place = tmp_path_factory.mktemp("merged") / name
            kept[name, options] = merge(made(name), place, options, Limits())
        return kept[name, options]

    return get


@pytest.fixture
def copy(made: Callable[[str], Made], tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a recording that may be spoilt."""

    def copied(name: str) -> Path:
        return Path(shutil.copytree(made(name).place, tmp_path / "in" / name))

    return copied
