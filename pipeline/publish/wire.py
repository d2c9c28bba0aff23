"""One request to a service and its answer: by urllib3, without its retries and redirects.

Certificates are verified, times and sizes are bounded, and the proxies of the environment are used, as
botocore does for the bytes. Who tries again is `pipeline.storage.retrying`.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

import urllib3

from pipeline.errors import BusyError, DeniedError, StorageError
from pipeline.storage.retrying import retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONNECT_SECONDS, READ_SECONDS = 10, 60
THREADS = 32
"""Connections that are kept: more at a time would be opened anew, with a warning in the log."""
MOST_ANSWER = 8 << 20
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})  # RFC 9110 15, RFC 6585 4


class Answer(NamedTuple):
    """What came back.

    Attributes:
        status: of HTTP.
        headers: their names in lower case.
        body: whole.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """The way to one endpoint.

    Args:
        endpoint: ``https://HOST[:PORT]``, or http where somebody wants it.
        ca_bundle: certificates to trust instead of the usual ones; None for those.
        environ: where the proxies are: ``https_proxy``, ``http_proxy`` and ``no_proxy``.
    """

    def __init__(self, endpoint: str, ca_bundle: Path | None, environ: Mapping[str, str]) -> None:
        parts = urlsplit(endpoint)
        self._url = f"{parts.scheme}://{parts.netloc}/"
        self.host = parts.netloc
        """As the ``Host`` header tells it, and signatures with it."""
        asked: dict[str, Any] = {
            "retries": False,
            "maxsize": THREADS,
            "timeout": urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            "cert_reqs": "CERT_REQUIRED",
            "ca_certs": str(ca_bundle) if ca_bundle else None,
        }
        proxy = proxy_of(parts.scheme, parts.hostname or "", environ)
        self._pool = _proxied(proxy, asked) if proxy else urllib3.PoolManager(**asked)

    def post(self, name: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Ask once.

        Args:
            name: of what is asked, for sentences.
            headers: with the Host, as it was signed.
            body: as it was signed.

        Raises:
            BusyError: no answer, or one that says that another time may be better.
            DeniedError: a header that none may be; its text is not repeated.
            StorageError: a certificate that is not trusted, a redirect, or an answer without end.
        """
        try:
            response = self._pool.request(
                "POST", self._url, body=body, headers=dict(headers), redirect=False, preload_content=False
            )
            try:
                data = response.read(MOST_ANSWER + 1)
            finally:
                response.release_conn()
        except urllib3.exceptions.SSLError as error:
            raise _of_tls(name, error) from error
        except urllib3.exceptions.HTTPError as error:
            raise BusyError(f"{name}: the connection broke ({error}): run again later.") from error
        except ValueError:
            # Its text repeats the header, and that is a key or a token: it goes no further.
            raise DeniedError(
                f"{name} cannot be asked for: the credentials have a line break or another character that no "
                "header may have: set them anew."
            ) from None
        answer = Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, data)
        return _looked_at(name, answer)


def _looked_at(name: str, answer: Answer) -> Answer:
    if answer.status in BUSY:
        after = retry_after(answer.headers)
        raise BusyError(f"{name}: the service is busy (status {answer.status}): run again later.", after)
    if 300 <= answer.status < 400:  # noqa: PLR2004 - RFC 9110 15.4
        raise StorageError(
            f"{name}: the service sends us elsewhere (status {answer.status}), where credentials do not go: "
            "check the endpoint."
        )
    if len(answer.body) > MOST_ANSWER:
        raise StorageError(f"{name}: the answer does not end: check the endpoint.")
    return answer


def _of_tls(name: str, error: urllib3.exceptions.SSLError) -> StorageError:
    """Whoever is not trusted will not be later; a handshake that was cut off may come right."""
    cause = error.args[0] if error.args else None
    if isinstance(cause, ssl.SSLCertVerificationError):
        return StorageError(
            f"{name}: the certificate is not trusted ({error}): give a ca_bundle or another endpoint."
        )
    if isinstance(cause, FileNotFoundError | PermissionError | IsADirectoryError):
        return StorageError(f"{name}: the ca_bundle cannot be read ({cause.strerror}): check its path.")
    if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return BusyError(f"{name}: the connection broke ({error}): run again later.")
    return StorageError(f"{name}: the service does not speak TLS as we do ({error}): check the endpoint.")


def proxy_of(scheme: str, host: str, environ: Mapping[str, str]) -> str:
    """The proxy that the environment wants for a host; "" for none.

    >>> proxy_of("https", "vod.example.com", {"HTTPS_PROXY": "http://proxy:3128"})
    'http://proxy:3128'
    >>> proxy_of("https", "vod.example.com", {"https_proxy": "http://proxy", "no_proxy": "a, .example.com"})
    ''
    """
    none = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    names = [name.strip().lstrip(".").lower() for name in none.split(",")]
    if "*" in names or any(name and f".{host}".endswith(f".{name}") for name in names):
        return ""
    return environ.get(f"{scheme}_proxy") or environ.get(f"{scheme.upper()}_PROXY") or ""


def _proxied(proxy: str, asked: Mapping[str, Any]) -> urllib3.PoolManager:
    url = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    login = f"{unquote(url.username or '')}:{unquote(url.password or '')}" if url.username else None
    headers = urllib3.make_headers(proxy_basic_auth=login)
    bare = f"{url.scheme}://{url.netloc.rpartition('@')[2]}"
    return urllib3.ProxyManager(bare, proxy_headers=headers, **asked)
