"""Why a slice cannot be used, as every look at one says it."""

from __future__ import annotations

from dataclasses import dataclass

NOTHING_OF_IT = "it holds no packet of this track"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a slice cannot be used; a sentence part."""

    why: str
