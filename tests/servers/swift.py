"""OpenStack Swift with its S3 interface: a store that is used in production, over http and TLS."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.processes import not_installed, serving
from tests.servers.s3 import REGION, S3Server, account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.certificates import Certificates

LAUNCHER = Path(__file__).with_name("swift_launcher.py")
SMALLEST = 5 << 20
"""Bytes of a part (``min_segment_size`` of s3api, its default)."""
READY = r'^\{"http": (\d+), "tls": (\d+)\}\n'


@dataclass(frozen=True, slots=True)
class Swift:
    """Two doors to the same objects; each account has buckets of its own."""

    http: S3Server
    tls: S3Server


def lacking(folder: Path) -> str:
    """Why Swift cannot run with its data in this folder; "" where it can."""
    try:
        os.setxattr(folder, "user.recpipe", b"1")
    except OSError as error:
        return f"{folder} keeps no extended attributes of users ({error.strerror}): name another --basetemp"
    return not_installed("swift-proxy-server")


@contextmanager
def swift(folder: Path, certificates: Certificates, smallest: int = SMALLEST) -> Iterator[Swift]:
    """A server with its data in an empty folder, gone with the server.

    Args:
        folder: for all that it keeps.
        certificates: for TLS.
        smallest: bytes of a part of an upload, but of the last.

    Raises:
        RuntimeError: it did not start.
    """
    accounts = (account("first:owner"), account("second:owner"))
    settings = {
        "folder": str(folder),
        "accounts": [(one.access_key, one.secret_key) for one in accounts],
        "certificate": str(certificates.server),
        "region": REGION,
        "smallest": smallest,
    }
    # isolated: this folder's own swift.py must not be what the launcher imports
    command = ["python", "-I", str(LAUNCHER)]
    try:
        with serving(command, folder, READY, json.dumps(settings).encode()) as ports:
            yield Swift(
                S3Server(f"http://127.0.0.1:{ports[1]}", accounts, None, REGION, "swift"),
                S3Server(f"https://127.0.0.1:{ports[2]}", accounts, certificates.ca, REGION, "swift"),
            )
    finally:
        shutil.rmtree(folder / "disk", ignore_errors=True)
