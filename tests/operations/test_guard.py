"""Where the operations listener may be bound, and whom it answers, as values."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from pipeline.errors import CommandError
from pipeline.worker.serve.operations.guard import Guard, check_binding

TOKEN = b"0123456789abcdef"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_the_loopback_needs_no_token(host: str) -> None:
    check_binding(host, None)
    check_binding(host, TOKEN)


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",  # noqa: S104 - nothing is bound to it
        *("::", "[::]", "10.0.0.1", "recpipe.internal", "localhost.evil.example", "", "127.1"),
    ],
)
def test_everything_else_does(host: str) -> None:
    check_binding(host, TOKEN)
    with pytest.raises(CommandError, match=r"has no token: bind it to 127.0.0.1, or name one by bearer_env"):
        check_binding(host, None)


@pytest.mark.parametrize(
    "header",
    [
        *("127.0.0.1", "127.0.0.1:8081", "localhost", "LocalHost:1", "localhost.", "[::1]", "[::1]:8081"),
        "ops.internal:8081",
    ],
)
def test_a_name_of_this_machine_is_answered(header: str) -> None:
    assert Guard(None, frozenset({"ops.internal"})).refusal("GET", "/", {"host": header}) is None


@pytest.mark.parametrize(
    "header",
    [
        *("", "evil.example", "127.0.0.1.evil.example", "evil.example:127", "127.0.0.1@evil.example"),
        *("localhost evil", "[::1", "::1", "127.0.0.1:x", "localhost/", "localhost:123456"),
    ],
)
def test_any_other_name_is_refused(header: str) -> None:
    refusal = Guard(None).refusal("GET", "/", {"host": header})
    assert refusal is not None
    assert refusal.status is HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"origin": "http://127.0.0.1:8081"}, False),
        ({"origin": "http://127.0.0.1:8082"}, True),
        ({"origin": "null"}, True),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8081"}, True),
    ],
)
def test_another_site_may_change_nothing(headers: dict[str, str], *, refused: bool) -> None:
    found = Guard(None).refusal("POST", "/jobs", {"host": "127.0.0.1:8081", **headers})
    assert (found is not None) == refused


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_whether_it_is_alive_is_told_to_everybody(path: str) -> None:
    for guard in (Guard(None), Guard(TOKEN)):
        assert guard.refusal("GET", path, {"host": "10.1.2.3"}) is None
