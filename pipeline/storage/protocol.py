"""What a place for bytes promises. Each step asks for the smallest of these protocols that it needs.

Every promise is a test in ``tests/storage/contract.py``, which all stores run. A store never retries: it says
by the error's ``retryable`` whether trying again can help.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.storage.profile import Parts

MOST_PARTS = 10_000
"""Of an upload (Amazon S3 user guide, "Amazon S3 multipart upload limits"; the others have the same)."""


@dataclass(frozen=True, slots=True, order=True)
class Stat:
    """What a store says of an object.

    Attributes:
        key: its whole name, without the store's root.
        size: bytes.
        etag: without quotes; "" where the store has none. 32 hexadecimal digits are not always an MD5.
        modified_ms: UTC, as the store says; 0 where it does not.
        md5: of its bytes, 32 hexadecimal digits, where the store's answer vouches for it; "" elsewhere, as
            in listings.
    """

    key: str
    size: int
    etag: str = ""
    modified_ms: int = 0
    md5: str = ""


class Got(NamedTuple):
    """Bytes of an object and what the same answer said of it; its size is that of the whole object."""

    data: bytes
    stat: Stat


@dataclass(frozen=True, slots=True)
class Extras:
    """What goes with an object; a store that knows nothing of it leaves it out.

    Attributes:
        content_type: media type.
        metadata: names (lower case ASCII) and values (ASCII) that the store keeps beside the bytes.
        tags: names and values that the store's rules can act on.
        storage_class: the store's word for it; "" for its default.
        encryption: "" for the store's default, "AES256", or "aws:kms".
        kms_key: for "aws:kms"; "" for the account's default key.
    """

    content_type: str = "application/octet-stream"
    metadata: Mapping[str, str] | None = None
    tags: Mapping[str, str] | None = None
    storage_class: str = ""
    encryption: str = ""
    kms_key: str = ""


PLAIN = Extras()


@dataclass(frozen=True, slots=True)
class Unless:
    """On what a write depends; a store without conditional writes checks before it writes.

    Attributes:
        exists: refuse to replace an object.
        changed_from: an ETag; refuse to replace anything else. "" for no such condition.
    """

    exists: bool = False
    changed_from: str = ""


ALWAYS = Unless()


class Lists(Protocol):
    """Can be listed."""

    def list(self, prefix: str, after: str = "") -> Iterator[Stat]:
        """Objects whose keys begin with ``prefix`` and come behind ``after``, in order of their UTF-8 bytes.

        What is read of it may come before an error: a listing may be gone on with behind its last key.
        """
        ...


class Reads(Protocol):
    """Can be read; an object that is not there raises ObjectMissingError."""

    def stat(self, key: str) -> Stat:
        """What the store says of an object."""
        ...

    def get(self, key: str) -> Got:
        """The whole object."""
        ...

    def get_range(self, key: str, start: int, length: int) -> Got:
        """Bytes from ``start`` on; fewer than ``length`` only at the object's end, none beyond it."""
        ...


class Upload(Protocol):
    """An object that comes in parts; nothing of it is seen before `complete`."""

    @property
    def id(self) -> str:
        """By which `Writes.abort` finds it, from another process too."""
        ...

    @property
    def md5(self) -> bool:
        """The ETags of its parts are the MD5s of their bytes."""
        ...

    def part(self, number: int, data: bytes) -> str:
        """Hand over a part, 1 to 10,000, in any order, from any thread; the same again is harmless.

        Returns:
            Its ETag.
        """
        ...

    def complete(self) -> Stat:
        """Make the object of the parts in the order of their numbers; it replaces what was there."""
        ...

    def abort(self) -> None:
        """Forget all parts; harmless twice, and after `complete`."""
        ...


class Writes(Protocol):
    """Can be written; an object appears whole or not at all."""

    @property
    def parts(self) -> Parts:
        """Its rules for the parts of an upload."""
        ...

    def put(self, key: str, data: bytes, extras: Extras = PLAIN, unless: Unless = ALWAYS) -> Stat:
        """Write an object whole. Raises ConditionError when ``unless`` forbids it."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        ...

    def upload(self, key: str, extras: Extras = PLAIN) -> Upload:
        """Begin an object that comes in parts."""
        ...

    def abort(self, key: str, upload: str) -> None:
        """Forget an upload that another process began; one that is not known is no error."""
        ...

    def uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Key and id of each upload that was begun and neither completed nor aborted."""
        ...


class Store(Lists, Reads, Writes, Protocol):
    """All of it."""
