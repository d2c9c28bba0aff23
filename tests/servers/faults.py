"""Storage that fails as told: a proxy before a real server that spoils chosen answers.

Plain HTTP, or TLS on both sides. The client's endpoint is the proxy and the ``Host`` it signed is handed on,
so that signatures hold. Bodies are read whole before anything happens; a client that ends within one is not
counted.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.servers.certificates import Certificates
    from tests.servers.s3 import S3Server

PATIENCE_S = 60
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect"}
Headers: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as the proxy saw it.

    Attributes:
        number: from 1, in the order of arrival.
        method: GET, PUT …
        path: percent-encoded, as sent.
        query: without the question mark.
        headers: their names in lower case.
    """

    number: int
    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection instead of answering: before the server hears of it, or once it has answered."""

    after: bool = False


@dataclass(frozen=True, slots=True)
class Strike:
    """Do something (kill the client) at the same two moments, then close the connection."""

    act: Callable[[Request], object]
    after: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer instead of the server, with an error in the form of S3."""

    status: HTTPStatus
    code: str
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Truncate:
    """Close the connection after these bytes of the body; the header promises all of them."""

    keep: int


@dataclass(frozen=True, slots=True)
class Flip:
    """Turn all bits of one byte of the body."""

    at: int


@dataclass(frozen=True, slots=True)
class Header:
    """Set a header of the server's answer."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Hand the request on later; never, when the proxy ends meanwhile."""

    seconds: float


Fault: TypeAlias = Drop | Strike | Answer | Truncate | Flip | Header | Wait
Rule: TypeAlias = "Callable[[Request], Fault | None]"

DENIED = Answer(HTTPStatus.FORBIDDEN, "AccessDenied")
EXPIRED = Answer(HTTPStatus.BAD_REQUEST, "ExpiredToken")


def slow_down(retry_after: str = "") -> Answer:
    """What a busy store says; with the header where given."""
    headers = (("Retry-After", retry_after),) if retry_after else ()
    return Answer(HTTPStatus.SERVICE_UNAVAILABLE, "SlowDown", headers)


def never(_: Request) -> None:
    """Hand everything on."""


def at(number: int, fault: Fault) -> Rule:
    """A fault at the n-th request alone."""
    return lambda request: fault if request.number == number else None


def every(count: int, fault: Fault) -> Rule:
    """A fault at each n-th request."""
    return lambda request: fault if request.number % count == 0 else None


@contextmanager
def faulty(
    server: S3Server, rule: Rule = never, certificates: Certificates | None = None
) -> Iterator[FaultyServer]:
    """A proxy before a server, until the block ends.

    Args:
        server: what is behind it; over TLS where its endpoint says so.
        rule: says what happens to a request.
        certificates: to speak TLS with clients; None for http.

    Raises:
        Exception: what failed in it and was no fault of a rule: the server behind it, or a rule itself.
    """
    with FaultyServer(server, rule, certificates) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
            proxy.hang_up()
    if proxy.failed:
        raise proxy.failed[0]


class FaultyServer(ThreadingTCPServer):
    """The proxy.

    Attributes:
        port: of the loopback.
        server: what a client must be told instead of the real one.
        rule: says what happens to a request, in the thread of its connection; may be replaced at any time.
        seen: all requests so far.
        connections: how many clients opened so far.
        failed: what went wrong here.
        ending: set when the proxy ends.
    """

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, server: S3Server, rule: Rule, certificates: Certificates | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = int(self.socket.getsockname()[1])
        here = f"127.0.0.1:{self.port}"
        self.server = replace(server, endpoint=f"http://{here}", ca=None)
        if certificates:
            self.server = replace(server, endpoint=f"https://{here}", ca=certificates.ca)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificates.server)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.rule = rule
        self.seen: list[Request] = []
        self.connections = 0
        self.failed: list[BaseException] = []
        self._behind = urlsplit(server.endpoint)
        self._trusted = ssl.create_default_context(cafile=server.ca) if server.ca else None
        self.ending = threading.Event()
        self._open: set[Any] = set()
        self._lock = threading.Lock()

    def noted(self, method: str, target: str, headers: Mapping[str, str]) -> Request:
        """Count a request."""
        path, _, query = target.partition("?")
        named = {name.lower(): value for name, value in headers.items()}
        with self._lock:
            request = Request(len(self.seen) + 1, method, path, query, named)
            self.seen.append(request)
        return request

    def behind(self) -> HTTPConnection:
        """A new connection to the real server: an old one may have been closed meanwhile."""
        assert self._behind.hostname
        name, port = self._behind.hostname, self._behind.port
        if self._trusted:
            return HTTPSConnection(name, port, timeout=PATIENCE_S, context=self._trusted)
        return HTTPConnection(name, port, timeout=PATIENCE_S)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection."""
        with self._lock:
            self.connections += 1
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget it."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close what clients keep open and wait for nothing more, so that all threads end."""
        self.ending.set()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as the base class has it
        """A client that is gone is none of our failures."""
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError | ssl.SSLError):
            self.failed.append(error)


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    reason: str
    headers: Headers
    body: bytes


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: FaultyServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        if "Transfer-Encoding" in self.headers:
            # boto3 sends such bodies over TLS alone, and this speaks http.
            raise ValueError("a body without Content-Length: give the client an http endpoint")
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        request = self.server.noted(self.command, self.path, dict(self.headers))
        fault = self.server.rule(request)
        if isinstance(fault, Answer):
            self._send(_refusal(fault))
        elif isinstance(fault, Drop | Strike):
            self._break_off(request, fault, body)
        elif isinstance(fault, Wait) and self.server.ending.wait(fault.seconds):
            self.close_connection = True
        else:
            self._spoil(self._handed_on(body), fault)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - the base class's names

    def _break_off(self, request: Request, fault: Drop | Strike, body: bytes) -> None:
        if fault.after:
            self._handed_on(body)
        if isinstance(fault, Strike):
            fault.act(request)
        self.close_connection = True

    def _spoil(self, reply: _Reply, fault: Fault | None) -> None:
        match fault:
            case Header(name, value):
                kept = tuple(pair for pair in reply.headers if pair[0].lower() != name.lower())
                self._send(replace(reply, headers=(*kept, (name, value))))
            case Flip(at=place):
                flipped = bytes([reply.body[place] ^ 0xFF])
                self._send(replace(reply, body=reply.body[:place] + flipped + reply.body[place + 1 :]))
            case Truncate(keep):
                self._send(replace(reply, body=reply.body[:keep]))
                self.close_connection = True
            case _:
                self._send(reply)

    def _handed_on(self, body: bytes) -> _Reply:
        """What the server says to this request."""
        connection = self.server.behind()
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    connection.putheader(name, value)
            connection.endheaders(body or None)
            response = connection.getresponse()
            data = response.read()
        except (OSError, HTTPException) as error:
            raise RuntimeError(f"the server behind the proxy failed: {self.command} {self.path}") from error
        finally:
            connection.close()
        headers = [pair for pair in response.getheaders() if pair[0].lower() not in HOP_BY_HOP]
        if "Content-Length" not in response.headers:  # it came in chunks
            headers.append(("Content-Length", str(len(data))))
        return _Reply(response.status, response.reason, tuple(headers), data)

    def _send(self, reply: _Reply) -> None:
        self.send_response_only(reply.status, reply.reason)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _refusal(answer: Answer) -> _Reply:
    told = f"<Code>{answer.code}</Code><Message>As the test wants it.</Message>"
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error>{told}</Error>'.encode()
    headers = (("Content-Type", "application/xml"), ("Content-Length", str(len(body))), *answer.headers)
    return _Reply(answer.status, answer.status.phrase, headers, body)
