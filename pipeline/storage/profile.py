"""What can differ between stores that speak S3, and what follows from it; the stores are in `profiles`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pipeline.errors import CommandError

Addressing = Literal["virtual", "path"]
Checksums = Literal["when_supported", "when_required"]
Deletes = Literal["batch", "batch_md5", "single"]

MIB, GIB = 2**20, 2**30


@dataclass(frozen=True, slots=True)
class Parts:
    """The rules for the parts of a multipart upload.

    Attributes:
        smallest: bytes; the last part may be smaller.
        largest: bytes.
        most: parts of one upload.
        equal: all parts but the last must have one size.
    """

    smallest: int = 5 * MIB
    largest: int = 5 * GIB
    most: int = 10_000
    equal: bool = False


@dataclass(frozen=True, slots=True)
class Buckets:
    """What a bucket may be called.

    Attributes:
        pattern: of the whole name.
        words: the same for a person.
    """

    pattern: str
    words: str


PLAIN_BUCKETS = Buckets(r"[a-z0-9][a-z0-9\-]{1,61}[a-z0-9]", "3 to 63 lower-case letters, digits and '-'")
DNS_BUCKETS = Buckets(
    r"(?!\d+\.\d+\.\d+\.\d+$)(?!.*(?:\.\.|\.-|-\.))[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]",
    "3 to 63 lower-case letters, digits, '-' and '.', like a host's name",
)
OLD_BUCKETS = Buckets(r"[A-Za-z0-9._\-]{3,255}", "3 to 255 letters, digits, '-', '_' and '.'")
"""What was allowed once and may still exist."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How one kind of store wants to be spoken to.

    Attributes:
        name: by which ``recpipe.toml`` calls it.
        title: what people call it.
        addressing_style: the bucket in the host's name or in the path; botocore's ``Config(s3=…)``.
        path_style: it answers with the bucket in the path too, so that a bucket may have dots.
        checksums: botocore's ``request_checksum_calculation`` and ``response_checksum_validation``. With
            ``when_supported`` it sends checksums as a trailer of an aws-chunked body to https endpoints.
        deletes: DeleteObjects as boto3 sends it, with Content-MD5 added, or keys one by one.
        parts: of multipart uploads.
        if_none_match: a write with ``If-None-Match: *`` is refused where the object exists.
        if_match: a write with ``If-Match`` is refused where the object has another ETag.
        md5_etags: encryptions ("", "AES256") under which the ETag of an object that was put whole is its MD5.
        md5s_etags: the same for multipart: the MD5 of the parts' MD5s, then "-" and their number.
        endpoint: by ``{region}``; "" where botocore knows it (AWS) or only its owner does.
        knows_endpoint: False where the endpoint has to be given.
        region: for signing where none is given; "" where it has to be.
        hosts: patterns of its endpoints' hosts; a group ``region`` reads the region out of them.
        buckets: what a bucket may be called.
        note: what a person who uses it has to know; "" for nothing.
    """

    name: str
    title: str
    addressing_style: Addressing = "virtual"
    path_style: bool = False
    checksums: Checksums = "when_required"
    deletes: Deletes = "single"
    parts: Parts = Parts()
    if_none_match: bool = False
    if_match: bool = False
    md5_etags: frozenset[str] = frozenset()
    md5s_etags: frozenset[str] = frozenset()
    endpoint: str = ""
    knows_endpoint: bool = True
    region: str = ""
    hosts: tuple[str, ...] = ()
    buckets: Buckets = PLAIN_BUCKETS
    note: str = ""

    def client_config(self) -> dict[str, object]:
        """The arguments for ``botocore.config.Config`` that follow from the profile."""
        return {
            "signature_version": "s3v4",
            "s3": {"addressing_style": self.addressing_style},
            "request_checksum_calculation": self.checksums,
            "response_checksum_validation": self.checksums,
        }

    def endpoint_url(self, region: str) -> str | None:
        """The endpoint of a region; None for botocore's own choice."""
        return self.endpoint.format(region=region) if self.endpoint else None

    def region_of(self, host: str) -> str:
        """The region in the name of an endpoint's host; "" where there is none."""
        found = (re.fullmatch(pattern, host, re.ASCII) for pattern in self.hosts)
        return next((m.groupdict().get("region") or "" for m in found if m), "")

    def md5_of(self, etag: str, encryption: str = "") -> str:
        """The MD5 of an object that its ETag tells; "" where it tells none.

        Args:
            etag: as in `Stat`, without quotes.
            encryption: what the answer's ``x-amz-server-side-encryption`` says.
        """
        is_md5 = re.fullmatch(r"[0-9A-Fa-f]{32}", etag) is not None and encryption in self.md5_etags
        return etag.lower() if is_md5 else ""

    def check_bucket(self, bucket: str) -> None:
        """Raise CommandError for a bucket that this store cannot have, or that cannot be reached."""
        if "." in bucket and self.addressing_style == "virtual" and not self.path_style:
            raise CommandError(
                f"the bucket {bucket!r} has a dot, which no certificate for <bucket>.<host> covers, and "
                f"{self.title} does not take the bucket in the path: use a bucket without dots"
            )
        if not re.fullmatch(self.buckets.pattern, bucket, re.ASCII):
            raise CommandError(
                f"{self.title} has no bucket {bucket!r}: expected {self.buckets.words}; look up its name"
            )
