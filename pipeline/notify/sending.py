"""Sending an event: one POST, tried again while that can help, and what the receiver's answer means."""

from __future__ import annotations

import ssl
import time
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pipeline import __version__
from pipeline.errors import CommandError, NotifyError, ReceiverBusyError
from pipeline.notify.event import headers
from pipeline.notify.proxies import proxy_of
from pipeline.storage.retrying import PATIENT, Patience, again, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import urllib3

    from pipeline.notify.event import Event
    from pipeline.notify.webhook import Webhook

CONNECT_SECONDS, READ_SECONDS = 10, 30
BUSY = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Answers below 500 after which the same may be taken later (RFC 9110 15.5.9, RFC 8470 5.2, RFC 6585 4)."""
_WHO = "check that it knows the webhook's secret, and the time"
_ADVICE: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: _WHO,
    HTTPStatus.FORBIDDEN: _WHO,
    HTTPStatus.NOT_FOUND: "check the webhook's URL",
    HTTPStatus.METHOD_NOT_ALLOWED: "check the webhook's URL: it must take POST",
    HTTPStatus.GONE: "it wants no more events: take the webhook out, or name another",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "let it take larger bodies",
}
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
"""The receiver's own words are not repeated."""


def send(
    webhook: Webhook,
    event: Event,
    *,
    now_ms: Callable[[], int],
    environ: Mapping[str, str],
    patience: Patience = PATIENT,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Hand an event over; when this returns, the receiver has answered that it took it.

    The bytes and the id are the same at each try, and when the event is sent again by another process; time
    and signature are those of the try.

    Args:
        webhook: where to.
        event: what.
        now_ms: UTC ms.
        environ: where secrets and proxies are.
        patience: how long to try.
        clock: seconds that only rise.

    Raises:
        CommandError: a secret, the certificates or the proxy cannot be used.
        NotifyError: the receiver refuses the event, or is not trusted.
        ReceiverBusyError: it did not take it in time.
    """
    secrets = tuple(secret.read(environ) for secret in webhook.secrets)
    body = event.body()
    with _pool(webhook, environ) as pool:

        def post() -> None:
            sent = headers(event, body, now_ms() // 1000, secrets)
            _post(pool, webhook, body, sent | {"User-Agent": f"recpipe/{__version__}"})

        again(post, patience, clock)


def _pool(webhook: Webhook, environ: Mapping[str, str]) -> urllib3.PoolManager:
    """What makes connections: certificates and names of hosts are checked, the proxy is the environment's."""
    import urllib3

    try:
        context = ssl.create_default_context(cafile=webhook.ca_bundle)
    except (OSError, ssl.SSLError) as error:
        raise CommandError(
            f"{webhook.ca_bundle} holds no certificates that can be used ({error}): expected PEM."
        ) from error
    proxy = proxy_of(webhook.url, environ)
    if not proxy:
        return urllib3.PoolManager(ssl_context=context)
    try:
        where = urllib3.util.parse_url(proxy if "://" in proxy else f"http://{proxy}")
        login = urllib3.util.make_headers(proxy_basic_auth=unquote(where.auth)) if where.auth else None
        without = where._replace(auth=None).url
        return urllib3.ProxyManager(without, proxy_headers=login, ssl_context=context)
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        # Its text may hold the proxy's password.
        raise CommandError(
            f"the environment's proxy for {webhook.url.origin} is none: expected http://HOST:PORT."
        ) from error


def _post(pool: urllib3.PoolManager, webhook: Webhook, body: bytes, sent: Mapping[str, str]) -> None:
    import urllib3

    try:
        answer = pool.request(
            "POST",
            str(webhook.url),
            body=body,
            headers=sent,
            redirect=False,
            retries=False,
            preload_content=False,  # nothing of what it says is read
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        )
    except urllib3.exceptions.HTTPError as error:
        raise _broken(webhook, error) from error
    answer.close()
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise _refused(webhook, answer)


def _refused(webhook: Webhook, answer: urllib3.BaseHTTPResponse) -> NotifyError:
    """The error of an answer that is no yes."""
    code = answer.status
    said = f"{code} {_PHRASES.get(code, '')}".rstrip()
    if code in BUSY or code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        after = retry_after({name.lower(): value for name, value in answer.headers.items()})
        return ReceiverBusyError(f"{webhook.name} is busy ({said}): run again later.", after)
    if HTTPStatus.MULTIPLE_CHOICES <= code < HTTPStatus.BAD_REQUEST:
        return NotifyError(
            f"{webhook.name} sends the event on to another place ({said}), and that is not followed: "
            "give the URL that takes it."
        )
    advice = _ADVICE.get(code, "what it expects is known where it runs")
    return NotifyError(f"{webhook.name} refuses the event ({said}): {advice}.")


def _broken(webhook: Webhook, error: Exception) -> NotifyError:
    """The error of a connection; whoever is not trusted will not be later."""
    from urllib3 import exceptions

    cause = _of_tls(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return NotifyError(
            f"{webhook.name} has a certificate that is not trusted ({cause.verify_message}): "
            "give a ca_bundle or another URL."
        )
    if cause is not None and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return NotifyError(f"{webhook.name} does not speak TLS as we do ({cause.reason}): check its URL.")
    unreached = isinstance(error, exceptions.NewConnectionError)  # which is a timeout to the client
    if isinstance(error, exceptions.TimeoutError) and not unreached:
        return ReceiverBusyError(f"{webhook.name} does not answer in time: run again later.")
    return ReceiverBusyError(f"{webhook.name}: the connection broke ({error}): run again later.")


def _of_tls(error: BaseException | None) -> ssl.SSLError | None:
    """What TLS said, under whatever the client wrapped around it."""
    while error is not None and not isinstance(error, ssl.SSLError):
        inner = next((each for each in reversed(error.args) if isinstance(each, Exception)), None)
        error = inner or error.__cause__
    return error
