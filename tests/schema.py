"""Whether a JSON value fits a JSON Schema of the kind that we publish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KNOWN = {"$schema", "$defs", "$ref", "title", "description", "default", "type", "properties", "required"}
KNOWN |= {"items", "anyOf", "oneOf", "enum", "const", "additionalProperties"}
KNOWN |= {"minLength", "minItems", "minimum", "maximum"}
JSON_TYPES: dict[str, Callable[[Any], bool]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "null": lambda value: value is None,
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}


def misfits(value: Any, whole: dict[str, Any]) -> Iterator[str]:
    """Where a value does not fit a schema (2020-12, a part of it)."""
    return _misfits(value, whole, whole, "$")


def _misfits(value: Any, rule: dict[str, Any], whole: dict[str, Any], at: str) -> Iterator[str]:
    assert set(rule) <= KNOWN, f"this check does not know {set(rule) - KNOWN}"
    if "$ref" in rule:
        yield from _misfits(value, whole["$defs"][rule["$ref"].removeprefix("#/$defs/")], whole, at)
    if "anyOf" in rule and all(list(_misfits(value, one, whole, at)) for one in rule["anyOf"]):
        yield f"{at} fits no alternative"
    words = rule.get("enum", [rule["const"]] if "const" in rule else [value])
    if value not in words:
        yield f"{at} is none of {words}"
    yield from _out_of_bounds(value, rule, at)
    kind = rule.get("type")
    if kind is not None and not JSON_TYPES[kind](value):
        yield f"{at} is no {kind}"
    elif kind == "array":
        for number, item in enumerate(value):
            yield from _misfits(item, rule.get("items", {}), whole, f"{at}[{number}]")
    elif kind == "object":
        yield from (f"{at} has no {name}" for name in rule.get("required", ()) if name not in value)
        known, others = rule.get("properties", {}), rule.get("additionalProperties", {})
        for name, item in value.items():
            if name not in known and others is False:
                yield f"{at}.{name} is not known"
            else:
                yield from _misfits(item, known.get(name, others), whole, f"{at}.{name}")


def _out_of_bounds(value: Any, rule: dict[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, str | list) and len(value) < rule.get("minLength", rule.get("minItems", 0)):
        yield f"{at} is too short"
    if isinstance(value, int) and not rule.get("minimum", value) <= value <= rule.get("maximum", value):
        yield f"{at} is out of bounds"
