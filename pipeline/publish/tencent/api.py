"""Calls of Tencent VOD's API, one request each, and what its refusals mean in our error tree.

The form of answers and the common error codes: tencentcloud.com/document/api/1036/38589 ("Error Codes"). Why
this is not done by Tencent's SDK: docs/decisions/2026-11-21-vod.md.
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

from pipeline.errors import BusyError, DeniedError, StorageError
from pipeline.publish.tencent.signing import JSON, authorization
from pipeline.publish.wire import Wire
from pipeline.storage.replies import date_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.publish.tencent.settings import TencentSettings
    from pipeline.publish.wire import Answer
    from pipeline.storage.stores import Keys

SERVICE, VERSION = "vod", "2018-07-17"
SKEWED = "AuthFailure.SignatureExpire"
"""The clocks are over five minutes apart (common error codes)."""
SAME_CLOCK_S = 60
_DENIED = ("AuthFailure", "UnauthorizedOperation", "FailedOperation.InvalidVodUser", "IpInBlacklist")
_BUSY = ("RequestLimitExceeded", "InternalError", "ServiceUnavailable")


class Refusal(Exception):  # noqa: N818 - the cause of one of our errors, never raised by itself
    """What the service said.

    Args:
        code: its own, such as ``InvalidParameterValue.VodSessionKey``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def refusal_of(error: BaseException) -> str:
    """The service's code of an error that `Api.call` raised; "" where it told none."""
    return error.__cause__.code if isinstance(error.__cause__, Refusal) else ""


class Api:
    """The API of one application.

    Args:
        settings: where it is, and whose credentials it takes.
        environ: where the variables are that the settings name.
        clock: UTC seconds.
    """

    def __init__(
        self, settings: TencentSettings, environ: Mapping[str, str], clock: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._clock = clock
        self._skew_s = 0.0
        self._wire = Wire(settings.endpoint, settings.ca_bundle, environ)

    def now_s(self) -> float:
        """UTC seconds, by the service's clock where ours was refused."""
        return self._clock() + self._skew_s

    def call(self, action: str, **asked: object) -> Mapping[str, Any]:
        """The answer to one request.

        Args:
            action: ApplyUpload, CommitUpload …
            asked: its parameters; those that are None or "" are left out.

        Raises:
            CommandError: the environment lacks the credentials.
            DeniedError: the credentials are wrong, or lack the right.
            BusyError: another time may be better.
            StorageError: it does not take the request.
        """
        settings = self._settings
        given = {name: value for name, value in asked.items() if value is not None and value != ""}
        given |= {"SubAppId": settings.sub_app_id} if settings.sub_app_id is not None else {}
        keys = settings.credentials.read(self._environ)
        body = json.dumps(given).encode()
        name = f"Tencent VOD, {action}"
        answer = self._wire.post(name, self._headers(action, keys, body), body)
        told = _document(name, answer)
        error = told.get("Error")
        if isinstance(error, dict):
            raise self._refused(name, _Told(error, told, keys), answer)
        return told

    def _headers(self, action: str, keys: Keys, body: bytes) -> dict[str, str]:
        at_s = int(self.now_s())
        signed = {"Content-Type": JSON, "Host": self._wire.host, "X-TC-Action": action}
        token = {"X-TC-Token": keys.session_token} if keys.session_token else {}
        return {
            **signed,
            "X-TC-Version": VERSION,
            "X-TC-Region": self._settings.region,
            "X-TC-Timestamp": str(at_s),
            "X-TC-Language": "en-US",
            "Authorization": authorization(keys, SERVICE, signed, body, at_s),
            **token,
        }

    def _refused(self, name: str, told: _Told, answer: Answer) -> StorageError:
        error = self._sorted(name, told, answer)
        error.__cause__ = Refusal(told.code)
        return error

    def _sorted(self, name: str, told: _Told, answer: Answer) -> StorageError:
        if told.code == SKEWED:
            return self._skewed(name, answer)
        if told.code.startswith(_DENIED):
            return DeniedError(f"{name} is refused ({told}): check the credentials and their rights.")
        if told.code.startswith(_BUSY):
            return BusyError(f"{name}: the service is busy ({told}): run again later.")
        return StorageError(f"{name}: the service does not take the request ({told}).")

    def _skewed(self, name: str, answer: Answer) -> StorageError:
        """Sign by the service's clock from now on, as `pipeline.storage.client` does."""
        said = date_of(answer.headers)
        if said is None:
            return DeniedError(f"{name} is refused: this machine's clock is wrong: set it.")
        skew_s = said.replace(tzinfo=UTC).timestamp() - self._clock()
        if abs(skew_s - self._skew_s) < SAME_CLOCK_S:
            return DeniedError(
                f"{name} is refused: it takes our requests for too old, although its clock says the same as "
                "ours: look for a slow proxy between."
            )
        self._skew_s = skew_s
        return BusyError(f"{name}: this machine's clock is {abs(skew_s):.0f} s off the service's: set it.", 0)


class _Told:
    """Code, message and request of a refusal, for sentences; secrets that the service repeats are cut out."""

    def __init__(self, error: Mapping[str, Any], told: Mapping[str, Any], keys: Keys) -> None:
        self.code = str(error.get("Code", ""))
        text = f"{self.code}: {error.get('Message', '')} RequestId {told.get('RequestId', '')}"
        for secret in (keys.access_key, keys.secret_key, keys.session_token):
            text = text.replace(secret, "…") if secret else text
        self._text = text

    def __str__(self) -> str:
        return self._text


def _document(name: str, answer: Answer) -> Mapping[str, Any]:
    try:
        told = json.loads(answer.body)["Response"]
    except (ValueError, RecursionError, LookupError, TypeError):
        told = None
    if not isinstance(told, dict):
        raise StorageError(
            f"{name}: the answer (status {answer.status}) is none of Tencent Cloud's: check the endpoint."
        )
    return told
