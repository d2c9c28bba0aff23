"""Any acts in any order on the engine on SQLite."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis.stateful import initialize

from pipeline.worker.queue.sqlite.engine import SqliteEngine
from tests.worker.machine import BUSY, OfOneMachine

if TYPE_CHECKING:
    from pipeline.worker.queue.engine import Engine
    from tests.worker.clocks import Hands


MEMORY = Path("/dev/shm")  # noqa: S108  # folders in it have names by chance


class _OnSqlite(OfOneMachine):
    """Each example in a folder of its own, in memory where that can be: nothing is killed here."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        super().begin()

    def opened(self, hands: Hands) -> Engine:
        return SqliteEngine(Path(self.folder.name) / "queue.db", clock=hands)

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self.folder.cleanup()


TestAnyActs = _OnSqlite.TestCase
TestAnyActs.settings = BUSY
