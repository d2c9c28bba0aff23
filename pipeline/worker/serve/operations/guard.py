"""Who may ask: by a token, or by being on this machine. Pure.

Without a token the listener is bound to the loopback alone, where every page of a browser may send requests:
those whose host is another name (DNS rebinding), or that another site sends, are refused.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING

from pipeline.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping

OPEN = frozenset({"/health", "/ready"})
"""Told to everybody: who restarts a container has no token, and they tell nothing."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]/@\s]+)(?::[0-9]{1,5})?", re.ASCII)
_CREDENTIALS = re.compile(r"(bearer|basic) +([!-~]+)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that is not answered as it wants.

    Attributes:
        sentence: why.
    """

    status: HTTPStatus
    sentence: str


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides of each request.

    Attributes:
        token: that must be shown; None where the listener is on the loopback.
        hosts: names by which a listener without a token is reached, beside those of the loopback.
    """

    token: bytes | None
    hosts: frozenset[str] = frozenset()

    def refusal(self, method: str, path: str, headers: Mapping[str, str]) -> Refusal | None:
        """Why a request is refused; None for one that is answered.

        Args:
            method: of the request.
            path: of its target.
            headers: by name in lower case.
        """
        if path in OPEN:
            return None
        if self.token is None:
            if _host(headers.get("host", "")) not in LOOPBACK | self.hosts:
                return Refusal(
                    HTTPStatus.FORBIDDEN, "this listener is asked by another name: call it 127.0.0.1."
                )
        elif not hmac.compare_digest(_shown(headers.get("authorization", "")), self.token):
            return Refusal(HTTPStatus.UNAUTHORIZED, "the token of this listener is missing or wrong.")
        if method not in {"GET", "HEAD"} and _is_of_another_site(headers):
            return Refusal(HTTPStatus.FORBIDDEN, "another site may not send this.")
        return None


def check_binding(host: str, token: bytes | None) -> None:
    """Refuse a listener that others reach and that asks for no token.

    Args:
        host: that it is bound to.
        token: that it asks for.

    Raises:
        CommandError: it is not the loopback, and there is no token.
    """
    if token is None and not is_loopback(host):
        raise CommandError(
            f"the operations listener at {host} can be reached from elsewhere and has no token: bind it to "
            "127.0.0.1, or name one by bearer_env or bearer_file in [operations] of recpipe.toml."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it.

    >>> is_loopback("127.0.0.1"), is_loopback("[::1]"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _host(header: str) -> str:
    found = _HOST.fullmatch(header)
    return found["host"].strip("[]").lower().rstrip(".") if found else ""


def _shown(header: str) -> bytes:
    """The token in a request: as a bearer's (RFC 6750), or as a browser's password (RFC 7617)."""
    found = _CREDENTIALS.fullmatch(header.strip())
    if found is None:
        return b""
    if found[1].lower() == "bearer":
        return found[2].encode("ascii")
    try:
        return base64.b64decode(found[2], validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""


def _is_of_another_site(headers: Mapping[str, str]) -> bool:
    """By what browsers say (Fetch standard, "Origin"; Fetch Metadata); programs say neither."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower()
