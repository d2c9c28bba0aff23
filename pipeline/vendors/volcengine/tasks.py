"""What is known of a Volcengine recording task, and by which templates its names are read.

Task, room and user ids may all contain ``_``, so a default name cannot be split by counting: it is read by
the ids of the task that wrote it. Where none is known, they stay together.
Sources: https://volcengine.com/docs/6348/1188215 (ids), https://docs.byteplus.com/byteplus-rtc/docs/106873
(names).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from pipeline.vendors.volcengine.templates import ID, IDS, Template, Variable

_END = ("_", Variable.START_TIME, "_", Variable.DURATION)
_TYPED = ("_", Variable.TYPE)
_RANDOM = ("_", Variable.RANDOM)
_ROOM = (Variable.TASK_ID, "_", Variable.ROOM_ID)
_STREAM = (Variable.TASK_ID, "_", Variable.STREAM_ID)

# Single-stream before mixed: the type would be read as the end of the last id.
UNKNOWN = tuple(
    Template((Variable.HEAD, *typed, *_END, *random)) for random in (_RANDOM, ()) for typed in (_TYPED, ())
)
"""The default names where no id is known."""


@dataclass(frozen=True, slots=True)
class Task:
    """A recording task, as its StartRecord request tells it.

    Attributes:
        task_id: TaskId.
        room_id: RoomId; None for a public stream (WTN), which is in no room.
        pattern: FileNameConfig.Pattern; None for the default names. Where it has no ``{Random}``, a last
            part of 8 letters and digits is read as one that the recorder added.

    Raises:
        ValueError: an id is none, or names by the pattern cannot be taken apart with these ids.
    """

    task_id: str
    room_id: str | None = None
    pattern: str | None = None

    def __post_init__(self) -> None:
        for given in self.known.values():
            if not re.fullmatch(ID, given):
                raise ValueError(
                    f"expected an id of at most 128 letters, digits, '_', '@', '-' and '.': {given!r}"
                )
        # Where room and user are both unknown, nothing tells at which "_" one ends and the other begins.
        if len(self.templates[0].variables & IDS - self.known.keys()) > 1:
            raise ValueError(f"expected the room id to read names by the naming pattern {self.pattern!r}")

    @property
    def known(self) -> dict[Variable, str]:
        """The values of the variables that are the same in every name."""
        room = {} if self.room_id is None else {Variable.ROOM_ID: self.room_id}
        return {Variable.TASK_ID: self.task_id, **room}

    @property
    def templates(self) -> tuple[Template, ...]:
        """By which a name of the task is read, first match first."""
        return _templates(self.pattern, in_room=self.room_id is not None)


@lru_cache(maxsize=64)
def _templates(pattern: str | None, *, in_room: bool) -> tuple[Template, ...]:
    if pattern is None:
        heads = (_ROOM, (*_ROOM, "_", Variable.USER_ID, *_TYPED)) if in_room else (_STREAM,)
        return tuple(Template((*head, *_END, *random)) for random in (_RANDOM, ()) for head in heads)
    template = Template.of(pattern)
    if Variable.RANDOM in template.variables:
        return (template,)
    # Newer versions of the API add a random part to every pattern, older ones to none.
    return (Template((*template.parts, *_RANDOM)), template)
