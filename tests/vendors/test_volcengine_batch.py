"""Names of a folder that tell one another's ids, and those that stay unsplit."""

from __future__ import annotations

import pytest

from pipeline.vendors.base import Ignored
from pipeline.vendors.volcengine import VolcengineName, parse
from pipeline.vendors.volcengine.batch import told_apart

END = "_1700000000000_000030_c4694fa1"


def _names(*heads: str) -> list[VolcengineName]:
    out = []
    for head in heads:
        name = parse(f"{head}{END}.mp4")
        assert not isinstance(name, Ignored)
        out.append(name)
    return out


@pytest.mark.parametrize(
    ("heads", "told"),
    [
        pytest.param(["task_room_ann_C"], [("task_room", "ann")], id="as few ids as it needs"),
        pytest.param(["task_room_ann_S"], [("task_room", "ann")], id="a screen"),
        pytest.param(
            ["task_room_ann_C", "task_room_bob_9_C"],
            [("task_room", "ann"), ("task_room", "bob_9")],
            id="a user id with _ beside one without",
        ),
        pytest.param(
            ["task_room_bob_9_C", "task_room"],
            [("task_room", "bob_9"), ("task_room", None)],
            id="a mixed recording tells the task",
        ),
        pytest.param(
            ["my_task_room_ann_C", "my_task_room_bob_C"],
            [("my_task_room_ann", "my_task_room_ann"), ("my_task_room_bob", "my_task_room_bob")],
            id="a task id with _ is not guessed",
        ),
        pytest.param(["task_class_C"], [("task_class_C", None)], id="a mixed recording of a room class_C"),
        pytest.param(
            ["task_class_C", "task_class_C_ann_C"],
            [("task_class_C", None), ("task_class_C", "ann")],
            id="a room class_C and its user",
        ),
        pytest.param(["task"], [("task", None)], id="one id alone"),
        pytest.param(
            ["task_{RoomID1}_ann_C"],
            [("task_{RoomID1}_ann", "task_{RoomID1}_ann")],
            id="a misspelt variable is no id",
        ),
        pytest.param(["task__ann_C"], [("task__ann", "task__ann")], id="an id is never empty"),
    ],
)
def test_ids_are_told_apart_where_that_is_certain(
    heads: list[str], told: list[tuple[str, str | None]]
) -> None:
    names = _names(*heads)
    apart = told_apart(names)
    assert [(name.recording, name.uid) for name in apart] == told
    assert list(map(str, apart)) == list(map(str, names))


def test_names_tell_nothing_about_another_folder() -> None:
    here, there = _names("a/task_room_ann_C", "b/task_room_bob_9_C")
    assert [name.uid for name in told_apart([here, there])] == ["ann", "task_room_bob_9"]
