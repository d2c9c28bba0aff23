"""A real `recpipe serve` on a free port, what is sent to it, and what it made of that."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.worker.queue.sqlite.engine import SqliteEngine
from tests.documents import ROOT
from tests.serve.callbacks import APP, SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pipeline.worker.queue.jobs import Job
    from tests.serve.callbacks import Post

PATIENCE_S = 30
STORES = """
[stores.calls]
profile = "minio"
endpoint = "http://127.0.0.1:9"
bucket = "calls"

[stores.vod]
profile = "minio"
endpoint = "http://127.0.0.1:9"
bucket = "vod"
"""
JOB = 'job = {version = 1, source = "calls:meeting/{task}", targets = [{place = "vod:{day}/{name}"}]}'
RULES = f"""
[[serve.rules]]
name = "trtc"
vendor = "trtc"
{JOB}

[[serve.rules]]
name = "agora"
vendor = "agora"
{JOB}

[[serve.rules]]
name = "volcengine"
vendor = "volcengine"
{JOB}

[[serve.rules]]
name = "stored"
vendor = "s3"
app = "calls"
job = {{version = 1, source = "calls:{{folder}}", targets = [{{place = "vod:{{name}}"}}]}}
"""
APPS = "".join(
    f'\n[[serve.apps]]\nroute = "{route}"\napp = "{app}"\nsigned_by = ["env:SERVE_SECRET"]\n'
    for route, app in [
        ("trtc", APP),
        ("agora", "one"),
        ("volcengine", "v1"),
        ("s3", "x"),
        ("tuicallkit", APP),
    ]
)
WHOLE = STORES + APPS + RULES


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    body: bytes


@dataclass(slots=True)
class Serving:
    """A process that serves."""

    process: subprocess.Popen[str]
    port: int
    operations: int
    folder: Path

    def post(self, post: Post) -> Answered:
        return send(self.port, post)

    def jobs(self) -> list[Job]:
        """Of its queue, the newest first."""
        with closing(SqliteEngine(self.folder / "queue.db")) as engine:
            return list(engine.jobs())

    def of(self, word: str) -> list[Job]:
        """Those of its jobs whose source holds a word."""
        return [job for job in self.jobs() if word in json.loads(job.order.document)["source"]]

    def made(self, word: str) -> Job:
        """The one job whose source holds a word, once it is there."""
        until(lambda: bool(self.of(word)))
        (job,) = self.of(word)
        return job


def send(port: int, post: Post) -> Answered:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as client:
        client.request("POST", post.path, post.body, {"Content-Type": "application/json", **post.headers})
        answer = client.getresponse()
        return Answered(answer.status, answer.read())


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def configured(folder: Path, text: str = WHOLE) -> Path:
    path = folder / "recpipe.toml"
    path.write_text(text)
    return path


@contextmanager
def serving(
    folder: Path,
    *arguments: str,
    command: Sequence[str] = ("-m", "pipeline"),
    environ: dict[str, str] | None = None,
) -> Iterator[Serving]:
    """One whose queue and inbox are in a folder with a recpipe.toml; it ends with the block."""
    process = subprocess.Popen(
        [
            sys.executable,
            *command,
            "serve",
            *("--engine", f"sqlite:{folder / 'queue.db'}", "--listen", "127.0.0.1:0"),
            *("--operations", "127.0.0.1:0"),
            *("--config", str(folder / "recpipe.toml"), *arguments),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SERVE_SECRET": SECRET, **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        public, operations = process.stdout.readline(), process.stdout.readline()
        assert public.startswith("public http://127.0.0.1:"), process.communicate()
        assert operations.startswith("operations http://127.0.0.1:")
        yield Serving(process, int(public.rpartition(":")[2]), int(operations.rpartition(":")[2]), folder)
    finally:
        process.kill()
        process.communicate()


class Canary:
    """A port that nobody may connect to."""

    def __init__(self, host: str) -> None:
        self._socket = socket.create_server((host, 0))
        self.port: int = self._socket.getsockname()[1]
        self.met = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                self._socket.accept()[0].close()
                self.met += 1

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
