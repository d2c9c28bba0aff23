"""The published JSON Schema fits what merge writes, and nothing that differs from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.model.manifest import FILE, from_json, schema
from tests.documents import ROOT
from tests.merge.merging import merge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.demo.made import Made

KNOWN = {"$schema", "$defs", "$ref", "title", "description", "default", "type", "properties", "required"}
KNOWN |= {"items", "anyOf", "enum", "additionalProperties"}
JSON_TYPES: dict[str, Callable[[Any], bool]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "null": lambda value: value is None,
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}


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


def _misfits(value: Any, rule: dict[str, Any], at: str = "$") -> Iterator[str]:
    """Where a JSON value does not fit a JSON Schema of the kind that we publish (2020-12, a part of it)."""
    assert set(rule) <= KNOWN, f"this check does not know {set(rule) - KNOWN}"
    if "$ref" in rule:
        yield from _misfits(value, schema()["$defs"][rule["$ref"].removeprefix("#/$defs/")], at)
    if "anyOf" in rule and all(list(_misfits(value, one, at)) for one in rule["anyOf"]):
        yield f"{at} fits no alternative"
    if "enum" in rule and value not in rule["enum"]:
        yield f"{at} is none of {rule['enum']}"
    kind = rule.get("type")
    if kind is not None and not JSON_TYPES[kind](value):
        yield f"{at} is no {kind}"
    elif kind == "array":
        for number, item in enumerate(value):
            yield from _misfits(item, rule.get("items", {}), f"{at}[{number}]")
    elif kind == "object":
        yield from (f"{at} has no {name}" for name in rule.get("required", ()) if name not in value)
        known, others = rule.get("properties", {}), rule.get("additionalProperties", {})
        for name, item in value.items():
            yield from _misfits(item, known.get(name, others), f"{at}.{name}")


@pytest.mark.parametrize("name", ["mute-and-rejoin", "missing-slice", "screen-trtc", "audio-only"])
def test_a_real_manifest_fits_the_published_schema(name: str, manifest: Callable[[str], str]) -> None:
    published = json.loads((ROOT / "docs/manifest.schema.json").read_text(encoding="utf-8"))
    assert list(_misfits(json.loads(manifest(name)), published)) == []
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
    assert any(found.startswith(misfit) for found in _misfits(document, schema()))
