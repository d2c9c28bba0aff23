from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.ledger import Entry, Sort
from pipeline.model.manifest import VERSION, Dropped, Manifest, Verdict, from_json, schema, total_dropped
from tests.model.films import MANIFEST, PICTURES, SOUND
from tests.model.laws import patient

MANIFESTS = st.builds(Manifest, version=st.just(VERSION))


def assert_survives(document: Manifest) -> None:
    text = document.to_json()
    assert from_json(text) == document
    assert from_json(text).to_json() == text


def test_a_manifest_survives_as_json() -> None:
    assert_survives(MANIFEST)


@settings(patient, max_examples=20)
@given(document=MANIFESTS)
def test_any_manifest_survives_as_json(document: Manifest) -> None:
    assert_survives(document)


def test_a_manifest_is_text_for_people_and_diffs() -> None:
    text = MANIFEST.to_json()
    assert text.endswith("}\n")
    assert "张三" in text
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert len(text.splitlines()) > 100


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        pytest.param('"version": 1', '"version": 2', "manifest version 2 is not 1", id="a newer version"),
        pytest.param('"version": 1', '"version": "x"', "version", id="a version that is no number"),
        pytest.param(
            '"file": "ann_20260120113000000_av.mp4"', '"file": 7', "outputs.0.file", id="a number for a name"
        ),
        pytest.param('"sort": "loss"', '"sort": "lost"', "ledger.0.sort", id="an unknown sort of entry"),
        pytest.param('"refused"', '"refusals"', "refused", id="a field that is missing"),
        pytest.param("{", "[", "JSON", id="no JSON"),
    ],
)
def test_what_is_no_manifest_is_refused(old: str, new: str, sentence: str) -> None:
    text = MANIFEST.to_json()
    assert old in text
    with pytest.raises(ValueError, match=sentence):
        from_json(text.replace(old, new, 1))


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", "\0", "[" * 100_000])
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Manifest"):
        from_json(text)


def test_the_schema_names_every_field() -> None:
    found = schema()
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(found["properties"]) == set(json.loads(MANIFEST.to_json()))
    json.dumps(found)


def test_losses_are_the_ledger_s_losses() -> None:
    assert [entry.key for entry in MANIFEST.losses] == ["a.ts"]
    assert replace(MANIFEST, ledger=(Entry(Sort.REPAIR, "x"),)).losses == ()


def test_a_verdict_is_good_without_problems() -> None:
    assert Verdict("full", 1, 1).good
    assert not Verdict("full", 1, 1, ("x",)).good


def test_dropped_packets_are_counted_over_all_tracks() -> None:
    more = replace(SOUND, dropped=(Dropped("overlap", 3), Dropped("damaged", 4)))
    assert total_dropped([PICTURES, more]) == 9
    assert total_dropped([]) == 0
