"""A receiver on the loopback: a real server that notes what comes, checks it in its own way, misbehaves.

Signatures are checked by RFC 2104 as it is written there, not by the library that made them.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.certificates import Certificates

BLOCK = 64


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request, as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Of the event."""
        return self.headers["recpipe-event-id"]

    @property
    def timestamp(self) -> str:
        """UTC seconds, as written."""
        return self.headers["recpipe-timestamp"]

    def signed_by(self, secret: bytes) -> bool:
        """Whether one of its signatures was made with a secret."""
        mine = _hmac_sha256(secret, self.timestamp.encode() + b"." + self.body)
        return f"v1={mine}" in self.headers["recpipe-signature"].split(",")


def _hmac_sha256(secret: bytes, text: bytes) -> str:
    """RFC 2104 2: H(K XOR opad, H(K XOR ipad, text))."""
    key = (hashlib.sha256(secret).digest() if len(secret) > BLOCK else secret).ljust(BLOCK, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key) + text).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in key) + inner).hexdigest()


@dataclass(frozen=True, slots=True)
class Says:
    """Answer with a status and headers."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HangsUp:
    """Read the request and close the connection."""


@dataclass(frozen=True, slots=True)
class Sleeps:
    """Answer nothing as long as the receiver is there."""


Deed: TypeAlias = Says | HangsUp | Sleeps
TAKES = Says(204)


@dataclass(slots=True)
class Seen:
    """What a receiver was asked, and what it does next; with nothing left to do it takes all that comes."""

    deeds: list[Deed] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class Receiver(ThreadingHTTPServer):
    """The server.

    Attributes:
        url: of the place that takes events, with a token in it.
        seen: as above.
    """

    daemon_threads = False

    def __init__(self, deeds: list[Deed], certificates: Certificates | None, host: str) -> None:
        super().__init__((host, 0), _Handler)
        self.seen = Seen(deeds)
        if certificates is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificates.server)
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )  # or one that does not finish its handshake would keep all others out
        scheme = "http" if certificates is None else "https"
        self.url = f"{scheme}://{host}:{self.server_port}/events?token=t0ken-of-the-url"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust us, or is gone, is none of our failures."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = self.server.seen
        seen.deliveries.append(Delivery(self.command, self.path, headers, body))
        deed = seen.deeds.pop(0) if seen.deeds else TAKES
        match deed:
            case Says(status, extra):
                self.send_response(status)
                for name, value in extra:
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
            case HangsUp():
                self.close_connection = True
            case Sleeps():
                seen.over.wait()
                self.close_connection = True

    do_GET = do_POST  # noqa: N815 - the base class's name

    def do_CONNECT(self) -> None:
        """As a proxy: tell who was asked for and carry bytes both ways."""
        self.server.seen.deliveries.append(
            Delivery("CONNECT", self.path, {k.lower(): v for k, v in self.headers.items()}, b"")
        )
        there = urlsplit(f"//{self.path}")
        with socket.create_connection((there.hostname, there.port)) as behind:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_carry, args=(behind, self.connection))
            back.start()
            _carry(self.connection, behind)
            back.join()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):  # one side has left
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def receiver(
    *deeds: Deed, certificates: Certificates | None = None, host: str = "127.0.0.1"
) -> Iterator[Receiver]:
    """A receiver that does these things in turn, over TLS with certificates, until the block ends."""
    with Receiver(list(deeds), certificates, host) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.seen.over.set()
            server.shutdown()
            thread.join()
