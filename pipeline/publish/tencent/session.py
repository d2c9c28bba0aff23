"""An upload to Tencent VOD as values: what the API tells, what is kept, and whose a medium is. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urlsplit

from pipeline.errors import StorageError
from pipeline.publish.protocol import Medium
from pipeline.storage.stores import REGION, Keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Step = Literal["sending", "committing"]
_BUCKET = r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes go, and until when; of tencentcloud.com/document/product/266/34120, ApplyUpload.

    Attributes:
        bucket: COS's, with its number.
        region: its.
        path: the object's key, with a "/" before it.
        keys: temporary; they may be good for this key alone.
        expires_s: UTC seconds.
    """

    bucket: str
    region: str
    path: str
    keys: Keys
    expires_s: int


@dataclass(frozen=True, slots=True)
class Session:
    """An upload that was begun, as it is kept for a later try; it holds no credentials.

    Attributes:
        key: the VodSessionKey, by which CommitUpload knows it.
        path: where its bytes are; it is this upload's alone.
        app: the application, "" for the account's first.
        applied_s: when it was begun, UTC seconds.
        step: "committing" from before the first CommitUpload.
        committing_s: when the last CommitUpload that may have been done was sent, UTC seconds; 0 before.
    """

    key: str = field(repr=False)
    path: str
    app: str
    applied_s: int
    step: Step = "sending"
    committing_s: int = 0

    def committing(self, at_s: int) -> Session:
        """The same before CommitUpload."""
        return replace(self, step="committing", committing_s=at_s)

    def noted(self) -> dict[str, str]:
        """As it is kept."""
        return {
            "service": "tencent",
            "session": self.key,
            "path": self.path,
            "app": self.app,
            "applied_s": str(self.applied_s),
            "step": self.step,
            "committing_s": str(self.committing_s),
        }


def begun_session(begun: Mapping[str, str], app: str) -> Session | None:
    """What an earlier try may have had committed; None where it made no medium of this application."""
    if (begun.get("service"), begun.get("step"), begun.get("app")) != ("tencent", "committing", app):
        return None
    return Session(
        begun["session"],
        begun["path"],
        app,
        int(begun["applied_s"]),
        "committing",
        int(begun["committing_s"]),
    )


def applied(answer: Mapping[str, Any], app: str, at_s: int) -> tuple[Session, Place]:
    """What ApplyUpload answered; raises StorageError for an answer that lacks something."""
    kept = answer.get("TempCertificate")
    keys: Mapping[str, Any] = kept if isinstance(kept, dict) else {}
    texts = [
        answer.get(name) for name in ("VodSessionKey", "StorageBucket", "StorageRegion", "MediaStoragePath")
    ]
    texts += [keys.get(name) for name in ("SecretId", "SecretKey", "Token")]
    expires = keys.get("ExpiredTime")
    if not all(isinstance(text, str) and text for text in texts) or not isinstance(expires, int):
        raise StorageError(
            "Tencent VOD, ApplyUpload: the answer lacks what an upload needs: check the endpoint."
        )
    session, bucket, region, path, secret_id, secret_key, token = map(str, texts)
    # both become part of a host's name
    if not re.fullmatch(_BUCKET, bucket, re.ASCII) or not re.fullmatch(REGION, region, re.ASCII):
        raise StorageError(f"Tencent VOD, ApplyUpload: {bucket!r} in {region!r} is no bucket of COS.")
    path = "/" + path.removeprefix("/")
    place = Place(bucket, region, path, Keys(secret_id, secret_key, token), expires)
    return Session(session, path, app, at_s), place


def committed(answer: Mapping[str, Any]) -> Medium:
    """What CommitUpload answered; raises StorageError for an answer without a FileId."""
    name = answer.get("FileId")
    if not isinstance(name, str) or not name:
        raise StorageError("Tencent VOD, CommitUpload: the answer has no FileId: check the endpoint.")
    return Medium(name, str(answer.get("MediaUrl") or ""))


def medium_of(found: Sequence[Mapping[str, Any]], path: str, context: str) -> Medium | None:
    """The medium of an upload among those that SearchMedia tells, by its path, else by its source context.

    Args:
        found: of ``MediaInfoSet``, created since the upload was begun.
        path: of the upload.
        context: the source context that it was begun with; "" where others may have the same.
    """
    told = [(str(info.get("FileId", "")), _basic(info)) for info in found]
    same_path = [(name, basic) for name, basic in told if name and path in _paths(basic)]
    same_context = [(name, basic) for name, basic in told if name and context and context == _context(basic)]
    for name, basic in (*same_path, *same_context):
        return Medium(name, str(basic.get("MediaUrl") or ""))
    return None


def _basic(info: Mapping[str, Any]) -> Mapping[str, Any]:
    basic = info.get("BasicInfo")
    return basic if isinstance(basic, dict) else {}


def _paths(basic: Mapping[str, Any]) -> set[str]:
    """``StoragePath`` where it is told; the URL's path is the same in all of Tencent's examples."""
    return {str(basic.get("StoragePath") or ""), unquote(urlsplit(str(basic.get("MediaUrl") or "")).path)}


def _context(basic: Mapping[str, Any]) -> str:
    source = basic.get("SourceInfo")
    return str(source.get("SourceContext") or "") if isinstance(source, dict) else ""
