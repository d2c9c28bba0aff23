"""The servers for tests: each is started when the first test of a process asks for it, and once.

What cannot be started here is skipped with the reason; in CI it is a failure.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.servers import rclone, swift
from tests.servers.certificates import Certificates, issue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.s3 import S3Server


def require(lack: str) -> None:
    """Skip the test for what is lacking; "" is nothing."""
    if lack and os.environ.get("CI") == "true":
        pytest.fail(f"CI must have it: {lack}")
    if lack:
        pytest.skip(lack)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return issue(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def swift_servers(
    tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[swift.Swift]:
    folder = tmp_path_factory.mktemp("swift")
    require(swift.lacking(folder))
    with swift.swift(folder, certificates) as servers:
        yield servers


@pytest.fixture(scope="session")
def swift_http(swift_servers: swift.Swift) -> S3Server:
    return swift_servers.http


@pytest.fixture(scope="session")
def swift_tls(swift_servers: swift.Swift) -> S3Server:
    return swift_servers.tls


@pytest.fixture(scope="session")
def rclone_tls(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[S3Server]:
    require(rclone.lacking())
    with rclone.rclone(tmp_path_factory.mktemp("rclone"), certificates) as server:
        yield server
