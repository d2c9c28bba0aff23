"""The servers do what a real store does, so that a green test of storage means something."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from dataclasses import replace
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, SSLError

from tests.servers import rclone
from tests.servers.clients import AS_VENDORS_TAKE_IT, client
from tests.servers.fixtures import require
from tests.servers.processes import not_installed, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.certificates import Certificates
    from tests.servers.s3 import S3Server

MIB = 1 << 20
SMALLEST_PART = 5 * MIB
BUCKET = "smoke"
PATIENCE_S = 60
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["swift_http", "swift_tls", "rclone_tls"])
def server(request: pytest.FixtureRequest) -> S3Server:
    found: S3Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def s3(server: S3Server) -> Iterator[Any]:
    with client(server, settings=AS_VENDORS_TAKE_IT) as made:
        if BUCKET not in [bucket["Name"] for bucket in made.list_buckets()["Buckets"]]:
            made.create_bucket(Bucket=BUCKET)
        yield made


def _refusal(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call()
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_an_object_comes_back_whole_and_in_part(s3: Any) -> None:
    body = b"0123456789"
    put = s3.put_object(Bucket=BUCKET, Key="room/slice.ts", Body=body)
    assert put["ETag"] == f'"{md5(body, usedforsecurity=False).hexdigest()}"'
    assert s3.get_object(Bucket=BUCKET, Key="room/slice.ts")["Body"].read() == body
    part = s3.get_object(Bucket=BUCKET, Key="room/slice.ts", Range="bytes=2-4")
    assert (part["Body"].read(), part["ContentRange"]) == (b"234", "bytes 2-4/10")


def test_a_listing_has_what_begins_with_the_prefix_and_goes_on_where_it_stopped(s3: Any) -> None:
    for key in ("list/2", "list/10", "listed", "list/ü"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="list/", PaginationConfig={"PageSize": 2}
    )
    keys = [[found["Key"] for found in page["Contents"]] for page in pages]
    assert keys == [["list/10", "list/2"], ["list/ü"]]


def test_parts_become_one_object(s3: Any) -> None:
    key, bodies = "parts", (b"a" * SMALLEST_PART, b"b")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    whole = {"Bucket": BUCKET, "Key": key, "UploadId": upload}
    tags = {
        number: s3.upload_part(**whole, PartNumber=number, Body=body)["ETag"]
        for number, body in enumerate(bodies, 1)
    }
    parts = [{"PartNumber": number, "ETag": tag} for number, tag in tags.items()]
    made = s3.complete_multipart_upload(**whole, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"".join(bodies)
    sums = b"".join(md5(body, usedforsecurity=False).digest() for body in bodies)
    assert made["ETag"] == f'"{md5(sums, usedforsecurity=False).hexdigest()}-2"'


def test_a_wrong_secret_is_refused(server: S3Server) -> None:
    first, second = server.accounts
    with client(server, replace(first, secret_key=second.secret_key)) as stranger:
        assert _refusal(stranger.list_buckets) == (403, "SignatureDoesNotMatch")


def test_a_second_account_has_keys_of_its_own(server: S3Server) -> None:
    first, second = server.accounts
    assert first.access_key != second.access_key
    assert first.secret_key != second.secret_key
    with client(server, second) as other:
        assert other.list_buckets()["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("name", ["swift_tls", "rclone_tls"])
def test_tls_is_refused_by_who_does_not_know_the_authority_and_goes_on_for_others(
    name: str, request: pytest.FixtureRequest
) -> None:
    server: S3Server = request.getfixturevalue(name)
    with client(server, trust=False) as stranger, pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        stranger.list_buckets()
    for endpoint in (server.endpoint, server.endpoint.replace("127.0.0.1", "localhost")):
        with client(replace(server, endpoint=endpoint)) as known:
            known.list_buckets()


def test_trailing_checksums_are_taken_by_swift(swift_tls: S3Server) -> None:
    with client(swift_tls) as s3:
        s3.create_bucket(Bucket="trailing")
        s3.put_object(Bucket="trailing", Key="key", Body=b"x")
        assert s3.get_object(Bucket="trailing", Key="key")["Body"].read() == b"x"


def test_trailing_checksums_are_refused_by_rclone(rclone_tls: S3Server) -> None:
    with client(rclone_tls) as s3:
        s3.create_bucket(Bucket="trailing")
        refused = _refusal(lambda: s3.put_object(Bucket="trailing", Key="key", Body=b"x"))
    assert refused == (411, "MissingContentLength")


def test_rclone_shows_files_that_were_there_before_it(tmp_path: Path, certificates: Certificates) -> None:
    require(rclone.lacking())
    bucket = tmp_path / "data" / "before"
    bucket.mkdir(parents=True)
    for number in range(1001):
        (bucket / f"{number:04}").write_bytes(b"x")
    with rclone.rclone(tmp_path, certificates) as server, client(server) as s3:
        pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="before"))
    assert [len(page["Contents"]) for page in pages] == [1000, 1]


def test_swift_shows_the_same_objects_over_both_doors_and_to_one_account(
    swift_http: S3Server, swift_tls: S3Server
) -> None:
    assert (swift_http.accounts, swift_http.ca) == (swift_tls.accounts, None)
    with client(swift_http) as plain, client(swift_tls) as secured:
        plain.create_bucket(Bucket="doors")
        plain.put_object(Bucket="doors", Key="key", Body=b"x")
        assert secured.get_object(Bucket="doors", Key="key")["Body"].read() == b"x"
    with client(swift_http, swift_http.accounts[1]) as other:
        assert _refusal(lambda: other.get_object(Bucket="doors", Key="key")) == (404, "NoSuchBucket")


def test_swift_writes_only_where_nothing_is_when_asked_to(swift_http: S3Server) -> None:
    with client(swift_http) as s3:
        s3.create_bucket(Bucket="conditions")
        s3.put_object(Bucket="conditions", Key="key", Body=b"x", IfNoneMatch="*")
        again = _refusal(lambda: s3.put_object(Bucket="conditions", Key="key", Body=b"y", IfNoneMatch="*"))
    assert again == (412, "PreconditionFailed")


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    require(not_installed("python"))
    command = ["python", "-c", "raise SystemExit('no place')"]
    with pytest.raises(RuntimeError, match="python ended with 1: no place"), serving(command, tmp_path, "up"):
        raise AssertionError


PARENT = """
import sys
from pathlib import Path
from tests.servers.processes import serving
code = "import time; print('up', flush=True); time.sleep(600)"
with serving(["python", "-c", code], Path(sys.argv[1]), "up"):
    print("up", flush=True)
    sys.stdin.read()
"""


def test_a_server_ends_with_a_test_process_that_is_killed(tmp_path: Path) -> None:
    require(not_installed("python"))
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        (child,) = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text(encoding="ascii").split()
        ended = os.pidfd_open(int(child))
        parent.kill()
    try:
        assert select.select([ended], [], [], PATIENCE_S)[0] == [ended]
    except AssertionError:
        signal.pidfd_send_signal(ended, signal.SIGKILL)  # a test that fails leaves nothing behind
        raise
    finally:
        os.close(ended)


@pytest.mark.parametrize(
    ("ci", "outcome"),
    [("true", pytest.fail.Exception), ("", pytest.skip.Exception)],
    ids=["CI fails", "skips"],
)
def test_what_is_lacking_is_told(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=r"no server of that name not found in .*: run make servers"):
        require(not_installed("no server of that name"))
    require("")
