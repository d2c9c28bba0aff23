"""JSON of strangers: what is refused that Python's reader takes, and that no text takes long."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.vendors.strict_json import MOST_DEPTH, MOST_DIGITS, _depth, read_object

PLAIN: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-(10**38), 10**38) | st.text(max_size=9)
)
TREES: st.SearchStrategy[Any] = st.recursive(
    PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


def deep(tree: Any) -> int:
    """How many objects and lists stand in each other."""
    if isinstance(tree, dict):
        return 1 + max(map(deep, tree.values()), default=0)
    return 1 + max(map(deep, tree), default=0) if isinstance(tree, list) else 0


@given(st.dictionaries(st.text(max_size=5), TREES, max_size=4), st.booleans())
def test_an_object_within_bounds_is_read_as_it_was_written(tree: dict[str, Any], ascii_only: bool) -> None:  # noqa: FBT001 - hypothesis hands it over
    text = json.dumps(tree, ensure_ascii=ascii_only)
    assert _depth(text) == min(deep(tree), MOST_DEPTH + 1) or deep(tree) > MOST_DEPTH
    if deep(tree) <= MOST_DEPTH:
        assert read_object(text) == tree


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "is not JSON: Expecting value, line 1", id="nothing"),
        pytest.param(
            "{", "is not JSON: Expecting property name enclosed in double quotes, line 1", id="half"
        ),
        pytest.param("[]", "is not a JSON object", id="a list"),
        pytest.param('"a"', "is not a JSON object", id="a text"),
        pytest.param("null", "is not a JSON object", id="nothing in it"),
        pytest.param('{"a":1,"a":1}', "has an object with two fields 'a'", id="a field twice"),
        pytest.param('{"a":1,"\\u0061":2}', "has an object with two fields 'a'", id="one of them escaped"),
        pytest.param('{"b":{"a":1,"a":2}}', "has an object with two fields 'a'", id="further in"),
        pytest.param('{"a":NaN}', "has NaN, which is no number of JSON", id="not a number"),
        pytest.param('{"a":-Infinity}', "has -Infinity, which is no number of JSON", id="infinite"),
        pytest.param(
            f'{{"a":{"9" * (MOST_DIGITS + 1)}}}',
            "has a number of more than 40 digits",
            id="a long whole number",
        ),
        pytest.param(
            '{"a":1e999999999}',
            "has a number of more than 40 digits or with an exponent beyond reason",
            id="an exponent beyond reason",
        ),
        pytest.param(
            '{"a":1e-999999999999999999999999}',
            "has a number of more than 40 digits or with an exponent beyond reason",
            id="an exponent that decimals cannot have",
        ),
        pytest.param(
            '{"a":' * (MOST_DEPTH + 1),
            "has more than 16 objects and lists in each other",
            id="one too deep",
        ),
        pytest.param("[" * 900_000, "has more than 16 objects and lists in each other", id="very deep"),
    ],
)
def test_what_can_be_read_in_two_ways_or_not_at_all_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        read_object(text)


def test_the_deepest_object_is_read() -> None:
    text = '{"a":' * MOST_DEPTH + "1" + "}" * MOST_DEPTH
    assert json.dumps(read_object(text), separators=(",", ":")) == text


@pytest.mark.parametrize("text", ["1e30", "1e-30", "9.9e30", "0e999"])
def test_the_largest_and_the_smallest_numbers_are_read(text: str) -> None:
    assert read_object(f'{{"a":{text}}}') == {"a": Decimal(text)}


@pytest.mark.parametrize("text", ["1e31", "1e-31"])
def test_a_number_beyond_those_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="exponent beyond reason"):
        read_object(f'{{"a":{text}}}')


def test_a_number_that_is_not_whole_is_exact() -> None:
    assert read_object('{"a":0.1}') == {"a": Decimal("0.1")}


@given(st.text('[]{}"\\a\n', max_size=60))
@example('"\\')
@example('"' + '\\"' * 3)
def test_no_bracket_in_a_text_counts(text: str) -> None:
    """Counted letter for letter, as the grammar of strings says."""
    depth = deepest = 0
    inside = escaped = False
    for letter in text:
        if inside:
            inside = escaped or letter != '"'
            escaped = letter == "\\" and not escaped
        elif letter == '"':
            inside = True
        else:
            depth += (letter in "[{") - (letter in "]}")
            deepest = max(deepest, depth)
    assert _depth(text) == deepest or deepest > MOST_DEPTH


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('"' + '\\"' * 500_000, id="quotes in a text that never ends"),
        pytest.param('"' + "\\" * 999_999, id="backslashes that never end"),
        pytest.param('"a' * 500_000, id="a million of halves"),
        pytest.param("[]" * 500_000, id="half a million of lists"),
        pytest.param(
            "{" + ",".join(f'"{n}":{n}' for n in range(80_000)) + ',"0":0}', id="fields, the first twice"
        ),
    ],
)
def test_a_megabyte_is_refused_and_not_thought_about_for_hours(text: str) -> None:
    """It asserts no time: what took quadratic time would not end within that of the whole run."""
    with pytest.raises(ValueError, match=r"^(is|has) "):
        read_object(text)
