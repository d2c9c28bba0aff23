"""What is known of each store, and that botocore and the hosts' names understand it so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from pipeline.storage.profile import OLD_BUCKETS
from pipeline.storage.profiles import (
    AWS,
    COS,
    GOOGLE,
    KODO,
    MINIO,
    OBS,
    OSS,
    PROFILES,
    REFUSED,
    SWIFT,
    TOS,
    profile_named,
    profile_of_endpoint,
    recognised,
)
from pipeline.vendors.agora import regions as agora
from tests.storage.refusals import said

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.storage.profile import Profile

ALL = ", ".join(PROFILES)
every_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))


def test_the_profiles_are_those_that_the_documents_promise() -> None:
    assert list(PROFILES) == ["aws", "cos", "tos", "oss", "obs", "kodo", "minio", "swift", "google"]
    assert [profile_named(name).name for name in PROFILES] == list(PROFILES)


@pytest.mark.parametrize(
    ("names", "holds"),
    [
        pytest.param({"cos", "tos", "oss", "obs"}, lambda p: not p.path_style, id="only virtual hosts"),
        pytest.param({"aws", "swift"}, lambda p: p.checksums == "when_supported", id="trailing checksums"),
        pytest.param({"aws", "swift"}, lambda p: p.deletes == "batch", id="DeleteObjects by CRC32"),
        pytest.param(
            {"cos", "oss", "obs", "minio"},
            lambda p: p.deletes == "batch_md5",
            id="DeleteObjects by Content-MD5",
        ),
        pytest.param({"aws", "minio", "swift"}, lambda p: p.if_none_match, id="If-None-Match on writes"),
        pytest.param({"aws", "minio"}, lambda p: p.if_match, id="If-Match on writes"),
        pytest.param({"aws", "minio", "swift"}, lambda p: p.md5_etags, id="ETags that are MD5s"),
        pytest.param({"aws", "minio", "swift"}, lambda p: p.md5s_etags, id="multipart ETags of MD5s"),
        pytest.param(
            {"minio", "swift"}, lambda p: not p.knows_endpoint, id="an endpoint only its owner knows"
        ),
        pytest.param({"swift"}, lambda p: p.parts.most != 10_000, id="another number of parts than S3"),
        pytest.param({"kodo"}, lambda p: p.parts.largest != 5 * 2**30, id="other largest parts than S3"),
        pytest.param(
            {"cos", "tos", "oss", "obs"}, lambda p: p.parts.smallest < 5 * 2**20, id="smaller parts than S3"
        ),
        pytest.param(set(), lambda p: p.parts.equal, id="parts of one size"),
        pytest.param({"oss", "swift", "google"}, lambda p: p.note, id="something to tell"),
    ],
)
def test_what_only_some_stores_have(names: set[str], holds: Callable[[Profile], object]) -> None:
    assert {profile.name for profile in PROFILES.values() if holds(profile)} == names


@every_profile
def test_a_profile_hangs_together(profile: Profile) -> None:
    assert 0 < profile.parts.smallest <= 5 * 2**20 <= profile.parts.largest
    assert profile.parts.most * profile.parts.largest > 4 * 2**40  # a whole object of the size that S3 had
    assert profile.path_style or profile.addressing_style == "virtual"
    assert profile.md5s_etags <= profile.md5_etags
    assert profile.knows_endpoint == bool(profile.endpoint or profile is AWS)
    assert "untested" in GOOGLE.note


@every_profile
def test_botocore_puts_the_bucket_where_the_profile_says(profile: Profile) -> None:
    from boto3.session import Session
    from botocore.config import Config

    endpoint = profile.endpoint_url("eu-west-1") or (
        "https://store.example" if not profile.knows_endpoint else None
    )
    session = Session(aws_access_key_id="id", aws_secret_access_key="none", region_name="eu-west-1")  # noqa: S106 - of no account
    config = Config(**profile.client_config())
    client = session.client("s3", endpoint_url=endpoint, config=config)
    url = urlsplit(client.generate_presigned_url("get_object", Params={"Bucket": "b-1250000000", "Key": "k"}))
    host = urlsplit(endpoint or "https://s3.eu-west-1.amazonaws.com").hostname
    virtual = (f"b-1250000000.{host}", "/k")
    assert (url.hostname, url.path) == (
        virtual if profile.addressing_style == "virtual" else (host, "/b-1250000000/k")
    )
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url.query
    assert config.request_checksum_calculation == config.response_checksum_validation == profile.checksums


REGIONS = {
    "aws": [],
    "cos": [agora.region_of(3, number) for number in range(20)],
    "tos": ["cn-beijing", "cn-guangzhou", "cn-shanghai", "cn-hongkong", "ap-southeast-1"],
    "oss": [agora.region_of(2, n) for n in range(26) if n != 18],
    "obs": [agora.region_of(7, number) for number in range(16)],
    "kodo": ["cn-east-1", "cn-east-2", "cn-north-1", "us-north-1", "ap-southeast-1"],
}


@pytest.mark.parametrize(
    ("name", "region"), [(name, r) for name, regions in REGIONS.items() for r in regions]
)
def test_the_endpoint_of_a_region_tells_profile_and_region(name: str, region: str) -> None:
    endpoint = PROFILES[name].endpoint_url(region)
    assert endpoint is not None
    assert profile_of_endpoint(endpoint) is PROFILES[name]
    assert PROFILES[name].region_of(urlsplit(endpoint).hostname or "") == region


@pytest.mark.parametrize(
    ("endpoint", "profile", "region"),
    [
        ("https://s3.us-east-1.amazonaws.com", AWS, "us-east-1"),
        ("https://s3.dualstack.eu-central-1.amazonaws.com", AWS, "eu-central-1"),
        ("https://s3-fips.us-gov-west-1.amazonaws.com", AWS, "us-gov-west-1"),
        ("https://s3.cn-north-1.amazonaws.com.cn", AWS, "cn-north-1"),
        ("https://s3.amazonaws.com", AWS, ""),
        ("https://cos.ap-beijing-fsi.myqcloud.com:443/", COS, "ap-beijing-fsi"),
        ("http://cos.ap-beijing.tencentcos.cn", COS, "ap-beijing"),
        ("https://tos-s3-cn-beijing.ivolces.com", TOS, "cn-beijing"),
        ("https://tos-s3-ap-southeast-1.bytepluses.com", TOS, "ap-southeast-1"),
        ("https://oss-cn-hangzhou.aliyuncs.com", OSS, "cn-hangzhou"),
        ("https://s3.oss-cn-hangzhou-internal.aliyuncs.com", OSS, "cn-hangzhou"),
        ("https://OBS.cn-north-4.myhuaweicloud.com", OBS, "cn-north-4"),
        ("https://s3-cn-east-1.qiniucs.com", KODO, "cn-east-1"),
        ("https://storage.googleapis.com", GOOGLE, ""),
    ],
)
def test_a_host_tells_the_profile(endpoint: str, profile: Profile, region: str) -> None:
    assert profile_of_endpoint(endpoint) is profile
    assert profile.region_of(urlsplit(endpoint).hostname or "") == region


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "::1", "minio.example.com", "cos.example.com", "amazonaws.com"]
)
def test_a_host_that_anybody_may_have_tells_nothing(host: str) -> None:
    assert recognised(host) is None


SHAPE = "an endpoint is not what it should be: expected https://HOST[:PORT], without credentials"


@pytest.mark.parametrize(
    ("endpoint", "sentence"),
    [
        pytest.param("https://account.blob.core.windows.net", REFUSED["azure"], id="Azure"),
        pytest.param("https://account.blob.core.chinacloudapi.cn", REFUSED["azure"], id="Azure in China"),
        pytest.param("https://s3.bj.bcebos.com", REFUSED["baidu"], id="Baidu"),
        pytest.param(
            "https://b-1.cos.ap-beijing.myqcloud.com",
            "the endpoint b-1.cos.ap-beijing.myqcloud.com begins with a bucket: expected "
            "https://cos.ap-beijing.myqcloud.com; write the bucket into its own field",
            id="COS with the bucket in front",
        ),
        pytest.param(
            "https://b1.s3.us-east-1.amazonaws.com",
            "the endpoint b1.s3.us-east-1.amazonaws.com begins with a bucket: expected "
            "https://s3.us-east-1.amazonaws.com; write the bucket into its own field",
            id="AWS with the bucket in front",
        ),
        pytest.param(
            "https://tos-cn-beijing.volces.com",
            "the endpoint tos-cn-beijing.volces.com does not speak S3: expected "
            "https://tos-s3-REGION.volces.com, which does",
            id="TOS by its own protocol",
        ),
        pytest.param(
            "http://127.0.0.1:9000",
            "the endpoint 127.0.0.1 does not tell what kind of store it is: name its profile in "
            f"recpipe.toml, one of {ALL}",
            id="a host that tells nothing",
        ),
        pytest.param(
            "https://store.example/bucket",
            "the endpoint at store.example goes on behind its host: expected https://HOST[:PORT]; put the "
            "bucket and the prefix into their own fields",
            id="a path behind the host",
        ),
        pytest.param("https://id:hidden@store.example", SHAPE, id="credentials"),
        pytest.param("https://id:hidden", SHAPE, id="a port that is none"),
        pytest.param("store.example", SHAPE, id="no scheme"),
        pytest.param("ftp://store.example", SHAPE, id="another scheme"),
        pytest.param("https://", SHAPE, id="no host"),
        pytest.param("https://[::1", SHAPE, id="half an address"),
        pytest.param("", SHAPE, id="nothing"),
    ],
)
def test_an_endpoint_is_refused_in_one_sentence(endpoint: str, sentence: str) -> None:
    assert said(lambda: profile_of_endpoint(endpoint)) == sentence


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("azure", REFUSED["azure"]),
        ("baidu", REFUSED["baidu"]),
        ("s3", f"there is no profile 's3': expected one of {ALL}"),
    ],
)
def test_a_profile_is_refused_in_one_sentence(name: str, sentence: str) -> None:
    assert said(lambda: profile_named(name)) == sentence


def test_the_clouds_that_are_refused_are_told_why_and_what_to_do() -> None:
    assert REFUSED == {
        "azure": "Azure Blob Storage is not supported, because it does not speak S3: copy the recording to a "
        "store that does, or download it and give its folder",
        "baidu": "Baidu BOS is not supported, because nothing here was ever tried on it: copy the recording "
        "to another store, or download it and give its folder",
    }


@pytest.mark.parametrize(
    ("profile", "bucket"),
    [
        (AWS, "my.recordings"),
        (AWS, "Old_Bucket"),
        (COS, "recordings-1250000000"),
        (COS, "a-b-1250000000"),
        (TOS, "recordings"),
        (OSS, "recordings-2"),
        (OBS, "recordings"),
        (KODO, "my.recordings"),
        (MINIO, "my.recordings"),
        (SWIFT, "Old_Bucket"),
        (GOOGLE, "my_recordings"),
        (replace(OBS, addressing_style="path"), "my.recordings"),
    ],
)
def test_a_bucket_that_the_store_may_have(profile: Profile, bucket: str) -> None:
    profile.check_bucket(bucket)


DOT = "which no certificate for <bucket>.<host> covers, and"
PLAIN = "expected 3 to 63 lower-case letters, digits and '-'; look up its name"
LIKE_A_HOST = "expected 3 to 63 lower-case letters, digits, '-' and '.', like a host's name; look up its name"


@pytest.mark.parametrize(
    ("profile", "bucket", "sentence"),
    [
        (
            COS,
            "recordings",
            (
                "Tencent COS has no bucket 'recordings': expected <name>-<APPID>: lower-case letters, digits "
                "and '-', then the account's number; look up its name"
            ),
        ),
        *(
            (
                profile,
                "my.rec-1250000000",
                (
                    f"the bucket 'my.rec-1250000000' has a dot, {DOT} {profile.title} does not take the "
                    "bucket in the path: use a bucket without dots"
                ),
            )
            for profile in (COS, TOS, OSS, OBS)
        ),
        (TOS, "Recordings", f"Volcengine TOS has no bucket 'Recordings': {PLAIN}"),
        (OSS, "ab", f"Alibaba Cloud OSS has no bucket 'ab': {PLAIN}"),
        (OSS, "-ab", f"Alibaba Cloud OSS has no bucket '-ab': {PLAIN}"),
        (KODO, "192.168.0.1", f"Qiniu Kodo has no bucket '192.168.0.1': {LIKE_A_HOST}"),
        (MINIO, "a..b", f"MinIO has no bucket 'a..b': {LIKE_A_HOST}"),
        (MINIO, "a.-b", f"MinIO has no bucket 'a.-b': {LIKE_A_HOST}"),
        (OBS, "a" * 64, f"Huawei Cloud OBS has no bucket {'a' * 64!r}: {LIKE_A_HOST}"),
        (
            AWS,
            "a b",
            f"Amazon S3 has no bucket 'a b': expected {OLD_BUCKETS.words}; look up its name",
        ),
    ],
)
def test_a_bucket_that_the_store_cannot_have(profile: Profile, bucket: str, sentence: str) -> None:
    assert said(lambda: profile.check_bucket(bucket)) == sentence


MD5 = "d41d8cd98f00b204e9800998ecf8427e"


@pytest.mark.parametrize(
    ("profile", "etag", "encryption", "md5"),
    [
        pytest.param(AWS, MD5, "", MD5, id="of plain text"),
        pytest.param(AWS, MD5.upper(), "AES256", MD5, id="of what S3 encrypts by itself"),
        pytest.param(AWS, MD5, "aws:kms", "", id="not of what a key encrypts"),
        pytest.param(AWS, f"{MD5}-2", "", "", id="not of parts"),
        pytest.param(AWS, "", "", "", id="not of nothing"),
        pytest.param(AWS, f"{MD5}\n", "", "", id="not with anything behind it"),
        pytest.param(MINIO, MD5, "AES256", "", id="not where only plain text is certain"),
        pytest.param(COS, MD5, "", "", id="not where the store says that it is none"),
    ],
)
def test_an_etag_tells_an_md5_only_where_that_is_certain(
    profile: Profile, etag: str, encryption: str, md5: str
) -> None:
    assert profile.md5_of(etag, encryption) == md5
