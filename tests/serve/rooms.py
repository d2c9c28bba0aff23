"""An inbox, a queue and the rules between them in this process, with a clock in the test's hands."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.storage.settings import read_settings
from pipeline.vendors.events import delivery
from pipeline.worker.queue.sqlite.boot import Instant
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from pipeline.worker.serve.inbox.dispatch import Dispatcher
from pipeline.worker.serve.inbox.inbox import Inbox
from pipeline.worker.serve.inbox.settings import serve_settings
from pipeline.worker.serve.public.counts import Counts
from pipeline.worker.serve.public.intake import Intake
from tests.serve.callbacks import APP, AT_MS, SECRET, trtc
from tests.serve.served import WHOLE, configured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.worker.queue.engine import Engine
    from pipeline.worker.queue.jobs import Job


@dataclass(slots=True)
class Clock:
    """Of inbox and queue."""

    utc_ms: int = AT_MS + 5000

    def __call__(self) -> int:
        return self.utc_ms

    def instant(self) -> Instant:
        return Instant(boot="b", utc_ms=self.utc_ms, since_ms=self.utc_ms)


@dataclass(slots=True)
class Room:
    """What a host that serves has; several may share a queue."""

    clock: Clock
    inbox: Inbox
    engine: Engine
    dispatcher: Dispatcher
    intake: Intake
    counts: Counts
    told: list[str] = field(default_factory=list)

    def take(self, *bodies: bytes, turns: bool = True) -> None:
        """Events of TRTC come in, each of which is looked at before the next comes unless told otherwise."""
        for body in bodies:
            post = trtc(body)
            headers = [(name.encode(), value.encode()) for name, value in post.headers.items()]
            answer = self.intake.take("trtc", delivery(post.body, headers, b"", 0))
            assert answer == (200, b'{"code":0}', "")
            if turns:
                self.dispatcher.turn()
        self.dispatcher.turn()

    def jobs(self) -> list[Job]:
        return list(self.engine.jobs())

    def job(self) -> Job:
        (job,) = self.jobs()
        return job

    def became(self) -> str:
        return self.inbox.latest()[0].became

    def pass_ms(self, ms: int) -> None:
        self.clock.utc_ms += ms
        self.dispatcher.turn()


@contextmanager
def room(
    folder: Path,
    *,
    name: str = "inbox.db",
    clock: Clock | None = None,
    text: str = WHOLE,
    engine: Engine | None = None,
) -> Iterator[Room]:
    """One in a folder, whose queue is ``queue.db`` there unless another is given."""
    clock = clock or Clock()
    settings = serve_settings(read_settings(str(configured(folder, text)), {}))
    inbox = Inbox(folder / name, clock=clock)
    own = None if engine else SqliteEngine(folder / "queue.db", clock=clock.instant)
    queue = engine or own
    assert queue is not None
    counts = Counts()
    told: list[str] = []
    intake = Intake(inbox, {"trtc": {APP: (SECRET.encode(),)}}, counts, lambda: None, told.append)
    try:
        yield Room(
            clock,
            inbox,
            queue,
            Dispatcher(inbox, queue, settings, clock, told.append),
            intake,
            counts,
            told,
        )
    finally:
        inbox.close()
        if own is not None:
            own.close()
