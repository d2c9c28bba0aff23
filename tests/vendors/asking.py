"""Examples of requests, one field of them changed, and the tables of what fields take."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from pipeline.errors import CommandError
from pipeline.vendors.requests import parse_request

if TYPE_CHECKING:
    from pipeline.layout.composing import Composing

FIXTURES = Path(__file__).parents[2] / "fixtures" / "requests"
EXAMPLES = {path.stem: path for path in sorted(FIXTURES.glob("*.json"))}
WHERE = "request.json"
_STEP = re.compile(r"\w+|(?<=\[)\d+(?=\])", re.ASCII)
_HEAD = re.compile(
    rf"{WHERE} is no request to (Agora|TRTC|Volcengine) that can be followed: (.*)\.", re.DOTALL
)


def example(name: str) -> Any:
    """The document of an example."""
    return json.loads(EXAMPLES[name].read_text(encoding="utf-8"))


def steps(path: str) -> list[str | int]:
    """A path as keys and indexes.

    >>> steps("Layout.Regions[3].Width")
    ['Layout', 'Regions', 3, 'Width']
    """
    return [int(step) if step.isdigit() else step for step in _STEP.findall(path)]


def put(document: Any, path: str, value: Any) -> Any:
    """A copy of the document with another value at a path; objects on the way are made."""
    changed = copy.deepcopy(document)
    *way, last = steps(path)
    inside = changed
    for step in way:
        inside = inside.setdefault(step, {}) if isinstance(step, str) else inside[step]
    inside[last] = value
    return changed


def drop(document: Any, path: str) -> Any:
    """A copy of the document without a field."""
    changed = copy.deepcopy(document)
    *way, last = steps(path)
    inside = changed
    for step in way:
        inside = inside[step]
    del inside[last]
    return changed


def asked(document: Any, version: str = "") -> Composing:
    """What a document asks for."""
    return parse_request(json.dumps(document), WHERE, version).composing


def notes(document: Any) -> tuple[str, ...]:
    """What is told of a document that can be followed."""
    return parse_request(json.dumps(document), WHERE).notes


def faults(document: Any, version: str = "") -> list[str]:
    """What is told of a document that cannot be followed; nothing of one that can."""
    try:
        asked(document, version)
    except CommandError as error:
        return _HEAD.sub(r"\2", str(error)).split("; ")
    return []


@dataclass(frozen=True, slots=True)
class Row:
    """What one field takes.

    Attributes:
        example: in which it stands, or may.
        path: to it.
        good: what it takes, the lowest and the highest first.
        bad: what it refuses, and what is said of that.
        free: it may have any good value, whatever others have.
    """

    example: str
    path: str
    good: tuple[Any, ...]
    bad: tuple[tuple[Any, str], ...]
    free: bool = True

    def __str__(self) -> str:
        return f"{self.path} of {self.example}"


def whole(name: str, path: str, least: int, most: int, *, free: bool = True) -> Row:
    """A row of a whole number."""
    says = f"{least} to {most}"
    return Row(
        name,
        path,
        (least, most, (least + most) // 2),
        (
            (least - 1, f"{says}, not {least - 1}"),
            (most + 1, f"{says}, not {most + 1}"),
            (least + 0.5, f"a whole number from {says}, not {least + 0.5}"),
            (str(least), f"a whole number from {says}, not a text"),
            (True, f"a whole number from {says}, not true"),
            ([least], f"a whole number from {says}, not a list"),
        ),
        free,
    )


def even(name: str, path: str, least: int, most: int, *, free: bool = False) -> Row:
    """A row of an even number."""
    says = f"an even number from {least} to {most}"
    bad = (least - 2, least + 1, most + 1, most + 2)
    refused = (*((value, f"{says}, not {value}") for value in bad), ("640", f"{says}, not a text"))
    return Row(name, path, (least, most), refused, free)


def choice(name: str, path: str, *words: int, free: bool = True) -> Row:
    """A row of a number out of some."""
    *first, last = (str(word) for word in words)
    says = f"{', '.join(first)} or {last}" if first else last
    return Row(
        name,
        path,
        words,
        (
            (min(words) - 1, f"{says}, not {min(words) - 1}"),
            (max(words) + 1, f"{says}, not {max(words) + 1}"),
            (str(words[0]), f"{says}, not a text"),
            (bool(words[0]), f"{says}, not {str(bool(words[0])).lower()}"),
            ({}, f"{says}, not an object"),
        ),
        free,
    )


def fraction(name: str, path: str, *, above: bool = False, below: bool = False, free: bool = True) -> Row:
    """A row of a number from 0 to 1."""
    says = f"{'more than 0' if above else '0'} to {'less than 1' if below else '1'}"
    ends = [(0, f"{says}, not 0")] * above + [(1, f"{says}, not 1")] * below
    return Row(
        name,
        path,
        (0.25 if above else 0, 0.75 if below else 1, 0.5),
        (
            *ends,
            (-0.25, f"{says}, not -0.25"),
            (1.25, f"{says}, not 1.25"),
            ("0.5", f"a number from {says}, not a text"),
            (False, f"a number from {says}, not false"),
        ),
        free,
    )


def colour(name: str, path: str) -> Row:
    """A row of a colour."""
    says = "a colour such as #1a2b3c"
    bad: tuple[tuple[Any, str], ...] = (
        ("red", f"{says}, not 'red'"),
        ("#12345", f"{says}, not '#12345'"),
        ("#12345g", f"{says}, not '#12345g'"),
        (0, f"{says}, not 0"),
    )
    return Row(name, path, ("#000000", "#FFFFFF", "#aBcDeF"), bad)


def flag(name: str, path: str) -> Row:
    """A row of a truth value."""
    bad: tuple[tuple[Any, str], ...] = ((1, "true or false, not 1"), ("true", "true or false, not a text"))
    return Row(name, path, (False, True), bad)


def text(name: str, path: str, most: int = 256) -> Row:
    """A row of a text."""
    return Row(
        name,
        path,
        ("a", "b" * most),
        (
            ("c" * (most + 1), f"at most {most} bytes, not {most + 1}"),
            ("a\nb", "holds characters that are no text"),
            (5, "a text, not 5"),
            ([], "a text, not a list"),
        ),
    )


def objects(name: str, path: str) -> Row:
    """A row of an object."""
    return Row(name, path, (None,), ((3, "an object, not 3"), ("x", "an object, not a text")), free=False)


def cases(rows: tuple[Row, ...]) -> list[Any]:
    """Each value that a row refuses."""
    return [(row, value, says) for row in rows for value, says in row.bad]


def all_wrong(name: str, rows: tuple[Row, ...]) -> Any:
    """An example in which every field that has a row is wrong."""
    document = example(name)
    for row in rows:
        if row.example == name and row.good != (None,):
            document = put(document, row.path, row.bad[0][0])
    return document


def name_of(case: Any) -> str:
    """The name of a case for a test."""
    return f"{case[0]} is {case[1]!r}"[:90]


def documents(rows: tuple[Row, ...]) -> st.SearchStrategy[tuple[Any, str]]:
    """Documents with good values in some of the free fields of one example, and the example's name."""
    names = sorted({row.example for row in rows})

    @st.composite
    def drawn(draw: st.DrawFn) -> tuple[Any, str]:
        name = draw(st.sampled_from(names))
        document = example(name)
        for row in rows:
            if row.example == name and row.free and draw(st.booleans()):
                document = put(document, row.path, draw(st.sampled_from(row.good)))
        return document, name

    return drawn()
