"""A real Chromium that records something and hands it to a server of ours."""

from __future__ import annotations

import queue
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.browser.chromium import TIMEOUT_S, browser


def recorded(page: bytes, count: int, *flags: str) -> dict[str, bytes]:
    """What a page posts, by path without the slash, until there are ``count`` of it.

    Args:
        page: HTML.
        count: how many bodies to wait for.
        flags: of the browser, beside those that it is always started with.

    Raises:
        RuntimeError: the page posted an ``error``.
        queue.Empty: nothing was heard of it in time.
    """
    taken_in: queue.Queue[tuple[str, bytes]] = queue.Queue()
    found: dict[str, bytes] = {}
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, page, taken_in)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            with browser(f"http://127.0.0.1:{server.server_port}/", *flags):
                while len(found) < count:
                    path, body = taken_in.get(timeout=TIMEOUT_S)
                    if path == "error":
                        raise RuntimeError(body.decode())
                    found[path] = body
        finally:
            server.shutdown()
            thread.join()
    return found


class _Handler(BaseHTTPRequestHandler):
    """Gives out the page and takes in what it recorded."""

    def __init__(self, page: bytes, taken_in: queue.Queue[tuple[str, bytes]], *args: object) -> None:
        self._page = page
        self._taken_in = taken_in
        super().__init__(*args)  # type: ignore[arg-type]  # what the server hands over

    def do_GET(self) -> None:
        self._answer(self._page)

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"")
        self._taken_in.put((self.path[1:], data))

    def _answer(self, body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
