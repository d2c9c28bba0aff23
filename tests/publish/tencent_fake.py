"""Tencent VOD as far as an upload meets it: the API behind real signatures, its bytes in a real S3 server.

What no page says can be set: what a second CommitUpload answers, and when the search shows a new medium.
"""

from __future__ import annotations

import json
import re
import secrets
import ssl
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from botocore.exceptions import ClientError

from tests.publish.tc3 import Fault, fault_of
from tests.servers.clients import client
from tests.servers.faults import DENIED, Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.servers.certificates import Certificates
    from tests.servers.faults import Request
    from tests.servers.s3 import S3Server

Asked: TypeAlias = "Mapping[str, Any]"
Rule: TypeAlias = "Callable[[str, int], Fault | None]"

SECRET_ID, SECRET_KEY, TOKEN = "AKIDfakefakefake0001", "fake-secret-key-0001", "fake-session-token-0001"
APP = 1500000001
"""The application; media of others are not seen in it."""
PARAMETERS: dict[str, dict[str, type]] = {
    "ApplyUpload": {
        "MediaType": str,
        "SubAppId": int,
        "MediaName": str,
        "CoverType": str,
        "Procedure": str,
        "ExpireTime": str,
        "StorageRegion": str,
        "ClassId": int,
        "SourceContext": str,
        "SessionContext": str,
        "ExtInfo": str,
        "MediaStoragePath": str,
    },
    "CommitUpload": {"VodSessionKey": str, "SubAppId": int},
    "SearchMedia": {
        "SubAppId": int,
        "CreateTime": dict,
        "SourceTypes": list,
        "Filters": list,
        "Sort": dict,
        "Offset": int,
        "Limit": int,
    },
}
"""All that we may ask, and their types (the models of Tencent's SDK for Python, 3.1)."""
REQUIRED = {"ApplyUpload": "MediaType", "CommitUpload": "VodSessionKey"}
TYPES = {"mp4", "m4a", "mkv", "webm", "mp3"}
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
EXPIRED_TOKEN = Answer(HTTPStatus.FORBIDDEN, "ExpiredToken")


@dataclass(slots=True)
class Upload:
    """What ApplyUpload handed out."""

    key: str
    path: str
    token: str
    expires_s: float
    file_id: str
    asked: Asked
    committed: bool = False


@dataclass(frozen=True, slots=True)
class Media:
    """What the application has."""

    file_id: str
    path: str
    created_s: float
    asked: Asked


@dataclass(slots=True)
class Behaviour:
    """What can be set.

    Attributes:
        rule: refuses the n-th call of an action, before it does anything.
        again: what a second CommitUpload of a session does: the same FileId, a refusal, or a second medium.
        hidden: searches that do not show a new medium yet.
        lives_s: how long temporary credentials are good.
        off_s: by how much the service's clock is ahead.
        write_only: the temporary credentials may not read.
        dated: answers tell the time.
        without_path: the search tells no path of a medium.
        echoes: what refusals repeat.
    """

    rule: Rule = lambda *_: None
    again: Literal["same", "refused", "another"] = "refused"
    hidden: int = 0
    lives_s: float = 3600
    off_s: float = 0
    write_only: bool = False
    dated: bool = True
    without_path: bool = False
    echoes: str = ""


class TencentFake(ThreadingHTTPServer):
    """The service.

    Attributes:
        behaviour: may be changed at any time.
        asked: all calls that were signed right, with their parameters.
        media: what was committed.
        uploads: by session key.
    """

    allow_reuse_address = True
    daemon_threads = False

    def __init__(self, cos: S3Server, bucket: str, certificates: Certificates | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        if certificates is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificates.server)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        scheme = "http" if certificates is None else "https"
        self.endpoint = f"{scheme}://127.0.0.1:{self.server_address[1]}"
        self.cos, self.bucket = cos, bucket
        self.behaviour = Behaviour()
        self.asked: list[tuple[str, Asked]] = []
        self.media: list[Media] = []
        self.uploads: dict[str, Upload] = {}
        self._lock = threading.Lock()

    def now_s(self) -> float:
        """The service's clock."""
        return time.time() + self.behaviour.off_s

    def calls(self, action: str) -> list[Asked]:
        """The parameters of all calls of an action."""
        return [asked for name, asked in self.asked if name == action]

    def body_of(self, media: Media) -> bytes:
        """The bytes of a medium, as they lie in the store."""
        with client(self.cos) as s3:
            body: bytes = s3.get_object(Bucket=self.bucket, Key=media.path[1:])["Body"].read()
        return body

    def guard(self, request: Request) -> Answer | None:
        """What COS says before it looks at a signature: the token is one for this key, and not expired."""
        token = request.headers.get("x-amz-security-token", "")
        if "x-amz-security-token" not in request.headers.get("authorization", ""):
            return DENIED
        found = next((up for up in self.uploads.values() if up.token == token), None)
        if found is None or request.path != f"/{self.bucket}{found.path}":
            return DENIED
        if self.now_s() >= found.expires_s:
            return EXPIRED_TOKEN
        return DENIED if self.behaviour.write_only and request.method in {"GET", "HEAD"} else None

    def answer(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """What the API answers."""
        with self._lock:
            told = self._told(headers, body)
        request = {"RequestId": f"request-{secrets.token_hex(4)}"}
        if isinstance(told, Fault):
            message = f"{told.message} {self.behaviour.echoes}".strip()
            return {"Response": {"Error": {"Code": told.code, "Message": message}, **request}}
        return {"Response": {**told, **request}}

    def _told(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any] | Fault:
        known = {SECRET_ID: SECRET_KEY}
        fault = fault_of(headers, body, secrets=known, token=TOKEN, now_s=self.now_s())
        if fault is not None:
            return fault
        action, asked = headers.get("x-tc-action", ""), json.loads(body)
        fault = _fault_of_form(headers, action, asked)
        if fault is None:
            self.asked.append((action, asked))
            fault = self.behaviour.rule(action, len(self.calls(action)))
        return fault or getattr(self, f"_{_snake(action)}")(asked)

    def _apply_upload(self, asked: Asked) -> dict[str, Any] | Fault:
        fault = _fault_of_upload(asked)
        if fault is not None:
            return fault
        file_id = f"52858907{secrets.randbelow(10**11):011}"
        name = (
            f"/{secrets.token_hex(4)}vodcq1250000000/{secrets.token_hex(4)}{file_id}/f0.{asked['MediaType']}"
        )
        token, key = f"fake-temporary-token-{secrets.token_hex(8)}", f"fake-session-{secrets.token_hex(20)}"
        expires_s = self.now_s() + self.behaviour.lives_s
        self.uploads[key] = Upload(key, name, token, expires_s, file_id, asked)
        account = self.cos.accounts[0]
        return {
            "StorageBucket": self.bucket,
            "StorageRegion": self.cos.region,
            "VodSessionKey": key,
            "MediaStoragePath": name,
            "CoverStoragePath": None,
            "TempCertificate": {
                "SecretId": account.access_key,
                "SecretKey": account.secret_key,
                "Token": token,
                "ExpiredTime": int(expires_s),
            },
        }

    def _commit_upload(self, asked: Asked) -> dict[str, Any] | Fault:
        upload = self.uploads.get(asked["VodSessionKey"])
        if upload is None:
            return Fault("InvalidParameterValue.VodSessionKey", "The session is not known.")
        if not self._is_there(upload):
            return Fault("ResourceNotFound", "The resource does not exist.")
        if upload.committed and self.behaviour.again == "refused":
            return Fault("InvalidParameterValue.VodSessionKey", "The session is over.")
        if upload.committed and self.behaviour.again == "another":
            upload.file_id = f"52858907{secrets.randbelow(10**11):011}"
        if not upload.committed or self.behaviour.again == "another":
            self.media.append(Media(upload.file_id, upload.path, self.now_s(), upload.asked))
        upload.committed = True
        return {"FileId": upload.file_id, "MediaUrl": _url(upload.path), "CoverUrl": None}

    def _search_media(self, asked: Asked) -> dict[str, Any] | Fault:
        if self.behaviour.hidden:
            self.behaviour.hidden -= 1
            return {"TotalCount": 0, "MediaInfoSet": []}
        span = asked.get("CreateTime", {})
        found = [media for media in self.media if _within(media.created_s, span)]
        start, limit = asked.get("Offset", 0), asked.get("Limit", 10)
        if start + limit > 5000:
            return Fault("InvalidParameterValue.Limit", "Offset + Limit is over 5000.")
        page = [self._described(media) for media in found[start : start + limit]]
        return {"TotalCount": len(found), "MediaInfoSet": page}

    def _is_there(self, upload: Upload) -> bool:
        with client(self.cos) as s3:
            try:
                s3.head_object(Bucket=self.bucket, Key=upload.path[1:])
            except ClientError:
                return False
        return True

    def _described(self, media: Media) -> dict[str, Any]:
        told = not self.behaviour.without_path
        basic = {
            "Name": media.asked.get("MediaName"),
            "MediaUrl": _url(media.path) if told else "http://example.com/other.mp4",
            "StoragePath": media.path if told else None,
            "SourceInfo": {"SourceType": "Upload", "SourceContext": media.asked.get("SourceContext", "")},
        }
        return {"FileId": media.file_id, "BasicInfo": basic, "MetaData": None}


def _fault_of_form(headers: Mapping[str, str], action: str, asked: Any) -> Fault | None:
    """What is wrong with any call."""
    known = PARAMETERS.get(action, {})
    wanted = REQUIRED.get(action, "")
    rules = (
        (action in PARAMETERS and headers.get("x-tc-version") == "2018-07-17", "InvalidAction"),
        (re.fullmatch(r"[a-z]+-[a-z]+", headers.get("x-tc-region", "")), "MissingParameter"),
        (headers.get("content-type", "").startswith("application/json"), "UnsupportedProtocol"),
        (set(asked) <= set(known), "UnknownParameter"),
        (all(type(value) is known.get(name) for name, value in asked.items()), "InvalidParameter"),
        (not wanted or wanted in asked, "MissingParameter"),
        (asked.get("SubAppId") == APP, "InvalidParameterValue.SubAppId"),
    )
    return next((Fault(code, "As the page says.") for good, code in rules if not good), None)


def _fault_of_upload(asked: Asked) -> Fault | None:
    """What is wrong with ApplyUpload."""
    if asked["MediaType"] not in TYPES:
        return Fault("InvalidParameterValue.MediaType", "The media type is not supported.")
    if "ExpireTime" in asked and not ISO.fullmatch(asked["ExpireTime"]):
        return Fault("InvalidParameterValue.ExpireTime", "The time is not in ISO 8601.")
    if asked.get("StorageRegion", "ap-chongqing") not in {"ap-chongqing", "ap-guangzhou"}:
        return Fault("InvalidParameterValue.StorageRegion", "The region is not enabled.")
    if len(asked.get("SourceContext", "")) > 250 or len(asked.get("SessionContext", "")) > 1000:
        return Fault("InvalidParameterValue.SessionContextTooLong", "The context is too long.")
    return None


def _within(created_s: float, span: Mapping[str, str]) -> bool:
    after, before = span.get("After"), span.get("Before")
    return (after is None or _seconds(after) <= created_s) and (
        before is None or created_s < _seconds(before)
    )


def _seconds(iso: str) -> float:
    assert ISO.fullmatch(iso), iso
    return datetime.fromisoformat(iso).astimezone(UTC).timestamp()


def _url(path: str) -> str:
    return f"http://1250000000.vod2.myqcloud.com{path}"


def _snake(action: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: TencentFake
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        document = json.dumps(self.server.answer(headers, body)).encode()
        self.send_response_only(HTTPStatus.OK)
        if self.server.behaviour.dated:
            self.send_header("Date", formatdate(self.server.now_s(), usegmt=True))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(document)))
        self.send_header("Connection", "close")  # no thread waits for a client that stays
        self.end_headers()
        self.wfile.write(document)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def tencent_fake(
    cos: S3Server, bucket: str, certificates: Certificates | None = None
) -> Iterator[TencentFake]:
    """The service on a free port of the loopback, until the block ends.

    Args:
        cos: the server behind its bytes.
        bucket: that is there.
        certificates: for TLS; None for http.
    """
    with TencentFake(cos, bucket, certificates) as fake:
        thread = threading.Thread(target=fake.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield fake
        finally:
            fake.shutdown()
            thread.join()
