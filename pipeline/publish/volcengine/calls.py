"""The three calls of the API that publishing needs, each made once and signed by the service's clock.

Names, versions and methods as in `volcengine/vod/VodServiceConfig.py` of the Python client.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from pipeline.errors import BusyError, DeniedError, StorageError
from pipeline.publish.volcengine import answers
from pipeline.publish.volcengine.signing import Request, Scope, signed_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.publish.volcengine.answers import Address, Committed
    from pipeline.publish.volcengine.settings import VolcengineSettings
    from pipeline.publish.volcengine.wire import Answer, Wire
    from pipeline.storage.stores import Keys

T = TypeVar("T")

SERVICE = "vod"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
SAME_CLOCK_S = 30
"""A clock that was set by the service's and is refused all the same is no better when it is set again."""
_KEPT = "@&=+$:"
"""Of a file path in a query for it, besides what RFC 3986 leaves alone (docs/4/1170940, "说明")."""


class Calls:
    """The API of a space.

    Args:
        settings: of the space.
        keys: the credentials.
        wire: to the service.
        now: seconds since 1970, by this machine.
    """

    def __init__(
        self, settings: VolcengineSettings, keys: Keys, wire: Wire, now: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._wire = wire
        self._now = now
        self._skew = 0.0

    def apply(self, path: str, size: int) -> Address:
        """ApplyUploadInfo: where the bytes of a file path may be put.

        Raises:
            StorageError: refused, each by its kind.
        """
        query = {
            "SpaceName": self._settings.space,
            "FileName": path,
            "FileSize": str(size),
            "StorageClass": str(int(self._settings.storage_class)),
        }
        asked = "ApplyUploadInfo"
        result = self._asked(asked, "2022-01-01", query)
        address = self._read(asked, answers.address_of, result)
        self._wire.hide(address.session)
        self._wire.hide(address.auth)
        return address

    def commit(self, session: str, title: str) -> Committed:
        """CommitUploadInfo: make a medium of the bytes that a session brought.

        Raises:
            StorageError: refused, each by its kind.
        """
        self._wire.hide(session)
        query = {
            "SpaceName": self._settings.space,
            "SessionKey": session,
            "Functions": self._settings.functions_for(title),
        }
        if self._settings.callback_args:
            query["CallbackArgs"] = self._settings.callback_args
        asked = "CommitUploadInfo"
        return self._read(asked, answers.committed_of, self._asked(asked, "2022-01-01", query))

    def find(self, path: str) -> str:
        """ListFileMetaInfosByFileNames: the id of the medium with this file path; "" for none.

        Raises:
            StorageError: refused, each by its kind.
        """
        form = {"SpaceName": self._settings.space, "FileNameEncodeds": quote(path, safe=_KEPT)}
        asked = "ListFileMetaInfosByFileNames"
        return answers.vid_of(self._asked(asked, "2023-07-01", {}, form), path)

    def _asked(
        self, action: str, version: str, query: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> Any:
        """The result of a call: by GET, or by POST with a form."""
        request = Request(
            method="POST" if form else "GET",
            host=urlsplit(self._settings.origin).netloc,
            query={"Action": action, "Version": version, **query},
            body=urlencode(form).encode() if form else b"",
            content_type=FORM if form else "",
        )
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._now() + self._skew))
        headers = signed_headers(request, Scope(self._settings.region, SERVICE, stamp), self._keys)
        url = self._settings.origin + request.target
        answer = self._wire.send(action, request.method, url, headers, request.body)
        refusal = answers.refusal_of(answer)
        if refusal is None:
            return answers.result_of(answer)
        if refusal.code == answers.CLOCK:
            raise self._skewed(answer)
        raise self._refused(action, refusal, answer)

    def _refused(self, action: str, refusal: answers.Refusal, answer: Answer) -> StorageError:
        why = f"{refusal.code}: {refusal.message}" if refusal.code else refusal.message
        sentence = answers.SENTENCES[refusal.kind].format(
            what=f"{self._wire.name}, {action}", why=self._wire.told(why)
        )
        if refusal.kind is BusyError:
            after = answer.headers.get("retry-after", "")
            return BusyError(sentence, float(after) if after.isascii() and after.isdecimal() else None)
        return refusal.kind(sentence)

    def _skewed(self, answer: Answer) -> StorageError:
        """Sign by the service's clock from now on, if its answer tells it and that is news."""
        try:
            off = parsedate_to_datetime(answer.headers["date"]).timestamp() - self._now()
        except (KeyError, ValueError, OverflowError):
            off = self._skew
        if abs(off - self._skew) < SAME_CLOCK_S:
            return DeniedError(f"{self._wire.name} is refused: this machine's clock is wrong: set it.")
        self._skew = off
        return BusyError(f"{self._wire.name}: this machine's clock is {abs(off):.0f} s off the service's.", 0)

    def _read(self, action: str, read: Callable[[Any], T], result: Any) -> T:
        try:
            return read(result)
        except ValueError as error:
            raise StorageError(
                f"{self._wire.name}, {action}: the answer is not what the service documents ({error})."
            ) from None
