"""What answers mean: results as values, refusals as errors of our tree. Pure.

The codes of the API are those of docs/4/65595 ("公共错误码"). No page tells those of the hosts that take the
bytes: there the status of HTTP decides, and words like "exists" and "crc32".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.errors import (
    BusyError,
    ConditionError,
    CorruptError,
    DeniedError,
    NoBucketError,
    ObjectMissingError,
    StorageError,
)

if TYPE_CHECKING:
    from pipeline.publish.volcengine.wire import Answer

CLOCK = "InvalidTimestamp"
_DENIED = frozenset(
    {
        "MissingAuthenticationToken",
        "MissingSignature",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "LackPolicy",
        "LackProjectPolicy",
        "AccessDenied",
        "InvalidCredential",  # not on the page: seen by integrations that are public
    }
)
_BUSY = frozenset(
    {
        "UndefinedError",
        "InternalError",
        "FailToConnect",
        "InternalServiceTimeout",
        "FlowLimitExceeded",
        "AccountFlowLimitExceeded",
        "ServiceUnavailableTemp",
        "InternalServiceError",
    }
)
_NO_SPACE = "InvalidParameter.InvalidSpaceName"
_BUSY_STATUS = frozenset({408, 425, 429})  # RFC 9110 15, RFC 8470, RFC 6585; and all from 500 on
_EXISTS = re.compile(r"already\s+exist|file\s+exist", re.IGNORECASE)
"""What a space that forbids overwriting says (public integrations; no page has the words)."""
_CRC = re.compile(r"crc", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.\-]*[A-Za-z0-9])?(?::[0-9]{1,5})?", re.ASCII)
_HEADER = re.compile(r"[A-Za-z0-9\-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the service does not do what was asked.

    Attributes:
        code: the API's own, or the number that an upload host tells.
        status: of HTTP, or the number of an upload host where that is one.
        message: for people; nothing is known about its words.
    """

    code: str
    status: int
    message: str

    @property
    def kind(self) -> type[StorageError]:
        """The error that it is; the first that fits."""
        said = f"{self.code} {self.message}"
        kinds: tuple[tuple[type[StorageError], bool], ...] = (
            (NoBucketError, self.code == _NO_SPACE),
            (ConditionError, bool(_EXISTS.search(said))),
            (DeniedError, self.code in _DENIED),
            (BusyError, self.code in _BUSY or self.status in _BUSY_STATUS or self.status >= 500),  # noqa: PLR2004 - RFC 9110 15.6
            (DeniedError, self.status in {401, 403}),
            (ObjectMissingError, self.status == 404),  # noqa: PLR2004 - RFC 9110 15.5.5
        )
        return next((kind for kind, fits in kinds if fits), StorageError)


SENTENCES: dict[type[StorageError], str] = {
    NoBucketError: "{what}: there is no such space here ({why}): check space, region and endpoint.",
    ConditionError: "{what}: a file is there already and may not be overwritten ({why}).",
    DeniedError: "{what} is refused ({why}): check the credentials and their rights.",
    ObjectMissingError: "{what}: the service does not know it, or no longer ({why}).",
    CorruptError: "{what}: other bytes arrived than were sent ({why}).",
    BusyError: "{what}: the service is busy ({why}).",
    StorageError: "{what}: the service does not take the request ({why}).",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where bytes may be put, for a time that no page tells.

    Attributes:
        session: of the upload; what is committed.
        uri: of the file, ``bucket/path``.
        auth: lets the bytes in.
        hosts: that take them, with a port where it is not the scheme's own.
        headers: that every part must have.
    """

    session: str
    uri: str
    auth: str
    hosts: tuple[str, ...]
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Committed:
    """A medium.

    Attributes:
        vid: its id.
        size: bytes of its file; 0 where the service does not say.
    """

    vid: str
    size: int = 0


def refusal_of(answer: Answer) -> Refusal | None:
    """Why a call of the API was refused; None for a result.

    ``ResponseMetadata.Error`` decides, not the status: the vendor's clients expect errors with both.
    """
    document = _parsed(answer.body)
    error = _at(document, "ResponseMetadata", "Error")
    code = str(_at(error, "Code") or "")
    if code:
        return Refusal(code, answer.status, str(_at(error, "Message") or ""))
    if answer.status != 200 or _at(document, "Result") is None:  # noqa: PLR2004 - RFC 9110 15.3.1
        return Refusal("", answer.status, f"status {answer.status}, and no answer of the API")
    return None


def result_of(answer: Answer) -> Any:
    """The result of a call that was not refused."""
    return _at(_parsed(answer.body), "Result")


def address_of(result: Any) -> Address:
    """What ApplyUploadInfo gave (docs/4/164295, "返回参数").

    Raises:
        ValueError: it lacks something, or a host is none.
    """
    told = _at(result, "Data", "UploadAddress")
    stores, hosts = _listed(_at(told, "StoreInfos")), tuple(map(str, _listed(_at(told, "UploadHosts"))))
    session, store = str(_at(told, "SessionKey") or ""), stores[0] if stores else None
    uri, auth = str(_at(store, "StoreUri") or ""), str(_at(store, "Auth") or "")
    if not (session and uri and hosts and auth.isascii() and auth.isprintable() and auth):
        raise ValueError("it has no session, file, credentials or host")
    if not all(_HOST.fullmatch(host) for host in hosts):
        raise ValueError("a host is no host")
    pairs = [
        (str(_at(p, "Key") or ""), str(_at(p, "Value") or "")) for p in _listed(_at(told, "UploadHeader"))
    ]
    headers = tuple((k, v) for k, v in pairs if _HEADER.fullmatch(k) and v.isascii() and v.isprintable())
    return Address(session, uri, auth, hosts, headers)


def committed_of(result: Any) -> Committed:
    """What CommitUploadInfo gave (docs/4/164296, "返回参数"); ValueError without an id."""
    told = _at(result, "Data")
    vid, size = _at(told, "Vid"), _at(told, "SourceInfo", "Size")
    if not vid or not isinstance(vid, str):
        raise ValueError("it has no Vid")
    return Committed(vid, int(size) if isinstance(size, int | float) and size > 0 else 0)


def vid_of(result: Any, path: str) -> str:
    """The medium whose file has this path, by ListFileMetaInfosByFileNames; "" for none.

    (docs/4/1170940.) Should there be several, it is always the same of them.
    """
    found = [info for info in _listed(_at(result, "VodFileMetaInfos")) if _at(info, "FileName") == path]
    return min((str(_at(info, "Vid")) for info in found if _at(info, "Vid")), default="")


def upload_refusal_of(answer: Answer) -> Refusal | None:
    """Why an upload host refused; None where it took the bytes: ``success`` is 0, as its clients expect."""
    document = _parsed(answer.body)
    if answer.status == 200 and _at(document, "success") == 0:  # noqa: PLR2004 - RFC 9110 15.3.1
        return None
    error = _at(document, "error")
    number, said = _at(error, "code"), _at(error, "message") or _at(error, "error")
    is_status = isinstance(number, int) and 400 <= number < 600  # noqa: PLR2004 - RFC 9110 15.5, 15.6
    status = number if is_status and answer.status == 200 else answer.status  # noqa: PLR2004 - as above
    return Refusal(str(number or ""), status, str(said or f"status {answer.status}"))


def upload_kind(refusal: Refusal) -> type[StorageError]:
    """The error that a refusal of an upload host is."""
    return CorruptError if refusal.kind is StorageError and _CRC.search(refusal.message) else refusal.kind


def payload_of(answer: Answer) -> Any:
    """What an upload host tells besides."""
    return _at(_parsed(answer.body), "payload")


def upload_id_of(payload: Any) -> str:
    """Of an upload in parts; ValueError where there is none."""
    found = _at(payload, "uploadID")
    if not found or not isinstance(found, str):
        raise ValueError("it has no uploadID")
    return found


def content_type_of(payload: Any) -> str:
    """What the host took the first part for; "" where it does not say."""
    return str(_at(payload, "meta", "ObjectContentType") or "")


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _at(document: Any, *names: str) -> Any:
    for name in names:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []
