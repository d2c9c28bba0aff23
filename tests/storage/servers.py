"""Buckets on the servers for tests, opened as a user's `recpipe.toml` would open them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from pipeline.storage.profiles import COS, SWIFT
from pipeline.storage.stores import KeysInEnvironment, StoreSettings
from tests.servers.clients import client

if TYPE_CHECKING:
    from pipeline.storage.profile import Profile
    from tests.servers.s3 import Account, S3Server

HOSTILE = replace(COS, addressing_style="path", path_style=True)
"""What is asked of COS, but for the bucket in the host's name."""


def bucket(server: S3Server, account: Account | None = None) -> str:
    """A new empty bucket."""
    name = f"test-{uuid4().hex[:12]}"
    with client(server, account) as raw:
        raw.create_bucket(Bucket=name)
    return name


def settings(server: S3Server, bucket: str, prefix: str = "", profile: Profile = SWIFT) -> StoreSettings:
    """Of a bucket whose keys are in the variables of `environ`."""
    return StoreSettings(
        name="test",
        profile=profile,
        bucket=bucket,
        prefix=prefix,
        region=server.region,
        endpoint=server.endpoint,
        credentials=KeysInEnvironment("TEST_KEY", "TEST_SECRET"),
        ca_bundle=server.ca,
    )


def environ(server: S3Server, account: Account | None = None) -> dict[str, str]:
    """The environment in which these settings find their keys."""
    account = account or server.accounts[0]
    return {"TEST_KEY": account.access_key, "TEST_SECRET": account.secret_key}
