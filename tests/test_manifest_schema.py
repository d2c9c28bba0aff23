"""The published JSON Schema fits what merge writes, and nothing that differs from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.model.manifest import FILE, from_json, schema
from tests.documents import ROOT
from tests.merge.merging import merge
from tests.schema import misfits

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.demo.made import Made


@pytest.fixture(scope="module")
def manifest(made: Callable[[str], Made], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The manifest of a merge of ``fixtures/<name>.toml``, as it lies in the folder."""
    texts: dict[str, str] = {}

    def get(name: str) -> str:
        if name not in texts:
            done = merge(made(name), tmp_path_factory.mktemp("merged") / name)
            texts[name] = (done.place / FILE).read_text(encoding="utf-8")
        return texts[name]

    return get


@pytest.mark.parametrize("name", ["mute-and-rejoin", "missing-slice", "screen-trtc", "audio-only"])
def test_a_real_manifest_fits_the_published_schema(name: str, manifest: Callable[[str], str]) -> None:
    published = json.loads((ROOT / "docs/manifest.schema.json").read_text(encoding="utf-8"))
    assert list(misfits(json.loads(manifest(name)), published)) == []
    assert from_json(manifest(name)).to_json() == manifest(name)


@pytest.mark.parametrize(
    ("where", "value", "misfit"),
    [
        (("version",), "1", "$.version is no integer"),
        (("outputs", 0, "size"), True, "$.outputs[0].size is no integer"),
        (("outputs", 0, "tracks", 0, "spans"), {}, "$.outputs[0].tracks[0].spans is no array"),
        (("ledger", 0, "sort"), "mishap", "$.ledger[0].sort is none of"),
        (("outputs", 0, "av_offset_ms"), "late", "$.outputs[0].av_offset_ms fits no alternative"),
        (("recording",), {}, "$.recording has no vendor"),
    ],
    ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else "",
)
def test_a_manifest_that_does_not_fit_is_noticed(
    where: tuple[str | int, ...], value: Any, misfit: str, manifest: Callable[[str], str]
) -> None:
    document = json.loads(manifest("mute-and-rejoin"))
    inner = document
    for step in where[:-1]:
        inner = inner[step]
    inner[where[-1]] = value
    assert any(found.startswith(misfit) for found in misfits(document, schema()))
