"""What docs/storage.md shows is what the code reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import CommandError
from pipeline.storage.address import Folder, StoreAddress, parse_address
from pipeline.storage.settings_toml import parse_settings
from pipeline.vendors.agora import regions as agora
from pipeline.vendors.trtc import regions as trtc
from pipeline.vendors.volcengine import regions as volcengine
from tests.documents import ROOT, blocks

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = (ROOT / "docs/storage.md").read_text(encoding="utf-8")
EXAMPLES = blocks(TEXT, "toml")


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table behind a text, its head left out."""
    _, _, behind = TEXT.partition(heading)
    table = re.search(r"(?:^\|.*\n)+", behind, re.MULTILINE)
    assert table is not None
    return [line.strip("| ").split(" | ") for line in table[0].splitlines()[2:]]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]*)`", cell)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3


def test_the_examples_are_files_that_are_read() -> None:
    stores = [
        store for text in EXAMPLES for store in parse_settings(text, Path("recpipe.toml")).stores.values()
    ]
    assert [(store.name, store.profile.name, store.region, store.endpoint) for store in stores] == [
        ("rec", "cos", "ap-beijing", "https://cos.ap-beijing.myqcloud.com"),
        ("vod", "minio", "us-east-1", "https://minio.example.com:9000"),
        ("agora", "oss", "cn-hangzhou", "https://s3.oss-cn-hangzhou.aliyuncs.com"),
        ("trtc", "cos", "ap-guangzhou", "https://cos.ap-guangzhou.myqcloud.com"),
        ("volcengine", "kodo", "cn-east-1", "https://s3.cn-east-1.qiniucs.com"),
        ("tos", "tos", "cn-beijing", "https://tos-s3-cn-beijing.volces.com"),
    ]


def test_the_example_of_an_address_is_where_the_document_says() -> None:
    address = parse_address("rec:20055501/", lambda _: False)
    assert isinstance(address, StoreAddress)
    assert parse_settings(EXAMPLES[0], Path("recpipe.toml")).store_of(address, {}).prefix == "trtc/20055501/"


@pytest.mark.parametrize("row", rows("## How SOURCE and DEST are written"), ids=lambda row: row[0])
def test_an_address_of_the_table_is_what_it_says(row: list[str]) -> None:
    (written,) = code(row[0])
    address = parse_address(written, lambda _: False)
    if isinstance(address, Folder):
        assert row[1].startswith("a folder")
    elif address.prefix:
        assert f"below `{address.prefix}`" in row[1]
    else:
        assert row[1].startswith("all objects")


def test_every_field_is_in_the_table_and_no_other() -> None:
    with pytest.raises(CommandError, match="expected one of") as caught:
        parse_settings("[stores.rec]\nbucket = 'b'\nno_such_field = 1", Path("recpipe.toml"))
    known = str(caught.value).partition("expected one of ")[2].split(", ")
    named = [name for row in rows("all that it must have") for name in code(row[0])]
    assert sorted(named) == sorted(known)


@pytest.mark.parametrize(
    ("service", "profile_of", "titles"),
    [
        (
            "Agora",
            agora.profile_of,
            {
                "Amazon S3": "aws",
                "Alibaba Cloud OSS": "oss",
                "Tencent COS": "cos",
                "Google": "google",
                "Huawei Cloud OBS": "obs",
                "any": "",
                "Azure": "azure",
                "Baidu": "baidu",
            },
        ),
        ("TRTC", trtc.profile_of, {"Tencent COS": "cos", "Amazon S3": "aws"}),
        (
            "Volcengine",
            volcengine.profile_of,
            {
                "Amazon S3": "aws",
                "Alibaba Cloud OSS": "oss",
                "Huawei Cloud OBS": "obs",
                "Tencent COS": "cos",
                "Qiniu Kodo": "kodo",
            },
        ),
    ],
    ids=["Agora", "TRTC", "Volcengine"],
)
def test_the_numbers_of_a_service_are_those_of_the_code(
    service: str, profile_of: Callable[[int], str], titles: dict[str, str]
) -> None:
    (row,) = [row for row in rows("They can be copied") if row[0].startswith(service)]
    told = {
        int(number): title for number, title in re.findall(r"(\d+) (" + "|".join(titles) + r")\b", row[1])
    }
    assert {number: profile_of(number) for number in told} == {n: titles[title] for n, title in told.items()}
    assert sorted(told.values()) == sorted(titles)
