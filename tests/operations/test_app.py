"""The app in this process: what becomes of its threads."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from pipeline.worker.queue.sqlite.engine import SqliteEngine
from pipeline.worker.serve.allowed import Allowed
from pipeline.worker.serve.operations.app import operations_app

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

    from pipeline.worker.queue.jobs import State

ENDS_S = 0.2


def test_whoever_closes_it_waits_for_what_the_queue_is_being_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = SqliteEngine(tmp_path / "queue.db")
    asked, may_end, counts = threading.Event(), threading.Event(), engine.counts
    answers: list[Mapping[State, int]] = []

    def slow() -> Mapping[State, int]:
        asked.set()
        may_end.wait()
        answers.append(counts())
        return answers[0]

    monkeypatch.setattr(engine, "counts", slow)
    app = operations_app(engine, Allowed(), None)

    async def receive() -> Any:
        await asyncio.sleep(0)

    async def send(_: Any) -> None:
        await asyncio.sleep(0)

    scope = {"type": "http", "method": "GET", "path": "/ready", "headers": [], "query_string": b""}
    thread = threading.Thread(target=lambda: asyncio.run(app(scope, receive, send)))
    thread.start()
    asked.wait()
    threading.Timer(ENDS_S, may_end.set).start()
    app.close()
    assert answers
    thread.join()
    engine.close()
