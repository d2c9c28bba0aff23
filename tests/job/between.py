"""Buckets for whole jobs, to read from and to write to, named in a ``recpipe.toml`` as a user has them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pipeline.job.run import run
from pipeline.job.spec_json import parse_job
from pipeline.storage.below import Below
from pipeline.storage.place import place_of
from tests.job.jobs import Told, document
from tests.servers.clients import client

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.job.run import Ran
    from pipeline.job.spec import Job
    from tests.servers.s3 import Account, S3Server

APP = "1250000000"
"""At the end of a bucket's name, as COS has them."""
SPEAKS = {"swift": 'profile = "swift"', "rclone": 'profile = "cos"\naddressing = "path"'}
"""By server: as what it is spoken to."""
STORE = """
[stores.{name}]
{speaks}
endpoint = "{endpoint}"
region = "{region}"
bucket = "{bucket}"
access_key_env = "{variable}_KEY"
secret_key_env = "{variable}_SECRET"
"""


@dataclass(slots=True)
class Buckets:
    """A file of stores, with the keys of each in an environment of its own.

    Attributes:
        config: the file.
        environ: with the keys of all stores.
    """

    config: Path
    environ: dict[str, str] = field(default_factory=dict)
    _buckets: dict[str, str] = field(default_factory=dict)
    _open: dict[str, Below] = field(default_factory=dict)

    def add(self, name: str, server: S3Server, account: Account | None = None) -> None:
        """A new empty bucket of an account, under a name."""
        account = account or server.accounts[0]
        bucket = f"{name}-{uuid4().hex[:8]}-{APP}"
        with client(server, account) as raw:
            raw.create_bucket(Bucket=bucket)
        self._name(name, server, bucket)
        self.environ[f"{name.upper()}_KEY"] = account.access_key
        self.environ[f"{name.upper()}_SECRET"] = account.secret_key

    def _name(self, name: str, server: S3Server, bucket: str) -> None:
        text = STORE.format(
            name=name,
            speaks=SPEAKS[server.name],
            endpoint=server.endpoint,
            region=server.region,
            bucket=bucket,
            variable=name.upper(),
        )
        with self.config.open("a", encoding="utf-8") as file:
            file.write(text + (f'ca_bundle = "{server.ca}"\n' if server.ca else ""))
        self._buckets[name] = bucket

    def behind(self, proxy: S3Server, config: Path) -> Buckets:
        """The same buckets, reached by a proxy before their server."""
        found = Buckets(config, self.environ)
        for name, bucket in self._buckets.items():
            found._name(name, proxy, bucket)
        return found

    def open(self, place: str) -> Below:
        """A place in them, as a test looks at it."""
        name, _, prefix = place.partition(":")
        if name not in self._open:
            where = place_of(f"{name}:", str(self.config), self.environ)
            assert isinstance(where, Below)
            self._open[name] = where
        return Below(self._open[name], f"{prefix}/")

    def ran(self, job: Job) -> tuple[Ran, ...]:
        """Do a job between them."""
        return run(job, Told(self.environ, str(self.config)).edges)


def job_of(source: str, place: str, folder: Path, **more: Any) -> Job:
    """A job as its document says it."""
    return parse_job(json.dumps(document(source, place, **more)), "job.json", folder)
