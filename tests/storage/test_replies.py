"""What becomes of answers that no store gives: handshakes cut off, no TLS, keys that no header takes."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import BusyError, DeniedError, ObjectMissingError, StorageError
from pipeline.storage.open import open_store
from pipeline.storage.profiles import SWIFT
from pipeline.storage.protocol import Unless
from pipeline.storage.replies import _SENTENCES
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


def test_a_port_at_which_nobody_ever_listened_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    said = rf"s3://bucket/k cannot be asked for: nothing listens at 127\.0\.0\.1:{port}: check the endpoint"
    with pytest.raises(StorageError, match=said) as caught:
        store(f"http://127.0.0.1:{port}").get("k")
    assert not caught.value.retryable


def test_a_server_that_is_gone_by_now_may_come_back() -> None:
    there = Listening(answer(404, "NoSuchKey"))
    found = store(f"http://127.0.0.1:{there.port}")
    with pytest.raises(ObjectMissingError):
        found.get("k")
    there.close()
    for asked in (found, store(f"http://127.0.0.1:{there.port}")):
        with pytest.raises(BusyError, match=r"the connection broke .*: run again later\."):
            asked.get("k")


@pytest.mark.parametrize(
    ("number", "said", "retryable"),
    [
        pytest.param(
            socket.EAI_NONAME, "no host is called nobody.test: check the", False, id="there is none"
        ),
        pytest.param(socket.EAI_AGAIN, "the connection broke", True, id="nobody can say right now"),
    ],
)
def test_a_name_that_is_not_found(
    number: int,
    said: str,
    retryable: bool,  # noqa: FBT001 - a table
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(number, "not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(StorageError, match=said) as caught:
        store("http://nobody.test").get("k")
    assert caught.value.retryable is retryable


@pytest.mark.parametrize("sentence", [*_SENTENCES.values()], ids=[kind.__name__ for kind in _SENTENCES])
def test_every_sentence_says_what_to_do(sentence: str) -> None:
    said = sentence.format(name="s3://b/k", why="Code: Message")
    assert re.search(r"[^:]: (run|check|make sure)[^:.]*\.$", said.replace("(Code: Message)", ""))


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
