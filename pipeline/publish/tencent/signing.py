"""Signature v3 of Tencent Cloud's API, TC3-HMAC-SHA256. Pure: the time is handed in.

The algorithm is published with an example, tencentcloud.com/document/product/267/37447 ("Signature v3"). The
tests check that example, and that Tencent's own SDK makes the same signatures.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.storage.stores import Keys

ALGORITHM = "TC3-HMAC-SHA256"
JSON = "application/json; charset=utf-8"


def authorization(keys: Keys, service: str, signed: Mapping[str, str], payload: bytes, at_s: int) -> str:
    """The value of the header ``Authorization`` of a POST to ``/``.

    Args:
        keys: whose secret key signs; their session token is not signed.
        service: the first label of the service's host.
        signed: the headers that are signed, by their names; ``Content-Type`` and ``Host`` must be among them.
        payload: the body, byte for byte.
        at_s: the value of ``X-TC-Timestamp``, UTC seconds.
    """
    headers = {name.lower(): value.strip().lower() for name, value in signed.items()}
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"POST\n/\n\n{lines}\n{names}\n{_sha256(payload)}"
    date = datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d")
    scope = f"{date}/{service}/tc3_request"
    text = f"{ALGORITHM}\n{at_s}\n{scope}\n{_sha256(request.encode())}"
    key = f"TC3{keys.secret_key}".encode()
    for part in (date, service, "tc3_request"):
        key = _hmac(key, part)
    signature = _hmac(key, text).hex()
    return f"{ALGORITHM} Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), hashlib.sha256)
