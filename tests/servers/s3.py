"""What a test knows of an S3 server: where it is and who may use it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

REGION = "us-east-1"
TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class Account:
    """Who may use a server, with a secret that was made for this run."""

    access_key: str
    secret_key: str


@dataclass(frozen=True, slots=True)
class S3Server:
    """A server that answers.

    Attributes:
        endpoint: URL without a path.
        accounts: at least two, with different keys.
        ca: the authority (PEM) that signed its certificate; None over http.
        region: what signatures must name.
        name: of the product.
    """

    endpoint: str
    accounts: tuple[Account, ...]
    ca: Path | None
    region: str
    name: str


def account(access_key: str) -> Account:
    """An account with a new secret."""
    return Account(access_key, secrets.token_hex(TOKEN_BYTES))
