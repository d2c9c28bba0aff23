"""`recpipe serve` without its command line: the listeners, and beside them the thread that makes jobs."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pipeline.errors import RecpipeError
from pipeline.journal.here import utc_ms
from pipeline.sources.open import open_source
from pipeline.worker.serve.allowed import Allowed
from pipeline.worker.serve.inbox.dispatch import Dispatcher
from pipeline.worker.serve.inbox.inbox import Inbox
from pipeline.worker.serve.listening import listen, serve, server_of, url_of
from pipeline.worker.serve.operations.app import operations_app
from pipeline.worker.serve.public.app import PublicApp
from pipeline.worker.serve.public.counts import Counts
from pipeline.worker.serve.public.intake import Intake
from pipeline.worker.watch import Watch, keep_looking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from pipeline.vendors.inventory import Object
    from pipeline.worker.queue.engine import Engine
    from pipeline.worker.serve.inbox.settings import ServeSettings, Watched
    from pipeline.worker.watch import Submission

LOOK_S = 1.0
"""Between two looks for tasks that are due; news of this process is looked at without waiting."""
AWAY_S = 5.0
"""After the queue or the inbox could not be reached."""
TIDY_S = 3600.0
END_S = 15.0
"""For threads to let go of queue and inbox, once the listeners have: longer than these wait for a lock."""
JOIN_S = 0.05
"""Between two looks whether they have."""


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
        inside = operations_app(
            served.engine, served.allowed, served.token, counts, inbox, hosts=served.hosts
        )
        stack.callback(inside.close)
        watches = [_Watching(served, watched, tell) for watched in served.settings.watches]
        stack.enter_context(_beside(_Dispatching(dispatcher, news, tell), *watches))
        ready(f"public {url_of(public)}\noperations {url_of(operations)}")
        asyncio.run(serve([(server_of(app.asgi), public), (server_of(inside), operations)]))


class _Beside(Protocol):
    """Work for a thread beside the listeners."""

    def run(self, over: threading.Event) -> None:
        """Do it until it is over."""

    def wake(self) -> None:
        """Look whether it is over."""

    def is_away(self) -> bool:
        """Whether it waits for something outside, and does nothing more if it is over by then."""
        ...


@contextmanager
def _beside(*works: _Beside) -> Iterator[None]:
    """Have each done in a thread while the block runs; who is away when it ends is not waited for."""
    over = threading.Event()
    threads = [threading.Thread(target=work.run, args=(over,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        until = time.monotonic() + END_S
        for work, thread in zip(works, threads, strict=True):
            work.wake()
            while thread.is_alive() and not work.is_away() and time.monotonic() < until:
                thread.join(JOIN_S)


class _Watching:
    """A store that is looked at."""

    def __init__(self, served: Served, watched: Watched, tell: Callable[[str], None]) -> None:
        self._watched = watched
        self._config = served.settings.config or None
        self._tell = tell
        self._engine = served.engine
        self._away = threading.Event()

    def wake(self) -> None:
        """It waits for its end."""

    def is_away(self) -> bool:
        """While the store is listed."""
        return self._away.is_set()

    def run(self, over: threading.Event) -> None:
        """As `_Beside.run`."""
        watched = self._watched
        watch = Watch(
            self._engine,
            watched.store,
            watched.template,
            settle_ms=watched.settle_ms,
            listing=lambda: self._listed(over),
            clock=utc_ms,
            deadline_ms=watched.deadline_ms,
            is_over=over.is_set,
        )

        def tell(said: str) -> None:
            if not over.is_set():
                self._tell(said)

        while not over.is_set():
            try:
                keep_looking(watch, watched.every_ms / 1000, over, self._made, tell)
            except Exception as error:  # noqa: BLE001 - as for the dispatcher
                kind = "" if isinstance(error, RecpipeError) else f"{type(error).__name__}: "
                tell(f"{watched.store} cannot be looked at: {kind}{error}")
                over.wait(watched.every_ms / 1000)

    def _listed(self, over: threading.Event) -> Iterable[Object]:
        """What lies in the store; nothing where it was over before that was told."""
        self._away.set()
        try:
            found = list(open_source(self._watched.store, None, self._config, os.environ).objects())
        finally:
            self._away.clear()
        return () if over.is_set() else found  # asked when we are no longer away: nobody has closed the queue

    def _made(self, found: Submission) -> None:
        self._tell(f"job {found.id}: {found.source} was found, {found.why}.")


@dataclass(frozen=True, slots=True)
class _Dispatching:
    """Tasks that are looked at."""

    dispatcher: Dispatcher
    news: threading.Event
    tell: Callable[[str], None]

    def wake(self) -> None:
        """It waits for news."""
        self.news.set()

    def is_away(self) -> bool:
        """It has to do with inbox and queue alone."""
        return False

    def run(self, over: threading.Event) -> None:
        """As `_Beside.run`."""
        said, tidied = "", float("-inf")
        while not over.is_set():
            self.news.clear()
            try:
                if time.monotonic() - tidied > TIDY_S:
                    self.dispatcher.inbox.tidy()
                    tidied = time.monotonic()
                while self.dispatcher.turn(over.is_set) and not over.is_set():
                    pass
                said = ""
            except Exception as error:  # noqa: BLE001 - the thread must outlive whatever befalls it
                now = str(error) if isinstance(error, RecpipeError) else f"{type(error).__name__}: {error}"
                if now != said:
                    self.tell(f"events wait: {now}")
                said = now
                over.wait(AWAY_S)
            if not over.is_set():
                self.news.wait(LOOK_S)
