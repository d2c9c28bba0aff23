"""A small job from bucket to bucket, run by a process that can be killed anywhere, and what must be then.

All that the job asks for over the net goes through proxies which count together: the n-th request is the
n-th of the stores, the VOD service and the webhook.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.job.merge import merge_all
from pipeline.model.manifest import FILE, from_json
from pipeline.model.options import Options
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from tests.documents import ROOT
from tests.job.jobs import ENVIRON, SECRET, document
from tests.kill.launcher import Circumstances
from tests.merge.merging import tree
from tests.notify.receiver import receiver
from tests.publish.tencent_fake import APP, SECRET_ID, SECRET_KEY, TOKEN, tencent_fake
from tests.publish.volcengine_fake import volcengine
from tests.publish.volcengine_space import Space
from tests.servers.clients import AS_VENDORS_TAKE_IT, client
from tests.servers.faults import FaultyServer, Strike, faulty
from tests.servers.s3 import S3Server
from tests.storage.servers import bucket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.demo.made import Made
    from pipeline.model.manifest import Manifest
    from tests.notify.receiver import Receiver
    from tests.publish.tencent_fake import TencentFake
    from tests.servers.certificates import Certificates
    from tests.servers.faults import Fault, Request, Rule

SCENARIO = """
vendor = "agora"
start = 2026-03-02T09:00:00.250Z

[[users]]
uid = "101"
size = "160x120"
fps = 10
sound = [[0.0, 18.0]]
picture = [[0.2, 18.0]]

[[users]]
uid = "202"
sound = [[1.0, 10.0]]
"""
PART = 1 << 16
"""Bytes of part 2: the file with pictures has several, the other none."""
SMALLEST = PART // 2
"""Of the media in part 1."""
SURELY_OVER_S = 120
NOTICED_S = 5
IN, OUT, PLACE = "room/", "done/", "done"

STORE = """
[stores.{name}]
profile = "{profile}"
region = "{server.region}"
endpoint = "{server.endpoint}"
bucket = "{bucket}"
access_key_env = "S3_KEY"
secret_key_env = "S3_SECRET"
"""
VOLCENGINE = """
[vod.main]
service = "volcengine"
space = "{space.name}"
region = "{space.region}"
endpoint = "{endpoint}"
access_key_env = "VOD_KEY"
secret_key_env = "VOD_SECRET"
"""
TENCENT = """
[vod.main]
service = "tencent"
sub_app_id = {app}
endpoint = "{endpoint}"
cos_endpoint = "{cos}"
access_key_env = "T_ID"
secret_key_env = "T_KEY"
session_token_env = "T_TOKEN"
"""
PROFILES = {"rclone": "kodo", "swift": "swift"}
"""rclone vouches for no ETag of an object in parts and has no conditional writes, as most stores."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A kind of job.

    Attributes:
        name: for people.
        server: of both stores; rclone over TLS, Swift over http.
        vod: the service that gets the files too.
        deletes: the slices are removed.
        folder: the files go into a folder.
        jobs: users at once.
    """

    name: str
    server: Literal["rclone", "swift"]
    vod: Literal["", "volcengine", "tencent"] = ""
    deletes: bool = False
    folder: bool = False
    jobs: int = 1


VARIANTS = (
    Variant("rclone", "rclone", deletes=True),
    Variant("swift", "swift", jobs=2),
    Variant("volcengine", "rclone", vod="volcengine"),
    Variant("tencent", "swift", vod="tencent", deletes=True),
    Variant("folder", "rclone", folder=True),
)


@dataclass(frozen=True, slots=True)
class Call:
    """A recording and what a merge on the disk makes of it.

    Attributes:
        made: the recording.
        files: name and bytes, without the manifest.
    """

    made: Made
    files: dict[str, bytes]


def call_in(folder: Path) -> Call:
    """The recording of `SCENARIO`."""
    made = make(parse(SCENARIO), folder / "source")
    merge_all(Folder(made.place), folder / "merged", Options(), Limits())
    files = {name: data for name, data in tree(folder / "merged").items() if name != FILE}
    return Call(made, files)


@dataclass(frozen=True, slots=True)
class Servers:
    """The stores that a job may be on."""

    rclone: S3Server
    swift: S3Server
    certificates: Certificates


@dataclass(slots=True)
class Striker:
    """Counts the requests of a job to whomever, and strikes at one.

    Attributes:
        seen: what was asked, in its order.
        number: at which; 0 for none.
        after: once it has been answered.
        act: what happens then.
        struck: it did.
    """

    seen: list[str] = field(default_factory=list)
    number: int = 0
    after: bool = False
    act: Callable[[], object] = lambda: None
    struck: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def rule(self, more: Callable[[Request], Fault | None]) -> Rule:
        """For a proxy: what it counts, and what else it does."""

        def strike(request: Request) -> Fault | None:
            with self._lock:
                self.seen.append(f"{request.method} {request.path}?{request.query}")
                hit = len(self.seen) == self.number
            if hit:
                return Strike(lambda _: self._strike(), after=self.after)
            return more(request)

        return strike

    def _strike(self) -> None:
        self.act()
        self.struck = True


@dataclass(slots=True)
class Ended:
    """A process that has."""

    code: int
    out: str
    err: str


@dataclass(slots=True)
class Scene:
    """A job, its stores and services; nothing has been done yet.

    Attributes:
        variant: which kind.
        call: its recording.
        home: a folder for its files.
        server: behind the proxy.
        buckets: where the recording lies and where files go; the latter "" for a folder.
        hook: the receiver.
        striker: of all proxies.
        store: the proxy before the stores.
        environ: of the processes.
        space: of Volcengine VOD.
        tencent: Tencent VOD.
        more: what the proxy before the stores does to a request; nothing by default.
    """

    variant: Variant
    call: Call
    home: Path
    server: S3Server
    buckets: tuple[str, str]
    hook: Receiver
    striker: Striker
    store: FaultyServer
    environ: dict[str, str]
    space: Space | None = None
    tencent: TencentFake | None = None
    more: Rule = lambda _: None

    def start(self, given: Circumstances | None = None, name: str = "run") -> subprocess.Popen[str]:
        """Begin the job in a process group of its own.

        Args:
            given: circumstances besides the small parts.
            name: of its folder for temporary files.
        """
        scratch = self.home / f"tmp-{name}"
        scratch.mkdir(exist_ok=True)
        given = replace(given or Circumstances(), part=PART)
        return subprocess.Popen(
            [sys.executable, "-m", "tests.kill.launcher", "run", "job.json"],
            cwd=self.home,
            env={**self.environ, **given.environ(), "TMPDIR": str(scratch)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, given: Circumstances | None = None, name: str = "run") -> Ended:
        """The job, to its end; nothing of its process group is left."""
        with self.start(given, name) as process:
            return ended(process)

    def killed(self, number: int, *, after: bool, whole: bool = True, name: str = "killed") -> bool:
        """Run the job and kill it at its n-th request; whether that came.

        Args:
            number: from 1, of all requests since now.
            after: once the server has answered, else before it hears of it.
            whole: the process group, else only the process.
            name: of its folder for temporary files.
        """
        striker = self.striker
        striker.number, striker.after, striker.struck = len(striker.seen) + number, after, False
        with self.start(name=name) as process:
            striker.act = lambda: (os.killpg if whole else os.kill)(process.pid, signal.SIGKILL)
            told = ended(process)
        striker.number = 0
        assert striker.struck or told.code == 0, told
        assert not striker.struck or told.code == -signal.SIGKILL, told
        return striker.struck

    def raw(self) -> Any:
        """A client of the server itself."""
        return client(self.server, settings=AS_VENDORS_TAKE_IT)

    def objects(self, bucket: str) -> dict[str, tuple[str, str]]:
        """Keys of a bucket with ETag and time."""
        with self.raw() as s3:
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
            items = [item for page in pages for item in page.get("Contents", ())]
        return {item["Key"]: (item["ETag"], str(item["LastModified"])) for item in items}

    def uploads(self, bucket: str) -> list[str]:
        """Keys of open uploads."""
        with self.raw() as s3:
            try:
                found = s3.list_multipart_uploads(Bucket=bucket)
            except s3.exceptions.NoSuchUpload:  # rclone's word for none
                return []
        return [item["Key"] for item in found.get("Uploads", ())]

    def files(self) -> dict[str, bytes]:
        """All that lies in the place, by its name there."""
        if self.variant.folder:
            place = self.home / PLACE
            return tree(place) if place.exists() else {}
        with self.raw() as s3:
            return {
                key.removeprefix(OUT): s3.get_object(Bucket=self.buckets[1], Key=key)["Body"].read()
                for key in self.objects(self.buckets[1])
            }

    def slices(self) -> set[str]:
        """What is left of the recording."""
        return set(self.objects(self.buckets[0]))

    @property
    def recording(self) -> set[str]:
        """What was there of it."""
        return {IN + path for path in tree(self.call.made.place)}

    def events(self) -> list[dict[str, Any]]:
        """What the receiver was told."""
        deliveries = self.hook.seen.deliveries
        assert all(each.signed_by(SECRET.encode()) for each in deliveries)
        return [json.loads(each.body) for each in deliveries]

    def states(self) -> list[str]:
        """Of these events."""
        return [event["summary"]["state"] for event in self.events()]

    def state(self) -> tuple[object, ...]:
        """All that can be seen from outside."""
        place = self.files() if self.variant.folder else self.objects(self.buckets[1])
        media = len(self.space.media) if self.space else len(self.tencent.media) if self.tencent else 0
        return place, self.objects(self.buckets[0]), [event["id"] for event in self.events()], media

    def assert_nothing_half_done(self) -> None:
        """What must be at any moment: who sees a manifest, an event or a slice gone may trust it."""
        found = self.files()
        if FILE not in found:
            assert self.slices() == self.recording, "slices were removed before their files were published"
            assert "done" not in self.states(), "it was told before it was there"
            return
        assert {name: found[name] for name in self.call.files} == self.call.files
        assert from_json(found[FILE].decode()).files == self.call.files.keys()

    def assert_made_good(self) -> None:
        """What must be when the job was run again to its end."""
        found = self.files()
        manifest = from_json(found.pop(FILE, b"{}").decode())
        assert found.keys() == self.call.files.keys(), "something is missing, or too much"
        assert found == self.call.files
        self._assert_truthful(manifest)
        if not self.variant.folder:
            assert self.uploads(self.buckets[1]) == []
        assert self.states()[-1] == "done"
        told = [event for event in self.events() if event["summary"]["state"] == "done"]
        assert len({event["id"] for event in told}) == 1
        assert len({json.dumps(event["summary"]) for event in told}) == 1
        assert self.slices() == (set() if self.variant.deletes else self.recording)

    def _assert_truthful(self, manifest: Manifest) -> None:
        assert manifest.revision == 1
        assert manifest.deletes_source == self.variant.deletes
        stored = {} if self.variant.folder else self.objects(self.buckets[1])
        for output in manifest.outputs:
            data = self.call.files[output.file]
            assert output.verdict.good
            assert output.size == len(data)
            assert not stored or output.etag == self._etag(output.file)
            if output.sha256:
                assert output.sha256 == hashlib.sha256(data).hexdigest()
            else:
                assert len(output.parts) > 1
        media = self._media()
        if self.variant.vod:
            assert sorted(media.values()) == sorted(self.call.files.values())
            published = {one.id: self.call.files[o.file] for o in manifest.outputs for one in o.published}
            assert published == media

    def _etag(self, file: str) -> str:
        with self.raw() as s3:
            etag: str = s3.head_object(Bucket=self.buckets[1], Key=OUT + file)["ETag"]
        return etag.strip('"')

    def _media(self) -> dict[str, bytes]:
        if self.space:
            return {medium.vid: medium.data for medium in self.space.media}
        if self.tencent:
            return {media.file_id: self.tencent.body_of(media) for media in self.tencent.media}
        return {}

    def assert_recovers(self) -> None:
        """Run it again, which makes it good, and once more, which does nothing."""
        self.assert_nothing_half_done()
        second = self.run(name="second")
        assert second.code == 0, second
        assert list((self.home / "tmp-second").iterdir()) == []
        self.assert_made_good()
        assert set(self.states()) == {"done"}
        before = self.state()
        third = self.run(name="third")
        assert third.code == 0, third
        assert "already done" in third.out
        assert self.state() == before, "the run of a job that is done changed something"


def ended(process: subprocess.Popen[str], seconds: float = SURELY_OVER_S) -> Ended:
    """A process to its end, and its group's: who belongs to it must notice by himself."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    deadline = time.monotonic() + NOTICED_S
    while (left := _alive(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    if left:
        os.killpg(process.pid, signal.SIGKILL)
    assert not left, "processes live on after theirs was killed"
    return Ended(process.returncode, out, err)


def _alive(group: int) -> list[str]:
    """Processes of a group but those that only wait to be buried."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended while we looked
            state, _, its_group = path.read_text("utf-8").rpartition(") ")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                found.append(path.parent.name)
    return found


@contextmanager
def scene(variant: Variant, call: Call, servers: Servers, home: Path) -> Iterator[Scene]:
    """A job of a kind, its recording in a new bucket, until the block ends.

    Args:
        variant: which kind.
        call: the recording.
        servers: that run.
        home: a new folder.
    """
    server = servers.rclone if variant.server == "rclone" else servers.swift
    buckets = (bucket(server), "" if variant.folder else bucket(server))
    with client(server, settings=AS_VENDORS_TAKE_IT) as s3:
        for name, data in tree(call.made.place).items():
            s3.put_object(Bucket=buckets[0], Key=IN + name, Body=data)
    home.mkdir()
    striker = Striker()
    with ExitStack() as stack:
        front = servers.certificates if server.ca else None
        store = stack.enter_context(faulty(server, certificates=front))
        hook = stack.enter_context(receiver())
        address, _, rest = hook.url.removeprefix("http://").partition("/")
        between = stack.enter_context(faulty(_as_s3(f"http://{address}"), striker.rule(lambda _: None)))
        account = server.accounts[0]
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "S3_KEY": account.access_key,
            "S3_SECRET": account.secret_key,
            **ENVIRON,
        }
        made = Scene(variant, call, home, server, buckets, hook, striker, store, environ)
        store.rule = striker.rule(lambda request: made.more(request))  # noqa: PLW0108 - it may be replaced
        text = "".join(
            STORE.format(name=name, profile=PROFILES[variant.server], server=store.server, bucket=bucket)
            + (f'ca_bundle = "{store.server.ca}"\n' if store.server.ca else "")
            for name, bucket in zip(("calls", "out"), buckets, strict=True)
            if bucket
        )
        if variant.vod == "volcengine":
            text += _volcengine(made, stack)
        elif variant.vod == "tencent":
            text += _tencent(made, servers.swift, stack)
        (home / "recpipe.toml").write_text(text)
        place = str(home / PLACE) if variant.folder else "out:done"
        url = f"{between.server.endpoint}/{rest}"
        targets = [{"vod": "main"}] if variant.vod else []
        deletes = "after-verify" if variant.deletes else "never"
        limits = {"jobs": variant.jobs}
        job = document("calls:room", place, url, targets=targets, delete_source=deletes, limits=limits)
        (home / "job.json").write_text(json.dumps(job))
        yield made


def _as_s3(endpoint: str) -> S3Server:
    """For a proxy, which needs no more of a server than where it is."""
    return S3Server(endpoint, (), None, "", "another")


def _volcengine(scene: Scene, stack: ExitStack) -> str:
    scene.space = space = Space()
    fake = stack.enter_context(volcengine(space))
    between = stack.enter_context(faulty(fake.as_s3(), scene.striker.rule(lambda _: None)))
    fake.upload_hosts = [f"127.0.0.1:{between.port}"]
    scene.environ |= {"VOD_KEY": space.login.access_key, "VOD_SECRET": space.login.secret_key}
    return VOLCENGINE.format(space=space, endpoint=between.server.endpoint)


def _tencent(scene: Scene, swift: S3Server, stack: ExitStack) -> str:
    name = f"{bucket(swift)}-1250000000"
    with client(swift) as s3:
        s3.create_bucket(Bucket=name)
    scene.tencent = fake = stack.enter_context(tencent_fake(swift, name))
    api = stack.enter_context(faulty(_as_s3(fake.endpoint), scene.striker.rule(lambda _: None)))
    cos = stack.enter_context(faulty(swift, scene.striker.rule(fake.guard)))
    scene.environ |= {"T_ID": SECRET_ID, "T_KEY": SECRET_KEY, "T_TOKEN": TOKEN}
    return TENCENT.format(app=APP, endpoint=api.server.endpoint, cos=cos.server.endpoint)
