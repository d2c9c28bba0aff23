"""A plain boto3 client of a server, without retries, for tests of the servers themselves."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.servers.s3 import Account, S3Server

AS_VENDORS_TAKE_IT = {
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


@contextmanager
def client(
    server: S3Server,
    account: Account | None = None,
    *,
    trust: bool = True,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[Any]:
    """A client until the block ends.

    Args:
        server: whose.
        account: whose keys; None for the server's first.
        trust: the server's own authority; otherwise those of the machine.
        settings: for botocore's ``Config``.
    """
    import boto3
    from botocore.config import Config

    account = account or server.accounts[0]
    made = boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        region_name=server.region,
        aws_access_key_id=account.access_key,
        aws_secret_access_key=account.secret_key,
        verify=str(server.ca) if trust and server.ca else None,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, **settings or {}),
    )
    try:
        yield made
    finally:
        made.close()
