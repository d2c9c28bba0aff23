from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pipeline import errors
from pipeline.errors import MEANINGS, ExitCode, RecpipeError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DRAWN = re.compile(r"^(?P<lead> *(?:[│ ]*[├└]── )?)(?P<name>\w+)(?: .*?(?P<code>\d+))?$")


def tree(root: type[RecpipeError] = RecpipeError) -> Iterator[type[RecpipeError]]:
    yield root
    for leaf in root.__subclasses__():
        if leaf.__module__ == errors.__name__:
            yield from tree(leaf)


def drawn() -> list[tuple[int, str, str | None]]:
    """The lines of the tree in the module's docstring: depth, class, exit code."""
    text = (errors.__doc__ or "").split("\n\n", 2)[2]
    found = [_DRAWN.match(line) for line in text.splitlines()]
    return [((len(m["lead"]) - 4) // 4, m["name"], m["code"]) for m in found if m]


@pytest.mark.parametrize("error", list(tree()), ids=lambda error: error.__name__)
def test_every_error_says_what_it_is_and_has_an_exit_code_with_a_meaning(error: type[RecpipeError]) -> None:
    assert error.__doc__
    assert error.__doc__.rstrip().endswith(".")
    assert MEANINGS[error.exit_code]
    assert isinstance(error.retryable, bool)


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    classes = {
        (
            len(error.__mro__) - len(RecpipeError.__mro__),
            error.__name__,
            None if error is RecpipeError else str(int(error.exit_code)),
        )
        for error in tree()
    }
    assert sorted(drawn(), key=str) == sorted(classes, key=str)


def test_every_class_is_drawn_below_its_base() -> None:
    above: list[str] = []
    bases = {error.__name__: error.__mro__[1].__name__ for error in tree()}
    for depth, name, _ in drawn():
        above[depth:] = [name]
        assert depth == 0 or above[depth - 1] == bases[name]


def test_every_exit_code_has_a_meaning() -> None:
    assert list(MEANINGS) == list(ExitCode)
    assert all(MEANINGS.values())


def test_exit_codes_are_in_the_order_of_their_severity() -> None:
    assert [int(code) for code in ExitCode] == sorted(int(code) for code in ExitCode)


@pytest.mark.parametrize("error", list(tree()), ids=lambda error: error.__name__)
def test_only_what_the_machine_or_the_net_lacked_goes_away_by_itself(error: type[RecpipeError]) -> None:
    machine = {errors.NoSpaceError, errors.WorkerKilledError}
    net = {errors.BusyError, errors.CorruptError, errors.OwnedError, errors.ReceiverBusyError}
    assert error.retryable == (error in machine | net | {errors.EngineBusyError})
