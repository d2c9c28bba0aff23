"""What a refusal says, for the tests of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "wJalrXUtnFEMI/K7MDENG"  # noqa: S105 - of no account


def said(refused: Callable[[], object]) -> str:
    """The sentence of the CommandError that the call must raise."""
    with pytest.raises(CommandError) as caught:
        refused()
    return str(caught.value)
