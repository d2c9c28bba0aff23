"""Composites of a queue in shares: as ``recpipe run`` makes them, by whomever, and whatever is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.worker.jobs import State
from pipeline.worker.sqlite.engine import SqliteEngine
from tests.compose.pieces import CALL
from tests.worker.chunk_calls import LEASE_MS, SHARES, Calls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.demo.made import Made


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(parse(CALL), tmp_path_factory.mktemp("chunks") / "source")


@pytest.fixture
def calls(call: Made, tmp_path: Path) -> Iterator[Calls]:
    engine = SqliteEngine(tmp_path / "queue.db", lease_ms=LEASE_MS)
    calls = Calls(call.place, tmp_path, engine, str(tmp_path / "queue.db"))
    try:
        yield calls
    finally:
        for worker in calls.workers:
            worker.kill()
            worker.communicate()
        engine.close()


def test_two_workers_make_a_call_together(calls: Calls) -> None:
    number = calls.submit()
    calls.works_off(2)
    job = calls.assert_done(number)
    assert job.attempts == 1
    parts = calls.parts(number)
    assert [part.state for part in parts] == [State.DONE] * SHARES
    assert len({part.worker for part in parts}) == 2
