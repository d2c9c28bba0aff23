"""A service on the loopback that takes uploads as Volcengine VOD does and refuses what that refuses.

The codes of the API are those of docs/4/65595. No page tells those of the hosts that take the bytes: theirs
are made up, in the form that the Go client reads (`service/vod/upload/model/model.go`). What the real service
does with a session that is committed twice is told by no page either: the fake does each thing it may do.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import socket
import ssl
import sys
import threading
import time
import zlib
from contextlib import contextmanager, suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from tests.publish.volcengine_signature import Received, check
from tests.publish.volcengine_space import Asked, Medium, Refuse, Refused, Session, Space, must
from tests.servers.s3 import S3Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.servers.certificates import Certificates

BUCKET = "tos-vod-cn-fake"
CARRIED = ("X-Upload-Kind", "of the space")
KIND = "video/mp4"
CLASS_HEADERS = {"1": None, "2": "archive", "3": "ia"}
VERSIONS = {
    "ApplyUploadInfo": ("GET", "2022-01-01"),
    "CommitUploadInfo": ("GET", "2022-01-01"),
    "ListFileMetaInfosByFileNames": ("POST", "2023-07-01"),
}


class VolcengineFake(ThreadingTCPServer):
    """The server.

    Attributes:
        space: its only one.
        endpoint: for settings.
        ca: who signed its certificate; None over http.
        upload_hosts: that it tells.
        failed: what went wrong here.
    """

    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, space: Space, certificates: Certificates | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = int(self.socket.getsockname()[1])
        scheme = "https" if certificates else "http"
        self.space = space
        self.endpoint = f"{scheme}://127.0.0.1:{self.port}"
        self.ca = certificates.ca if certificates else None
        self.upload_hosts = [f"127.0.0.1:{self.port}"]
        self.failed: list[BaseException] = []
        self.lock = threading.Lock()
        self.at_once = 0
        self._open: set[Any] = set()
        if certificates:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificates.server)
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def as_s3(self) -> S3Server:
        """For the proxy of `tests.servers.faults`, which needs no more of a server than where it is."""
        return S3Server(self.endpoint, (), None, self.space.region, "volcengine")

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection."""
        with self.lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget it."""
        with self.lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close what clients keep open, so that all threads end."""
        with self.lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as the base class has it
        """A client that is gone is none of our failures."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            self.failed.append(error)


@contextmanager
def volcengine(
    space: Space | None = None, certificates: Certificates | None = None
) -> Iterator[VolcengineFake]:
    """The service until the block ends, over TLS where there are certificates."""
    with VolcengineFake(space or Space(), certificates) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
            server.hang_up()
    if server.failed:
        raise server.failed[0]


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: VolcengineFake
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        assert "Transfer-Encoding" not in self.headers
        self.body = self.rfile.read(length)
        if len(self.body) < length:
            self.close_connection = True
            return
        raw_path, _, self.raw_query = self.path.partition("?")
        self.raw_path = raw_path
        self.query = {k: v[0] for k, v in parse_qs(self.raw_query, keep_blank_values=True).items()}
        if self.raw_path == "/":
            self._api()
        else:
            self._bytes()

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the base class's names

    @property
    def space(self) -> Space:
        return self.server.space

    def _noted(self, kind: str) -> None:
        with self.server.lock:
            asked = Asked(len(self.space.asked) + 1, kind, self.query)
            self.space.asked.append(asked)
        refuse = self.space.rule(asked)
        if refuse:
            raise Refused(refuse)

    def _send(self, status: int, document: object, headers: tuple[tuple[str, str], ...] = ()) -> None:
        data = json.dumps(document).encode()
        self.send_response_only(status)
        self.send_header("Date", formatdate(time.time() + self.space.ahead_s, usegmt=True))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    # The API.

    def _api(self) -> None:
        action = self.query.get("Action", "")
        about = {
            "RequestId": secrets.token_hex(16),
            "Action": action,
            "Version": self.query.get("Version", ""),
            "Service": "vod",
            "Region": self.space.region,
        }
        try:
            self._noted(action)
            check(Received(self.command, self.raw_path, self.raw_query, self.headers, self.body), self.space)
            must(
                (self.command, self.query.get("Version")) == VERSIONS.get(action),
                404,
                "InvalidActionOrVersion",
            )
            must(action not in self.space.denied, 403, "AccessDenied")
            given = self.query if self.command == "GET" else self._form()
            must(bool(given.get("SpaceName")), 400, "MissingParameter")
            must(given["SpaceName"] == self.space.name, 400, "InvalidParameter.InvalidSpaceName")
            with self.server.lock:
                result = {
                    "ApplyUploadInfo": self._apply,
                    "CommitUploadInfo": self._commit,
                    "ListFileMetaInfosByFileNames": self._list,
                }[action](given)
        except Refused as refused:
            told = refused.refuse
            error = {"CodeN": 100000, "Code": told.code, "Message": told.message}
            self._send(told.status, {"ResponseMetadata": {**about, "Error": error}}, told.headers)
        else:
            self._send(200, {"ResponseMetadata": about, "Result": result})

    def _form(self) -> dict[str, str]:
        must(
            self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"),
            400,
            "InvalidParameter",
        )
        return {k: v[0] for k, v in parse_qs(self.body.decode(), strict_parsing=True).items()}

    def _apply(self, given: Mapping[str, str]) -> object:
        path = given.get("FileName", "")
        must(
            bool(re.fullmatch(r"[A-Za-z0-9._\-/]{1,1024}", path)) and path[0] != "/", 400, "InvalidParameter"
        )
        must(bool(re.search(r"[^/]\.[a-z0-9]{1,7}$", path)), 400, "InvalidParameter", "no suffix")
        must(given.get("StorageClass") in CLASS_HEADERS, 400, "InvalidParameter")
        self._must_be_free("apply", path)
        vid = f"v0fake{secrets.token_hex(8)}"
        key = base64.b64encode(json.dumps({"extra": f"idc=fake&vid={vid}"}).encode()).decode()
        session = Session(
            vid, path, f"SpaceKey/{secrets.token_hex(20)}", given["StorageClass"], int(given["FileSize"])
        )
        self.space.sessions[key] = session
        address = {
            "StoreInfos": [{"StoreUri": f"{BUCKET}/{path}", "Auth": session.auth}],
            "UploadHosts": self.server.upload_hosts,
            "UploadHeader": [{"Key": CARRIED[0], "Value": CARRIED[1]}],
            "SessionKey": key,
        }
        return {"Data": {"UploadAddress": address}}

    def _commit(self, given: Mapping[str, str]) -> object:
        session = self.space.sessions.get(given.get("SessionKey", ""))
        if session is None:
            raise Refused(Refuse(400, "InvalidParameter", f"no session {given.get('SessionKey')}"))
        must(session.data is not None, 400, "InvalidParameter", "the session has no bytes")
        functions = json.loads(given["Functions"])
        names = [function["Name"] for function in functions]
        must("GetMeta" not in names[1:], 400, "InvalidParameter", "GetMeta is not the first function")
        made = [medium for medium in self.space.media if medium.vid == session.vid]
        if not made:
            self._must_be_free("commit", session.path, media_only=True)
        if made and self.space.second_commit == "refused":
            raise Refused(Refuse(400, "InvalidParameter", "the session has ended"))
        vid = session.vid
        if made and self.space.second_commit == "another":
            vid, made = f"{vid}again", []
        if not made:
            data = session.data or b""
            medium = Medium(vid, session.path, data, functions, given.get("CallbackArgs", ""))
            self.space.media.append(medium)
        size = len(session.data or b"") if self.space.told_size is None else self.space.told_size
        told = {"FileName": session.path, "Size": size, "StoreUri": f"{BUCKET}/{session.path}"}
        return {"Data": {"Vid": vid, "PosterUri": "", "SourceInfo": told}}

    def _list(self, given: Mapping[str, str]) -> object:
        paths = [unquote(path) for path in given.get("FileNameEncodeds", "").split(",")]
        must(paths != [""], 400, "MissingParameter")
        found = [medium for medium in self.space.media if medium.path in paths]
        if found and self.space.unseen:
            self.space.unseen -= 1
            return {}
        infos = [
            {"Vid": m.vid, "FileId": m.vid, "MaterialId": "", "FileType": "MediaUri", "FileName": m.path}
            for m in found
        ]
        return {"VodFileMetaInfos": infos}

    def _must_be_free(self, where: str, path: str, *, media_only: bool = False) -> None:
        taken = {medium.path for medium in self.space.media} if media_only else set(self.space.files)
        must(
            self.space.forbids != where or path not in taken, 400, "InvalidParameter", "file already existed"
        )

    # The hosts that take the bytes.

    def _bytes(self) -> None:
        with self.server.lock:
            self.server.at_once += 1
            self.space.most_at_once = max(self.space.most_at_once, self.server.at_once)
        try:
            payload = self._taken()
        except Refused as refused:
            told = refused.refuse
            error = {"code": told.code, "error": "refused", "message": told.message}
            self._send(told.status, {"version": "", "success": 1, "error": error}, told.headers)
        else:
            self._send(200, {"version": "", "success": 0, "error": {}, "payload": payload})
        finally:
            with self.server.lock:
                self.server.at_once -= 1

    def _taken(self) -> object:
        kind = "put"
        if "uploads" in self.query:
            kind = "init"
        elif "uploadID" in self.query:
            kind = "part" if "partNumber" in self.query else "finish"
        self._noted(kind)
        session = self._session()
        must(self.headers.get(CARRIED[0]) == CARRIED[1], 400, 4000, "a header of the address is missing")
        storage = self.headers.get("X-Upload-Storage-Class")
        must(storage == CLASS_HEADERS[session.storage], 400, 4000, "another storage class than applied for")
        must((self.headers.get("X-Storage-Mode") == "gateway") == (kind != "put"), 400, 4000, "storage mode")
        with self.server.lock:
            return {"put": self._put, "init": self._init, "part": self._part, "finish": self._finish}[kind](
                session
            )

    def _session(self) -> Session:
        uri = unquote(self.raw_path[1:])
        auth = self.headers.get("Authorization", "")
        for session in list(self.space.sessions.values()):
            if f"{BUCKET}/{session.path}" == uri and auth == session.auth:
                must(not session.expired, 403, 403, f"the credentials {auth} have expired")
                return session
        raise Refused(Refuse(401, 401, f"{auth} is not for {uri}"))

    def _crc(self) -> None:
        told = self.headers.get("Content-CRC32", "")
        must(bool(re.fullmatch(r"[0-9a-f]{8}", told)), 400, 4000, "no checksum")
        must(int(told, 16) == zlib.crc32(self.body), 400, 4000, "crc32 does not match")

    def _put(self, session: Session) -> object:
        self._crc()
        self._arrived(session, self.body)
        return {"hash": "", "key": session.path}

    def _init(self, session: Session) -> object:
        must(not self.body, 400, 4000)
        upload = secrets.token_hex(12)
        self.space.uploads[upload] = (session, {})
        return {"uploadID": upload}

    def _upload(self, session: Session) -> dict[int, bytes]:
        owner, parts = self.space.uploads.get(self.query["uploadID"], (None, {}))
        must(owner is session, 404, 404, "no such upload")
        return parts

    def _part(self, session: Session) -> object:
        self._crc()
        number = int(self.query["partNumber"])
        must(1 <= number <= 10_000, 400, 4000)
        self._upload(session)[number] = self.body
        return {"hash": "", "meta": {"ObjectContentType": KIND} if number == 1 else {}}

    def _finish(self, session: Session) -> object:
        parts = self._upload(session)
        told = [pair.split(":") for pair in self.body.decode().split(",")]
        first = int(told[0][0])
        must(first in {0, 1}, 400, 4000, "counted from neither 0 nor 1")
        must([int(n) for n, _ in told] == list(range(first, first + len(told))), 400, 4000, "not in order")
        expected = [f"{zlib.crc32(parts[n]):08x}" for n in sorted(parts)]
        must(sorted(parts) == list(range(1, len(told) + 1)), 400, 4000, "parts are missing")
        must([crc for _, crc in told] == expected, 400, 4000, "the parts are others")
        must(self.query.get("ObjectContentType") == KIND, 400, 4000, "another type than the first part has")
        lengths = [len(parts[n]) for n in sorted(parts)]
        must(min(lengths[:-1], default=lengths[-1]) <= lengths[-1], 400, 4000, "the last part is shorter")
        self._arrived(session, b"".join(parts[n] for n in sorted(parts)))
        del self.space.uploads[self.query["uploadID"]]
        return {"hash": "", "key": session.path}

    def _arrived(self, session: Session, data: bytes) -> None:
        self._must_be_free("bytes", session.path)
        must(len(data) == session.size, 400, 4000, "not as many bytes as applied for")
        session.data = data
        self.space.files[session.path] = data
