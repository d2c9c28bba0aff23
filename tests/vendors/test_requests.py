"""Requests as documents: whose one is, what bounds it, what is never said of it, and what is told of each."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import CommandError
from pipeline.vendors.requests import MOST_BYTES, parse_request
from pipeline.vendors.strict_json import MOST_DEPTH
from pipeline.vendors.told import MOST_FAULTS
from tests.vendors.asking import EXAMPLES, WHERE, example, faults, put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = Path(__file__).parents[2] / "docs" / "requests.md"
SECRET = "wJalrXUtnFEMI-made-up"  # noqa: S105 - it looks like one and opens nothing
LONG = f"{WHERE} is no request: it has a number of more than 40 digits or with an exponent beyond reason."
every_example = pytest.mark.parametrize("name", EXAMPLES)


def refused(text: str, version: str = "") -> str:
    with pytest.raises(CommandError) as error:
        parse_request(text, WHERE, version)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", f"{WHERE} is no request: it is not JSON: Expecting value, line 1.", id="nothing"),
        pytest.param(
            "{\n'a': 1}",
            f"{WHERE} is no request: it is not JSON: Expecting property name enclosed in double quotes, "
            "line 2.",
            id="no JSON",
        ),
        pytest.param("[1]", f"{WHERE} is no request: it is not a JSON object.", id="a list"),
        pytest.param('"Encode"', f"{WHERE} is no request: it is not a JSON object.", id="a text"),
        pytest.param(
            '{"Encode": {}, "Encode": {}}',
            f"{WHERE} is no request: it has an object with two fields 'Encode'.",
            id="a field twice",
        ),
        pytest.param(
            '{"Encode": {"VideoFps": NaN}}',
            f"{WHERE} is no request: it has NaN, which is no number of JSON.",
            id="not a number",
        ),
        pytest.param(
            '{"Encode": {"VideoFps": -Infinity}}',
            f"{WHERE} is no request: it has -Infinity, which is no number of JSON.",
            id="an infinite number",
        ),
        pytest.param(
            f'{{"Encode": {{"VideoFps": {"9" * 41}}}}}',
            f"{WHERE} is no request: it has a number of more than 40 digits.",
            id="a long number",
        ),
        pytest.param(
            '{"Encode": {"VideoFps": 1e999999999}}',
            LONG,
            id="a number of many zeros",
        ),
        pytest.param(
            '{"Encode": {"VideoFps": 1e-999999999999999999999999}}',
            LONG,
            id="a number near to nothing",
        ),
        pytest.param(
            "[" * (MOST_DEPTH + 1),
            f"{WHERE} is no request: it has more than 16 objects and lists in each other.",
            id="depth",
        ),
        pytest.param(
            "[" * 900_000,
            f"{WHERE} is no request: it has more than 16 objects and lists in each other.",
            id="great depth",
        ),
        pytest.param(
            " " * (MOST_BYTES + 1), f"{WHERE} is too large for a request: at most 1000000 bytes.", id="size"
        ),
        pytest.param(
            "会" * 400_000, f"{WHERE} is too large for a request: at most 1000000 bytes.", id="size in bytes"
        ),
        pytest.param(
            "{}",
            (
                f"{WHERE} is no request that is known: Agora's has clientRequest, TRTC's MixLayoutParams, "
                "MixTranscodeParams or RecordParams, Volcengine's Layout, Encode, TargetStreams or "
                "StorageConfig."
            ),
            id="a document of nobody",
        ),
        pytest.param(
            '{"clientRequest": {}, "Layout": {}}',
            f"{WHERE} has fields of Agora and of Volcengine: give the request of one.",
            id="a document of two",
        ),
    ],
)
def test_what_is_no_request_is_told_in_one_sentence(text: str, said: str) -> None:
    assert refused(text) == said


def test_brackets_in_texts_are_no_depth() -> None:
    assert parse_request(json.dumps({"RecordParams": None, "RoomId": '["\\' * 50}), WHERE).vendor == "trtc"


def test_a_mark_of_byte_order_is_no_part_of_a_document() -> None:
    assert parse_request("\ufeff" + json.dumps(example("trtc-grid")), WHERE).vendor == "trtc"


@pytest.mark.parametrize(("name", "title"), [("agora-floating", "Agora"), ("trtc-grid", "TRTC")])
def test_only_volcengine_has_versions(name: str, title: str) -> None:
    said = refused(json.dumps(example(name)), "2023-11-01")
    assert said == f"{WHERE} is a request to {title}, only Volcengine's have a version."


def test_more_faults_than_a_person_reads_are_counted() -> None:
    document = put(example("volcengine-defaults"), "Encode", {f"x{n}": n for n in range(MOST_FAULTS + 7)})
    told = faults(document)
    assert len(told) == MOST_FAULTS + 1
    assert told[-1] == "and 7 more"


def test_a_document_full_of_fields_that_there_are_not_is_refused_as_any_other() -> None:
    told = faults({"Encode": {}, **{f"f{n}": 0 for n in range(70_000)}})
    assert told[-1] == f"and {70_000 - MOST_FAULTS} more"


def test_a_name_that_no_terminal_should_see_is_escaped() -> None:
    assert faults(put(example("volcengine-defaults"), "Encode", {"\x1b[2J": 1})) == [
        "Encode.'\\x1b[2J': no such field"
    ]


@pytest.mark.parametrize("name", EXAMPLES)
def test_all_that_is_told_of_an_example(name: str, golden: Callable[[str, str], None]) -> None:
    asked = parse_request(EXAMPLES[name].read_text(encoding="utf-8"), name)
    golden(
        f"vendors/golden/requests/{name}.txt",
        "\n".join([*map(str.rstrip, _told(asked.composing)), "", *asked.notes, ""]),
    )


def _told(value: Any, path: str = "") -> Iterator[str]:
    """Each value in a value, with its path; what is as always is left out by nobody."""
    if hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from _told(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, tuple) and value:
        for number, each in enumerate(value):
            yield from _told(each, f"{path}[{number}]")
    else:
        yield f"{path} = {value!s}"


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _leaves(each, f"{path}[{number}]")
    else:
        yield path


@every_example
def test_no_sentence_repeats_a_text_that_may_be_a_secret(name: str) -> None:
    document = example(name)
    for path in _leaves(document):
        changed = put(document, path, SECRET)
        try:
            told = "\n".join(parse_request(json.dumps(changed), WHERE).notes)
        except CommandError as error:
            told = str(error)
        assert SECRET not in told, path


def _objects(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all objects that are looked into, with a dot at the end."""
    if isinstance(value, dict):
        yield path
        for name, each in value.items():
            yield from () if name in NOT_LOOKED_INTO else _objects(each, f"{path}{name}.")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _objects(each, f"{path[:-1]}[{number}].")


NOT_LOOKED_INTO = {"storageConfig", "StorageParams", "StorageConfig", "FileNameConfig"}


@every_example
def test_a_field_that_there_is_not_is_told_wherever_it_stands(name: str) -> None:
    document = example(name)
    for path in _objects(document):
        told = faults(put(document, f"{path}Nonsense", 1))
        assert told == [f"{path}Nonsense: no such field"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(sorted(EXAMPLES)),
    st.data(),
)
def test_whatever_stands_in_a_field_is_followed_or_refused_in_a_sentence(
    value: Any, name: str, data: st.DataObject
) -> None:
    document = example(name)
    path = data.draw(st.sampled_from(sorted(_leaves(document))))
    try:
        parse_request(json.dumps(put(document, path, value)), WHERE)
    except CommandError as error:
        assert str(error).startswith(f"{WHERE} ")  # noqa: PT017 - other errors are the finding
        assert str(error).isprintable()  # noqa: PT017 - as above


@pytest.mark.parametrize("vendor", ["agora", "trtc", "volcengine"])
def test_the_page_shows_an_example_of_each_vendor(vendor: str) -> None:
    blocks = re.findall(r"^```json\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    shown = [parse_request(block, PAGE.name) for block in blocks]
    files = [parse_request(path.read_text(encoding="utf-8"), PAGE.name) for path in EXAMPLES.values()]
    (of_vendor,) = [each for each in shown if each.vendor == vendor]
    assert of_vendor in files


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_names_every_example(name: str) -> None:
    assert f"`{name}.json`" in PAGE.read_text(encoding="utf-8")
