"""The document of the public listener against a real one, by Schemathesis: what nobody else thinks of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipeline.worker.serve.inbox.settings import ROUTES
from pipeline.worker.serve.public.intake import S3
from pipeline.worker.serve.public.openapi import document
from tests.serve.callbacks import SECRET, event, trtc
from tests.serve.served import Serving, configured, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLES, SEED = 40, 1
"""Of each route. A body that fits the document may be refused: what is inside, vendors' pages say."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("openapi")
    configured(folder)
    with serving(folder) as running:
        yield running


def test_every_route_of_the_document_is_one_and_there_are_no_others(served: Serving) -> None:
    paths = set(document(ROUTES)["paths"])
    assert paths == {f"/{route}" for route in ROUTES}
    for path in paths:
        assert served.post(trtc(b"")).status in {400, 401}, path


def test_schemathesis_finds_nothing(served: Serving, tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(document(ROUTES)))
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", "openapi.json"),
        *("--url", f"http://127.0.0.1:{served.port}"),
        *("--max-examples", str(EXAMPLES), "--seed", str(SEED), "--generation-deterministic"),
        *("--header", f"Authorization: Bearer {SECRET}", "--no-color"),
        *("--exclude-checks", "positive_data_acceptance"),
    ]
    home = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert served.process.poll() is None
    assert served.post(trtc(event(301, task="after"))).status == 200
    assert S3 in done.stdout
