"""What a store's answers mean: each of the client's exceptions as one sentence of our error tree.

Codes are those of the Amazon S3 API ("Error responses"), which the other stores borrow.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipeline.errors import (
    BusyError,
    ConditionError,
    CorruptError,
    DeniedError,
    NoBucketError,
    ObjectMissingError,
    StorageError,
)
from pipeline.storage.retrying import retry_after

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from pipeline.storage.client import Connection

WITHOUT_REASON = frozenset({"400", "403"})
"""What a HEAD tells where another request would have told why (RFC 9110 9.3.2: it has no body)."""
NO_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
"""What the resolver says of a name that nobody has."""
EMPTY_RANGE = frozenset({"InvalidRange", "416"})
EXPIRED = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "SecurityTokenExpired",
        "TokenRefreshRequired",
        "RequestExpired",
    }
)
SKEWED = "RequestTimeTooSkewed"
LATER = ": run again later."
"""How the sentence ends of what may pass by itself."""
_SENTENCES: dict[type[StorageError], str] = {
    NoBucketError: "{name}: there is no such bucket here: check its name, region and endpoint.",
    ObjectMissingError: "{name} is not there: make sure that nobody removes it and run again.",
    ConditionError: (
        "{name} was written by somebody else, or exists and must not be replaced: "
        "make sure that nobody else writes it and run again."
    ),
    CorruptError: "{name} reached the store with other bytes ({why}): run again.",
    DeniedError: "{name} is refused ({why}): check the credentials and their rights.",
    BusyError: f"{{name}}: the store is busy ({{why}}){LATER}",
    StorageError: "{name}: the store does not take the request ({why}): check its endpoint and profile.",
}
_CODES: dict[str, type[StorageError]] = {
    "NoSuchBucket": NoBucketError,
    **dict.fromkeys(("NoSuchKey", "NoSuchUpload", "NotFound", "404"), ObjectMissingError),
    **dict.fromkeys(("PreconditionFailed", "FileAlreadyExists", "412"), ConditionError),
    **dict.fromkeys(
        (
            "BadDigest",
            "InvalidDigest",
            "IncompleteBody",
            "XAmzContentSHA256Mismatch",
            "XAmzContentChecksumMismatch",
        ),
        CorruptError,
    ),
    **dict.fromkeys(
        (
            "SlowDown",
            "RequestTimeout",
            "InternalError",
            "ServiceUnavailable",
            "Throttling",
            "ConditionalRequestConflict",  # 409, of two writes at once: asked again, one of them wins
            "OperationAborted",
        ),
        BusyError,
    ),
}
_STATUS: dict[int, type[StorageError]] = {
    **dict.fromkeys((401, 403), DeniedError),
    **dict.fromkeys((408, 425, 429, 500, 502, 503, 504), BusyError),  # RFC 9110 15, RFC 6585 4
}


@contextmanager
def told(name: str, connection: Connection) -> Iterator[None]:
    """Tell the client's exceptions as StorageErrors of an object; see to clocks and credentials."""
    import botocore.exceptions as of_botocore
    import urllib3

    turn = connection.turn
    try:
        yield
        connection.answered(turn)
    except of_botocore.ClientError as error:
        connection.meet()
        raise _answered(name, error.response, connection, turn) from error
    except of_botocore.FlexibleChecksumError as error:
        raise CorruptError(f"{name} arrived with other bytes than its checksum says: run again.") from error
    except of_botocore.SSLError as error:
        raise _of_tls(name, error) from error
    except (
        of_botocore.NoCredentialsError,
        of_botocore.PartialCredentialsError,
        of_botocore.CredentialRetrievalError,
        of_botocore.ProfileNotFound,
        of_botocore.TokenRetrievalError,
        of_botocore.SSOError,
    ) as error:
        raise DeniedError(
            f"{name}: there are no credentials ({error}): set them in the environment or in a profile."
        ) from error
    except (
        of_botocore.ConnectionError,
        of_botocore.HTTPClientError,
        of_botocore.IncompleteReadError,
        urllib3.exceptions.HTTPError,
    ) as error:
        inner = getattr(error, "kwargs", {}).get("error")
        if isinstance(inner, ValueError):
            # Its text repeats the header, and that is a key or a token: it goes no further.
            raise DeniedError(
                f"{name} cannot be asked for: the credentials have a line break or another character that no "
                "header may have: set them anew."
            ) from None
        if isinstance(inner, Exception) and not isinstance(inner, OSError | urllib3.exceptions.HTTPError):
            raise inner from None  # no fault of the net: a signal, which the client took for one
        if not connection.met and (why := _nobody(error)):
            raise StorageError(f"{name} cannot be asked for: {why}.") from error
        raise BusyError(f"{name}: the connection broke ({error}){LATER}") from error
    except of_botocore.BotoCoreError as error:
        raise StorageError(
            f"{name} cannot be asked for ({error}): check the settings of its store."
        ) from error


def _nobody(error: Exception) -> str:
    """Why nobody can ever have been there, as a clause; empty where that is not certain.

    A name that cannot be looked up right now (EAI_AGAIN) may be later, and who hangs up was there.
    """
    cause: BaseException | None = getattr(error, "kwargs", {}).get("error")
    endpoint = urlsplit(getattr(error, "kwargs", {}).get("endpoint_url", ""))
    while cause is not None:
        if isinstance(cause, socket.gaierror) and cause.errno in NO_NAME:
            return f"no host is called {endpoint.hostname}: check the bucket and the endpoint of its store"
        if isinstance(cause, ConnectionRefusedError):
            return (
                f"nothing listens at {endpoint.netloc}: check the endpoint of its store, or run again later"
            )
        cause = cause.__cause__
    return ""


def _of_tls(name: str, error: Exception) -> StorageError:
    """Whoever is not trusted will not be later; a handshake that was cut off may come right."""
    cause = getattr(error, "kwargs", {}).get("error")
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.args[0] if cause.args and isinstance(cause.args[0], Exception) else cause.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return StorageError(
            f"{name}: the store's certificate is not trusted ({error}): give a ca_bundle or another endpoint."
        )
    if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return BusyError(f"{name}: the connection broke ({error}){LATER}")
    return StorageError(f"{name}: the store does not speak TLS as we do ({error}): check its endpoint.")


def code_of(error: StorageError) -> str:
    """The store's code of an error that `told` raised; "" where no answer came."""
    cause = error.__cause__
    response: Mapping[str, Any] = getattr(cause, "response", None) or {}  # None where a connection broke
    code: str = response.get("Error", {}).get("Code", "")
    return code


def _answered(name: str, response: Mapping[str, Any], connection: Connection, turn: int) -> StorageError:
    """The error of an answer."""
    said, about = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = said.get("Code", ""), about.get("HTTPStatusCode", 0)
    headers: Mapping[str, str] = about.get("HTTPHeaders", {})
    why = f"{code}: {said['Message']}" if said.get("Message") else code or f"status {status}"
    if code == SKEWED:
        return _skewed(name, headers, connection)
    if code in EXPIRED:
        if connection.renew(turn):
            return BusyError(f"{name}: the credentials had expired ({why}): run again.", 0)
        return DeniedError(f"{name} is refused: the credentials have expired ({why}): renew them.")
    kind = _CODES.get(code) or _STATUS.get(status, StorageError)
    sentence = _SENTENCES[kind].format(name=name, why=why)
    return BusyError(sentence, retry_after(headers)) if kind is BusyError else kind(sentence)


def _skewed(name: str, headers: Mapping[str, str], connection: Connection) -> StorageError:
    said = date_of(headers)
    if said is None:
        return DeniedError(f"{name} is refused: this machine's clock is wrong: set it.")
    off = connection.set_clock(said)
    return BusyError(f"{name}: this machine's clock is {abs(off):.0f} s off the store's: set it.", 0)


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """The answer's Date in UTC without zone, as botocore counts; None where it tells none.

    Args:
        headers: of an answer, their names in lower case.
    """
    try:
        return parsedate_to_datetime(headers["date"]).replace(tzinfo=None)
    except (KeyError, ValueError):
        return None
