"""The bytes of a film to a host that ApplyUploadInfo named: whole, or in parts of which a few are under way.

No page says how; the vendor's clients do. `volcengine/vod/VodService.py` of the Python client:
`direct_upload`, `init_upload_part`, `upload_part`, `upload_merge_part`; the same requests are in
`service/vod/base_service.go` of the Go client and `src/services/vod/index.ts` of the one for Node.js, which
sends four parts at a time as well.
"""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipeline.errors import ConditionError, ObjectMissingError, StorageError
from pipeline.publish.volcengine import answers
from pipeline.publish.volcengine.settings import StorageClass
from pipeline.publish.volcengine.wire import THREADS
from pipeline.storage.retrying import again

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.publish.protocol import Film
    from pipeline.publish.volcengine.answers import Address
    from pipeline.publish.volcengine.wire import Answer, Wire
    from pipeline.storage.retrying import Patience

PART = 20 << 20
"""Bytes of a part: the least of the Python and Go clients (`MinChunkSize`). What is smaller goes whole."""
MOST_PARTS = 10_000
"""Of an upload (`calculateSafePartSize` of the client for Node.js)."""
_CLASSES = {StorageClass.ARCHIVE: "archive", StorageClass.INFREQUENT: "ia"}
"""``X-Upload-Storage-Class``; it is not sent for the standard one."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How a film is cut: all parts have the same length but the last, which takes the rest.

    So no part is shorter than the least, as the Python and Go clients cut it.
    """

    size: int
    length: int
    count: int

    @classmethod
    def of(cls, size: int, part: int = PART) -> Cut:
        """Of a film; ``count`` is 0 where it goes whole."""
        length = max(part, -(-size // MOST_PARTS))
        return cls(size, length, size // length)

    def span(self, number: int) -> tuple[int, int]:
        """Where a part begins, and its length; numbers begin at 1."""
        start = (number - 1) * self.length
        return start, (self.size - start if number == self.count else self.length)


class Sending:
    """An address, and how long to try.

    Args:
        wire: to the hosts.
        address: for one film.
        scheme: of the hosts.
        storage: where the bytes are to lie.
        patience: for each request.
        part: bytes.
    """

    def __init__(
        self,
        wire: Wire,
        address: Address,
        *,
        scheme: str,
        storage: StorageClass,
        patience: Patience,
        part: int = PART,
    ) -> None:
        self._wire = wire
        self._address = address
        self._scheme = scheme
        self._patience = patience
        self._part = part
        self._headers = {**dict(address.headers), "Authorization": address.auth}
        if storage in _CLASSES:
            self._headers["X-Upload-Storage-Class"] = _CLASSES[storage]

    def send(self, film: Film) -> None:
        """Put all bytes where they belong.

        Raises:
            ConditionError: a file is there already, and the space forbids to overwrite it.
            DeniedError: the address is not good, or no longer.
            ObjectMissingError: an upload in parts is gone.
            StorageError: refused for another reason, or not answered in time.
        """
        cut = Cut.of(film.size, self._part)
        if cut.count:
            self._in_parts(film, cut)
            return
        data = _read(film, 0, film.size)
        self._ended(lambda n: self._put("the film", n, "", {"Content-CRC32": _crc(data)}, data))

    def _in_parts(self, film: Film, cut: Cut) -> None:
        self._headers["X-Storage-Mode"] = "gateway"
        upload = self._read_id(self._again(lambda n: self._put("the first word of an upload", n, "uploads")))

        def part(number: int) -> tuple[str, Any]:
            data = _read(film, *cut.span(number))
            crc, query = _crc(data), f"partNumber={number}&uploadID={quote(upload, safe='')}"
            what = f"part {number} of {cut.count}"
            return crc, self._again(lambda n: self._put(what, n, query, {"Content-CRC32": crc}, data))

        with ThreadPoolExecutor(THREADS) as pool:
            crcs: list[str] = []
            kind = ""
            for crc, payload in pool.map(part, range(1, cut.count + 1)):
                kind = kind if crcs else answers.content_type_of(payload)
                crcs.append(crc)
        # The Python and Go clients count from 0 here and from 1 before, that for Node.js from 1 in both.
        body = ",".join(f"{i}:{crc}" for i, crc in enumerate(crcs)).encode()
        query = f"uploadID={quote(upload, safe='')}&ObjectContentType={quote(kind, safe='/')}"
        self._ended(lambda n: self._put("the end of an upload", n, query, {}, body))

    def _again(self, call: Callable[[int], Any]) -> Any:
        """Try with patience; the call is told how often it was tried before."""
        tries = iter(range(1 << 30))
        return again(lambda: call(next(tries)), self._patience)

    def _ended(self, call: Callable[[int], object]) -> None:
        """Try what ends an upload; a refusal after an answer that was lost may only mean that it had ended.

        Whether it had is told by CommitUploadInfo, which takes no session without its bytes.
        """

        def end(tried: int) -> None:
            try:
                call(tried)
            except (ConditionError, ObjectMissingError):
                if not tried:
                    raise

        self._again(end)

    def _put(
        self, what: str, tried: int, query: str, more: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Any:
        """The payload of an answer; each try goes to the next host (docs/4/2915: "容灾", "并行上传")."""
        host = self._address.hosts[tried % len(self._address.hosts)]
        path = quote(self._address.uri, safe="/")
        url = f"{self._scheme}://{host}/{path}" + (f"?{query}" if query else "")
        answer = self._wire.send(what, "PUT", url, {**self._headers, **(more or {})}, body)
        self._check(what, answer)
        return answers.payload_of(answer)

    def _check(self, what: str, answer: Answer) -> None:
        refusal = answers.upload_refusal_of(answer)
        if refusal is None:
            return
        kind = answers.upload_kind(refusal)
        why = self._wire.told(f"{refusal.code} {refusal.message}".strip())
        raise kind(answers.SENTENCES[kind].format(what=f"{self._wire.name}, {what}", why=why))

    def _read_id(self, payload: Any) -> str:
        try:
            return answers.upload_id_of(payload)
        except ValueError as error:
            raise StorageError(f"{self._wire.name}: an upload cannot begin: {error}.") from None


def _read(film: Film, start: int, length: int) -> bytes:
    with film.open() as file:
        file.seek(start)
        data = file.read(length)
    if len(data) != length:
        raise StorageError(
            f"{film.file} ends before its {film.size} bytes: it was changed while it was sent."
        )
    return data


def _crc(data: bytes) -> str:
    """CRC-32 as in zip (`zlib.crc32` in the Python client), eight hexadecimal digits."""
    return f"{zlib.crc32(data):08x}"
