"""A bucket behind the S3 API as a store. One request a call (but listings): it never tries again by itself.

What differs between the stores that speak this API stands in `Profile`; what their errors mean in `replies`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pipeline.errors import ConditionError, ObjectMissingError, StorageError
from pipeline.storage.protocol import ALWAYS, MOST_PARTS, PLAIN, Extras, Got, Stat, Unless
from pipeline.storage.replies import EMPTY_RANGE, WITHOUT_REASON, code_of, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.storage.client import Connection
    from pipeline.storage.profile import Parts
    from pipeline.storage.stores import StoreSettings


class S3Store:
    """One bucket.

    Args:
        settings: where it is and what its vendor does differently; their prefix is not looked at.
        connection: to its endpoint.
    """

    def __init__(self, settings: StoreSettings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._bucket = settings.bucket
        self._profile = settings.profile

    def __repr__(self) -> str:
        return f"S3Store({self._bucket!r} of {self._profile.name})"

    @property
    def parts(self) -> Parts:
        """As `Writes.parts`."""
        return self._profile.parts

    def list(self, prefix: str, after: str = "") -> Iterator[Stat]:
        """As `Lists.list`, a page at a time; in the order of bytes by Amazon S3 API, ListObjectsV2."""
        asked: dict[str, Any] = {"Prefix": prefix} | ({"StartAfter": after} if after else {})
        while True:
            page = self._call("list_objects_v2", prefix, **asked)
            for item in page.get("Contents", ()):
                etag, modified = _bare(item.get("ETag")), _ms(item.get("LastModified"))
                yield Stat(item["Key"], item["Size"], etag, modified)
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def stat(self, key: str) -> Stat:
        """As `Reads.stat`."""
        try:
            return self._stat(key, self._call("head_object", key, Key=key))
        except StorageError as error:
            if code_of(error) in WITHOUT_REASON:
                self._read(key, "bytes=0-0")
            raise

    def get(self, key: str) -> Got:
        """As `Reads.get`."""
        return self._read(key)

    def get_range(self, key: str, start: int, length: int) -> Got:
        """As `Reads.get_range`."""
        if length <= 0:
            return Got(b"", self.stat(key))
        span = f"bytes={start}-{start + length - 1}"
        try:
            return self._read(key, span)
        except StorageError as error:
            if code_of(error) in EMPTY_RANGE:
                return Got(b"", self.stat(key))
            raise

    def put(self, key: str, data: bytes, extras: Extras = PLAIN, unless: Unless = ALWAYS) -> Stat:
        """As `Writes.put`."""
        answer = self._call(
            "put_object", key, Key=key, Body=data, **self._extras(extras), **self._condition(key, unless)
        )
        return self._stat(key, {"ContentLength": len(data), **answer})

    def _condition(self, key: str, unless: Unless) -> dict[str, Any]:
        """Headers of a conditional write; where the store has none, a look before the write."""
        if unless.exists:
            if self._profile.if_none_match:
                return {"IfNoneMatch": "*"}
            if self._etag(key):
                raise ConditionError(
                    f"{self._name(key)} exists and must not be replaced: choose another name or remove it."
                )
        if unless.changed_from:
            if self._profile.if_match:
                return {"IfMatch": f'"{unless.changed_from}"'}
            if self._etag(key) != unless.changed_from:
                raise ConditionError(f"{self._name(key)} was changed by somebody else meanwhile: run again.")
        return {}

    def _etag(self, key: str) -> str:
        try:
            return self.stat(key).etag
        except ObjectMissingError:
            return ""

    def delete(self, key: str) -> None:
        """As `Writes.delete`."""
        self._call("delete_object", key, Key=key)

    def upload(self, key: str, extras: Extras = PLAIN) -> S3Upload:
        """As `Writes.upload`."""
        answer = self._call("create_multipart_upload", key, Key=key, **self._extras(extras))
        md5 = answer.get("ServerSideEncryption", "") in self._profile.md5s_etags
        return S3Upload(self, key, answer["UploadId"], md5=md5)

    def abort(self, key: str, upload: str) -> None:
        """As `Writes.abort`."""
        try:
            self._call("abort_multipart_upload", key, Key=key, UploadId=upload)
        except ObjectMissingError:
            return  # it was completed or aborted

    def uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        """As `Writes.uploads`."""
        found: list[tuple[str, str]] = []
        asked: dict[str, Any] = {"Prefix": prefix}
        while True:
            try:
                page = self._call("list_multipart_uploads", prefix, **asked)
            except ObjectMissingError:
                return iter(sorted(found))  # rclone's word for none: NoSuchUpload
            found += [(item["Key"], item["UploadId"]) for item in page.get("Uploads", ())]
            if not page.get("IsTruncated"):
                return iter(sorted(found))
            asked["KeyMarker"] = page["NextKeyMarker"]
            asked["UploadIdMarker"] = page["NextUploadIdMarker"]

    def _read(self, key: str, span: str = "") -> Got:
        with told(self._name(key), self._connection):
            answer, data = self._connection.get(key, span)
        stat = self._stat(key, answer)
        _, slash, whole = answer.get("ContentRange", "").rpartition("/")  # RFC 9110 14.4
        return Got(data, replace(stat, size=int(whole)) if slash else stat)

    def _stat(self, key: str, answer: Mapping[str, Any]) -> Stat:
        etag, modified = _bare(answer.get("ETag")), _ms(answer.get("LastModified"))
        md5 = self._profile.md5_of(etag, answer.get("ServerSideEncryption", ""))
        return Stat(key, answer["ContentLength"], etag, modified, md5)

    def _extras(self, extras: Extras) -> dict[str, Any]:
        """As arguments of the client; what is not asked for is left out: some stores refuse its header."""
        asked: dict[str, Any] = {"ContentType": extras.content_type}
        if extras.metadata:
            asked["Metadata"] = dict(extras.metadata)
        if extras.tags:
            asked["Tagging"] = urlencode(extras.tags)
        settings = self._settings
        more = {
            "StorageClass": extras.storage_class or settings.storage_class,
            "ServerSideEncryption": extras.encryption or settings.encryption,
            "SSEKMSKeyId": extras.kms_key or settings.kms_key,
        }
        asked |= {name: value for name, value in more.items() if value}
        return asked

    def _name(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"

    def _call(self, operation: str, key: str, **asked: Any) -> Any:
        """One request, and the answer without a body."""
        with told(self._name(key), self._connection):
            return getattr(self._connection.client(), operation)(Bucket=self._bucket, **asked)


class S3Upload:
    """A multipart upload (Amazon S3 API, CreateMultipartUpload)."""

    def __init__(self, store: S3Store, key: str, upload: str, *, md5: bool) -> None:
        self._store = store
        self._key = key
        self._id = upload
        self._md5 = md5
        self._parts: dict[int, tuple[str, int]] = {}

    @property
    def id(self) -> str:
        """As `Upload.id`."""
        return self._id

    @property
    def md5(self) -> bool:
        """As `Upload.md5`."""
        return self._md5

    def part(self, number: int, data: bytes) -> str:
        """As `Upload.part`."""
        if not 1 <= number <= MOST_PARTS:
            raise StorageError(f"part {number} is none of the {MOST_PARTS} that an upload may have.")
        answer = self._call("upload_part", PartNumber=number, Body=data)
        etag: str = answer["ETag"]
        self._parts[number] = (etag, len(data))
        return _bare(etag)

    def complete(self) -> Stat:
        """As `Upload.complete`."""
        if not self._parts:
            raise StorageError(f"the upload of {self._key} has no parts.")
        parts = [{"PartNumber": n, "ETag": self._parts[n][0]} for n in sorted(self._parts)]
        answer = self._call("complete_multipart_upload", MultipartUpload={"Parts": parts})
        size = sum(size for _, size in self._parts.values())
        return Stat(self._key, size, _bare(answer.get("ETag")))

    def abort(self) -> None:
        """As `Upload.abort`."""
        self._store.abort(self._key, self._id)

    def _call(self, operation: str, **asked: Any) -> Any:
        return self._store._call(operation, self._key, Key=self._key, UploadId=self._id, **asked)  # noqa: SLF001 - two halves of one store


def _bare(etag: str | None) -> str:
    return (etag or "").strip('"')


def _ms(when: Any) -> int:
    return 0 if when is None else round(when.timestamp() * 1000)
