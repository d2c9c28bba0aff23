"""A job that is written once for all events, and the job of one task that comes of it. Pure.

What an event tells may be anything that a vendor's grammar lets through. So only some fields take it, and
there it is one part of an address, or one text: it never makes a folder more or less, names another store, or
adds a field. Where something is not told that the job needs, there is no job, and a sentence says why.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline.job.asked import identity
from pipeline.model.batch import folder_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pipeline.vendors.tasks import Task

FIELDS = ("task", "room", "user", "app", "vendor", "day", "folder")
_NAME = "name"
FIELD = re.compile(r"\{(" + "|".join((*FIELDS, _NAME)) + r")\}")
BRACES = re.compile(r"\{[^{}]*\}")
SAMPLE = {
    "task": "task",
    "room": "room",
    "user": "user",
    "app": "app",
    "vendor": "vendor",
    "day": "2026-01-01",
    "folder": "folder",
}
"""Values with which a rule is tried before any event has come."""
_KEPT = frozenset("._@+-=~,!")
"""Besides letters and digits: what is said as it is in an address. TRTC's TaskId needs ``+ - .``."""
_WHERE = (
    ("source",),
    ("selection", "uids", 0),
    ("selection", "volcengine", "task_id"),
    ("selection", "volcengine", "room_id"),
    ("targets", 0, "place"),
    ("targets", 0, "metadata", ""),
    ("targets", 0, "tags", ""),
)
"""Fields that take what an event tells; 0 is any place in a list, "" any name."""
_OWN = (("names",),)
"""Fields whose braces mean something else."""


_LAST_MS = 253_402_300_799_000
"""9999-12-31, the last day that has a name of ten characters."""


class Unfilled(ValueError):  # noqa: N818 - no fault of ours: the event does not tell enough
    """Why there is no job, a clause."""


@dataclass(frozen=True, slots=True)
class Template:
    """A job that is written once for all events; ``document`` is JSON, whose fields may hold `FIELDS`."""

    document: str

    @property
    def needs(self) -> frozenset[str]:
        """What events must tell."""
        return frozenset(FIELD.findall(self.document)) - {_NAME}

    def filled(self, values: Mapping[str, str]) -> str:
        """The job, JSON.

        Args:
            values: of `needs`, at least; ``{name}`` of a place is what a batch calls the source's folder.

        Raises:
            Unfilled: one of them is empty, or is no part of an address.
            CommandError: the source is no address.
        """
        document = json.loads(self.document)
        source = _filled(document.get("source"), ("source",), values)
        name = ""
        if isinstance(source, str) and source:
            known, last = identity(source)
            name = folder_name(last, known)
        return json.dumps(_filled(document, (), {**values, _NAME: name}), ensure_ascii=True)


def faults(document: Any) -> Iterator[str]:
    """Fields that hold what they may not, each with its path."""
    for where, text in _texts(document, ()):
        path, found = ".".join(map(str, where)), FIELD.search(text)
        if found and not (_among(where, _OWN) or (_among(where, _WHERE) and _may_hold(where, text))):
            yield f"{path}: it may not hold {found[0]}"
        unknown = BRACES.search(FIELD.sub("", text)) if _among(where, _WHERE) else None
        if unknown:
            known = (*FIELDS, _NAME) if where[0] == "targets" else FIELDS
            yield f"{path}: {unknown[0]} is none of {', '.join(f'{{{name}}}' for name in known)}"


def _may_hold(where: Sequence[str | int], text: str) -> bool:
    """The name of the source's folder is not part of the source, nor of what is picked from it."""
    return where[0] == "targets" or f"{{{_NAME}}}" not in text


def values_of(task: Task, at_ms: int) -> dict[str, str]:
    """What a task's events tell; empty where they do not, or tell several.

    Args:
        task: the task.
        at_ms: UTC of the news that made a job of it, whose day counts.
    """
    folders = {name.rpartition("/")[0] for name in task.files}
    return {
        "task": task.task,
        "room": task.room,
        "user": task.users[0] if len(task.users) == 1 else "",
        "app": task.app,
        "vendor": task.vendor,
        "day": datetime.fromtimestamp(min(max(at_ms, 0), _LAST_MS) / 1000, UTC).date().isoformat(),
        "folder": folders.pop() if len(folders) == 1 else "",
    }


def escaped(value: str) -> str:
    """One part of an address: never empty where the value is not, never ``.`` or ``..``, without ``/``.

    >>> escaped("../room 7"), escaped(".."), escaped("张三")
    ('..%2Froom%207', '%2E%2E', '张三')
    """
    kept = "".join(letter if _is_kept(letter) else _percent(letter) for letter in value)
    return kept.replace(".", "%2E") if not kept.strip(".") else kept


def _is_kept(letter: str) -> bool:
    return letter in _KEPT or unicodedata.category(letter)[0] in "LN" or unicodedata.category(letter) == "Mn"


def _percent(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogatepass"))


def _filled(value: Any, where: tuple[str | int, ...], values: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(each, (*where, name), values) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, (*where, number), values) for number, each in enumerate(value)]
    if not isinstance(value, str) or not _among(where, _WHERE):
        return value
    return FIELD.sub(lambda found: _value(found[1], values, _way(where)), value)


def _way(where: Sequence[str | int]) -> Callable[[str], str]:
    """How a value enters a field."""
    return str if where[0] == "selection" else escaped


def _value(field: str, values: Mapping[str, str], way: Callable[[str], str]) -> str:
    value = values[field]
    if not value:
        several = " or names several" if field in {"user", "folder"} else ""
        raise Unfilled(f"it tells no {field}{several}, which the rule's job needs")
    if field != "folder":
        return way(value)
    parts = value.split("/")
    if any(not part or not part.strip(".") or part != _printable(part) for part in parts):
        raise Unfilled("the folder of its files is none that a job may name")
    return value


def _printable(text: str) -> str:
    """Without what no key of a recorder holds."""
    return "".join(letter for letter in text if letter.isprintable() and letter not in '\\:"')


def _among(where: Sequence[str | int], patterns: Sequence[tuple[str | int, ...]]) -> bool:
    return any(
        len(where) == len(pattern)
        and all(
            part == wanted
            or (wanted == 0 and isinstance(part, int))
            or (wanted == "" and isinstance(part, str))
            for part, wanted in zip(where, pattern, strict=True)
        )
        for pattern in patterns
    )


def _texts(value: Any, where: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _texts(each, (*where, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _texts(each, (*where, number))
    elif isinstance(value, str):
        yield where, value
