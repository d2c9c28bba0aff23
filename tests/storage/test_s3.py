"""The S3 store on real servers: the contract, and what only real answers show."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

import botocore.auth
import pytest

from pipeline.errors import BusyError, CorruptError, DeniedError, NoBucketError, StorageError
from pipeline.storage.client import Connection
from pipeline.storage.open import open_store
from pipeline.storage.protocol import Extras
from pipeline.storage.retrying import Patience
from pipeline.storage.s3 import S3Store
from pipeline.storage.stores import Keys
from tests.servers import rclone
from tests.servers.clients import client
from tests.servers.faults import (
    DENIED,
    EXPIRED,
    Answer,
    Drop,
    Flip,
    Header,
    Truncate,
    at,
    every,
    faulty,
    slow_down,
)
from tests.servers.fixtures import require
from tests.storage.contract import PART, StoreContract
from tests.storage.servers import HOSTILE, bucket, environ, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.storage.protocol import Store
    from tests.servers.certificates import Certificates
    from tests.servers.faults import Fault
    from tests.servers.s3 import S3Server


class TestSwift(StoreContract):
    @pytest.fixture
    def store(self, swift_http: S3Server) -> Store:
        return open_store(settings(swift_http, bucket(swift_http)), environ(swift_http))


class TestSwiftOverTls(StoreContract):
    @pytest.fixture
    def store(self, swift_tls: S3Server) -> Store:
        return open_store(settings(swift_tls, bucket(swift_tls), "some/prefix/"), environ(swift_tls))


class TestRcloneOverTlsAsCos(StoreContract):
    keeps_etags = False  # it answers as AWS does and tells the MD5 of the file afterwards

    @pytest.fixture
    def store(self, rclone_tls: S3Server) -> Store:
        where = settings(rclone_tls, bucket(rclone_tls), profile=HOSTILE)
        return open_store(where, environ(rclone_tls))


HASTE = Patience(seconds=20, first=0, longest=0.1)


def test_a_wrong_secret_is_told_and_is_not_in_the_sentence(swift_http: S3Server) -> None:
    where = settings(swift_http, bucket(swift_http))
    wrong = {**environ(swift_http), "TEST_SECRET": "not-the-secret"}
    with pytest.raises(DeniedError, match=r"is refused \(.*\): check the credentials") as caught:
        open_store(where, wrong).put("k", b"x")
    assert "not-the-secret" not in str(caught.value)
    assert "not-the-secret" not in repr(caught.value.__cause__)


def test_a_bucket_that_is_not_there_is_told(swift_http: S3Server) -> None:
    store = open_store(settings(swift_http, "no-such-bucket"), environ(swift_http))
    with pytest.raises(NoBucketError, match="no-such-bucket"):
        list(store.list(""))


def test_a_server_that_nobody_vouches_for_is_refused_at_once(swift_tls: S3Server) -> None:
    where = replace(settings(swift_tls, bucket(swift_tls)), ca_bundle=None)
    with pytest.raises(StorageError, match="certificate is not trusted") as caught:
        open_store(where, environ(swift_tls)).put("k", b"x")
    assert not caught.value.retryable


def test_both_accounts_see_their_own_buckets_with_their_own_keys(swift_tls: S3Server) -> None:
    stores = []
    for account in swift_tls.accounts[:2]:
        where = settings(swift_tls, bucket(swift_tls, account))
        stores.append(open_store(where, environ(swift_tls, account)))
    ours, theirs = stores
    ours.put("k", b"ours")
    theirs.put("k", ours.get("k").data + b" and theirs")
    assert (ours.get("k").data, theirs.get("k").data) == (b"ours", b"ours and theirs")


def test_extras_reach_the_store(swift_tls: S3Server) -> None:
    name = bucket(swift_tls)
    store = open_store(settings(swift_tls, name), environ(swift_tls))
    extras = Extras("video/mp4", metadata={"recpipe": "0.1"})
    store.put("whole", b"x", extras)
    upload = store.upload("parts", extras)
    upload.part(1, b"x")
    upload.complete()
    with client(swift_tls) as raw:
        for key in ("whole", "parts"):
            told = raw.head_object(Bucket=name, Key=key)
            assert told["ContentType"] == "video/mp4"
            assert told["Metadata"] == {"recpipe": "0.1"}


@pytest.mark.parametrize("hours", [-1, 2])
def test_a_wrong_clock_of_this_machine_is_set_right_for_signatures(
    swift_http: S3Server, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = settings(swift_http, bucket(swift_http))
    off = timedelta(hours=hours)
    right = botocore.auth.get_current_datetime
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: right() + off)
    once = S3Store(where, Connection(where, environ(swift_http)))
    with pytest.raises(BusyError, match=r"this machine's clock is \d+ s off the store's") as caught:
        once.put("k", b"x")
    (told,) = re.findall(r"clock is (\d+) s", str(caught.value))
    assert int(told) == pytest.approx(abs(hours) * 3600, abs=3)
    assert once.put("k", b"x").size == 1
    assert open_store(where, environ(swift_http), HASTE).get("k").data == b"x"


def test_keys_are_read_again_after_they_expired(swift_http: S3Server) -> None:
    name = bucket(swift_http)
    ours = environ(swift_http)
    with faulty(swift_http, at(1, EXPIRED)) as between:
        where = replace(settings(swift_http, name), endpoint=between.server.endpoint)
        keys = {**ours, "TEST_SECRET": "expired"}

        class Fresh(dict[str, str]):
            """The second time they are asked for, the keys are good."""

            asked = 0

            def __getitem__(self, name: str) -> str:
                Fresh.asked += name == "TEST_SECRET"
                return keys[name] if Fresh.asked < 2 else ours[name]

        store = open_store(where, Fresh(keys), HASTE)
        assert store.put("k", b"x").size == 1
    assert Fresh.asked == 2


def test_credentials_that_stay_expired_end_with_the_time(swift_http: S3Server) -> None:
    with faulty(swift_http, every(1, EXPIRED)) as between:
        where = replace(settings(swift_http, "any"), endpoint=between.server.endpoint)
        store = open_store(where, environ(swift_http), HASTE)
        with pytest.raises(DeniedError, match="expired"):
            store.stat("k")
    assert [seen.method for seen in between.seen].count("GET") == 2  # by which the reason is asked for


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Drop(after=False), id="dropped before the answer"),
        pytest.param(Drop(after=True), id="dropped after the answer"),
        pytest.param(slow_down(), id="SlowDown"),
        pytest.param(slow_down("0"), id="SlowDown with Retry-After"),
        pytest.param(Truncate(1), id="cut off"),
        pytest.param(Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError"), id="an error inside"),
    ],
)
def test_every_third_request_fails_and_all_comes_right(swift_http: S3Server, fault: Fault) -> None:
    name = bucket(swift_http)
    with faulty(swift_http, every(3, fault)) as between:
        where = replace(settings(swift_http, name), endpoint=between.server.endpoint)
        store = open_store(where, environ(swift_http), HASTE)
        for number in range(6):
            store.put(f"room/{number}", bytes([number]) * 1000)
            assert store.get(f"room/{number}").data == bytes([number]) * 1000
        upload = store.upload("big")
        upload.part(1, b"a" * PART)
        upload.part(2, b"b")
        assert upload.complete().size == PART + 1
        assert store.get("big").data == b"a" * PART + b"b"
        assert [stat.key for stat in store.list("room/")] == [f"room/{n}" for n in range(6)]
    assert len(between.seen) > 18


def test_a_look_whose_answer_does_not_come_is_tried_again(swift_http: S3Server) -> None:
    """A HEAD is asked for its reason where it has a status, and a broken connection has none."""
    name = bucket(swift_http)
    open_store(settings(swift_http, name), environ(swift_http)).put("k", b"x")
    with faulty(swift_http, at(1, Drop())) as between:
        where = replace(settings(swift_http, name), endpoint=between.server.endpoint)
        assert open_store(where, environ(swift_http), HASTE).stat("k").size == 1
    assert [seen.method for seen in between.seen] == ["HEAD", "HEAD"]


def test_temporary_credentials_come_with_their_token_and_end_with_it(swift_http: S3Server) -> None:
    name, account = bucket(swift_http), swift_http.accounts[0]
    keys = Keys(account.access_key, account.secret_key, "temporary")
    with faulty(swift_http) as between:
        where = replace(settings(swift_http, name), endpoint=between.server.endpoint, credentials=keys)
        store = open_store(where, {}, HASTE)
        assert store.put("k", b"x").size == 1
        between.rule = every(1, EXPIRED)
        with pytest.raises(DeniedError, match="the credentials have expired"):
            store.get("k")
    assert [seen.headers["x-amz-security-token"] for seen in between.seen] == ["temporary"] * 2


def test_no_token_is_in_a_log(swift_http: S3Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    account = swift_http.accounts[0]
    keys = Keys(account.access_key, account.secret_key, "temporary-token")
    where = replace(settings(swift_http, bucket(swift_http)), credentials=keys)
    open_store(where, {}, HASTE).put("k", b"x")
    assert "botocore" in caplog.text
    assert "temporary-token" not in caplog.text
    assert account.secret_key not in caplog.text


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        pytest.param(Flip(3), "other bytes than its MD5", id="a flipped bit"),
        pytest.param(Header("ETag", '"' + "0" * 32 + '"'), "other bytes than its MD5", id="a wrong ETag"),
    ],
)
def test_what_arrives_changed_is_never_taken(swift_http: S3Server, fault: Fault, sentence: str) -> None:
    name = bucket(swift_http)
    open_store(settings(swift_http, name), environ(swift_http)).put("k", b"0123456789")
    with faulty(swift_http, every(1, fault)) as between:
        where = replace(settings(swift_http, name), endpoint=between.server.endpoint)
        store = open_store(where, environ(swift_http), Patience(seconds=0.3, first=0.01, longest=0.01))
        with pytest.raises(CorruptError, match=sentence):
            store.get("k")
    with faulty(swift_http, at(1, fault)) as between:
        where = replace(settings(swift_http, name), endpoint=between.server.endpoint)
        assert open_store(where, environ(swift_http), HASTE).get("k").data == b"0123456789"


def test_a_refusal_is_asked_for_once(swift_http: S3Server) -> None:
    with faulty(swift_http, every(1, DENIED)) as between:
        where = replace(settings(swift_http, "any"), endpoint=between.server.endpoint)
        with pytest.raises(DeniedError):
            open_store(where, environ(swift_http), HASTE).get("k")
    assert len(between.seen) == 1


def test_a_listing_of_20000_keys_is_whole_and_in_order(rclone_many: S3Server) -> None:
    store = open_store(settings(rclone_many, "many", profile=HOSTILE), environ(rclone_many))
    keys = [stat.key for stat in store.list("")]
    assert len(keys) == 20_000
    assert keys == sorted(keys)


@pytest.fixture(scope="module")
def rclone_many(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[S3Server]:
    require(rclone.lacking())
    folder = tmp_path_factory.mktemp("many")
    place = folder / "data" / "many" / "room"
    place.mkdir(parents=True)
    for number in range(20_000):
        (place / f"{number:05}.ts").write_bytes(b"x")
    with rclone.rclone(folder, certificates) as server:
        yield server
