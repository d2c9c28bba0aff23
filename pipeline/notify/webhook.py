"""The webhook: where events go and which secrets sign them, as a value that is valid once it exists.

No secret is part of it, only where one is found. Its URL may hold a token of the receiver's, so messages name
the host alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MOST_URL = 2048
MOST_PORT = 65_535
LEAST_SECRET, MOST_SECRET = 16, 1024
"""Bytes; NIST SP 800-107r1 5.3.4 asks for 14 at least."""

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9._\-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>(?:[/?](?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?)",
    re.ASCII,
)
"""RFC 3986 without user information, without a fragment, and with names of hosts as DNS has them."""
_USER = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*@")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]{0,20})://")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Url:
    """Where events are sent.

    Attributes:
        host: in lower case; an IPv6 address in brackets.
        target: path (with a slash in front) and query, which nobody is shown.
    """

    scheme: str
    host: str
    port: int
    target: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Url:
        """The URL in a text.

        Raises:
            CommandError: it is none over http or https, or holds a user, a password or a fragment; what it
                holds is not repeated.
        """
        found = _URL.fullmatch(text) if len(text) <= MOST_URL else None
        if found is not None and 1 <= (port := int(found["port"] or _PORTS[found["scheme"]])) <= MOST_PORT:
            target = found["target"] if found["target"].startswith("/") else f"/{found['target']}"
            return cls(found["scheme"], found["host"].lower(), port, target)
        raise CommandError(f"the webhook's URL {_fault(text)}: expected https://HOST[:PORT]/PATH.")

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"

    @property
    def origin(self) -> str:
        """Scheme, host and port: what messages name."""
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"


def _fault(text: str) -> str:
    """What is wrong with a URL, a sentence's part that repeats nothing of it but its scheme."""
    scheme = _SCHEME.match(text)
    if scheme is not None and scheme[1] not in _PORTS:
        return f"begins with {scheme[0]}, and events are sent by https or http alone"
    if _USER.match(text):
        return "holds a user or a password, which no receiver needs beside the signature"
    if "#" in text:
        return "holds a fragment (#), which is not sent"
    if len(text) > MOST_URL:
        return f"has over {MOST_URL} characters"
    return "is none"


@dataclass(frozen=True, slots=True)
class SecretInEnvironment:
    """A secret in the environment variable of this name.

    Raises:
        ValueError: a name that no variable can have; it is not repeated, as it may be the secret.
    """

    name: str

    def __post_init__(self) -> None:
        if not _VARIABLE.fullmatch(self.name):
            raise ValueError("expected the name of an environment variable, not the webhook's secret itself")

    def read(self, environ: Mapping[str, str]) -> bytes:
        """Its bytes; raises CommandError where there is none, or one that is too short."""
        if not environ.get(self.name):
            raise CommandError(f"the environment has no {self.name}: set it to the webhook's secret.")
        return _checked(environ[self.name].encode("utf-8", "surrogateescape"), self.name)


@dataclass(frozen=True, slots=True)
class SecretInFile:
    """A secret in a file, white space at both ends left out: editors and secret stores end it with a line."""

    path: Path

    def read(self, _environ: Mapping[str, str]) -> bytes:
        """Its bytes; raises CommandError where it cannot be read, or is too short or long for a secret."""
        try:
            with self.path.open("rb") as file:
                data = file.read(MOST_SECRET + 1)
        except OSError as error:
            raise CommandError(
                f"{self.path} cannot be read ({error.strerror}): expected the webhook's secret in it."
            ) from error
        return _checked(data.strip(), str(self.path))


Secret = SecretInEnvironment | SecretInFile


def _checked(secret: bytes, where: str) -> bytes:
    if not LEAST_SECRET <= len(secret) <= MOST_SECRET:
        raise CommandError(
            f"{where} holds no secret for a webhook: expected {LEAST_SECRET} to {MOST_SECRET} bytes, such as "
            "`openssl rand -hex 32` prints."
        )
    return secret


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver of events.

    Attributes:
        secrets: each signs every event; two while one takes the place of the other.
        ca_bundle: certificates to trust in place of the system's; None for those.

    Raises:
        CommandError: it has no secret.
    """

    url: Url
    secrets: tuple[Secret, ...]
    ca_bundle: Path | None = None

    def __post_init__(self) -> None:
        if not self.secrets:
            raise CommandError(
                "the webhook has no secret, so nobody could tell our events from others': name one."
            )

    @property
    def name(self) -> str:
        """For messages."""
        return f"the webhook at {self.url.origin}"
