"""The signature of a call: HMAC-SHA256 over a canonical request. Pure: the time and the keys are arguments.

Source: docs/6369/67269 ("签名方法"), whose worked example (docs/6369/67270) is a test; and
`volcengine/auth/SignerV4.py` of the Python client.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.storage.stores import Keys

ALGORITHM = "HMAC-SHA256"
_UNRESERVED = "-_.~"
"""Besides letters and digits (RFC 3986 2.3); everything else of a name or a value is percent-encoded."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, as it is signed.

    Attributes:
        method: GET or POST.
        host: as in the Host header, with a port that is not the scheme's own.
        query: names and values, not encoded.
        body: "" for GET.
        content_type: of the body; "" for none.
    """

    method: str
    host: str
    query: Mapping[str, str]
    body: bytes = b""
    content_type: str = ""

    @property
    def target(self) -> str:
        """The path with the canonical query: sorted by name, encoded."""
        return f"/?{canonical_query(self.query)}"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is good for.

    Attributes:
        region: cn-north-1 …
        service: of the API, such as vod.
        stamp: of the request in UTC, ``YYYYMMDDTHHMMSSZ``.
    """

    region: str
    service: str
    stamp: str

    def __str__(self) -> str:
        return f"{self.stamp[:8]}/{self.region}/{self.service}/request"


def signed_headers(request: Request, scope: Scope, keys: Keys) -> dict[str, str]:
    """All headers of a request, every one of them signed but the one that holds the signature."""
    headers = {
        "Host": request.host,
        "X-Content-Sha256": hashlib.sha256(request.body).hexdigest(),
        "X-Date": scope.stamp,
    }
    if request.content_type:
        headers["Content-Type"] = request.content_type
    if keys.session_token:
        headers["X-Security-Token"] = keys.session_token
    names = ";".join(sorted(name.lower() for name in headers))
    signature = _signature(keys.secret_key, scope, canonical_request(request, headers))
    login = f"Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "Authorization": f"{ALGORITHM} {login}"}


def canonical_request(request: Request, headers: Mapping[str, str]) -> str:
    """The six parts of a request, a line break between two; the headers end with one of their own."""
    lines = sorted(f"{name.lower()}:{value.strip()}\n" for name, value in headers.items())
    return "\n".join(
        (
            request.method,
            "/",
            canonical_query(request.query),
            "".join(lines),
            ";".join(sorted(name.lower() for name in headers)),
            hashlib.sha256(request.body).hexdigest(),
        )
    )


def canonical_query(query: Mapping[str, str]) -> str:
    """Names and values, encoded, sorted by name."""
    pairs = sorted(query.items())
    return "&".join(
        f"{quote(name, safe=_UNRESERVED)}={quote(value, safe=_UNRESERVED)}" for name, value in pairs
    )


def _signature(secret: str, scope: Scope, canonical: str) -> str:
    key = secret.encode()
    for part in (scope.stamp[:8], scope.region, scope.service, "request"):
        key = hmac.digest(key, part.encode(), "sha256")
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{ALGORITHM}\n{scope.stamp}\n{scope}\n{hashed}"
    return hmac.digest(key, text.encode(), "sha256").hex()
