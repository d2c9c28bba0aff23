"""Tencent VOD with a proxy before its API and one before its store, and films to publish there."""

from __future__ import annotations

import hashlib
import random
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import TYPE_CHECKING
from uuid import uuid4

from pipeline.publish.protocol import Film
from pipeline.publish.tencent.settings import TencentSettings
from pipeline.publish.tencent.vod import TencentVod
from pipeline.storage.retrying import Patience
from pipeline.storage.stores import KeysInEnvironment
from tests.publish.tencent_fake import APP, SECRET_ID, SECRET_KEY, TOKEN, tencent_fake
from tests.servers.clients import client
from tests.servers.faults import faulty, never
from tests.servers.s3 import S3Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.publish.tencent_fake import TencentFake
    from tests.servers.faults import Fault, FaultyServer, Request, Rule

HASTE = Patience(seconds=20, first=0.01, longest=0.05)
SHORT = Patience(seconds=0.3, first=0.05, longest=0.05)
ONCE = Patience(seconds=1e-6, first=0, longest=0)
PARTS = (8 << 20) + 5
"""Bytes that take two parts."""
ENVIRON = {"T_ID": SECRET_ID, "T_KEY": SECRET_KEY, "T_TOKEN": TOKEN}
KEYS = KeysInEnvironment("T_ID", "T_KEY", "T_TOKEN")


def film(size: int = 1000, title: str = "A call") -> Film:
    """A film of bytes by chance, the same for the same size."""
    data = random.Random(size).randbytes(size)  # noqa: S311 - no secret
    return Film("1_av.mp4", title, size, hashlib.sha256(data).hexdigest(), lambda: BytesIO(data))


@dataclass(slots=True)
class Notes:
    """What is kept for a later try.

    Attributes:
        kept: the last of them.
        steps: all of them, in order.
        act: called with "before" and "after" around the keeping of the n-th.
    """

    kept: Mapping[str, str] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    act: Callable[[int, str], None] = lambda _number, _when: None

    def __call__(self, noted: Mapping[str, str]) -> None:
        number = len(self.steps) + 1
        self.act(number, "before")
        self.kept = dict(noted)
        self.steps.append(noted.get("step", ""))
        self.act(number, "after")


@dataclass(slots=True)
class Scene:
    """The service and the proxies.

    Attributes:
        fake: the service.
        api: before its API.
        cos: before its store; set `cos_rule`, not its rule.
        cos_rule: what happens to requests that the store's guard lets through.
        clock: of our machine.
    """

    fake: TencentFake
    api: FaultyServer
    cos: FaultyServer
    cos_rule: Rule = never

    def guarded(self, request: Request) -> Fault | None:
        """The rule of the proxy before the store."""
        return self.fake.guard(request) or self.cos_rule(request)

    def settings(self) -> TencentSettings:
        """Of the application."""
        return TencentSettings(
            "main",
            credentials=KEYS,
            sub_app_id=APP,
            endpoint=self.api.server.endpoint,
            cos_endpoint=self.cos.server.endpoint,
        )

    def vod(
        self, settings: TencentSettings | None = None, patience: Patience = HASTE, **more: Callable[[], float]
    ) -> TencentVod:
        """The client."""
        return TencentVod(settings or self.settings(), ENVIRON, patience=patience, **more)

    def published(self, film: Film) -> str:
        """The id of the only medium, whose bytes are the film's."""
        (media,) = self.fake.media
        assert hashlib.sha256(self.fake.body_of(media)).hexdigest() == film.sha256
        return media.file_id


@contextmanager
def scene(swift: S3Server) -> Iterator[Scene]:
    """All of it, until the block ends.

    Args:
        swift: an S3 server over http that keeps the bytes.
    """
    bucket = f"vod-{uuid4().hex[:8]}-1250000000"
    with client(swift) as raw:
        raw.create_bucket(Bucket=bucket)
    with tencent_fake(swift, bucket) as fake:
        api = S3Server(fake.endpoint, (), None, "", "tencent")
        with faulty(api) as before_api, faulty(replace(swift)) as before_cos:
            made = Scene(fake, before_api, before_cos)
            before_cos.rule = made.guarded
            yield made
