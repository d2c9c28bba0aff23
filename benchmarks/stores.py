"""The servers and the settings of the row that goes from bucket to bucket: a core for them, a core for us."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Side
from tests.servers import rclone, swift
from tests.servers.certificates import issue
from tests.servers.clients import AS_VENDORS_TAKE_IT, client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.s3 import S3Server

BUCKET, SOURCE, TARGET = "benchmark", "in/", "out"
THREADS = 8
SERVERS, OURS = {0}, "1"
"""Cores."""
STORE = """
[stores.{name}]
profile = "{profile}"
region = "us-east-1"
checksums = "when_required"
endpoint = "{endpoint}"
bucket = "{bucket}"
ca_bundle = "{ca}"
{keys}"""


@dataclass(frozen=True, slots=True)
class Bench:
    """A server with a recording in it, and both sides of the comparison."""

    name: str
    ours: Side
    theirs: Side


@contextmanager
def benches(place: Path, recording: Path, recpipe: str) -> Iterator[list[Bench]]:
    """Rclone and Swift over TLS, each with the recording below `SOURCE`."""
    place.mkdir(exist_ok=True)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, SERVERS & cores or cores)  # what is started now stays on that core
    certificates = issue(place)
    folders = [place / "rclone", place / "swift"]
    for folder in folders:
        folder.mkdir()
    try:
        with rclone.rclone(folders[0], certificates) as one, swift.swift(folders[1], certificates) as two:
            os.sched_setaffinity(0, cores)
            yield [_bench(place, server, recording, recpipe) for server in (one, two.tls)]
    finally:
        os.sched_setaffinity(0, cores)


def _bench(place: Path, server: S3Server, recording: Path, recpipe: str) -> Bench:
    config = place / f"{server.name}.toml"
    told = STORE.format(
        name="bench", profile="swift", endpoint=server.endpoint, bucket=BUCKET, ca=server.ca, keys=""
    )
    config.write_text(told, encoding="utf-8")
    keys = server.accounts[0]
    given = [
        *("env", f"AWS_ACCESS_KEY_ID={keys.access_key}", f"AWS_SECRET_ACCESS_KEY={keys.secret_key}"),
        *("taskset", "-c", OURS),
    ]
    merge = [recpipe, "merge", f"bench:{SOURCE}", "-o", f"bench:{TARGET}", "--config", str(config)]
    plain = [sys.executable, "-m", "benchmarks.plain_copy", server.endpoint, str(server.ca)]
    with client(server, settings=AS_VENDORS_TAKE_IT) as raw:
        raw.create_bucket(Bucket=BUCKET)
        _fill(raw, recording)

    def clean() -> None:
        with client(server) as raw:
            for item in raw.list_objects_v2(Bucket=BUCKET, Prefix=TARGET).get("Contents", ()):
                raw.delete_object(Bucket=BUCKET, Key=item["Key"])

    return Bench(
        server.name,
        Side("recpipe", [[*given, *merge]], clean),
        Side("plain", [[*given, *plain, BUCKET, SOURCE, f"{TARGET}/plain"]], clean),
    )


def _fill(raw: Any, recording: Path) -> None:
    def put(path: Path) -> None:
        raw.put_object(Bucket=BUCKET, Key=f"{SOURCE}{path.name}", Body=path.read_bytes())

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(put, [path for path in recording.iterdir() if path.is_file()]))
