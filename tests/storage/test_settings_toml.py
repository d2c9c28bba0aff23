"""What the text of recpipe.toml makes of stores, and what is refused without telling secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.storage.profiles import AWS, COS, GOOGLE, KODO, MINIO, OBS, OSS, PROFILES, REFUSED, SWIFT
from pipeline.storage.settings import Settings
from pipeline.storage.settings_toml import parse_settings
from pipeline.storage.stores import AnyProvider, AwsProfile, KeysInEnvironment, StoreSettings
from tests.storage.refusals import SECRET, said
from tests.vendors.laws import patient

if TYPE_CHECKING:
    from pipeline.storage.profile import Profile

SOURCE = Path("conf/recpipe.toml")


def table(**fields: object) -> str:
    """The text of a file with one store, ``rec``."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
    return "\n".join(["[stores.rec]", *lines])


def store(**fields: object) -> StoreSettings:
    return parse_settings(table(**fields), SOURCE).stores["rec"]


def test_a_store_with_every_field() -> None:
    made = store(
        profile="swift",
        endpoint="https://store.example:8443",
        region="region-one",
        bucket="recordings",
        prefix="2026/calls",
        access_key_env="REC_KEY",
        secret_key_env="REC_SECRET",  # noqa: S106 - the name of a variable
        session_token_env="REC_TOKEN",  # noqa: S106 - the name of a variable
        ca_bundle="ca.pem",
        addressing="virtual",
        checksums="when_required",
        storage_class="STANDARD_IA",
        encryption="aws:kms",
        kms_key="alias/rec",
    )
    assert (made.profile.addressing_style, made.profile.checksums) == ("virtual", "when_required")
    assert made == StoreSettings(
        name="rec",
        profile=made.profile,
        bucket="recordings",
        prefix="2026/calls/",
        region="region-one",
        endpoint="https://store.example:8443",
        credentials=KeysInEnvironment("REC_KEY", "REC_SECRET", "REC_TOKEN"),
        ca_bundle=Path("conf/ca.pem"),
        storage_class="STANDARD_IA",
        encryption="aws:kms",
        kms_key="alias/rec",
    )


def test_a_store_with_what_it_needs() -> None:
    assert store(profile="cos", region="ap-beijing", bucket="rec-1250000000") == StoreSettings(
        name="rec",
        profile=COS,
        bucket="rec-1250000000",
        region="ap-beijing",
        endpoint="https://cos.ap-beijing.myqcloud.com",
        credentials=AnyProvider(),
    )


def test_two_stores_have_each_their_own_place_and_keys() -> None:
    text = """
    [stores.source]
    profile = "cos"
    region = "ap-beijing"
    bucket = "rec-1250000000"
    aws_profile = "tencent"

    [stores.target]
    profile = "aws"
    region = "eu-west-1"
    bucket = "vod"
    access_key_env = "VOD_KEY"
    secret_key_env = "VOD_SECRET"
    """
    stores = parse_settings(text, SOURCE).stores
    assert {name: (s.region, s.endpoint, s.credentials) for name, s in stores.items()} == {
        "source": ("ap-beijing", "https://cos.ap-beijing.myqcloud.com", AwsProfile("tencent")),
        "target": ("eu-west-1", None, KeysInEnvironment("VOD_KEY", "VOD_SECRET")),
    }


@pytest.mark.parametrize("text", ["", "# nothing\n", "[stores]\n"])
def test_a_file_may_have_no_stores(text: str) -> None:
    assert parse_settings(text, SOURCE) == Settings(source="conf/recpipe.toml")


@pytest.mark.parametrize(
    ("fields", "profile", "region", "endpoint"),
    [
        pytest.param(
            {"endpoint": "https://obs.cn-north-4.myhuaweicloud.com"},
            OBS,
            "cn-north-4",
            "https://obs.cn-north-4.myhuaweicloud.com",
            id="an endpoint tells profile and region",
        ),
        pytest.param(
            {"profile": "oss", "region": "oss-cn-hangzhou"},
            OSS,
            "cn-hangzhou",
            "https://s3.oss-cn-hangzhou.aliyuncs.com",
            id="both forms of Alibaba Cloud's region are one",
        ),
        pytest.param({"profile": "aws"}, AWS, "", None, id="AWS may leave the region to botocore"),
        pytest.param(
            {"profile": "minio", "endpoint": "http://127.0.0.1:9000"},
            MINIO,
            "us-east-1",
            "http://127.0.0.1:9000",
            id="MinIO signs for us-east-1",
        ),
        pytest.param(
            {"profile": "google"}, GOOGLE, "auto", "https://storage.googleapis.com", id="Google is allowed"
        ),
        pytest.param(
            {"vendor": "agora", "vendor_number": 1, "region_number": 8},
            AWS,
            "ap-southeast-1",
            None,
            id="Agora's numbers",
        ),
        pytest.param(
            {"vendor": "agora", "vendor_number": 2, "region_number": 18, "region": "eu-east-1"},
            OSS,
            "eu-east-1",
            "https://s3.oss-eu-east-1.aliyuncs.com",
            id="a region is taken where Agora's number is not certain",
        ),
        pytest.param(
            {
                "vendor": "agora",
                "vendor_number": 11,
                "region_number": 0,
                "profile": "swift",
                "endpoint": "http://a",
            },
            SWIFT,
            "us-east-1",
            "http://a",
            id="Agora's eleventh vendor is what the profile says",
        ),
        pytest.param(
            {"vendor": "agora", "vendor_number": 6},
            GOOGLE,
            "auto",
            "https://storage.googleapis.com",
            id="Agora's Google without a region",
        ),
        pytest.param(
            {"vendor": "trtc", "vendor_number": 1, "region": "us-west-2"},
            AWS,
            "us-west-2",
            None,
            id="TRTC's number",
        ),
        pytest.param(
            {"vendor": "volcengine", "vendor_number": 4, "region": "cn-east-1"},
            KODO,
            "cn-east-1",
            "https://s3.cn-east-1.qiniucs.com",
            id="Volcengine's number",
        ),
    ],
)
def test_where_a_store_is(
    fields: dict[str, object], profile: Profile, region: str, endpoint: str | None
) -> None:
    made = store(bucket="recordings", **fields)
    assert (made.profile, made.region, made.endpoint) == (profile, region, endpoint)


FIELDS = (
    "bucket, profile, endpoint, region, prefix, aws_profile, access_key_env, secret_key_env, "
    "session_token_env, ca_bundle, addressing, checksums, storage_class, encryption, kms_key, vendor, "
    "vendor_number, region_number"
)
ALL = ", ".join(PROFILES)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(
            "bucket",
            " is not TOML: Expected '=' after a key in a key/value pair (at end of document)",
            id="no TOML",
        ),
        pytest.param(
            "store = 1",
            ": store is not known: expected one of stores, vod, operations, serve",
            id="an unknown table",
        ),
        pytest.param("stores = 1", ": stores is not a table", id="a value for the table"),
        pytest.param("vod = 1", ": vod is not a table", id="a value for the table of services"),
        pytest.param("[[stores]]\nbucket = 'b'", ": stores is not a table", id="a list of tables"),
        pytest.param("[stores]\nrec = 1", ": stores.rec is not a table", id="a value for a store"),
        pytest.param(
            "[stores.rec]\nbukket = 'b'",
            f": stores.rec.bucket is missing; stores.rec.bukket is not known: expected one of {FIELDS}",
            id="a misspelt field",
        ),
        pytest.param(
            "[stores.rec]\nbucket = 7",
            ": stores.rec.bucket: input should be a valid string",
            id="another form",
        ),
        pytest.param(
            "[stores.rec]\nbucket = 'b'\naddressing = 'auto'",
            ": stores.rec.addressing: input should be 'virtual' or 'path'",
            id="another word",
        ),
        pytest.param(
            "[stores.rec]\nbucket = 'b'\nregion = 'evil.example/'",
            ": stores.rec.region is not a region's id: expected lower-case letters, digits and '-'",
            id="a region that would become another host",
        ),
        pytest.param(
            "[stores.'a.b']\nbucket = 'b'\nprofile = 'aws'",
            ", stores.a.b: expected a name of 2 to 63 letters, digits, '_' and '-', a letter first",
            id="a name that no address can have",
        ),
    ],
)
def test_a_file_of_another_form_is_refused(text: str, sentence: str) -> None:
    assert said(lambda: parse_settings(text, SOURCE)) == f"conf/recpipe.toml{sentence}"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        pytest.param(
            {},
            "nothing tells what kind of store it is: give profile or endpoint",
            id="neither profile nor endpoint",
        ),
        pytest.param({"profile": "azure"}, REFUSED["azure"], id="Azure"),
        pytest.param({"profile": "baidu"}, REFUSED["baidu"], id="Baidu"),
        pytest.param({"profile": "s3"}, f"there is no profile 's3': expected one of {ALL}", id="no profile"),
        pytest.param(
            {"profile": "minio", "endpoint": "https://a.blob.core.windows.net"},
            REFUSED["azure"],
            id="a refused host",
        ),
        pytest.param(
            {"vendor": "agora", "vendor_number": 5, "region_number": 0}, REFUSED["azure"], id="Agora's Azure"
        ),
        pytest.param(
            {"vendor": "agora", "vendor_number": 8, "region_number": 1}, REFUSED["baidu"], id="Agora's Baidu"
        ),
        pytest.param(
            {"vendor": "agora", "vendor_number": 2, "region_number": 26},
            "which region Agora's number 26 of vendor 2 is, is not certain: give the cloud's own "
            "id of it as region",
            id="Agora's number that is not certain",
        ),
        pytest.param(
            {"vendor": "volcengine", "vendor_number": 3, "region_number": 1},
            "which region Volcengine's number 1 of vendor 3 is, is not known: give the cloud's "
            "own id of it as region",
            id="any number of Volcengine",
        ),
        pytest.param(
            {"vendor": "trtc", "vendor_number": 0},
            "region is missing: expected the id of a region of Tencent COS",
            id="TRTC without a region",
        ),
        *(
            pytest.param(
                fields,
                "vendor, vendor_number and region_number go together: give vendor and vendor_number",
                id=f"only {', '.join(fields)}",
            )
            for fields in ({"vendor": "agora"}, {"vendor_number": 1}, {"region_number": 1})
        ),
        pytest.param(
            {"vendor": "agora", "vendor_number": 3, "region_number": 1, "profile": "oss"},
            "profile is 'oss', but vendor_number 3 is 'cos': give one of them",
            id="profile and number differ",
        ),
        pytest.param(
            {"profile": "cos", "endpoint": "https://s3.oss-cn-hangzhou.aliyuncs.com"},
            "profile is 'cos', but the endpoint is that of 'oss': give one of them",
            id="profile and endpoint differ",
        ),
        pytest.param(
            {"profile": "minio"},
            "endpoint is missing: only who runs MinIO knows it",
            id="MinIO without an endpoint",
        ),
        pytest.param(
            {"profile": "oss"},
            "region is missing: expected the id of a region of Alibaba Cloud OSS",
            id="no region",
        ),
        pytest.param(
            {"endpoint": f"https://id:{SECRET}@store.example"},
            "an endpoint is not what it should be: expected https://HOST[:PORT], without credentials",
            id="an endpoint with credentials",
        ),
        pytest.param(
            {"profile": "cos", "region": "ap-beijing"},
            "Tencent COS has no bucket 'recordings': expected <name>-<APPID>: lower-case letters, digits and "
            "'-', then the account's number; look up its name",
            id="a bucket that the store cannot have",
        ),
        pytest.param(
            {"profile": "aws", "aws_profile": "a", "access_key_env": "B"},
            "aws_profile and access_key_env are two places for credentials: give one of them",
            id="two places for credentials",
        ),
        pytest.param(
            {"profile": "aws", "access_key_env": "B"},
            "access_key_env and secret_key_env go together: give both",
            id="half a pair of keys",
        ),
        *(
            pytest.param(
                {"profile": "aws", "access_key_env": key, "secret_key_env": value},
                "expected the names of environment variables, not the credentials themselves",
                id=name,
            )
            for name, key, value in (
                ("a key where its variable is named", "AKIAIOSFODNN7EXAMPLE", "B"),
                ("a secret where its variable is named", "A", SECRET),
            )
        ),
        pytest.param(
            {"profile": "aws", "kms_key": "alias/rec"},
            'kms_key is given without encryption = "aws:kms"',
            id="a key for no encryption",
        ),
    ],
)
def test_a_store_that_cannot_be_is_refused(fields: dict[str, object], sentence: str) -> None:
    refused = said(lambda: store(bucket="recordings", **fields))
    assert refused == f"conf/recpipe.toml, stores.rec: {sentence}"
    assert SECRET not in refused


WHERE = (
    "secrets do not belong in this file; put them into environment variables and name those in "
    "access_key_env, secret_key_env and session_token_env, or into a profile of ~/.aws/credentials and "
    "name that in aws_profile"
)


@pytest.mark.parametrize(
    ("form", "path"),
    [
        pytest.param('[stores.rec]\n{} = "{}"', "stores.rec.{}", id="in a store"),
        pytest.param('{} = "{}"', "{}", id="at the top"),
        pytest.param('[stores.rec]\nbucket = 1\nx.{} = ["{}"]', "stores.rec.x.{}", id="in a list in a table"),
    ],
)
@pytest.mark.parametrize(
    "field",
    [
        "access_key",
        "access-key",
        "accessKey",
        "access_key_id",
        "aws_access_key_id",
        "secret",
        "secret_key",
        "SecretKey",
        "secret_access_key",
        "session_token",
        "stsToken",
        "password",
        "passwd",
        "api_key",
        "credentials",
        "ak",
        "sk",
        "key",
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(form: str, path: str, field: str) -> None:
    assert said(lambda: parse_settings(form.format(field, SECRET), SOURCE)) == (
        f"conf/recpipe.toml holds what looks like a secret in {path.format(field)}: {WHERE}"
    )


def test_all_secrets_of_a_file_are_named_at_once() -> None:
    text = f'[stores.aa]\nak = "{SECRET}"\n[stores.token-store]\nsk = "{SECRET}"'
    assert said(lambda: parse_settings(text, SOURCE)) == (
        f"conf/recpipe.toml holds what looks like a secret in stores.aa.ak, stores.token-store.sk: {WHERE}"
    )


WORDS = {"profile", "vendor_number", "region_number"}  # a word or a number that is none is repeated
KEPT = {"prefix", "aws_profile", "ca_bundle", "storage_class"}  # any text will do


@given(
    st.sampled_from(sorted({*FIELDS.split(", ")} - WORDS - KEPT - {"bucket"})),
    st.text("abcXYZ123/+=:@. ", max_size=40),
)
@patient
def test_no_sentence_repeats_a_secret_that_stands_in_the_wrong_field(field: str, filler: str) -> None:
    text = table(bucket="recordings", profile="aws", **{field: f"{filler}{SECRET}"})
    assert SECRET not in said(lambda: parse_settings(text, SOURCE))
