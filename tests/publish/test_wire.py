"""What becomes of answers that no service gives, and of the ways there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import BusyError, DeniedError, StorageError
from pipeline.publish import wire
from pipeline.publish.tencent.settings import TencentSettings as Settings
from pipeline.publish.tencent.vod import TencentVod
from pipeline.publish.wire import Wire, proxy_of
from tests.publish.tencent_scene import ENVIRON, KEYS, SHORT
from tests.servers.listening import Listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.publish.tencent_scene import Scene


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    """Bytes of a whole answer."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.fixture(params=[b""])
def listening(request: pytest.FixtureRequest) -> Iterator[Listening]:
    there = Listening(request.param)
    yield there
    there.close()


def ask(endpoint: str, **headers: str) -> None:
    Wire(endpoint, None, {}).post("The service, Do", {"Host": "vod", **headers}, b"{}")


ELSEWHERE = "Location: http://127.0.0.1:9/"


@pytest.mark.parametrize(
    ("listening", "told"),
    [
        pytest.param(
            answer("307 Temporary Redirect", ELSEWHERE), r"sends us elsewhere \(status 307\)", id="307"
        ),
        pytest.param(answer("302 Found", ELSEWHERE), r"sends us elsewhere \(status 302\)", id="302"),
    ],
    indirect=["listening"],
)
def test_a_redirect_is_not_followed(listening: Listening, told: str) -> None:
    with pytest.raises(StorageError, match=told) as caught:
        ask(f"http://127.0.0.1:{listening.port}")
    assert not caught.value.retryable
    assert listening.met == 1


@pytest.mark.parametrize(
    ("listening", "after"),
    [
        pytest.param(answer("503 No"), None, id="503"),
        pytest.param(answer("429 No", "Retry-After: 7"), 7.0, id="429 with a wait"),
        pytest.param(
            answer(
                "500 No",
                "Date: Wed, 21 Oct 2015 07:27:00 GMT",
                "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT",
            ),
            60.0,
            id="500 with a date",
        ),
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1", None, id="cut off"),
        pytest.param(b"garbage\r\n\r\n", None, id="no HTTP"),
    ],
    indirect=["listening"],
)
def test_what_may_be_better_another_time(listening: Listening, after: float | None) -> None:
    with pytest.raises(BusyError) as caught:
        ask(f"http://127.0.0.1:{listening.port}")
    assert caught.value.after == after
    assert listening.met == 1


def test_an_answer_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_ANSWER", 100)
    there = Listening(answer("200 OK", body=b"x" * 101))
    try:
        with pytest.raises(StorageError, match="the answer does not end"):
            ask(f"http://127.0.0.1:{there.port}")
    finally:
        there.close()


@pytest.mark.parametrize(
    ("listening", "told", "retryable"),
    [
        pytest.param(b"", "the connection broke", True, id="cut off"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak TLS as we do", False, id="http"),
    ],
    indirect=["listening"],
)
def test_a_handshake_that_fails(listening: Listening, told: str, retryable: bool) -> None:  # noqa: FBT001 - a table
    with pytest.raises(StorageError, match=told) as caught:
        ask(f"https://127.0.0.1:{listening.port}")
    assert caught.value.retryable == retryable
    assert listening.met == 1


def test_a_header_that_none_may_be_is_not_repeated(listening: Listening) -> None:
    with pytest.raises(DeniedError) as caught:
        ask(f"http://127.0.0.1:{listening.port}", Token="s3cret\r\nX: y")  # noqa: S106 - of no account
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"Response": []}', b"\xff", b"[" * 100_000],
    ids=["nothing", "HTML", "a list", "an object", "another form", "no text", "a deep list"],
)
def test_an_answer_that_is_none_of_tencents_is_told(body: bytes) -> None:
    there = Listening(answer("200 OK", body=body))
    settings = Settings("main", credentials=KEYS, endpoint=f"http://127.0.0.1:{there.port}")
    try:
        with pytest.raises(StorageError, match=r"\(status 200\) is none of Tencent Cloud's: check the"):
            TencentVod(settings, ENVIRON, patience=SHORT).check()
        assert there.met == 1
    finally:
        there.close()


def test_a_bundle_that_is_not_there_is_told(listening: Listening) -> None:
    with pytest.raises(StorageError, match=r"the ca_bundle cannot be read \(No such file") as caught:
        Wire(f"https://127.0.0.1:{listening.port}", Path("none.pem"), {}).post("Do", {}, b"")
    assert not caught.value.retryable


def test_the_proxy_of_the_environment_is_used(tencent: Scene) -> None:
    proxy = tencent.api.server.endpoint.replace("http://", "http://me:pass%20word@")
    settings = Settings("main", credentials=KEYS, sub_app_id=1500000001, endpoint=tencent.fake.endpoint)
    TencentVod(settings, {**ENVIRON, "http_proxy": proxy}).check()
    (seen,) = tencent.api.seen
    assert seen.path == f"{tencent.fake.endpoint}/"
    assert seen.headers["proxy-authorization"] == "Basic bWU6cGFzcyB3b3Jk"
    TencentVod(settings, {**ENVIRON, "http_proxy": proxy, "no_proxy": "127.0.0.1"}).check()
    assert len(tencent.api.seen) == 1


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        pytest.param({}, "", id="none"),
        pytest.param({"HTTPS_PROXY": "a"}, "a", id="upper case"),
        pytest.param({"https_proxy": "a", "HTTPS_PROXY": "b"}, "a", id="lower case first"),
        pytest.param({"http_proxy": "a"}, "", id="of another scheme"),
        pytest.param({"https_proxy": "a", "no_proxy": "example.com"}, "", id="not for a domain"),
        pytest.param({"https_proxy": "a", "NO_PROXY": "x, .vod.example.com"}, "", id="not for a host"),
        pytest.param({"https_proxy": "a", "no_proxy": "ample.com"}, "a", id="another domain"),
        pytest.param({"https_proxy": "a", "no_proxy": "*"}, "", id="not at all"),
        pytest.param({"https_proxy": "a", "no_proxy": ""}, "a", id="no exceptions"),
    ],
)
def test_which_proxy_the_environment_names(environ: dict[str, str], proxy: str) -> None:
    assert proxy_of("https", "vod.example.com", environ) == proxy
