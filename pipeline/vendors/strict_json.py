"""JSON of strangers: one object, within bounds, and nothing in it that can be read in two ways.

Python's reader takes NaN, lets the last of two equal fields win, and makes whole numbers of any length; here
all of that is a fault. Time and memory grow with the length of the text and with nothing else.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

MOST_DEPTH = 16
MOST_DIGITS = 40
MOST_EXPONENT = 30

# A string that never ends is read to the end of the text, or each quote in it would be tried as a beginning.
_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]++|[\]}]++', re.DOTALL)


def read_object(text: str) -> dict[str, Any]:
    """The object in a text; numbers that are not written as whole ones come as `Decimal`.

    Raises:
        ValueError: it is none, or is deeper than `MOST_DEPTH` or has longer numbers than `MOST_DIGITS`; the
            text goes on behind "it".

    >>> read_object('{"a": 1.50}')
    {'a': Decimal('1.50')}
    """
    if _depth(text) > MOST_DEPTH:
        raise ValueError(f"has more than {MOST_DEPTH} objects and lists in each other")
    try:
        found = json.loads(
            text,
            parse_float=_number,
            parse_int=_whole,
            parse_constant=_constant,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg}, line {error.lineno}") from None
    if isinstance(found, dict):
        return found
    raise ValueError("is not a JSON object")


def _depth(text: str) -> int:
    """How many objects and lists stand in each other, or more than `MOST_DEPTH`."""
    deepest = depth = 0
    for found in _BRACKETS.finditer(text):
        run = found[0]
        if run[0] in "[{":
            depth += len(run)
            deepest = max(deepest, depth)
            if deepest > MOST_DEPTH:
                break
        elif run[0] in "]}":
            depth -= len(run)
    return deepest


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:  # an exponent that decimals cannot have
        value = None
    if value is None or len(text) > MOST_DIGITS or (value and abs(value.adjusted()) > MOST_EXPONENT):
        raise ValueError(f"has a number of more than {MOST_DIGITS} digits or with an exponent beyond reason")
    return value


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"has a number of more than {MOST_DIGITS} digits")
    return int(text)


def _constant(text: str) -> NoReturn:
    raise ValueError(f"has {text}, which is no number of JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise ValueError(f"has an object with two fields {ascii(name)[:MOST_DIGITS]}")
        made[name] = value
    return made
