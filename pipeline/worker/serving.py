"""`recpipe serve` without its command line: the listeners, and beside them the thread that makes jobs."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.errors import RecpipeError
from pipeline.journal.here import utc_ms
from pipeline.sources.open import open_source
from pipeline.worker.allowed import Allowed
from pipeline.worker.inbox.dispatch import Dispatcher
from pipeline.worker.inbox.inbox import Inbox
from pipeline.worker.listening import listen, serve, server_of, url_of
from pipeline.worker.operations.app import operations_app
from pipeline.worker.public.app import PublicApp
from pipeline.worker.public.counts import Counts
from pipeline.worker.public.intake import Intake
from pipeline.worker.watch import Watch, keep_looking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pipeline.worker.engine import Engine
    from pipeline.worker.inbox.settings import ServeSettings, Watched
    from pipeline.worker.watch import Submission

LOOK_S = 1.0
"""Between two looks for tasks that are due; news of this process is looked at without waiting."""
AWAY_S = 5.0
"""After the queue or the inbox could not be reached."""
TIDY_S = 3600.0


@dataclass(frozen=True, slots=True)
class Served:
    """What is served.

    Attributes:
        engine: the queue.
        inbox: path of the file of events.
        settings: apps and rules.
        secrets: by route and app.
        public: ``HOST:PORT``.
        operations: the other one; its binding has been checked.
        allowed: what a job may name that is posted there.
        token: that is asked for there; None for none.
        hosts: names by which it is reached.
    """

    engine: Engine
    inbox: Path
    settings: ServeSettings
    secrets: Mapping[str, Mapping[str, tuple[bytes, ...]]]
    public: str
    operations: str
    allowed: Allowed = field(default_factory=Allowed)
    token: bytes | None = None
    hosts: frozenset[str] = frozenset()


def run(served: Served, *, tell: Callable[[str], None], ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT comes.

    Args:
        served: what.
        tell: is told sentences for people.
        ready: is told where each listener is, once all of them listen.

    Raises:
        CommandError: an address cannot be listened at, or the inbox is none.
        OutputError: the inbox cannot be kept.
    """
    with ExitStack() as stack:
        inbox = Inbox(served.inbox, clock=utc_ms)
        stack.callback(inbox.close)
        public = stack.enter_context(listen(served.public))
        operations = stack.enter_context(listen(served.operations))
        counts = Counts()
        news = threading.Event()
        app = PublicApp(Intake(inbox, served.secrets, counts, news.set, tell))
        stack.callback(app.close)
        dispatcher = Dispatcher(inbox, served.engine, served.settings, utc_ms, tell)
        stack.enter_context(_beside(dispatcher, news, tell))
        for watched in served.settings.watches:
            stack.enter_context(_watching(served, watched, tell))
        inside = operations_app(
            served.engine, served.allowed, served.token, counts, inbox, hosts=served.hosts
        )
        ready(f"public {url_of(public)}\noperations {url_of(operations)}")
        asyncio.run(serve([(server_of(app.asgi), public), (server_of(inside), operations)]))


@contextmanager
def _beside(dispatcher: Dispatcher, news: threading.Event, tell: Callable[[str], None]) -> Iterator[None]:
    """Have tasks looked at in a thread while the block runs."""
    over = threading.Event()
    thread = threading.Thread(target=_dispatch, args=(dispatcher, news, over, tell), name="dispatcher")
    thread.start()
    try:
        yield
    finally:
        over.set()
        news.set()
        thread.join()


@contextmanager
def _watching(served: Served, watched: Watched, tell: Callable[[str], None]) -> Iterator[None]:
    """Have a store looked at in a thread while the block runs."""
    config = served.settings.config or None
    watch = Watch(
        served.engine,
        watched.store,
        watched.template,
        settle_ms=watched.settle_ms,
        listing=lambda: open_source(watched.store, None, config, os.environ).objects(),
        clock=utc_ms,
        deadline_ms=watched.deadline_ms,
    )
    over = threading.Event()

    def made(found: Submission) -> None:
        tell(f"job {found.id}: {found.source} was found, {found.why}.")

    def look() -> None:
        while not over.is_set():
            try:
                keep_looking(watch, watched.every_ms / 1000, over, made, tell)
            except Exception as error:  # noqa: BLE001 - as for the dispatcher
                kind = "" if isinstance(error, RecpipeError) else f"{type(error).__name__}: "
                tell(f"{watched.store} cannot be looked at: {kind}{error}")
                over.wait(watched.every_ms / 1000)

    thread = threading.Thread(target=look, name="watch")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _dispatch(
    dispatcher: Dispatcher, news: threading.Event, over: threading.Event, tell: Callable[[str], None]
) -> None:
    said, tidied = "", float("-inf")
    while not over.is_set():
        news.clear()
        try:
            if time.monotonic() - tidied > TIDY_S:
                dispatcher.inbox.tidy()
                tidied = time.monotonic()
            while dispatcher.turn() and not over.is_set():
                pass
            said = ""
        except Exception as error:  # noqa: BLE001 - the thread must outlive whatever befalls it
            now = str(error) if isinstance(error, RecpipeError) else f"{type(error).__name__}: {error}"
            if now != said:
                tell(f"events wait: {now}")
            said = now
            over.wait(AWAY_S)
        news.wait(LOOK_S)
