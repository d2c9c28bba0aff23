"""A queue in a file, as the contract wants it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from pipeline.worker.queue.sqlite.engine import SqliteEngine
from tests.worker.clocks import Hands

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.worker.queue.engine import Engine


class Kept:
    """A `Queue`, and the hands on its clocks."""

    def __init__(self, path: Path, closing: ExitStack) -> None:
        self.path = path
        self.hands = Hands()
        self._closing = closing
        self.engine: Engine = self.beside()

    @property
    def utc_ms(self) -> int:
        return self.hands.utc_ms

    def beside(self, hands: Hands | None = None) -> Engine:
        engine = SqliteEngine(self.path, clock=hands or self.hands)
        self._closing.callback(engine.close)
        return engine

    def pass_ms(self, ms: int) -> None:
        self.hands.pass_ms(ms)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Kept]:
    with ExitStack() as closing:
        yield Kept(tmp_path / "queue.db", closing)
