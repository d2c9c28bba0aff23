"""The proxy does to a client what its rule says, and nothing to the rest."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from tests.servers.clients import client
from tests.servers.faults import (
    DENIED,
    EXPIRED,
    Answer,
    Drop,
    FaultyServer,
    Flip,
    Header,
    Request,
    Rule,
    Strike,
    Truncate,
    Wait,
    at,
    every,
    faulty,
    never,
    slow_down,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.s3 import S3Server

BUCKET = "faults"
BODY = bytes(range(256)) * 1024


@pytest.fixture
def stocked(swift_http: S3Server) -> S3Server:
    """A bucket with one object, ``there``."""
    with client(swift_http) as s3:
        with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket=BUCKET)
        s3.delete_object(Bucket=BUCKET, Key="new")
        s3.put_object(Bucket=BUCKET, Key="there", Body=BODY)
    return swift_http


@contextmanager
def _between(server: S3Server, rule: Rule = never) -> Iterator[tuple[FaultyServer, Any]]:
    with faulty(server, rule) as proxy, client(proxy.server) as s3:
        yield proxy, s3


def _keys(server: S3Server) -> list[str]:
    with client(server) as s3:
        return [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]


def test_without_a_fault_all_is_as_without_the_proxy(stocked: S3Server) -> None:
    with _between(stocked) as (proxy, s3), client(stocked) as direct:
        s3.put_object(Bucket=BUCKET, Key="new", Body=BODY)
        assert direct.get_object(Bucket=BUCKET, Key="new")["Body"].read() == BODY
        for ask in ("head_object", "get_object"):
            ours, theirs = (getattr(one, ask)(Bucket=BUCKET, Key="there") for one in (s3, direct))
            assert (ours["ContentLength"], ours["ETag"]) == (theirs["ContentLength"], theirs["ETag"])
        assert ours["Body"].read() == theirs["Body"].read() == BODY
        part = s3.get_object(Bucket=BUCKET, Key="there", Range="bytes=3-5")
        assert (part["Body"].read(), part["ContentRange"]) == (BODY[3:6], f"bytes 3-5/{len(BODY)}")
        s3.delete_object(Bucket=BUCKET, Key="new")
        assert proxy.connections == 1
    assert _keys(stocked) == ["there"]


def test_every_request_is_recorded_in_order(stocked: S3Server) -> None:
    with _between(stocked) as (proxy, s3):
        s3.put_object(Bucket=BUCKET, Key="a b", Body=b"x")
        s3.list_objects_v2(Bucket=BUCKET, Prefix="a ")
        s3.delete_object(Bucket=BUCKET, Key="a b")
    query = "list-type=2&prefix=a%20&encoding-type=url"
    assert proxy.seen == [
        Request(1, "PUT", f"/{BUCKET}/a%20b", ""),
        Request(2, "GET", f"/{BUCKET}", query),
        Request(3, "DELETE", f"/{BUCKET}/a%20b", ""),
    ]


def test_parts_and_their_completion_pass(stocked: S3Server) -> None:
    with _between(stocked) as (_, s3):
        upload = s3.create_multipart_upload(Bucket=BUCKET, Key="new")["UploadId"]
        whole = {"Bucket": BUCKET, "Key": "new", "UploadId": upload}
        tag = s3.upload_part(**whole, PartNumber=1, Body=BODY)["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
        assert s3.complete_multipart_upload(**whole, MultipartUpload=parts)["Key"] == "new"
    assert _keys(stocked) == ["new", "there"]


@pytest.mark.parametrize("after", [False, True], ids=["before the server heard it", "after it answered"])
def test_a_connection_is_dropped(stocked: S3Server, after: bool) -> None:  # noqa: FBT001 - a row of a table
    with _between(stocked, at(1, Drop(after=after))) as (proxy, s3):
        with pytest.raises(ConnectionClosedError):
            s3.put_object(Bucket=BUCKET, Key="new", Body=BODY)
        assert ("new" in _keys(stocked)) is after
        s3.put_object(Bucket=BUCKET, Key="new", Body=BODY)
    assert [request.number for request in proxy.seen] == [1, 2]
    assert "new" in _keys(stocked)


@pytest.mark.parametrize("after", [False, True], ids=["before the server heard it", "after it answered"])
def test_a_strike_comes_at_its_moment(stocked: S3Server, after: bool) -> None:  # noqa: FBT001 - as above
    struck: list[tuple[Request, bool]] = []

    def act(request: Request) -> None:
        struck.append((request, "new" in _keys(stocked)))

    with (
        _between(stocked, at(1, Strike(act, after=after))) as (proxy, s3),
        pytest.raises(ConnectionClosedError),
    ):
        s3.put_object(Bucket=BUCKET, Key="new", Body=BODY)
    assert struck == [(proxy.seen[0], after)]


REFUSALS: dict[str, tuple[Answer, int, str | None]] = {
    "SlowDown": (slow_down(), 503, None),
    "SlowDown with Retry-After": (slow_down("7"), 503, "7"),
    "AccessDenied": (DENIED, 403, None),
    "ExpiredToken": (EXPIRED, 400, None),
}


@pytest.mark.parametrize(("answer", "status", "retry_after"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_one_of_s3(
    stocked: S3Server, answer: Answer, status: int, retry_after: str | None
) -> None:
    with _between(stocked, at(1, answer)) as (proxy, s3):
        with pytest.raises(ClientError) as caught:
            s3.put_object(Bucket=BUCKET, Key="new", Body=BODY)
        s3.head_object(Bucket=BUCKET, Key="there")
    told = caught.value.response
    assert told["ResponseMetadata"]["HTTPStatusCode"] == status
    assert told["Error"]["Code"] == answer.code
    assert told["ResponseMetadata"]["HTTPHeaders"].get("retry-after") == retry_after
    assert proxy.connections == 1
    assert _keys(stocked) == ["there"]


def test_a_refused_head_has_no_body(stocked: S3Server) -> None:
    with _between(stocked, at(1, DENIED)) as (_, s3):
        with pytest.raises(ClientError, match="403"):
            s3.head_object(Bucket=BUCKET, Key="there")
        s3.head_object(Bucket=BUCKET, Key="there")


def test_a_body_ends_early(stocked: S3Server) -> None:
    with _between(stocked, at(1, Truncate(100))) as (_, s3):
        found = s3.get_object(Bucket=BUCKET, Key="there")
        assert found["ContentLength"] == len(BODY)
        with pytest.raises((IncompleteReadError, ResponseStreamingError)):
            found["Body"].read()


def test_an_etag_is_another(stocked: S3Server) -> None:
    with _between(stocked, at(1, Header("ETag", '"other"'))) as (_, s3):
        found = s3.get_object(Bucket=BUCKET, Key="there")
        assert (found["ETag"], found["Body"].read()) == ('"other"', BODY)


def test_one_byte_is_another(stocked: S3Server) -> None:
    unchecked = {"response_checksum_validation": "when_required"}
    with faulty(stocked, at(1, Flip(1))) as proxy, client(proxy.server, settings=unchecked) as s3:
        found = s3.get_object(Bucket=BUCKET, Key="there")["Body"].read()
    assert found == b"\x00\xfe" + BODY[2:]


def test_an_answer_comes_after_a_while(stocked: S3Server) -> None:
    with _between(stocked, at(1, Wait(0.01))) as (_, s3):
        assert s3.head_object(Bucket=BUCKET, Key="there")["ContentLength"] == len(BODY)


def test_an_answer_does_not_come(stocked: S3Server) -> None:
    impatient = {"read_timeout": 0.1}
    with (
        faulty(stocked, at(1, Wait(3600))) as proxy,
        client(proxy.server, settings=impatient) as s3,
        pytest.raises(ReadTimeoutError),
    ):
        s3.put_object(Bucket=BUCKET, Key="new", Body=BODY)
    assert _keys(stocked) == ["there"]


def test_every_third_request_is_dropped(stocked: S3Server) -> None:
    outcomes = []
    with _between(stocked, every(3, Drop())) as (_, s3):
        for _ in range(7):
            try:
                s3.head_object(Bucket=BUCKET, Key="there")
            except ConnectionClosedError:
                outcomes.append(False)
            else:
                outcomes.append(True)
    assert outcomes == [True, True, False, True, True, False, True]


def test_requests_of_many_threads_are_counted_once_each(stocked: S3Server) -> None:
    with _between(stocked) as (proxy, s3), ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: s3.head_object(Bucket=BUCKET, Key="there"), range(40)))
    assert sorted(request.number for request in proxy.seen) == list(range(1, 41))


def test_a_client_that_stays_connected_keeps_no_thread(stocked: S3Server) -> None:
    before = threading.active_count()
    with ExitStack() as connected:
        with faulty(stocked) as proxy:
            s3 = connected.enter_context(client(proxy.server))
            s3.head_object(Bucket=BUCKET, Key="there")
            assert threading.active_count() > before
        assert threading.active_count() == before


def test_a_client_that_ends_within_a_body_is_not_counted(stocked: S3Server) -> None:
    with faulty(stocked) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port)) as cut:
            cut.sendall(f"PUT /{BUCKET}/new HTTP/1.1\r\nContent-Length: 9\r\n\r\n1234".encode())
            cut.shutdown(socket.SHUT_WR)
            assert cut.recv(1) == b""
        assert proxy.seen == []


def test_a_rule_that_fails_is_told(stocked: S3Server) -> None:
    def rule(_: Request) -> None:
        raise ValueError("a mistake in a test")

    with pytest.raises(ValueError, match="a mistake in a test"), _between(stocked, rule) as (_, s3):
        _expect_no_answer(s3)


def test_a_server_that_is_gone_is_told(stocked: S3Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    nobody = replace(stocked, endpoint=f"http://127.0.0.1:{port}")
    failed = "the server behind the proxy failed: HEAD /faults/there"
    with pytest.raises(RuntimeError, match=failed), _between(nobody) as (_, s3):
        _expect_no_answer(s3)


def _expect_no_answer(s3: Any) -> None:
    with pytest.raises(ConnectionClosedError):
        s3.head_object(Bucket=BUCKET, Key="there")
