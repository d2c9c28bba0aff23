"""Names of one folder read together: what one of them tells of its task splits the others.

Ids may contain ``_`` and are never empty. So a name with as few ``_`` as it needs can be read in one way
only, and the task that it tells has written every name that begins with its two ids.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.vendors.volcengine.names import VolcengineName, parse
from pipeline.vendors.volcengine.tasks import Task
from pipeline.vendors.volcengine.templates import ID, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MIXED, _STREAM = 2, 3  # ids of a mixed recording's name and of a stream's


def told_apart(names: Sequence[VolcengineName]) -> list[VolcengineName]:
    """The names, with task, room and user apart wherever the names of their folder tell it for certain."""
    tasks = {task for name in names if (task := _certain(name)) is not None}
    return [_by(name, tasks) for name in names]


def _certain(name: VolcengineName) -> tuple[str, str, str] | None:
    """Folder, TaskId and RoomId of a name that can be read in one way only; None for any other."""
    head = name.get(Variable.HEAD)
    if head is None:
        return None
    ids = head.split("_")
    typed = name.get(Variable.TYPE)
    if typed is not None and len(ids) == _MIXED:
        ids[-1] += f"_{typed}"  # too short for a stream: a mixed recording of a room that is called so
    elif len(ids) != (_MIXED if typed is None else _STREAM):
        return None
    return (name.prefix, ids[0], ids[1]) if all(re.fullmatch(ID, each) for each in ids) else None


def _by(name: VolcengineName, tasks: Iterable[tuple[str, str, str]]) -> VolcengineName:
    head = f"{name.get(Variable.HEAD) or ''}_{name.get(Variable.TYPE) or ''}_"
    for prefix, task, room in tasks:
        if prefix == name.prefix and head.startswith(f"{task}_{room}_"):
            apart = parse(str(name), Task(task, room))
            if isinstance(apart, VolcengineName):
                return apart
    return name
