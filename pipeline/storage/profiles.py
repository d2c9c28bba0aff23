"""What differs between stores that speak S3, as values: nothing else asks which store it talks to.

Each fact has its public source beside it. Where none is certain the safe value stands, and the comment says
so: no conditional write, no ETag that vouches for anything, keys deleted one by one, parts by S3's rules.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pipeline.errors import CommandError
from pipeline.storage.profile import DNS_BUCKETS, GIB, MIB, OLD_BUCKETS, Buckets, Parts, Profile

KIB = 2**10

REFUSED = {
    "azure": "Azure Blob Storage is not supported, because it does not speak S3: copy the recording to a "
    "store that does, or download it and give its folder",
    "baidu": "Baidu BOS is not supported, because nothing here was ever tried on it: copy the recording to "
    "another store, or download it and give its folder",
}
"""Clouds that are refused, and the sentence for each."""

_REFUSED_HOSTS = {
    "azure": r"(?:.+\.)?(?:blob|dfs)\.core\.(?:windows\.net|chinacloudapi\.cn)",
    "baidu": r"(?:.+\.)?bcebos\.com",
}


# docs.aws.amazon.com/AmazonS3/latest/userguide: qfacts.html (limits), conditional-writes.html,
# checking-object-integrity-upload.html (ETags are MD5s for plain text and SSE-S3, not for SSE-KMS and SSE-C),
# bucketnamingrules.html. botocore itself turns to path style for a bucket with dots.
AWS = Profile(
    name="aws",
    title="Amazon S3",
    path_style=True,
    checksums="when_supported",
    deletes="batch",
    if_none_match=True,
    if_match=True,
    md5_etags=frozenset({"", "AES256"}),
    md5s_etags=frozenset({"", "AES256"}),
    hosts=(
        r"s3(?:-fips)?[.\-](?:dualstack\.)?(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?:\.cn)?",
        r"s3\.amazonaws\.com",
    ),
    buckets=OLD_BUCKETS,
)

# cloud.tencent.com/document/product/436: 37421 (boto3: endpoint, <name>-<APPID>), 96243 (no path style for
# buckets made since 2024), 8289 (DeleteObjects wants Content-MD5). Trailing checksums get
# MissingContentLength: github.com/infiniflow/ragflow/issues/15927. tencentcloud.com/document/product/436:
# 7750 (parts of 1 MB to 5 GB), 32467 (ETags are no MD5s). Not certain, so safe: conditional writes
# (x-cos-forbid-overwrite is another header than S3's).
COS = Profile(
    name="cos",
    title="Tencent COS",
    deletes="batch_md5",
    parts=Parts(smallest=MIB),
    endpoint="https://cos.{region}.myqcloud.com",
    hosts=(r"cos\.(?P<region>[a-z]+(?:-[a-z0-9]+)+)\.(?:myqcloud|tencentcos)\.c(?:om|n)",),
    buckets=Buckets(
        r"[a-z0-9](?:[a-z0-9\-]{0,48}[a-z0-9])?-\d{8,12}",
        "<name>-<APPID>: lower-case letters, digits and '-', then the account's number",
    ),
)

# docs.byteplus.com/ko/docs/tos/docs-compatibility-with-amazon-s3 (S3 endpoint, virtual hosts only).
# volcengine.com/docs/6349: 92801 (10,000 parts of at least 4 MiB), 1130432 (48.8 TiB in all, so 5 GiB each).
# Not certain, so safe: trailing checksums, DeleteObjects, conditional writes, ETags, dots in buckets.
TOS = Profile(
    name="tos",
    title="Volcengine TOS",
    parts=Parts(smallest=4 * MIB),
    endpoint="https://tos-s3-{region}.volces.com",
    hosts=(r"tos-s3-(?P<region>[a-z]+(?:-[a-z0-9]+)+)\.(?:i?volces|bytepluses)\.com",),
)

# alibabacloud.com/help: en/oss/developer-reference/use-amazon-s3-sdks-to-access-oss (endpoint),
# doc-detail/389025.html (virtual hosts only), en/doc-detail/31993.htm (parts of 100 KB to 5 GB),
# en/oss/use-cases/data-verification (an ETag is an MD5 only after PutObject, and nobody knows how a recorder
# wrote). Trailing checksums are refused: github.com/stormkit-io/stormkit-io/pull/149; If-None-Match and
# If-Match get 501: github.com/tobi/walgit/issues/67. DeleteObjects wants Content-MD5, as on COS and OBS.
OSS = Profile(
    name="oss",
    title="Alibaba Cloud OSS",
    deletes="batch_md5",
    parts=Parts(smallest=100 * KIB),
    endpoint="https://s3.oss-{region}.aliyuncs.com",
    hosts=(
        r"(?:s3\.)?oss-(?P<region>[a-z]+-[a-z]+(?:-\d)?(?:-finance(?:-\d)?)?)(?:-internal)?\.aliyuncs\.com",
    ),
    note="since March 2025 new accounts reach buckets in mainland China only by a domain of their own",
)

# huaweicloud.com/notice/2022/20231106133534969.html (no path style since 2023-12-30).
# support.huaweicloud.com: intl/en-us/sdk-go-devg-obs/obs_33_0512.html (10,000 parts of 100 KB to 5 GB),
# sdk-harmony-devg-obs/obs_34_0623.html (buckets). DeleteObjects wants Content-MD5. Not certain, so safe:
# trailing checksums, conditional writes, ETags (MD5s unless the server encrypts or the recorder appended).
OBS = Profile(
    name="obs",
    title="Huawei Cloud OBS",
    deletes="batch_md5",
    parts=Parts(smallest=100 * KIB),
    endpoint="https://obs.{region}.myhuaweicloud.com",
    hosts=(r"obs\.(?P<region>[a-z]+(?:-[a-z0-9]+)+)\.myhuaweicloud\.(?:com|eu)",),
    buckets=DNS_BUCKETS,
)

# developer.qiniu.com/kodo: 4088/s3-access-domainname (endpoints; both addressings), 7458/multipartupload
# (10,000 parts of 1 MB to 1 GB; S3's 5 MiB is kept for the smallest). Not certain, so safe: trailing
# checksums, DeleteObjects, conditional writes, ETags.
KODO = Profile(
    name="kodo",
    title="Qiniu Kodo",
    addressing_style="path",
    path_style=True,
    parts=Parts(largest=GIB),
    endpoint="https://s3.{region}.qiniucs.com",
    hosts=(r"s3[.\-](?P<region>[a-z]+(?:-[a-z0-9]+)+)\.qiniucs\.com",),
    buckets=DNS_BUCKETS,
)

# min.io/docs/minio/linux: operations/concepts/thresholds.html (limits),
# reference/s3-api-compatibility.html (conditional writes). Trailing checksums, and DeleteObjects without
# Content-MD5, need a newer server than some run, so safe: neither.
MINIO = Profile(
    name="minio",
    title="MinIO",
    addressing_style="path",
    path_style=True,
    deletes="batch_md5",
    if_none_match=True,
    if_match=True,
    md5_etags=frozenset({""}),
    md5s_etags=frozenset({""}),
    knows_endpoint=False,
    region="us-east-1",
    buckets=DNS_BUCKETS,
)

# docs.openstack.org/swift/latest/s3_compat.html; the defaults of s3api (1000 parts, 5 MiB, 1000 keys) are in
# github.com/openstack/swift/blob/master/etc/proxy-server.conf-sample. 2.35 checks trailing checksums; it has
# no If-Match for writes.
SWIFT = Profile(
    name="swift",
    title="OpenStack Swift",
    addressing_style="path",
    path_style=True,
    checksums="when_supported",
    deletes="batch",
    parts=Parts(most=1000),
    if_none_match=True,
    md5_etags=frozenset({""}),
    md5s_etags=frozenset({""}),
    knows_endpoint=False,
    region="us-east-1",
    buckets=OLD_BUCKETS,
    note='before version 2.35 it needs checksums = "when_required"',
)

# cloud.google.com/storage/docs/multipart-uploads (S3's rules for parts, no preconditions, no MD5 of such
# objects). Nothing was tried on it, so all else is the safe value.
GOOGLE = Profile(
    name="google",
    title="Google Cloud Storage",
    addressing_style="path",
    path_style=True,
    endpoint="https://storage.googleapis.com",
    region="auto",
    hosts=(r"storage\.googleapis\.com",),
    buckets=Buckets(
        r"[a-z0-9][a-z0-9._\-]{1,220}[a-z0-9]", "3 to 222 lower-case letters, digits, '-', '_' and '.'"
    ),
    note="untested: its S3 interface was never tried with recpipe",
)

PROFILES = {profile.name: profile for profile in (AWS, COS, TOS, OSS, OBS, KODO, MINIO, SWIFT, GOOGLE)}


def profile_named(name: str) -> Profile:
    """The profile called so; raises CommandError for one that is refused or that nobody knows."""
    if name in REFUSED:
        raise CommandError(REFUSED[name])
    if name not in PROFILES:
        raise CommandError(f"there is no profile {name!r}: expected one of {', '.join(PROFILES)}")
    return PROFILES[name]


def host_of_endpoint(url: str) -> str:
    """The host of an endpoint, without its port; raises CommandError for what is no endpoint.

    The sentence does not repeat the URL, which may hold credentials.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc:
        raise CommandError(
            "an endpoint is not what it should be: expected https://HOST[:PORT], without credentials"
        )
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise CommandError(
            f"the endpoint at {host} goes on behind its host: expected https://HOST[:PORT]; put the bucket "
            "and the prefix into their own fields"
        )
    return host


def profile_of_endpoint(url: str) -> Profile:
    """The profile of the store behind an endpoint, by its host.

    Raises:
        CommandError: as `recognised`; or a host that tells nothing, as those of MinIO and Swift, which
            anybody may run anywhere.
    """
    host = host_of_endpoint(url)
    profile = recognised(host)
    if profile is None:
        raise CommandError(
            f"the endpoint {host} does not tell what kind of store it is: name its profile in recpipe.toml, "
            f"one of {', '.join(PROFILES)}"
        )
    return profile


def recognised(host: str) -> Profile | None:
    """The profile whose store answers at a host; None where the host tells nothing.

    Raises:
        CommandError: a store that is refused; a host with the bucket in front, or of TOS's own protocol.
    """
    for name, pattern in _REFUSED_HOSTS.items():
        if re.fullmatch(pattern, host, re.ASCII):
            raise CommandError(REFUSED[name])
    for profile in PROFILES.values():
        if any(re.fullmatch(pattern, host, re.ASCII) for pattern in profile.hosts):
            return profile
    for pattern in (pattern for profile in PROFILES.values() for pattern in profile.hosts):
        behind = re.fullmatch(rf".+?\.(?P<host>{pattern})", host, re.ASCII)
        if behind:
            raise CommandError(
                f"the endpoint {host} begins with a bucket: expected https://{behind['host']}; write "
                "the bucket into its own field"
            )
    if re.fullmatch(r"(?:.+\.)?tos-[a-z0-9\-]+\.(?:i?volces|bytepluses)\.com", host, re.ASCII):
        raise CommandError(
            f"the endpoint {host} does not speak S3: expected https://tos-s3-REGION.volces.com, which does"
        )
    return None
