"""How a SOURCE or DEST is written: a folder, ``s3://bucket/prefix``, or ``name:prefix`` of a named store.

Only the reading and the writing of the text lives here; what a name stands for is the business of `settings`,
and what a bucket may be called its profile's. Keys are taken as they are written: nothing is decoded (``%20``
is three characters) and nothing is cleaned up (``a//b`` and ``a/./b`` are other keys than ``a/b``).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.errors import CommandError
from pipeline.storage.profiles import REFUSED

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_KEY_BYTES = 1024
"""Of a key in UTF-8: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html."""

EXPECTED = "expected a folder, s3://bucket/prefix, or NAME:prefix of a store in recpipe.toml"

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://(.*)", re.ASCII | re.DOTALL)
_DRIVE = re.compile(r"[A-Za-z]:[\\/].*", re.ASCII | re.DOTALL)
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{1,254}", re.ASCII)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_\-]{1,62}", re.ASCII)
_TAKEN = frozenset({"s3", "file", "http", "https"})

_PROFILES = {
    "cos": "cos",
    "cosn": "cos",
    "tos": "tos",
    "oss": "oss",
    "obs": "obs",
    "kodo": "kodo",
    "qiniu": "kodo",
    "minio": "minio",
    "swift": "swift",
    "gs": "google",
    "gcs": "google",
}
"""Schemes of other tools, and the profile of a named store that is meant by them."""

_REFUSED_SCHEMES = {
    **dict.fromkeys(("az", "azure", "abfs", "abfss", "wasb", "wasbs"), "azure"),
    **dict.fromkeys(("bos", "bcebos"), "baidu"),
}


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of this machine; its text reads back as the same folder, whatever characters it has."""

    path: Path

    def __str__(self) -> str:
        text = str(self.path)
        return f"./{text}" if _needs_anchor(text) else text


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """A prefix in a store.

    Attributes:
        store: the name in ``recpipe.toml``; "" for ``s3://``, whose store is what the environment says.
        bucket: "" for a named store, whose bucket is in the file.
        prefix: "" for everything, else with a "/" at its end, so that ``s3://b/rec`` holds ``rec/a.ts`` and
            not ``recording2/a.ts``. A named store's own prefix comes before it.

    Raises:
        ValueError: neither a name nor a bucket, both, or a prefix that does not end with "/".
    """

    store: str
    bucket: str
    prefix: str

    def __post_init__(self) -> None:
        if bool(self.store) == bool(self.bucket):
            raise ValueError("expected the name of a store or a bucket")
        if self.prefix and not self.prefix.endswith("/"):
            raise ValueError(f"expected a prefix that ends with '/': {self.prefix!r}")
        if self.store and self.prefix.startswith("//"):
            raise ValueError(f"expected a prefix that makes no URL of the name: {self.prefix!r}")

    def __str__(self) -> str:
        return f"{self.store}:{self.prefix}" if self.store else f"s3://{self.bucket}/{self.prefix}"


def is_store_name(name: str) -> bool:
    """Whether a store may be called so: 2 to 63 ASCII letters, digits, "_" and "-", a letter first.

    One letter would be a drive of Windows; ``s3``, ``file``, ``http`` and ``https`` begin addresses.
    """
    return _NAME.fullmatch(name) is not None and name.lower() not in _TAKEN


def parse_address(text: str, exists: Callable[[str], bool] = os.path.lexists) -> Folder | StoreAddress:
    """Read a SOURCE or DEST.

    A text with ``://`` is an address of a store. Without a colon, or with a "/" before the first one, it is a
    folder; so is one with a colon that exists. What remains is a named store's.

    Args:
        text: as it was given.
        exists: says whether a local path is there; asked only about a text with a colon.

    Raises:
        CommandError: it is none of these; the sentence never repeats what may be a credential.
    """
    if not text or "\0" in text:
        raise CommandError(f"the address is empty or holds a NUL character: {EXPECTED}")
    url = _URL.fullmatch(text)
    if url is not None:
        return _of_url(url[1], url[2])
    if not _needs_anchor(text) or exists(text):
        return Folder(Path(text))
    if _DRIVE.fullmatch(text):
        raise CommandError(
            f"{text} looks like a path of Windows, which recpipe does not run on: {EXPECTED}; "
            f"write ./{text} if it is a folder here"
        )
    name, _, prefix = text.partition(":")
    if not is_store_name(name):
        raise CommandError(
            f"{text} names no store, and no such folder is here: {EXPECTED}, where NAME has 2 to 63 letters, "
            f"digits, '_' and '-'; write ./{text} if it is a folder"
        )
    _check_key(text)
    return StoreAddress(store=name, bucket="", prefix=folder_prefix(prefix))


class OfFile(NamedTuple):
    """An address taken apart: the folder of a file, written as an address, and the file's name."""

    folder: str
    file: str


def of_file(text: str) -> OfFile | None:
    """The address of a store read as that of one file in it; None where it can only be a folder.

    >>> of_file("rec:2026/a.mp4"), of_file("rec:a.mp4"), of_file("s3://b/a.mp4")
    (OfFile(folder='rec:2026/', file='a.mp4'), OfFile(folder='rec:', file='a.mp4'), \
OfFile(folder='s3://b/', file='a.mp4'))
    >>> of_file("rec:2026/"), of_file("rec:"), of_file("s3://b")
    (None, None, None)
    """
    url = _URL.fullmatch(text)
    prefix = url[2].partition("/")[2] if url else text.partition(":")[2]
    file = prefix.rpartition("/")[2]
    return OfFile(text.removesuffix(file), file) if file else None


def folder_prefix(prefix: str) -> str:
    """The prefix with a "/" at its end; "" stays "", which is everything.

    >>> folder_prefix("rec"), folder_prefix("rec/"), folder_prefix("rec//"), folder_prefix("")
    ('rec/', 'rec/', 'rec//', '')
    """
    return f"{prefix}/" if prefix and not prefix.endswith("/") else prefix


def _needs_anchor(text: str) -> bool:
    """Whether a folder of this name is written with ``./`` in front."""
    before, colon, _ = text.partition(":")
    return bool(colon) and "/" not in before


def _check_key(text: str) -> None:
    """Refuse what no store takes as a key."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise CommandError("the address is not valid UTF-8, which the keys of a store are") from None
    if size > MOST_KEY_BYTES:
        raise CommandError(
            f"the address has {size} bytes: expected at most {MOST_KEY_BYTES}, because no key is longer"
        )


def _of_url(scheme: str, rest: str) -> StoreAddress:
    kind = scheme.lower()
    authority, _, prefix = rest.partition("/")
    if "@" in authority or ":" in authority:
        # The text stays out of the sentence: it may hold a secret.
        raise CommandError(
            f"an address {kind}://… holds credentials or a port: expected s3://bucket/prefix; put the "
            "endpoint of a store into recpipe.toml and its credentials into the environment"
        )
    if kind == "s3":
        if not _BUCKET.fullmatch(authority):
            raise CommandError(
                f"s3://{rest} has no bucket that a store could have: expected s3://bucket/prefix, the "
                "bucket's name of letters, digits, '.', '-' and '_'"
            )
        _check_key(prefix)
        return StoreAddress(store="", bucket=authority, prefix=folder_prefix(prefix))
    raise CommandError(_instead_of(kind, rest))


def _instead_of(kind: str, rest: str) -> str:
    """What to write instead of an address of another kind."""
    if kind in _REFUSED_SCHEMES:
        return REFUSED[_REFUSED_SCHEMES[kind]]
    if kind in _PROFILES:
        return (
            f"{kind}://{rest} is not how a store is named here: add a store with "
            f'profile = "{_PROFILES[kind]}" to recpipe.toml and write NAME:prefix'
        )
    if kind in {"http", "https"}:
        where = rest.partition("?")[0]  # a presigned query is as good as a credential
        return (
            f"{kind}://{where} is a web address: {EXPECTED}; put a store's endpoint into recpipe.toml "
            "and write NAME:prefix"
        )
    if kind == "file":
        return f"file://{rest} is a folder written as a URL: write its path alone"
    return f"{kind}://… is no kind of address known here: {EXPECTED}"
