"""One job from bucket to bucket on a queue of either kind, halted in a step while somebody is struck.

The job is halted where a step has begun and not ended: while it copies or composes by the launcher, at an
upload or an event by the proxy that sees the request. What is there at the end is compared with what
``recpipe run`` makes of the same job while nobody strikes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from pipeline.errors import EngineBusyError
from pipeline.worker.queue.jobs import ENDED, Job, Needs, Order, State
from tests.documents import ROOT
from tests.job.jobs import ENVIRON, document
from tests.kill.launcher import Circumstances
from tests.kill.scene import IN, OUT, PART, STORE
from tests.merge.merging import tree
from tests.notify.receiver import receiver
from tests.servers.clients import AS_VENDORS_TAKE_IT, client
from tests.servers.faults import Drop, FaultyServer, Strike, faulty
from tests.servers.postgres import free_port
from tests.servers.processes import serving
from tests.servers.s3 import REGION, S3Server, account
from tests.storage.servers import bucket
from tests.worker import launcher
from tests.worker.calls import LEASE_MS, PATIENCE_S, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.worker.queue.engine import Engine
    from tests.kill.scene import Call
    from tests.notify.receiver import Receiver
    from tests.servers.faults import Fault, Request, Rule

Step = Literal["copy", "compose", "upload", "notify"]
SMALL = {"kind": "compose", "composite": {"size": "96x72", "fps": 4}}
ROOM = Needs(cores=64, memory=1 << 50, disk=1 << 50)
SHORT_MS = 300
"""Of the lease in the place, where another machine is to take it."""
PATIENT_S = 0.5
"""With a store that does not answer, before an attempt ends."""
HELD = ("copy", "compose")
"""Steps in which the launcher halts the job; in the others a proxy does."""


class Shop:
    """A store whose server can be killed and started again with what it had on its disk.

    Args:
        folder: an empty one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self._running, self._runs = ExitStack(), False
        self.server = S3Server(f"http://127.0.0.1:{self._port}", (account("first"),), None, REGION, "rclone")
        (folder / "data").mkdir()

    def start(self) -> None:
        """Listen, where it does not; in the main thread."""
        if self._runs:
            return
        self._runs = True
        keys = self.server.accounts[0]
        command = ["rclone", "serve", "s3", "--config=", f"--addr=127.0.0.1:{self._port}"]
        command += [f"--auth-key={keys.access_key},{keys.secret_key}", str(self._folder / "data")]
        self._running.enter_context(serving(command, self._folder, r"\[http://127\.0\.0\.1:(\d+)/\]"))

    def kill(self) -> None:
        """With SIGKILL, as `serving` ends whatever it began."""
        self._runs = False
        self._running.close()


@dataclass(slots=True)
class Halt:
    """What proxies do to the requests of a job.

    Attributes:
        wanted: at the first such request the job is halted.
        after: once it was answered, else before it was handed on.
        reached: it is.
        goes: it may go on; the request that it was halted at is broken off.
        away: whoever asks the store is hung up on.
    """

    wanted: Callable[[Request], bool]
    after: bool = False
    reached: threading.Event = field(default_factory=threading.Event)
    goes: threading.Event = field(default_factory=threading.Event)
    away: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def rule(self, request: Request) -> Fault | None:
        """Of a proxy."""
        with self._lock:
            mine = self.wanted(request) and not self.reached.is_set()
            if mine and not self.after:
                self.reached.set()
        if mine:
            return Strike(self._wait, after=self.after)
        return None

    def before_the_store(self, request: Request) -> Fault | None:
        """Of that proxy."""
        return self.rule(request) or (Drop() if self.away else None)

    def _wait(self, _: Request) -> None:
        self.reached.set()
        self.goes.wait(PATIENCE_S)


@dataclass(frozen=True, slots=True)
class Quiet:
    """What ``recpipe run`` left: objects by key, and the event."""

    objects: dict[str, bytes]
    event: dict[str, Any]


@dataclass(slots=True)
class Stage:
    """A job that waits in a queue, and who works there.

    Attributes:
        home: a folder of its own.
        shop: the store of its slices and of its files.
        out: the bucket of the latter.
        hook: the receiver.
        halt: of the proxies.
        queue: its address.
        engine: the test's own way to it.
        environ: of all processes.
        step: where it is halted; "" for nowhere.
        workers: that were begun.
        number: of the job.
    """

    home: Path
    shop: Shop
    out: str
    hook: Receiver
    halt: Halt
    job: str
    environ: dict[str, str]
    step: Step | Literal[""]
    queue: str = ""
    engine: Engine | None = None
    workers: list[subprocess.Popen[str]] = field(default_factory=list)
    number: int = 0

    def submit(self, queue: str, engine: Engine) -> None:
        """Put the job into a queue."""
        self.queue, self.engine = queue, engine
        self.number = engine.submit(Order("the job", self.job)).id

    def start(self, ahead_ms: int = 0, given: Circumstances | None = None) -> subprocess.Popen[str]:
        """A worker; its claims of jobs are as short as the launcher's, and its parts as small."""
        strike = launcher.Strike("hold" if self.step in HELD else "", str(self.mark))
        hired = launcher.Hired(
            self.queue, LEASE_MS, ahead_ms=ahead_ms, config=str(self.home / "recpipe.toml")
        )
        given = replace(given or Circumstances(), part=PART, haste=True, patience_s=PATIENT_S)
        worker = subprocess.Popen(
            [sys.executable, *hired.arguments()],
            cwd=self.home,
            env={**self.environ, **strike.environ(), **given.environ()},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.workers.append(worker)
        return worker

    @property
    def mark(self) -> Path:
        """Of the launcher's strike."""
        return self.home / "mark"

    def halted(self) -> None:
        """Wait until the job is in the middle of its step."""
        until(self.mark.exists if self.step in HELD else self.halt.reached.is_set)

    def go_on(self) -> None:
        """Whoever is halted and lives."""
        self.mark.with_suffix(".go").touch()
        self.halt.goes.set()

    def child(self, worker: subprocess.Popen[str]) -> int:
        """The process of a worker's job."""
        told = f"/proc/{worker.pid}/task/{worker.pid}/children"
        with open(told, encoding="ascii") as file:  # noqa: PTH123 - a file of the kernel
            (child,) = map(int, file.read().split())
        return child

    def now(self) -> Job:
        """The job; a database that has just come back is asked once more."""
        assert self.engine is not None
        while True:
            try:
                job = self.engine.job(self.number)
            except EngineBusyError:
                time.sleep(0.05)
                continue
            assert job is not None
            return job

    def failed_once(self) -> bool:
        """The first attempt ended without the job being done."""
        job = self.now()
        return job.attempts > 1 or (job.state is State.WAITING and bool(job.sentence))

    def works_off(self, ahead_ms: int = 0, given: Circumstances | None = None) -> None:
        """Workers come and go until the job has ended; those that are there are not waited for."""
        over = time.monotonic() + PATIENCE_S
        while self.now().state not in ENDED:
            assert time.monotonic() < over, self.now()
            told = self.start(ahead_ms, given).communicate(timeout=PATIENCE_S)[1]
            assert self.workers[-1].returncode == 0, told

    def ends(self, worker: subprocess.Popen[str]) -> str:
        """Wait for a worker that ends by itself; what it said."""
        told = worker.communicate(timeout=PATIENCE_S)[1]
        assert worker.returncode == 0, told
        return told

    def objects(self) -> dict[str, tuple[str, str]]:
        """Keys of the bucket with ETag and time."""
        with client(self.shop.server, settings=AS_VENDORS_TAKE_IT) as s3:
            items = s3.list_objects_v2(Bucket=self.out).get("Contents", ())
        return {item["Key"]: (item["ETag"], str(item["LastModified"])) for item in items}

    def quiet(self) -> Quiet:
        """What is there."""
        with client(self.shop.server, settings=AS_VENDORS_TAKE_IT) as s3:
            found = {key: s3.get_object(Bucket=self.out, Key=key)["Body"].read() for key in self.objects()}
        return Quiet(found, json.loads(self.hook.seen.deliveries[-1].body))

    def told(self) -> list[bytes]:
        """Events that came, as they came."""
        return [each.body for each in self.hook.seen.deliveries]

    def assert_ended_as(self, quiet: Quiet) -> None:
        """It is done, once: bytes and event of a run that nobody struck, and nothing else anywhere."""
        job, engine = self.now(), self.engine
        assert job.end is not None
        assert (job.state, job.end.code) == (State.DONE, 0), job
        assert engine is not None
        assert engine.claim("nobody", ROOM) is None
        assert self.quiet() == quiet
        assert set(self.told()) == {self.told()[0]}, "it was told of two things"
        with client(self.shop.server, settings=AS_VENDORS_TAKE_IT) as s3:
            try:
                left = s3.list_multipart_uploads(Bucket=self.out).get("Uploads", [])
            except s3.exceptions.NoSuchUpload:  # rclone's word for none
                left = []
        assert left == []
        assert not any(worker.poll() for worker in self.workers if worker.poll() != -9)


def moment(step: Step | Literal[""], out: str) -> Halt:
    """Where the proxies halt a job: at the second part of the file with pictures, or when it was told."""

    def wanted(request: Request) -> bool:
        if step == "upload":
            part = "partNumber=2&" in f"{request.query}&"
            return request.method == "PUT" and part and request.path.startswith(f"/{out}/")
        return step == "notify" and request.path.startswith("/events")

    return Halt(wanted)


@contextmanager
def stage(
    home: Path, shop: Shop, source: str, step: Step | Literal[""], *, composes: bool
) -> Iterator[Stage]:
    """A job, until the block ends; who works there is killed then.

    Args:
        home: a new folder.
        shop: a store.
        source: its bucket with the recording.
        step: where the job is halted.
        composes: it makes a composite, else it merges.
    """
    out = bucket(shop.server)
    halt = moment(step, out)
    home.mkdir()
    with ExitStack() as closing:
        store = closing.enter_context(_proxy(shop.server, halt.before_the_store))
        hook = closing.enter_context(receiver())
        address, _, rest = hook.url.removeprefix("http://").partition("/")
        between = closing.enter_context(
            _proxy(S3Server(f"http://{address}", (), None, "", "a hook"), halt.rule)
        )
        names = {"calls": source, "out": out}
        (home / "recpipe.toml").write_text(
            "".join(
                STORE.format(name=name, profile="kodo", server=store.server, bucket=place)
                for name, place in names.items()
            )
        )
        (home / "tmp").mkdir()
        keys = shop.server.accounts[0]
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "TMPDIR": str(home / "tmp"),
            "S3_KEY": keys.access_key,
            "S3_SECRET": keys.secret_key,
            **ENVIRON,
        }
        more = {"outputs": SMALL} if composes else {}
        job = document(f"calls:{IN}", f"out:{OUT}", f"{between.server.endpoint}/{rest}", **more)
        made = Stage(home, shop, out, hook, halt, json.dumps(job), environ, step)
        try:
            yield made
        finally:
            made.go_on()
            for worker in made.workers:
                worker.kill()
                worker.communicate()


@contextmanager
def _proxy(server: S3Server, rule: Rule) -> Iterator[FaultyServer]:
    with faulty(server, rule) as proxy:
        yield proxy
        told = [error for error in proxy.failed if not isinstance(error, RuntimeError)]
        proxy.failed[:] = told  # but requests that were on their way when the server behind was killed


def stocked(shop: Shop, call: Call) -> str:
    """A new bucket with the recording."""
    name = bucket(shop.server)
    with client(shop.server, settings=AS_VENDORS_TAKE_IT) as s3:
        for path, data in tree(call.made.place).items():
            s3.put_object(Bucket=name, Key=IN + path, Body=data)
    return name


def run_alone(there: Stage) -> Quiet:
    """``recpipe run`` of the job, and what it left."""
    (there.home / "job.json").write_text(there.job)
    done = subprocess.run(
        [sys.executable, "-m", "tests.kill.launcher", "run", "job.json"],
        cwd=there.home,
        env={**there.environ, **Circumstances(part=PART).environ()},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done
    return there.quiet()
