"""The operations listener in a process of its own, and what is asked of it.

``python -m tests.operations.listener`` serves what its one argument, a JSON document, says, and prints its
port.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import uvicorn

from pipeline.storage.settings import read_settings
from pipeline.worker.queue.open import open_engine
from pipeline.worker.serve.operations.app import operations_app
from pipeline.worker.serve.operations.settings import operations_settings
from tests.documents import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Orders:
    """What is served.

    Attributes:
        queue: address of it.
        config: a recpipe.toml.
    """

    queue: str
    config: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    data: bytes

    @property
    def document(self) -> Any:
        """Of JSON."""
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.data)

    @property
    def error(self) -> str:
        """The sentence of an error."""
        (told,) = self.document.items()
        assert told[0] == "error"
        sentence = str(told[1])
        assert sentence.endswith(".")
        return sentence


@dataclass(frozen=True, slots=True)
class Listener:
    """One that listens."""

    port: int
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        """Of its page."""
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own; a body that is no bytes goes as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        more = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            more.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body, more)
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, told, response.read())
        finally:
            connection.close()

    def post(self, job: Any, query: str = "", **headers: str) -> Answer:
        """A job."""
        return self.ask(f"/jobs{query}", "POST", job, headers)


@contextmanager
def listening(orders: Orders, **environ: str) -> Iterator[Listener]:
    """A listener in a new process."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.operations.listener", json.dumps(asdict(orders))],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield Listener(int(process.stdout.readline()), process)
        finally:
            process.kill()


def _main(orders: Orders) -> None:
    settings = operations_settings(read_settings(orders.config, os.environ))
    engine = open_engine(orders.queue)
    app = operations_app(engine, settings.allowed, settings.token(os.environ), hosts=settings.hosts)
    socket_ = socket.create_server(("127.0.0.1", 0))
    threading.Thread(
        target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True
    ).start()  # ends with the test
    sys.stdout.write(f"{socket_.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(app, lifespan="off", log_config=None, proxy_headers=False, server_header=False)
    uvicorn.Server(config).run([socket_])


def written(folder: Path, operations: str = "", root: str = "root") -> Path:
    """A recpipe.toml with two stores, and a root for folders."""
    (folder / root).mkdir(exist_ok=True)
    path = folder / "recpipe.toml"
    path.write_text(STORES + f'\n[operations]\nroot = "{root}"\n{operations}', encoding="utf-8")
    return path


STORES = """
[stores.calls]
bucket = "calls"
endpoint = "http://127.0.0.9:1"
profile = "minio"
region = "us-east-1"

[stores.out]
bucket = "out"
endpoint = "http://127.0.0.9:1"
profile = "minio"
region = "us-east-1"
"""
ALLOWED = """
sources = ["calls:live/"]
targets = ["out:"]

[[operations.notify]]
url = "https://hooks.example.com/recpipe"
secret_env = ["HOOK_SECRET"]
"""

if __name__ == "__main__":
    _main(Orders(**json.loads(sys.argv[1])))
