"""What becomes of answers that no store gives: handshakes cut off, no TLS, keys that no header takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.errors import BusyError, DeniedError, StorageError
from pipeline.storage.open import open_store
from pipeline.storage.profiles import SWIFT
from pipeline.storage.protocol import Unless
from pipeline.storage.retrying import Patience
from pipeline.storage.stores import KeysInEnvironment, StoreSettings
from tests.servers.listening import Listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.storage.protocol import Store

KEYS = {"KEY": "AKEXAMPLE", "SECRET": "s3cret", "TOKEN": "t0ken"}


def answer(status: int, code: str, *headers: str) -> bytes:
    """A store's refusal."""
    body = f"<Error><Code>{code}</Code></Error>"
    lines = [f"HTTP/1.1 {status} No", "Date: Wed, 21 Oct 2015 07:27:00 GMT", *headers]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", body]
    return "\r\n".join(lines).encode()


@pytest.fixture(params=[b""])
def listening(request: pytest.FixtureRequest) -> Iterator[Listening]:
    there = Listening(request.param)
    yield there
    there.close()


def store(endpoint: str, **keys: str) -> Store:
    where = StoreSettings(
        name="test",
        profile=SWIFT,
        bucket="bucket",
        region="us-east-1",
        endpoint=endpoint,
        credentials=KeysInEnvironment("KEY", "SECRET", "TOKEN"),
    )
    return open_store(where, KEYS | keys, Patience(seconds=0.5, first=0.01, longest=0.05))


def test_a_handshake_that_is_cut_off_may_come_right(listening: Listening) -> None:
    with pytest.raises(BusyError, match="the connection broke"):
        store(f"https://127.0.0.1:{listening.port}").get("k")


@pytest.mark.parametrize("listening", [b"HTTP/1.1 400 Bad Request\r\n\r\n"], indirect=True)
def test_a_port_without_tls_is_told_at_once(listening: Listening) -> None:
    with pytest.raises(StorageError, match=r"does not speak TLS .*: check its endpoint") as caught:
        store(f"https://127.0.0.1:{listening.port}").get("k")
    assert not caught.value.retryable
    assert listening.met == 1


@pytest.mark.parametrize("variable", ["KEY", "TOKEN"])
def test_keys_with_a_line_break_are_told_and_not_repeated(variable: str) -> None:
    with pytest.raises(DeniedError, match="have a line break") as caught:
        store("http://127.0.0.1:9", **{variable: KEYS[variable] + "\n"}).get("k")
    assert KEYS[variable] not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("listening", "retryable"),
    [
        pytest.param(answer(409, "ConditionalRequestConflict"), True, id="two writes at once"),
        pytest.param(answer(412, "PreconditionFailed"), False, id="the other was first"),
        pytest.param(
            answer(503, "SlowDown", "Retry-After: Wed, 21 Oct 2015 07:28:00 -0000"),
            True,
            id="a date of no zone",
        ),
    ],
    indirect=["listening"],
)
def test_which_answers_may_be_others_the_next_time(listening: Listening, retryable: bool) -> None:  # noqa: FBT001 - a table
    with pytest.raises(StorageError) as caught:
        store(f"http://127.0.0.1:{listening.port}").put("k", b"x", unless=Unless(exists=True))
    assert caught.value.retryable == retryable
