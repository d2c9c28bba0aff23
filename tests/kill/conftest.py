"""The servers and the recording of jobs that are killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kill.scene import SMALLEST, Call, Servers, call_in
from tests.servers import swift
from tests.servers.fixtures import require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.certificates import Certificates
    from tests.servers.s3 import S3Server


@pytest.fixture(scope="session")
def servers(
    rclone_tls: S3Server, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    """Of these Swift takes small parts."""
    folder = tmp_path_factory.mktemp("small-parts")
    require(swift.lacking(folder))
    with swift.swift(folder, certificates, smallest=SMALLEST) as small:
        yield Servers(rclone_tls, small.http, certificates)


@pytest.fixture(scope="session")
def call(tmp_path_factory: pytest.TempPathFactory) -> Call:
    return call_in(tmp_path_factory.mktemp("call"))
