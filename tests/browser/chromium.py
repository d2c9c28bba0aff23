"""A real Chromium that opens ``page.html`` from a server of ours and tells what it saw and heard.

Only the loopback is used; the browser is started with a new profile and everything switched off that would
speak to anybody else.
"""

from __future__ import annotations

import json
import queue
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

BROWSER = shutil.which("chromium")
PAGE = Path(__file__).parent / "page.html"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
TIMEOUT_S = 60
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True, slots=True)
class Report:
    """What the page found.

    Attributes:
        found: by file name: ``clock`` (pairs of audio context and media seconds), ``first`` (context frame of
            the first sample heard), ``looks``, ``duration``, ``width``, ``height``, ``error``.
        heard: by file name: what came out while it played, 48 kHz.
        ranges: by file name: how many requests for a range were answered.
        decoded: by file name: what ``decodeAudioData`` makes of it, 48 kHz.
    """

    found: Mapping[str, Any]
    heard: Mapping[str, npt.NDArray[np.float64]]
    decoded: Mapping[str, npt.NDArray[np.float64]]
    ranges: Mapping[str, int]


@dataclass(slots=True)
class _Exchange:
    """What the server gives out and takes in."""

    files: Mapping[str, Path]
    work: bytes
    sounds: dict[str, bytes] = field(default_factory=dict)
    ranges: Counter[str] = field(default_factory=Counter)
    done: queue.Queue[bytes] = field(default_factory=queue.Queue)


def watch(files: Mapping[str, Path], seeks: Mapping[str, Sequence[float]]) -> Report:
    """Play files to their end, side by side in real time, then seek in them.

    Args:
        files: by name.
        seeks: seconds to look at, by name.

    Raises:
        RuntimeError: the page failed; the text is its error.
        queue.Empty: nothing was heard of it in time.
    """
    work = json.dumps([{"name": name, "seeks": list(seeks[name])} for name in files]).encode()
    exchange = _Exchange(files, work)
    with _server(exchange) as port, browser(f"http://127.0.0.1:{port}/"):
        told = json.loads(exchange.done.get(timeout=TIMEOUT_S))
    if "error" in told:
        raise RuntimeError(told["error"])
    sounds = {path: np.frombuffer(data, "<f4").astype(np.float64) for path, data in exchange.sounds.items()}
    return Report(
        told["found"],
        {name: sounds[f"/heard/{name}"] for name in files},
        {name: sounds[f"/decoded/{name}"] for name in files},
        exchange.ranges,
    )


@contextmanager
def browser(url: str, *flags: str) -> Iterator[None]:
    """A browser that shows a page, with these flags beside `FLAGS`."""
    assert BROWSER is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [BROWSER, *FLAGS, *flags, f"--user-data-dir={profile}", url],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def _server(exchange: _Exchange) -> Iterator[int]:
    class Handler(_Handler):
        shared = exchange

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    shared: _Exchange
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/":
            self._give(PAGE.read_bytes(), "text/html")
        elif self.path == "/work":
            self._give(self.shared.work, "application/json")
        elif (path := self.shared.files.get(self.path.removeprefix("/"))) is not None:
            self._give(path.read_bytes(), "video/mp4")
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/found":
            self.shared.done.put(data)
        else:
            self.shared.sounds[self.path] = data
        self._give(b"", "text/plain")

    def _give(self, data: bytes, kind: str) -> None:
        """The whole, or the range that was asked for (RFC 9110, 14)."""
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        begin = int(asked[1]) if asked else 0
        end = min(len(data), int(asked[2]) + 1) if asked and asked[2] else len(data)
        self.send_response(HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(end - begin))
        if asked:
            self.shared.ranges[self.path.removeprefix("/")] += 1
            self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(data)}")
        self.end_headers()
        try:
            self.wfile.write(data[begin:end])
        except ConnectionError:
            self.close_connection = True  # the browser has heard enough of this range

    def log_message(self, *_: object) -> None:
        """Say nothing."""
