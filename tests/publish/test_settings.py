"""What the tables ``[vod.NAME]`` of recpipe.toml mean, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import CommandError
from pipeline.publish.open import open_vod
from pipeline.publish.settings import SERVICES, vod_settings
from pipeline.publish.tencent.settings import ENDPOINT, TencentSettings
from pipeline.publish.tencent.vod import TencentVod
from pipeline.storage.settings import Settings
from pipeline.storage.settings_toml import parse_settings
from pipeline.storage.stores import KeysInEnvironment
from tests.storage.refusals import SECRET, said
from tests.vendors.laws import patient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.publish.settings import VodSettings

SOURCE = Path("conf/recpipe.toml")
TENCENT = (
    "service, region, access_key_env, secret_key_env, session_token_env, endpoint, cos_endpoint, ca_bundle, "
    "sub_app_id, class_id, procedure, source_context, session_context, storage_region, expire_days, "
    "expire_time"
)


def read(text: str) -> Mapping[str, VodSettings]:
    return vod_settings(parse_settings(text, SOURCE))


def table(**fields: object) -> str:
    """The text of a file with one service, ``main``."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
    return "\n".join(["[vod.main]", 'service = "tencent"', *lines])


def test_a_table_with_what_it_needs() -> None:
    assert read(table()) == {
        "main": TencentSettings(
            "main",
            region="ap-guangzhou",
            credentials=KeysInEnvironment("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"),
            source_context="recpipe:{sha256}",
            endpoint=ENDPOINT,
        )
    }


def test_a_table_with_every_field() -> None:
    text = table(
        region="ap-beijing",
        access_key_env="VOD_ID",
        secret_key_env="VOD_KEY",  # noqa: S106 - the name of a variable
        session_token_env="VOD_TOKEN",  # noqa: S106 - the name of a variable
        endpoint="https://vod.intl.tencentcloudapi.com",
        cos_endpoint="https://cos.internal.example:8443",
        ca_bundle="ca.pem",
        sub_app_id=1500000001,
        class_id=7,
        procedure="Transcode",
        source_context="{sha256}",
        session_context="x",
        storage_region="ap-chongqing",
        expire_days=30,
    )
    assert read(text)["main"] == TencentSettings(
        name="main",
        region="ap-beijing",
        credentials=KeysInEnvironment("VOD_ID", "VOD_KEY", "VOD_TOKEN"),
        sub_app_id=1500000001,
        class_id=7,
        procedure="Transcode",
        source_context="{sha256}",
        session_context="x",
        storage_region="ap-chongqing",
        expire_days=30,
        endpoint="https://vod.intl.tencentcloudapi.com",
        cos_endpoint="https://cos.internal.example:8443",
        ca_bundle=Path("conf/ca.pem"),
    )


def test_a_time_is_written_as_toml_writes_it() -> None:
    text = table() + "\nexpire_time = 2030-03-17T18:46:40+01:00"
    made = read(text)["main"]
    assert isinstance(made, TencentSettings)
    assert made.expire_ms == 1_900_000_000_000


def test_a_source_context_may_be_none() -> None:
    made = read(table(source_context=""))["main"]
    assert isinstance(made, TencentSettings)
    assert made.source_context == ""


@pytest.mark.parametrize("text", ["", "[vod]\n", '[stores.rec]\nprofile = "aws"\nbucket = "recordings"'])
def test_a_file_may_have_no_services(text: str) -> None:
    assert read(text) == {}


def test_the_stores_of_the_same_file_are_read_without_its_services() -> None:
    text = '[stores.rec]\nprofile = "aws"\nbucket = "recordings"\n[vod.main]\nanything = 1'
    made = parse_settings(text, SOURCE)
    assert list(made.stores) == ["rec"]
    assert made.vod == {"main": {"anything": 1}}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("[vod]\nmain = 1", ": vod.main is not a table", id="a value for a table"),
        pytest.param(
            "[vod.main]\nregion = 'x'", ": vod.main.service is missing: expected one of {}", id="no service"
        ),
        pytest.param(
            "[vod.main]\nservice = 'vimeo'",
            ": vod.main.service is not known: expected one of {}",
            id="another service",
        ),
        pytest.param(
            "[vod.main]\nservice = 1",
            ": vod.main.service is not known: expected one of {}",
            id="a number for a service",
        ),
        pytest.param(
            "[vod.'a.b']\nservice = 'tencent'",
            ": vod.a.b: expected a name of 2 to 63 letters, digits, '_' and '-', a letter first",
            id="a name that is none",
        ),
        pytest.param(
            table(regoin="x"),
            f": vod.main.regoin is not known: expected one of {TENCENT}",
            id="a misspelt field",
        ),
        pytest.param(
            table(region="evil.example/"),
            ": vod.main.region is not a region's id: expected lower-case letters, digits and '-'",
            id="a region that is none",
        ),
        pytest.param(
            table(class_id=-1),
            ": vod.main.class_id: input should be greater than or equal to 0",
            id="a number that is too small",
        ),
        pytest.param(
            table(expire_time="soon"),
            ": vod.main.expire_time: input should be a valid datetime",
            id="a text for a time",
        ),
        pytest.param(
            table() + "\nexpire_time = 2030-01-01T00:00:00",
            ": vod.main.expire_time: input should have timezone info",
            id="a time without a zone",
        ),
        pytest.param(
            table(expire_days=1) + "\nexpire_time = 2030-01-01T00:00:00Z",
            ", vod.main: expire_days and expire_time are two times of one deletion: give one of them",
            id="two times",
        ),
        pytest.param(
            table(access_key_env="A"),
            ", vod.main: access_key_env and secret_key_env go together: give both",
            id="half a pair of keys",
        ),
        pytest.param(
            table(access_key_env="AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", secret_key_env="B"),  # noqa: S106 - of nobody
            ", vod.main: expected the names of environment variables, not the credentials themselves",
            id="a key where its variable is named",
        ),
        pytest.param(
            table(source_context="x" * 187 + "{sha256}"),
            ", vod.main: source_context is over 250 characters, which Tencent does not take",
            id="a long source context",
        ),
        pytest.param(
            table(session_context="x" * 1001),
            ", vod.main: session_context is over 1000 characters, which Tencent does not take",
            id="a long session context",
        ),
        *(
            pytest.param(
                table(**{field: f"https://id:{SECRET}@vod.example"}),
                ", vod.main: an endpoint is not what it should be: expected https://HOST[:PORT], without "
                "credentials",
                id=f"{field} with credentials",
            )
            for field in ("endpoint", "cos_endpoint")
        ),
    ],
)
def test_what_cannot_be_is_refused(text: str, sentence: str) -> None:
    expected = f"conf/recpipe.toml{sentence.replace('{}', ', '.join(SERVICES))}"
    assert said(lambda: read(text)) == expected


def test_all_faults_of_all_tables_are_told_at_once() -> None:
    text = table(class_id="x", sub_app_id=0) + "\n[vod.bb]\n[vod.cc]\nservice = 'tencent'"
    assert said(lambda: read(text)) == (
        "conf/recpipe.toml: vod.main.sub_app_id: input should be greater than 0; vod.main.class_id: input "
        f"should be a valid integer; vod.bb.service is missing: expected one of {', '.join(SERVICES)}"
    )


@pytest.mark.parametrize("field", ["secret_key", "SecretId", "secretKey", "session_token", "ak", "sk"])
def test_a_secret_in_a_table_is_refused_and_not_repeated(field: str) -> None:
    refused = said(lambda: read(table(**{field: SECRET})))
    assert refused.startswith(f"conf/recpipe.toml holds what looks like a secret in vod.main.{field}: ")
    assert SECRET not in refused


NAMES = ("region", "access_key_env", "secret_key_env", "session_token_env", "endpoint", "cos_endpoint")


@given(st.sampled_from(NAMES), st.text("abcXYZ123/+=:@. ", max_size=40))
@patient
def test_no_sentence_repeats_a_secret_that_stands_in_the_wrong_field(field: str, filler: str) -> None:
    assert SECRET not in said(lambda: read(table(**{field: f"{filler}{SECRET}"})))


@pytest.mark.parametrize(
    "change",
    [
        {"region": "a/b"},
        {"storage_region": "a b"},
        {"sub_app_id": 0},
        {"class_id": -1},
        {"expire_days": -1},
        {"expire_days": 1, "expire_ms": 1},
        {"source_context": "x" * 251},
    ],
    ids=str,
)
def test_a_value_that_exists_is_valid(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"expected|or more|give one|over"):
        TencentSettings("main", **change)  # type: ignore[arg-type] # a field of each type


def test_a_service_is_opened_by_its_name() -> None:
    settings = parse_settings(table(), SOURCE)
    vod = open_vod("main", settings, {})
    assert isinstance(vod, TencentVod)
    assert vod.name == "Tencent VOD (main)"


@pytest.mark.parametrize(
    ("settings", "known"),
    [
        (parse_settings(table(), SOURCE), "conf/recpipe.toml has main"),
        (parse_settings("", SOURCE), "conf/recpipe.toml has none"),
        (Settings(), "no recpipe.toml was found"),
    ],
    ids=["another", "none", "no file"],
)
def test_a_service_that_nobody_named_is_told(settings: Settings, known: str) -> None:
    with pytest.raises(CommandError) as caught:
        open_vod("other", settings, {})
    assert str(caught.value) == f"there is no VOD service 'other': {known}"
