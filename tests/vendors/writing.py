"""What the tests of written names share: outputs to name, and the sentences of names that are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.errors import CommandError
from pipeline.model.naming import Facts
from pipeline.vendors.base import Ignored
from pipeline.vendors.styles import style_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.vendors.base import Name

START_MS = 1_686_281_212_582
KEY = "0123456789abcdef"
MOST_CHARACTERS = 300
"""Of a sentence for a person, whatever the names hold."""


def named(name: str, like: Name | Ignored, files: Sequence[Facts], key: str = KEY) -> list[str]:
    """The names of files in a recording of which ``like`` is one, as ``--name`` asks."""
    assert not isinstance(like, Ignored)
    style = style_of(name)
    assert style is not None
    return list(style.naming(like, key)(files))


def sentence(name: str, like: Name | Ignored, *files: Facts) -> str:
    """Why files cannot have names as ``--name`` asks, or why it asks for nothing that there is."""
    with pytest.raises(CommandError) as caught:
        named(name, like, files)
    told = str(caught.value)
    assert len(told) < MOST_CHARACTERS
    return told


def file(uid: str = "ann", source: str = "camera", after_ms: int = 0, length_ms: int = 3_600_000) -> Facts:
    """An MP4 with pictures."""
    return Facts(uid, source, START_MS + after_ms, length_ms)
