"""Cells of a table of which the suite tries some, and ``make soak`` all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet


def cell(*values: object, name: str, always: bool) -> ParameterSet:
    """The parameters of one test.

    Args:
        values: the parameters.
        name: what the report calls them.
        always: the suite tries it too.
    """
    return pytest.param(*values, id=name, marks=() if always else pytest.mark.soak)
