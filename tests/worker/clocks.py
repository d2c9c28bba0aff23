"""A machine's clocks in a test's hands."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.worker.queue.sqlite.boot import Instant


@dataclass(slots=True)
class Hands:
    """A `Clock`; time passes on both dials, and each can be set."""

    utc_ms: int = 1_790_000_000_000
    boot: str = "this start"
    since_ms: int = 5_000_000

    def __call__(self) -> Instant:
        return Instant(self.utc_ms, self.boot, self.since_ms)

    def pass_ms(self, ms: int) -> None:
        self.utc_ms += ms
        self.since_ms += ms
