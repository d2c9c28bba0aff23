"""Naming patterns of Volcengine's recordings as values: which variables a name has, and what stands between.

A template reads a name by the values that are known, and writes it back. Source for the variables and their
forms: https://docs.byteplus.com/byteplus-rtc/docs/106873 and https://volcengine.com/docs/6348/106873.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Variable(Enum):
    """A variable of a naming pattern; the value is its name in lower case. No `str`: text may be the same."""

    TASK_ID = "taskid"
    ROOM_ID = "roomid"
    USER_ID = "userid"
    STREAM_ID = "streamid"  # of a public stream (WTN), which has no room and no user
    TYPE = "type"
    START_TIME = "starttime"
    DURATION = "duration"
    RANDOM = "random"
    HEAD = "head"  # ours: the ids of a default name where none is known; "_" may stand in each, so unsplit


ID = r"[A-Za-z0-9_@.\-]{1,128}"
"""The form of task, room and user ids."""
HEAD = r"[A-Za-z0-9_@.\-{}]+"
"""Ids with ``_`` between them; braces, because a misspelt variable stays as it is written."""
IDS = frozenset({Variable.TASK_ID, Variable.ROOM_ID, Variable.USER_ID, Variable.STREAM_ID})

_FORMS = {
    **dict.fromkeys(IDS, ID),
    Variable.TYPE: "[CS]",
    Variable.START_TIME: r"[1-9][0-9]{12}",
    Variable.DURATION: r"[0-9]{1,9}",
    Variable.RANDOM: "[0-9A-Za-z]{8}",
    Variable.HEAD: HEAD,
}
_WIDE = {*IDS, Variable.DURATION, Variable.HEAD}  # whose length is not fixed
_IN_BRACES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """What a name is made of, in order: variables, and the text between them.

    Raises:
        ValueError: two variables of no fixed length touch, so that nobody can tell them apart.
    """

    parts: tuple[Variable | str, ...]

    def __post_init__(self) -> None:
        for left, right in zip(self.parts, self.parts[1:], strict=False):
            if isinstance(left, Variable) and isinstance(right, Variable) and {left, right} <= _WIDE:
                raise ValueError(
                    f"a naming pattern has the {left.value} right before the {right.value}: "
                    "expected text between them"
                )

    @classmethod
    def of(cls, pattern: str) -> Template:
        """The template of a task's FileNameConfig.Pattern; a misspelt variable is text, as for the recorder.

        Raises ValueError as `Template` does.

        >>> Template.of("{TaskId}_{userid}_{Room}").parts
        (<Variable.TASK_ID: 'taskid'>, '_', <Variable.USER_ID: 'userid'>, '_{Room}')
        """
        parts: list[Variable | str] = []
        for number, piece in enumerate(_IN_BRACES.split(pattern)):
            variable = _VARIABLES.get(piece.lower()) if number % 2 else None
            text = f"{{{piece}}}" if number % 2 else piece
            if variable is not None:
                parts.append(variable)
            elif text and parts and isinstance(parts[-1], str):
                parts[-1] += text
            elif text:
                parts.append(text)
        return cls(tuple(parts))

    @property
    def variables(self) -> frozenset[Variable]:
        """The variables in it."""
        return frozenset(part for part in self.parts if not isinstance(part, str))

    def read(self, name: str, known: Mapping[Variable, str]) -> dict[Variable, str] | None:
        """The values in a name; None when it is no name by this template with the values that are known."""
        found = _expression(self, tuple(known.items())).fullmatch(name)
        return None if found is None else {Variable(key): value for key, value in found.groupdict().items()}

    def write(self, values: Mapping[Variable, str]) -> str:
        """The reverse of `read`."""
        return "".join(part if isinstance(part, str) else values[part] for part in self.parts)


_VARIABLES = {variable.value: variable for variable in Variable if variable is not Variable.HEAD}


@lru_cache(maxsize=256)
def _expression(template: Template, known: tuple[tuple[Variable, str], ...]) -> re.Pattern[str]:
    forms = {**_FORMS, **{variable: re.escape(value) for variable, value in known}}
    seen: set[Variable] = set()
    out = []
    for part in template.parts:
        if isinstance(part, str):
            out.append(re.escape(part))
        elif part in seen:
            out.append(f"(?P={part.value})")
        else:
            out.append(f"(?P<{part.value}>{forms[part]})")
            seen.add(part)
    return re.compile("".join(out), re.ASCII)
