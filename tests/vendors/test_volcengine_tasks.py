"""Volcengine's naming patterns: what their variables are, and when names by them cannot be taken apart."""

from __future__ import annotations

import pytest

from pipeline.vendors.base import Ignored
from pipeline.vendors.volcengine.names import VolcengineName, parse
from pipeline.vendors.volcengine.tasks import Task
from pipeline.vendors.volcengine.templates import Template, Variable


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        pytest.param("", (), id="nothing"),
        pytest.param("lesson_{1}", ("lesson_{1}",), id="text with braces is one text"),
        pytest.param("{TASKID}", (Variable.TASK_ID,), id="case does not matter"),
        pytest.param("{Head}", ("{Head}",), id="our own variable cannot be asked for"),
        pytest.param("userid", ("userid",), id="a variable needs its braces"),
        pytest.param("{}{", ("{}{",), id="braces around nothing are text"),
        pytest.param(
            "{UserId}{Type}", (Variable.USER_ID, Variable.TYPE), id="a variable of fixed length may touch"
        ),
    ],
)
def test_a_pattern_is_variables_and_text(pattern: str, parts: tuple[Variable | str, ...]) -> None:
    assert Template.of(pattern).parts == parts


def test_text_that_is_called_like_a_variable_is_another_template() -> None:
    assert Template.of("userid") != Template.of("{UserId}")
    assert Template.of("userid").read("bob", {}) is None
    assert Template.of("{UserId}").read("bob", {}) == {Variable.USER_ID: "bob"}


@pytest.mark.parametrize("pattern", ["{UserId}{Duration}", "{RoomId}{UserId}", "{Duration}{TaskId}"])
def test_variables_that_cannot_be_told_apart_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"^a naming pattern has the .* right before the .*: expected text"):
        Template.of(pattern)


def test_a_variable_that_comes_twice_has_one_value() -> None:
    task = Task("t", "r", "{UserId}_{UserId}")
    assert isinstance(found := parse("bob_bob.mp4", task), VolcengineName)
    assert found.uid == "bob"
    assert str(found) == "bob_bob.mp4"
    with pytest.raises(ValueError, match=r"^expected a name of the task 't': 'bob_ann\.mp4'$"):
        parse("bob_ann.mp4", task)


def test_the_recorder_may_add_a_random_part_unless_the_pattern_has_one() -> None:
    added, asked = Task("t", "r", "{UserId}"), Task("t", "r", "{UserId}_{Random}")
    for task, key, uid in [
        (added, "bob_45678903.mp4", "bob"),
        (added, "bob.mp4", "bob"),
        (asked, "b_45678903", "b"),
    ]:
        found = parse(key, task)
        assert not isinstance(found, Ignored)
        assert found.uid == uid
    with pytest.raises(ValueError, match=r"^expected a name of the task 't': 'bob\.mp4'$"):
        parse("bob.mp4", asked)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        pytest.param(
            ("a b", "r", None),
            "expected an id of at most 128 letters, digits, '_', '@', '-' and '.': 'a b'",
            id="a task id with a space",
        ),
        pytest.param(
            ("t", "", None),
            "expected an id of at most 128 letters, digits, '_', '@', '-' and '.': ''",
            id="an empty room id",
        ),
        pytest.param(
            ("t", None, "{RoomId}_{UserId}"),
            "expected the room id to read names by the naming pattern '{RoomId}_{UserId}'",
            id="a room and a user that are both unknown",
        ),
    ],
)
def test_a_task_that_cannot_read_names_is_refused(
    ids: tuple[str, str | None, str | None], message: str
) -> None:
    with pytest.raises(ValueError, match=r"^expected") as caught:
        Task(*ids)
    assert str(caught.value) == message
