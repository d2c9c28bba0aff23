"""Tencent Cloud's signature v3, checked on the raw request as its page says; it shares no code with ours.

Page: "Signature v3", tencentcloud.com/document/product/267/37447. Codes and order: "Error Codes" of the API.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

WINDOW_S = 300
FORM = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/,\s]+)/(\d{4}-\d\d-\d\d)/([a-z0-9]+)/tc3_request, "
    r"SignedHeaders=([a-z0-9\-;]+), Signature=([0-9a-f]{64})"
)


class Fault(NamedTuple):
    """A refusal."""

    code: str
    message: str


def fault_of(  # noqa: PLR0911 - one return a rule of the page
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Mapping[str, str],
    token: str = "",
    now_s: float,
    service: str = "vod",
) -> Fault | None:
    """What the service would say of a POST to ``/``; None where it is signed as it must be.

    Args:
        headers: of the request, their names in lower case.
        body: of the request.
        secrets: secret keys by their ids.
        token: that must come with them; "" for none.
        now_s: the service's clock.
        service: whose API it is.
    """
    found = FORM.fullmatch(headers.get("authorization", ""))
    if found is None:
        return Fault("AuthFailure.InvalidAuthorization", "Authorization in the request header is invalid.")
    secret_id, date, named_service, named, signature = found.groups()
    signed = named.split(";")
    if signed != sorted(signed) or not {"content-type", "host"} <= set(signed) or named_service != service:
        return Fault("AuthFailure.InvalidAuthorization", "SignedHeaders or the service is not as it must be.")
    if secret_id not in secrets:
        return Fault("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
    if headers.get("x-tc-token", "") != token:
        return Fault("AuthFailure.TokenFailure", "The token is not that of the key.")
    stamp = headers.get("x-tc-timestamp", "")
    if not re.fullmatch(r"\d{10}", stamp):
        return Fault("InvalidParameter", "X-TC-Timestamp is no time.")
    if abs(int(stamp) - now_s) > WINDOW_S:
        return Fault("AuthFailure.SignatureExpire", "The signature is expired.")
    request = "\n".join(
        (
            "POST",
            "/",
            "",
            *(f"{name}:{headers.get(name, '').strip().lower()}" for name in signed),
            "",
            named,
            hashlib.sha256(body).hexdigest(),
        )
    )
    day = time.strftime("%Y-%m-%d", time.gmtime(int(stamp)))
    text = "\n".join(
        (
            "TC3-HMAC-SHA256",
            stamp,
            f"{day}/{service}/tc3_request",
            hashlib.sha256(request.encode()).hexdigest(),
        )
    )

    def step(key: bytes, said: str) -> bytes:
        return hmac.new(key, said.encode(), hashlib.sha256).digest()

    secret_date = step(b"TC3" + secrets[secret_id].encode(), day)
    signing = step(step(secret_date, service), "tc3_request")
    if date != day or not hmac.compare_digest(step(signing, text).hex(), signature):
        return Fault("AuthFailure.SignatureFailure", "The provided credentials could not be validated.")
    return None
