"""One HTTP request and its answer, and what the net did to it as an error of our tree. It never tries again.

By urllib3, its retries and redirects off. Whatever is known to be a secret is taken out of every text that
leaves here.
"""

from __future__ import annotations

import io
import logging
import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import urllib3

from pipeline.errors import BusyError, DeniedError, StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.storage.stores import Keys

THREADS = 4
"""Requests under way at a time."""
TIMEOUT = urllib3.Timeout(connect=10, read=60)
"""Seconds; the first is also that of sending each `BLOCK`: urllib3 sends a whole text of bytes under it."""
BLOCK = 1 << 16
MOST_ANSWER = 1 << 20
LONGEST_TOLD = 300
HIDDEN = "***"
_SESSION = re.compile(r"(SessionKey=)[^&\s]*")


class _WithoutSession(logging.Filter):
    """urllib3 logs targets, at DEBUG and with strange answers; a session's key is part of one."""

    def filter(self, record: logging.LogRecord) -> bool:
        given = record.args if isinstance(record.args, tuple) else ()
        if given:
            record.args = tuple(_SESSION.sub(rf"\1{HIDDEN}", a) if isinstance(a, str) else a for a in given)
        return True


for _logger in ("urllib3.connectionpool", "urllib3.connection"):
    logging.getLogger(_logger).addFilter(_WithoutSession())


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: of HTTP.
        headers: by their names in lower case.
        body: at most `MOST_ANSWER` bytes of it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """Connections to a service, for all threads.

    Args:
        name: of the service, for sentences.
        keys: no text that leaves here has them.
        ca_bundle: certificates to trust instead of the usual ones.

    Raises:
        DeniedError: credentials that no header can hold.
    """

    def __init__(self, name: str, keys: Keys, ca_bundle: Path | None = None) -> None:
        self.name = name
        given = [text for text in (keys.access_key, keys.secret_key, keys.session_token) if text]
        if not all(text.isascii() and text.isprintable() and " " not in text for text in given):
            raise DeniedError(
                f"{name} cannot be asked: the credentials have a line break or another character that no "
                "header may have: set them anew."
            )
        self._secrets: set[str] = set()
        for secret in given:
            self.hide(secret)
        self._pool = urllib3.PoolManager(
            maxsize=THREADS,
            block=True,
            retries=False,
            timeout=TIMEOUT,
            blocksize=BLOCK,
            ca_certs=str(ca_bundle) if ca_bundle else None,
        )

    def hide(self, secret: str) -> None:
        """Keep a text out of all sentences from now on, also as a query has it."""
        self._secrets |= {secret, quote(secret, safe="")} - {""}

    def told(self, text: str) -> str:
        """A text from outside as a sentence may have it: without secrets, printable, short."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return "".join(c if c.isprintable() else " " for c in text[:LONGEST_TOLD])

    def send(self, what: str, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Ask once.

        Args:
            what: is asked, for sentences.
            method: of HTTP.
            url: encoded.
            headers: all but Content-Length.
            body: bytes.

        Raises:
            BusyError: the connection broke, or nothing came in time.
            StorageError: whoever answers is not trusted, or does not speak TLS.
        """
        sent = {**headers, "Content-Length": str(len(body))} if body or method != "GET" else headers
        try:
            response = self._pool.request(
                method,
                url,
                headers=sent,
                body=io.BytesIO(body) if body else None,
                preload_content=False,
                redirect=False,
            )
            try:
                data = response.read(MOST_ANSWER)
            finally:
                if response.length_remaining:  # more than anybody expects: it is not read to its end
                    response.close()
                response.release_conn()
        except urllib3.exceptions.SSLError as error:
            raise self._of_tls(what, error) from error
        except urllib3.exceptions.HTTPError as error:
            raise BusyError(
                f"{self._about(what)}: the connection broke ({self.told(str(error))})."
            ) from error
        return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, data)

    def _about(self, what: str) -> str:
        return f"{self.name}, {what}"

    def _of_tls(self, what: str, error: Exception) -> StorageError:
        """Whoever is not trusted will not be later; a handshake that was cut off may come right."""
        cause, why = (error.args[0] if error.args else None), self.told(str(error))
        if isinstance(cause, ssl.SSLCertVerificationError):
            return StorageError(
                f"{self._about(what)}: the certificate is not trusted ({why}): give a ca_bundle or another "
                "endpoint."
            )
        if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return BusyError(f"{self._about(what)}: the connection broke ({why}): run again later.")
        return StorageError(f"{self._about(what)}: no TLS as we speak it ({why}): check the endpoint.")
