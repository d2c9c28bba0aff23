"""A worker process of tests of the PostgreSQL engine: claims, beats, ends, and writes down what it was told.

    python -m tests.worker.labour DSN LEDGER    (the password in PGPASSWORD)

What a job's document says is done with it: ``{"do": "hang"}`` stops this process in the middle. Each line of
the ledger is one of ``claimed|done|lost ID TOKEN``, written when the engine had answered.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from pipeline.errors import EngineBusyError, LostError
from pipeline.worker.queue.jobs import Claim, Ended, Needs, State
from pipeline.worker.queue.postgres.engine import PostgresEngine
from pipeline.worker.queue.postgres.session import Session
from tests.worker.postgres_queue import opened

_POLL_S = 0.02
_DONE = Ended(State.DONE, 0)


def work(engine: PostgresEngine, name: str, ledger: Path) -> None:
    """Until the file ``stop`` lies beside the ledger."""
    with ledger.open("a", encoding="ascii") as book:
        while not ledger.with_name("stop").exists():
            try:
                claim = engine.claim(name, Needs())
            except EngineBusyError:
                claim = None
            if claim is None:
                time.sleep(_POLL_S)
                continue
            print("claimed", claim.job.id, claim.token, file=book, flush=True)
            if json.loads(claim.job.order.document).get("do") == "hang" and claim.token == 1:
                os.kill(os.getpid(), signal.SIGSTOP)
            print(_finish(engine, claim), claim.job.id, claim.token, file=book, flush=True)


def _finish(engine: PostgresEngine, claim: Claim) -> str:
    beaten = False
    while True:
        try:
            if not beaten:
                engine.beat(claim, 500)
            beaten = True
            engine.end(claim, _DONE)
        except EngineBusyError:
            time.sleep(_POLL_S)
        except LostError:
            return "lost"
        else:
            return "done"


if __name__ == "__main__":
    place, written = sys.argv[1:]
    labouring = PostgresEngine(Session(lambda: opened(place, os.environ["PGPASSWORD"]), "the test's"))
    work(labouring, f"worker {os.getpid()}", Path(written))
    labouring.close()
