"""Whether a delivery was signed by somebody who knows a secret, in a time that tells nothing of it.

All the secrets of an app are tried, always, and a wrong app takes as long as a wrong signature.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING

from pipeline.vendors.events import UNAUTHORIZED, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_NOBODYS = (b"a secret that nobody has",)


def is_signed(given: str, secrets: Iterable[bytes], sign: Callable[[bytes], str]) -> bool:
    """Whether a signature is that of any of some secrets.

    Args:
        given: the signature that came.
        secrets: each is tried, whatever the others gave.
        sign: what a secret makes of the delivery, in ASCII.
    """
    written = given.encode(errors="surrogatepass")
    found = [compare_digest(written, sign(secret).encode()) for secret in secrets]
    return any(found)


def signed_by(
    app: str, given: str, secrets: Mapping[str, tuple[bytes, ...]], sign: Callable[[bytes], str]
) -> str:
    """The app, if one of its secrets signed.

    Raises:
        Refused: 401, in the same words whether the app or the signature is wrong.
    """
    known = secrets.get(app, ())
    if not is_signed(given, known or _NOBODYS, sign) or not known:
        raise wrong()
    return app


def missing(what: str) -> Refused:
    """What a delivery without a signature is told."""
    return Refused(UNAUTHORIZED, f"{what} is missing: this address takes signed callbacks only.")


def wrong() -> Refused:
    """What a delivery with a wrong signature, or of an app without secrets, is told."""
    return Refused(UNAUTHORIZED, "The signature is not that of any secret which is known for this app.")
