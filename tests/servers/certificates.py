"""An authority of our own and what it signs for the loopback, so that TLS is verified as it is outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM.

    Attributes:
        ca: what a client must trust.
        server: key and certificate of ``127.0.0.1`` and ``localhost``, in one file.
    """

    ca: Path
    server: Path


def issue(folder: Path) -> Certificates:
    """Make an authority and a certificate in a folder that is there."""
    authority = trustme.CA()
    certificates = Certificates(folder / "ca.pem", folder / "server.pem")
    authority.cert_pem.write_to_path(certificates.ca)
    signed = authority.issue_cert("127.0.0.1", "localhost")
    signed.private_key_and_cert_chain_pem.write_to_path(certificates.server)
    return certificates
