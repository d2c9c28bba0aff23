"""Sockets that are listened at, and the servers behind them: uvicorn, within bounds that it does not have.

uvicorn waits for the head of a first request for ever, and takes any number of connections.
"""

from __future__ import annotations

import asyncio
import re
import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from pipeline.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HEAD_S = 10.0
"""For the head of a request, from the connection or the answer before on."""
IDLE_S = 5
WORK_S = 30.0
"""For a request and its answer, of which a sender could read nothing."""
MOST_CONNECTIONS = 256
MOST_HEAD = 16 << 10
GRACE_S = 10
BACKLOG = 128
MOST_PORT = 65_535
_LISTEN = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.\-]+):(?P<port>[0-9]{1,5})", re.ASCII)


def listen(address: str) -> socket.socket:
    """A socket that listens.

    Args:
        address: ``HOST:PORT``, an IPv6 address in brackets; port 0 for any that is free.

    Raises:
        CommandError: it is none, or cannot be listened at.
    """
    found = _LISTEN.fullmatch(address)
    if found is None or int(found["port"]) > MOST_PORT:
        raise CommandError(f"{address!r} is no address to listen at: expected HOST:PORT.")
    host = found["host"].strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(found["port"])), family=family, backlog=BACKLOG)
    except OSError as error:
        raise CommandError(f"nothing can listen at {address} ({error.strerror}): name another.") from error


def url_of(listening: socket.socket) -> str:
    """Where it is reached."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Bounded(H11Protocol):
    """A connection whose heads come in time, and which takes its answers."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self._after(HEAD_S, self._head_is_late)

    def on_response_complete(self) -> None:
        """Wait for the next head."""
        self._after(HEAD_S, self._head_is_late)
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _after(self, seconds: float, act: Any, *args: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, act, *args)

    def _head_is_late(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle  # None until the first head has come
        if cycle is None or cycle.response_complete:
            self.transport.abort()
        else:
            self._after(WORK_S, self._is_stuck, cycle)

    def _is_stuck(self, cycle: object) -> None:
        if self.cycle is cycle:
            self.transport.abort()


class _Server(uvicorn.Server):
    """One of several in a process, which share its signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to `serve`."""
        yield


def server_of(app: Any) -> uvicorn.Server:
    """A server of an ASGI app. It logs bugs alone: what else is worth a sentence, the app tells."""
    return _Server(
        uvicorn.Config(
            app,
            http=Bounded,
            loop="asyncio",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=IDLE_S,
            timeout_graceful_shutdown=GRACE_S,
            h11_max_incomplete_event_size=MOST_HEAD,
        )
    )


async def serve(servers: Sequence[tuple[uvicorn.Server, socket.socket]]) -> None:
    """Serve until SIGTERM or SIGINT comes, then end what has begun; the second signal does not wait."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server, _ in servers:
            server.force_exit = server.should_exit
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        async with asyncio.TaskGroup() as group:
            for server, listening in servers:
                group.create_task(server.serve([listening]))
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
