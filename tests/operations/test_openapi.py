"""The OpenAPI document: each route of the app is in it, and what schemathesis asks by it finds nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.worker.queue.sqlite.engine import SqliteEngine
from pipeline.worker.serve.allowed import Allowed
from pipeline.worker.serve.operations.app import Operations
from pipeline.worker.serve.operations.heard import Silence
from pipeline.worker.serve.operations.openapi import DOCUMENT
from tests.operations.listener import ALLOWED, Orders, listening, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.operations.listener import Listener

EXAMPLES = 40


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    folder = tmp_path_factory.mktemp("openapi")
    with listening(Orders(f"sqlite:{folder / 'queue.db'}", str(written(folder, ALLOWED)))) as listener:
        yield listener


def test_every_route_is_in_the_document_with_its_methods(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / "queue.db")
    routes = Operations(engine, Allowed(), Silence(), None).asgi.routes
    told: dict[str, Any] = DOCUMENT["paths"]
    assert {route.path: {m.lower() for m in route.methods or () if m != "HEAD"} for route in routes} == {  # type: ignore[attr-defined]  # all of them are routes
        path: set(operations) for path, operations in told.items()
    }
    engine.close()


@pytest.mark.parametrize(
    "phase",
    [
        pytest.param("fuzzing", id="at random"),
        pytest.param("coverage", marks=pytest.mark.soak, id="each field of a job wrong in each way"),
    ],
)
def test_schemathesis_finds_nothing(there: Listener, tmp_path: Path, phase: str) -> None:
    """A job of the right form may be refused: no schema says which stores there are, or what is a moment."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{there.url}/openapi.json", "--no-color"),
        *("--phases", phase, "--max-examples", str(EXAMPLES)),
        *("--seed", "1", "--generation-deterministic", "--exclude-checks", "positive_data_acceptance"),
    ]
    home = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "POST /jobs" in done.stdout or "7 passed" in done.stdout
    assert there.ask("/ready").status == 200


def test_the_listener_tells_its_document(there: Listener) -> None:
    assert there.ask("/openapi.json").document == DOCUMENT
