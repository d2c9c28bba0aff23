"""``rclone serve s3`` over TLS: refuses trailing checksums, and what else the stricter vendors refuse."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.servers.processes import not_installed, serving
from tests.servers.s3 import REGION, S3Server, account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.certificates import Certificates

READY = r"\[https://127\.0\.0\.1:(\d+)/\]"


def lacking() -> str:
    """Why rclone cannot run; "" where it can."""
    return not_installed("rclone")


@contextmanager
def rclone(folder: Path, certificates: Certificates) -> Iterator[S3Server]:
    """A server with its data in a folder, gone with the server. Its accounts see the same buckets.

    Folders that are in ``folder/data`` before are buckets: many objects are made fastest as files.

    Raises:
        RuntimeError: it did not start.
    """
    accounts = (account("first"), account("second"))
    data = folder / "data"
    data.mkdir(exist_ok=True)
    command = [
        "rclone",
        "serve",
        "s3",
        "--config=",
        "--addr=127.0.0.1:0",
        *(f"--auth-key={one.access_key},{one.secret_key}" for one in accounts),
        f"--cert={certificates.server}",
        f"--key={certificates.server}",
        str(data),
    ]
    try:
        with serving(command, folder, READY) as ports:
            endpoint = f"https://127.0.0.1:{ports[1]}"
            yield S3Server(endpoint, accounts, certificates.ca, REGION, "rclone")
    finally:
        shutil.rmtree(data, ignore_errors=True)
