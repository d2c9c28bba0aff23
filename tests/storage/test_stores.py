"""Where a store's credentials come from, and which store the environment names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.storage.profiles import AWS, GOOGLE, OSS, PROFILES
from pipeline.storage.stores import Keys, KeysInEnvironment, StoreSettings, environment_store
from tests.storage.refusals import SECRET, said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.storage.profile import Profile

ALL = ", ".join(PROFILES)


def test_credentials_are_in_no_text_of_any_value() -> None:
    names = KeysInEnvironment("REC_KEY", "REC_SECRET", "REC_TOKEN")
    keys = names.read({"REC_KEY": f"{SECRET}1", "REC_SECRET": f"{SECRET}2", "REC_TOKEN": f"{SECRET}3"})
    assert keys == Keys(f"{SECRET}1", f"{SECRET}2", f"{SECRET}3")
    for value in (keys, (keys,), names):
        assert SECRET not in f"{value} {value!r}"


def test_temporary_credentials_are_optional() -> None:
    assert KeysInEnvironment("AA", "BB").read({"AA": "1", "BB": "2", "TOKEN": "3"}) == Keys("1", "2", None)


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({}, "AA and no BB and no CC"),
        ({"AA": "1", "BB": "2"}, "CC"),
        ({"AA": "1", "BB": "", "CC": "3"}, "BB"),
    ],
)
def test_a_variable_that_is_not_set_is_named(environ: dict[str, str], missing: str) -> None:
    assert said(lambda: KeysInEnvironment("AA", "BB", "CC").read(environ)) == (
        f"the environment has no {missing}: set it to the credentials that recpipe.toml expects there"
    )


@pytest.mark.parametrize(
    ("environ", "profile", "region", "endpoint"),
    [
        pytest.param({}, AWS, "", None, id="AWS where nothing is said"),
        pytest.param({"AWS_DEFAULT_REGION": "eu-west-1"}, AWS, "eu-west-1", None, id="the default region"),
        pytest.param(
            {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-1"},
            AWS,
            "eu-west-2",
            None,
            id="the region",
        ),
        pytest.param(
            {"AWS_ENDPOINT_URL": "https://storage.googleapis.com"},
            GOOGLE,
            "auto",
            "https://storage.googleapis.com",
            id="an endpoint for all services",
        ),
        pytest.param(
            {
                "AWS_ENDPOINT_URL": "https://storage.googleapis.com",
                "AWS_ENDPOINT_URL_S3": "https://s3.oss-cn-hangzhou.aliyuncs.com",
                "AWS_REGION": "us-east-1",
            },
            OSS,
            "cn-hangzhou",
            "https://s3.oss-cn-hangzhou.aliyuncs.com",
            id="the endpoint for S3 before it, and its region before any",
        ),
    ],
)
def test_the_store_behind_a_bucket_is_what_the_environment_says(
    environ: Mapping[str, str], profile: Profile, region: str, endpoint: str | None
) -> None:
    made = environment_store("recordings", environ)
    assert made == StoreSettings("", profile, "recordings", region=region, endpoint=endpoint)


@pytest.mark.parametrize(
    ("bucket", "environ", "sentence"),
    [
        (
            "recordings",
            {"AWS_REGION": "a/b"},
            "AWS_REGION is 'a/b': expected a region's id, such as us-east-1",
        ),
        (
            "recordings",
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:9000"},
            (
                "the endpoint 127.0.0.1 does not tell what kind of store it is: name its profile in "
                f"recpipe.toml, one of {ALL}"
            ),
        ),
        (
            "my.recordings",
            {"AWS_ENDPOINT_URL": "https://obs.cn-north-4.myhuaweicloud.com"},
            (
                "the bucket 'my.recordings' has a dot, which no certificate for <bucket>.<host> covers, and "
                "Huawei Cloud OBS does not take the bucket in the path: use a bucket without dots"
            ),
        ),
    ],
    ids=["a region that is none", "an endpoint that tells nothing", "a bucket that cannot be reached"],
)
def test_an_environment_that_tells_no_store_is_refused(
    bucket: str, environ: Mapping[str, str], sentence: str
) -> None:
    assert said(lambda: environment_store(bucket, environ)) == sentence
