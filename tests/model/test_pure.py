"""The pure part loads without the codec, numpy, the command line or the network."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest

HEAVY = ("av", "numpy", "click", "rich", "boto3", "pydantic", "PIL")


def pure_modules() -> list[str]:
    names = ["pipeline.errors"]
    for package in ("pipeline.model", "pipeline.layout", "pipeline.vendors"):
        found = import_module(package)
        names += [package, *(m.name for m in pkgutil.walk_packages(found.__path__, f"{package}."))]
    return sorted(names)


def loaded_by(*modules: str) -> set[str]:
    """Which heavy packages a fresh interpreter has after importing these modules."""
    code = f"import sys\nfor name in {modules!r}:\n    __import__(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()} & set(HEAVY)


def test_the_pure_part_loads_without_anything_heavy() -> None:
    modules = pure_modules()
    assert len(modules) > 20
    if loaded_by(*modules):
        guilty = {name: heavy for name in modules if (heavy := loaded_by(name))}
        pytest.fail(f"these load what they must not: {guilty}")


def test_the_check_sees_what_is_loaded() -> None:
    assert loaded_by("pipeline.media.aac", "pipeline.media.placing") == {"numpy"}


def test_the_public_package_loads_nothing_heavy_before_it_is_asked() -> None:
    assert loaded_by("pipeline") == set()
