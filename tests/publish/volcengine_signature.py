"""Whether a request is signed, by what docs/6369/67269 says; it shares nothing with our own signing."""

from __future__ import annotations

import calendar
import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from tests.publish.volcengine_space import Refuse, Refused, must

if TYPE_CHECKING:
    from email.message import Message

    from tests.publish.volcengine_space import Space

WINDOW_S = 900
UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
LOGIN = re.compile(
    r"HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/request, SignedHeaders=([a-z0-9;\-]+), "
    r"Signature=([0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived: nothing is decoded."""

    method: str
    path: str
    query: str
    headers: Message
    body: bytes


def check(request: Received, space: Space) -> None:
    """Refuse what is not signed, or not by the login, or not for now.

    Raises:
        Refused: with the code of docs/4/65595.
    """
    login = space.login
    found = LOGIN.fullmatch(request.headers.get("Authorization", ""))
    if not found:
        raise Refused(Refuse(401, "MissingAuthenticationToken"))
    access_key, day, region, service, names, signature = found.groups()
    stamp = request.headers.get("X-Date", "")
    must(access_key == login.access_key, 401, "InvalidClientTokenId", f"no such key {access_key}")
    must(request.headers.get("X-Security-Token", "") == login.token, 401, "InvalidClientTokenId")
    must(bool(re.fullmatch(r"\d{8}T\d{6}Z", stamp)) and stamp[:8] == day, 401, "SignatureDoesNotMatch")
    at = time.strptime(stamp, "%Y%m%dT%H%M%SZ")
    off = time.time() + space.ahead_s - calendar.timegm(at)
    must(abs(off) <= WINDOW_S, 403, "InvalidTimestamp")
    must((region, service) == (space.region, "vod"), 401, "SignatureDoesNotMatch")
    needed = {"host", "x-date", "x-content-sha256"} | ({"content-type"} if request.body else set())
    needed |= {"x-security-token"} if login.token else set()
    must(needed <= set(names.split(";")), 401, "SignatureDoesNotMatch", "a header is not signed")
    hashed = hashlib.sha256(request.body).hexdigest()
    must(request.headers["X-Content-Sha256"] == hashed, 401, "SignatureDoesNotMatch", "the body is another")
    text = _string_to_sign(request, names, stamp, f"{day}/{region}/{service}/request", hashed)
    key = login.secret_key.encode()
    for part in (day, region, service, "request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    # As careless as a real service may be: the message repeats the keys.
    said = f"expected {expected} of {access_key} and {login.secret_key}"
    must(hmac.compare_digest(expected, signature), 401, "SignatureDoesNotMatch", said)


def _string_to_sign(request: Received, names: str, stamp: str, scope: str, hashed: str) -> str:
    pairs = [pair.partition("=")[::2] for pair in request.query.split("&")]
    encoded = sorted((_encoded(name), _encoded(value)) for name, value in pairs)
    canonical = f"{request.method}\n{request.path}\n"
    canonical += "&".join(f"{name}={value}" for name, value in encoded) + "\n"
    for name in names.split(";"):
        canonical += f"{name}:{request.headers[name].strip()}\n"
    canonical += f"\n{names}\n{hashed}"
    return f"HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def _encoded(text: str) -> str:
    """As RFC 3986 writes it, whatever it was written like."""
    raw = unquote_to_bytes(text.replace("+", " "))
    return "".join(chr(b) if b in UNRESERVED else f"%{b:02X}" for b in raw)
