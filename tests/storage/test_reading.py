"""Objects asked for without the client's events: the same requests and answers as with them."""

from __future__ import annotations

import base64
import zlib
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
import botocore
import botocore.auth
import pytest
from botocore.config import Config

from pipeline.errors import BusyError, CorruptError
from pipeline.storage.client import Connection
from pipeline.storage.reading import Reading
from pipeline.storage.s3 import S3Store
from tests.servers.clients import AS_VENDORS_TAKE_IT, client
from tests.servers.faults import Answer, Header, Truncate, at, faulty
from tests.storage.servers import bucket, environ, settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.servers.s3 import S3Server

KEYS = ["plain.ts", "a b+c%20d&e=f.ts", "房间/用户~1.ts", "folder/x..y", "it's (1)!*.ts"]
OF_EACH = {"authorization", "x-amz-date", "user-agent", "amz-sdk-invocation-id", "amz-sdk-request"}
"""Headers that differ from request to request, or by which a client counts its own attempts."""


def sent_by(raw: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a client's session sends from now on."""
    sent: list[Any] = []
    send = raw._endpoint.http_session.send

    def remembered(request: Any) -> Any:
        sent.append(request)
        return send(request)

    monkeypatch.setattr(raw._endpoint.http_session, "send", remembered)
    return sent


def plain(headers: Mapping[str, Any]) -> dict[str, str]:
    """Names in lower case and values as text, without those of each request."""
    told = {k.lower(): v.decode() if isinstance(v, bytes) else v for k, v in headers.items()}
    return {name: value for name, value in told.items() if name not in OF_EACH}


@pytest.fixture(params=["swift", "rclone"])
def server(request: pytest.FixtureRequest) -> S3Server:
    door: S3Server = request.getfixturevalue(f"{request.param}_tls")
    return door


@pytest.mark.parametrize("checksums", [{}, AS_VENDORS_TAKE_IT], ids=["when supported", "when required"])
@pytest.mark.parametrize("span", ["", "bytes=2-4"], ids=["whole", "a span"])
def test_requests_and_answers_are_those_of_the_client(
    server: S3Server, span: str, checksums: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = bucket(server)
    with client(server, settings=AS_VENDORS_TAKE_IT) as raw:
        for key in KEYS:
            raw.put_object(Bucket=name, Key=key, Body=f"bytes of {key}".encode())
    with client(server, settings={"signature_version": "s3v4", **checksums}) as raw:
        sent = sent_by(raw, monkeypatch)
        reading = Reading(raw, name)
        for key in KEYS:
            answer = raw.get_object(Bucket=name, Key=key, **({"Range": span} if span else {}))
            told, data = reading.get(key, timedelta(), span) or ({}, b"")
            assert data == answer["Body"].read()
            assert told == {field: answer.get(field) for field in told}
            assert {"ETag", "ContentLength", "LastModified"} < {*told, "ContentRange"}
            theirs, ours = sent[-2:]
            assert (ours.method, ours.url) == (theirs.method, theirs.url)
            assert plain(ours.headers) == plain(theirs.headers)


@pytest.fixture
def swift(swift_http: S3Server) -> tuple[S3Server, str]:
    """A server, and a bucket in it with one object."""
    name = bucket(swift_http)
    with client(swift_http) as raw:
        raw.put_object(Bucket=name, Key="k", Body=b"0123456789")
    return swift_http, name


def once(server: S3Server, name: str) -> tuple[S3Store, Connection]:
    """A store that does not try again."""
    where = settings(server, name)
    connection = Connection(where, environ(server))
    return S3Store(where, connection), connection


def test_another_checksum_than_the_answers_is_told(swift: tuple[S3Server, str]) -> None:
    server, name = swift
    right = base64.b64encode(zlib.crc32(b"0123456789").to_bytes(4, "big")).decode()
    for told in (right, "AAAAAA=="):
        with faulty(server, at(1, Header("x-amz-checksum-crc32", told))) as between:
            store, _ = once(between.server, name)
            if told == right:
                assert store.get("k").data == b"0123456789"
                continue
            with pytest.raises(CorruptError, match="arrived with other bytes than its checksum says"):
                store.get("k")


def test_an_answer_that_breaks_off_may_be_asked_for_again(swift: tuple[S3Server, str]) -> None:
    server, name = swift
    with faulty(server, at(1, Truncate(4))) as between:
        store, _ = once(between.server, name)
        with pytest.raises(BusyError, match="the connection broke"):
            store.get("k")
        assert store.get("k").data == b"0123456789"


def test_a_bucket_of_another_region_is_left_to_the_client(swift: tuple[S3Server, str]) -> None:
    server, name = swift
    with faulty(server, at(1, Answer(HTTPStatus.MOVED_PERMANENTLY, "PermanentRedirect"))) as between:
        store, connection = once(between.server, name)
        assert store.get("k").data == b"0123456789"
        (own,) = connection._own.values()
        assert own.reading is None
        assert store.get_range("k", 3, 2).data == b"34"


def test_by_the_stores_clock_objects_are_asked_for_too(
    swift: tuple[S3Server, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is known before the first of them is."""
    right = botocore.auth.get_current_datetime
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: right() + timedelta(hours=2))
    store, connection = once(*swift)
    with pytest.raises(BusyError, match="this machine's clock is"):
        store.stat("k")
    assert store.get("k").data == b"0123456789"
    (own,) = connection._own.values()
    assert own.reading is not None


def test_a_client_that_is_built_in_another_way_asks_itself(
    swift: tuple[S3Server, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise LookupError

    monkeypatch.setattr("pipeline.storage.client.Reading", refused)
    store, _ = once(*swift)
    assert store.get("k").data == b"0123456789"
    assert store.get_range("k", 3, 2).data == b"34"


@pytest.mark.parametrize("version", [botocore.UNSIGNED, "s3"], ids=["not at all", "version 2"])
def test_a_client_that_signs_in_another_way_is_not_imitated(version: Any) -> None:
    made = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="k",
        aws_secret_access_key="s",  # noqa: S106 - nobody's
        config=Config(signature_version=version),
    )
    with pytest.raises(LookupError, match="does not sign as"):
        Reading(made, "bucket")
    made.close()


def test_what_is_no_client_of_botocore_is_not_imitated() -> None:
    with pytest.raises(LookupError, match="_endpoint"):
        Reading(object(), "bucket")
