"""The signature by Tencent's published example, its own SDK, and the fake's check, which shares no code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.publish.tencent.signing import JSON, authorization
from pipeline.storage.stores import Keys
from tests.publish.tc3 import fault_of
from tests.publish.tencent_fake import APP, SECRET_ID, SECRET_KEY, TOKEN
from tests.vendors.laws import patient

if TYPE_CHECKING:
    from tests.publish.tencent_scene import Scene

AT_S = 1551113065
EXAMPLE = Keys("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")


def test_the_published_example_is_signed_as_it_is_published() -> None:
    """Of tencentcloud.com/document/product/267/37447, "Signature v3"."""
    payload = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    signed = {"Content-Type": "application/json; charset=utf-8", "Host": "cvm.tencentcloudapi.com"}
    assert authorization(EXAMPLE, "cvm", signed, payload, AT_S) == (
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host, "
        "Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    )


def headers(payload: bytes, secret: str = SECRET_KEY, at_s: int = AT_S, action: str = "Do") -> dict[str, str]:
    """Of a request with our signature."""
    signed = {"Content-Type": JSON, "Host": "Vod.example:8443", "X-TC-Action": action}
    said = authorization(Keys(SECRET_ID, secret), "vod", signed, payload, at_s)
    sent = {**signed, "Authorization": said, "X-TC-Timestamp": str(at_s)}
    return {name.lower(): value for name, value in sent.items()}


@given(st.binary(max_size=300), st.text(min_size=1), st.integers(10**9, 10**10 - 1))
@patient
def test_every_signature_is_what_the_page_says(payload: bytes, secret: str, at_s: int) -> None:
    sent = headers(payload, secret, at_s)
    assert fault_of(sent, payload, secrets={SECRET_ID: secret}, now_s=at_s) is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"x-tc-action": "Other"}, "AuthFailure.SignatureFailure"),
        ({"host": "vod.example"}, "AuthFailure.SignatureFailure"),
        ({"x-tc-timestamp": str(AT_S + 1)}, "AuthFailure.SignatureFailure"),
        ({"x-tc-timestamp": str(AT_S + 301)}, "AuthFailure.SignatureExpire"),
        ({"x-tc-token": "t"}, "AuthFailure.TokenFailure"),
        ({"authorization": "TC3-HMAC-SHA256"}, "AuthFailure.InvalidAuthorization"),
    ],
    ids=["the action", "the host", "the time", "an old time", "a token", "no signature"],
)
def test_the_check_sees_what_was_changed(change: dict[str, str], code: str) -> None:
    fault = fault_of({**headers(b"{}"), **change}, b"{}", secrets={SECRET_ID: SECRET_KEY}, now_s=AT_S)
    assert fault is not None
    assert fault.code == code


def test_the_check_sees_another_body_and_another_secret() -> None:
    for body, secret in ((b"{ }", SECRET_KEY), (b"{}", "other")):
        fault = fault_of(headers(b"{}"), body, secrets={SECRET_ID: secret}, now_s=AT_S)
        assert fault is not None
        assert fault.code == "AuthFailure.SignatureFailure"


def test_tencents_own_sdk_passes_the_check_and_signs_as_we_do(tencent: Scene) -> None:
    from tencentcloud.common.common_client import CommonClient
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile

    host = urlsplit(tencent.api.server.endpoint).netloc
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=host))
    sdk = CommonClient("vod", "2018-07-17", Credential(SECRET_ID, SECRET_KEY, TOKEN), "ap-guangzhou", profile)
    asked = {"MediaType": "mp4", "SubAppId": APP, "MediaName": "通话"}
    assert sdk.call_json("ApplyUpload", asked)["Response"]["StorageBucket"] == tencent.fake.bucket

    (sent,) = tencent.api.seen
    signed = {name: sent.headers[name] for name in ("content-type", "host")}
    at_s = int(sent.headers["x-tc-timestamp"])
    ours = authorization(Keys(SECRET_ID, SECRET_KEY), "vod", signed, json.dumps(asked).encode(), at_s)
    assert sent.headers["authorization"] == ours
