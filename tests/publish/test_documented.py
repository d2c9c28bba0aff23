"""What docs/vod.md shows is what the code reads and asks for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.publish.settings import vod_settings
from pipeline.publish.tencent.settings import ENDPOINT, KEYS, MOST_SESSION, MOST_SOURCE, TencentSettings
from pipeline.publish.tencent.table import TencentTable
from pipeline.publish.tencent.vod import MOST_FOUND
from pipeline.storage.settings_toml import parse_settings
from tests.documents import ROOT, blocks
from tests.publish.tencent_scene import Notes, film

if TYPE_CHECKING:
    from tests.publish.tencent_scene import Scene

TEXT = (ROOT / "docs/vod.md").read_text(encoding="utf-8")
TENCENT = TEXT.partition("\n## Tencent VOD\n")[2].partition("\n## ")[0]


def first_cells(text: str, head: str) -> list[str]:
    """The names in the first column of the table that begins so."""
    table = re.search(rf"^\| {head} \|.*\n\|.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert table is not None
    return [name for row in table[1].splitlines() for name in re.findall(r"`([^`]*)`", row.split(" | ")[0])]


def test_the_examples_are_files_that_are_read() -> None:
    (example,) = [text for text in blocks(TEXT, "toml") if '"tencent"' in text]
    made = vod_settings(parse_settings(example, Path("recpipe.toml")))
    assert made == {"main": TencentSettings("main", sub_app_id=1500000001, class_id=7)}


def test_every_field_of_tencent_has_a_row() -> None:
    assert sorted(first_cells(TENCENT, "field")) == sorted(TencentTable.model_fields)


def test_the_defaults_and_limits_are_those_of_the_code() -> None:
    settings = TencentSettings("main")
    for said in (
        settings.region,
        settings.source_context,
        ENDPOINT,
        KEYS.access_key_env,
        KEYS.secret_key_env,
        f"{MOST_SOURCE} characters",
        f"{MOST_SESSION} characters",
        f"{MOST_FOUND} or more",
    ):
        assert said in TENCENT


def test_the_rights_are_those_of_the_calls(tencent: Scene) -> None:
    vod = tencent.vod()
    vod.check()
    vod.publish(film(), {}, Notes())
    called = {f"vod:{action}" for action, _ in tencent.fake.asked}
    assert called == set(first_cells(TENCENT, "action"))
