"""The signature, by the example that the vendor publishes and by the rules that it tells."""

from __future__ import annotations

import pytest

from pipeline.publish.volcengine.signing import (
    Request,
    Scope,
    canonical_query,
    canonical_request,
    signed_headers,
)
from pipeline.storage.stores import Keys

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
KEYS = Keys(
    "AKLTMjI2ODVlYzI3ZGY1NGU4ZjhjYWRjMTlmNTM5OTZkYzE",
    "TnpCak5XWXpZV1U0WkRaaE5ERmxaR0ZpTmpjeVkyUXlZek0wTWpJMU1qWQ==",
)
"""Those of the published example; they open nothing."""
ASKED = Request(
    method="GET",
    host="iam.volcengineapi.com",
    query={"Version": "2018-01-01", "Offset": "0", "Limit": "10", "Action": "ListUsers"},
    content_type="application/x-www-form-urlencoded; charset=utf-8",
)
SCOPE = Scope(region="cn-north-1", service="iam", stamp="20201230T081805Z")


def test_the_published_example_has_the_published_signature() -> None:
    # https://www.volcengine.com/docs/6369/67270
    headers = signed_headers(ASKED, SCOPE, KEYS)
    assert headers["Authorization"] == (
        "HMAC-SHA256 "
        "Credential=AKLTMjI2ODVlYzI3ZGY1NGU4ZjhjYWRjMTlmNTM5OTZkYzE/20201230/cn-north-1/iam/request, "
        "SignedHeaders=content-type;host;x-content-sha256;x-date, "
        "Signature=28eeabbbd726b87002e0fe58ad8c1c768e619b06e2646f35b6ad7ed029a6d8a7"
    )
    assert headers["X-Date"] == "20201230T081805Z"
    assert headers["X-Content-Sha256"] == EMPTY


def test_the_published_example_has_the_published_canonical_request() -> None:
    headers = {
        "X-Date": SCOPE.stamp,
        "Host": ASKED.host,
        "X-Content-Sha256": EMPTY,
        "Content-Type": ASKED.content_type,
    }
    assert canonical_request(ASKED, headers) == (
        "GET\n"
        "/\n"
        "Action=ListUsers&Limit=10&Offset=0&Version=2018-01-01\n"
        "content-type:application/x-www-form-urlencoded; charset=utf-8\n"
        "host:iam.volcengineapi.com\n"
        f"x-content-sha256:{EMPTY}\n"
        "x-date:20201230T081805Z\n"
        "\n"
        "content-type;host;x-content-sha256;x-date\n"
        f"{EMPTY}"
    )


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        pytest.param({"b": "1", "a": "2"}, "a=2&b=1", id="names are sorted"),
        pytest.param({"B": "1", "a": "2"}, "B=1&a=2", id="as bytes, so capitals come first"),
        pytest.param({"a": "-_.~Az09"}, "a=-_.~Az09", id="unreserved characters stay"),
        pytest.param(
            {"a": "x y+z/?&="}, "a=x%20y%2Bz%2F%3F%26%3D", id="all others are encoded, a space as %20"
        ),
        pytest.param({"a": "片"}, "a=%E7%89%87", id="other scripts as UTF-8"),
        pytest.param({"a": ""}, "a=", id="an empty value keeps its sign"),
    ],
)
def test_a_query_is_written_as_it_is_signed(query: dict[str, str], canonical: str) -> None:
    assert canonical_query(query) == canonical


def test_a_session_token_is_sent_and_signed() -> None:
    headers = signed_headers(ASKED, SCOPE, Keys("AK", "SK", "TOKEN"))
    assert headers["X-Security-Token"] == "TOKEN"
    assert "x-content-sha256;x-date;x-security-token" in headers["Authorization"]


def test_a_body_is_signed_by_its_hash() -> None:
    first, second = (
        signed_headers(Request("POST", "h", {}, body, "text/plain"), SCOPE, KEYS) for body in (b"1", b"2")
    )
    assert first["X-Content-Sha256"] != second["X-Content-Sha256"]
    assert first["Authorization"] != second["Authorization"]
