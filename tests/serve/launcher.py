"""``python -m tests.serve.launcher``: takes callbacks in, makes jobs of them, is killed where a test says.

It is the intake and the dispatcher of `recpipe serve` without its sockets. Its orders are one JSON document,
see `Turn`. What was answered with 200 is told on standard output before anything else is done.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.journal.here import utc_ms
from pipeline.storage.settings import read_settings
from pipeline.vendors.events import delivery
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from pipeline.worker.serve.inbox.dispatch import Dispatcher
from pipeline.worker.serve.inbox.inbox import Inbox
from pipeline.worker.serve.inbox.settings import serve_settings
from pipeline.worker.serve.public.counts import Counts
from pipeline.worker.serve.public.intake import Intake
from tests.documents import ROOT
from tests.serve.callbacks import APP, SECRET, trtc

if TYPE_CHECKING:
    from pipeline.worker.queue.sqlite.opening import Connections


@dataclass(frozen=True, slots=True)
class Turn:
    """What is done.

    Attributes:
        folder: with recpipe.toml, the queue and the inbox.
        bodies: of events of TRTC, which come in this order.
        strike: before which statement to SQLite, of inbox and queue together, it is killed; 0 for none.
    """

    folder: str
    bodies: tuple[str, ...]
    strike: int = 0

    def run(self) -> subprocess.CompletedProcess[str]:
        """In a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "tests.serve.launcher", json.dumps(asdict(self))],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )


def main(turn: Turn) -> None:
    """Do it."""
    folder = Path(turn.folder)
    settings = serve_settings(read_settings(str(folder / "recpipe.toml"), {}))
    inbox = Inbox(folder / "inbox.db", clock=utc_ms)
    engine = SqliteEngine(folder / "queue.db")
    _strike([inbox._connections, engine._connections], turn.strike)
    intake = Intake(inbox, {"trtc": {APP: (SECRET.encode(),)}}, Counts(), lambda: None, print)
    dispatcher = Dispatcher(inbox, engine, settings, utc_ms)
    for body in turn.bodies:
        post = trtc(body.encode())
        headers = [(name.encode(), value.encode()) for name, value in post.headers.items()]
        status = intake.take("trtc", delivery(post.body, headers, b"", 0)).status
        os.write(1, f"{status}\n".encode())
        dispatcher.turn()
    dispatcher.turn()


def _strike(each: list[Connections], at: int) -> None:
    seen = 0

    def count(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)

    for connections in each:
        connections.mine().set_trace_callback(count)


if __name__ == "__main__":
    written = json.loads(sys.argv[1])
    main(Turn(**(written | {"bodies": tuple(written["bodies"])})))
