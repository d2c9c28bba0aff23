"""Settings of a space: what is valid, what is refused, and what they make of the calls."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.errors import CommandError
from pipeline.publish.volcengine.settings import Function, StorageClass, VolcengineSettings
from pipeline.publish.volcengine.table import VolcengineTable, settings_of
from pipeline.storage.stores import KeysInEnvironment
from tests.documents import blocks

LEAST = {
    "service": "volcengine",
    "space": "films",
    "access_key_env": "VOD_KEY",
    "secret_key_env": "VOD_SECRET",
}
ENV = KeysInEnvironment("VOD_KEY", "VOD_SECRET")


def read(**changed: Any) -> VolcengineSettings:
    return settings_of("main", VolcengineTable.model_validate({**LEAST, **changed}), Path("/etc"))


def test_a_space_and_a_login_are_all_that_is_needed() -> None:
    assert read() == VolcengineSettings(name="main", space="films", credentials=ENV)


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        ({"region": "ap-southeast-1"}, "region", "ap-southeast-1"),
        ({"folder": "calls/2026"}, "folder", "calls/2026/"),
        ({"folder": "calls/"}, "folder", "calls/"),
        ({"storage_class": "archive"}, "storage_class", StorageClass.ARCHIVE),
        ({"storage_class": "infrequent"}, "storage_class", StorageClass.INFREQUENT),
        ({"workflow": "8ecbf1ed"}, "workflow", "8ecbf1ed"),
        ({"callback_args": "x"}, "callback_args", "x"),
        ({"session_token_env": "T"}, "credentials", KeysInEnvironment("VOD_KEY", "VOD_SECRET", "T")),
        ({"ca_bundle": "ca.pem"}, "ca_bundle", Path("/etc/ca.pem")),
        ({"functions": []}, "functions", ()),
        (
            {"functions": ["GetMeta", {"Name": "Snapshot", "Input": {"SnapshotTime": 2.5}}]},
            "functions",
            (Function("GetMeta"), Function("Snapshot", '{"SnapshotTime": 2.5}')),
        ),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_a_field_becomes_what_it_says(written: dict[str, Any], field: str, value: object) -> None:
    assert getattr(read(**written), field) == value


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        pytest.param({"space": ""}, "space is not the name", id="no space"),
        pytest.param({"space": "a b"}, "space is not the name", id="a space with a blank"),
        pytest.param({"folder": "/calls"}, "folder is", id="a folder that begins with a slash"),
        pytest.param({"folder": "a//b"}, "folder is", id="a folder with an empty part"),
        pytest.param({"folder": "a/../b"}, "folder is", id="a folder that goes up"),
        pytest.param({"folder": "片"}, "folder is", id="a folder of another script"),
        pytest.param({"folder": "a" * 600}, "folder is", id="a folder that leaves no room"),
        pytest.param({"endpoint": "vod.example.com"}, "an endpoint is not", id="an endpoint without scheme"),
        pytest.param(
            {"endpoint": "https://k:s@vod.example.com"}, "an endpoint is not", id="one with a login"
        ),
        pytest.param({"endpoint": "https://vod.example.com/x"}, "goes on behind", id="one with a path"),
        pytest.param(
            {"functions": ["Get Meta"]}, "functions has 'Get Meta'", id="a function that is no name"
        ),
        pytest.param({"functions": ["GetMeta", "GetMeta"]}, "twice", id="a function twice"),
        pytest.param(
            {"functions": ["StartWorkflow"], "workflow": "x"}, "are the same", id="two ways to a workflow"
        ),
        pytest.param(
            {"functions": [{"Name": "Snapshot", "Input": {"SnapshotTime": float("nan")}}]},
            "JSON cannot say",
            id="an input that JSON has not",
        ),
        pytest.param({"access_key_env": "AKLTMjI2ODVlYzI3ZGY1NGU4"}, "the names of", id="a key for its name"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(written: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        read(**written)


@pytest.mark.parametrize(
    "written",
    [{"space": 1}, {"region": "A B"}, {"storage_class": "cold"}, {"unknown": "x"}, {"service": "tencent"}],
    ids=lambda written: next(iter(written)),
)
def test_the_model_refuses_what_is_no_field_or_of_another_form(written: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**written)


def test_an_input_is_an_object() -> None:
    with pytest.raises(CommandError, match="not an object"):
        Function("Snapshot", "[1]")


@pytest.mark.parametrize(
    ("changed", "origin"),
    [
        ({}, "https://vod.volcengineapi.com"),
        ({"region": "ap-southeast-1"}, "https://vod.ap-southeast-1.volcengineapi.com"),
        ({"endpoint": "http://10.0.0.1:8080/"}, "http://10.0.0.1:8080"),
    ],
    ids=["the home region", "another region", "a private endpoint"],
)
def test_calls_go_to_the_region_or_to_the_endpoint(changed: dict[str, str], origin: str) -> None:
    made = read(**changed)
    assert made.origin == origin
    assert made.scheme == origin.partition(":")[0]


@pytest.mark.parametrize(
    ("changed", "title", "asked"),
    [
        pytest.param({"functions": []}, "", [], id="none"),
        pytest.param({}, "", [{"Name": "GetMeta"}], id="only the usual one"),
        pytest.param(
            {}, "T", [{"Name": "GetMeta"}, {"Name": "AddOptionInfo", "Input": {"Title": "T"}}], id="a title"
        ),
        pytest.param(
            {"functions": [{"Name": "AddOptionInfo", "Input": {"Tags": "a,b", "Title": "mine"}}, "GetMeta"]},
            "T",
            [{"Name": "GetMeta"}, {"Name": "AddOptionInfo", "Input": {"Title": "mine", "Tags": "a,b"}}],
            id="GetMeta comes first, and a title that was given stays",
        ),
        pytest.param(
            {"functions": [], "workflow": "w1"},
            "",
            [{"Name": "StartWorkflow", "Input": {"TemplateId": "w1"}}],
            id="a workflow",
        ),
        pytest.param(
            {"functions": []},
            "x" * 200,
            [{"Name": "AddOptionInfo", "Input": {"Title": "x" * 128}}],
            id="a title is cut where the service ends it",
        ),
    ],
)
def test_functions_are_written_for_the_commit(changed: dict[str, Any], title: str, asked: object) -> None:
    assert json.loads(read(**changed).functions_for(title)) == asked


def test_no_secret_is_part_of_settings() -> None:
    assert "VOD_SECRET" in repr(read())
    assert read().told() == "Volcengine VOD main (space films)"


def _documented() -> str:
    text = (Path(__file__).parents[2] / "docs/vod.md").read_text(encoding="utf-8")
    return text[text.index("## Volcengine VOD") :]


def test_the_documented_table_is_one() -> None:
    (written,) = (b for b in blocks(_documented(), "toml") if 'service = "volcengine"' in b)
    (table,) = tomllib.loads(written)["vod"].values()
    assert settings_of("main", VolcengineTable.model_validate(table), Path()).workflow


def test_every_field_is_documented() -> None:
    part = _documented().partition("**Rights.**")[0]
    named = {
        name for row in re.findall(r"^\|(.*?)\|", part, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert named == set(VolcengineTable.model_fields) - {"service"}
