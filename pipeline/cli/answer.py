"""What a command has to say, for people and for programs, and how it is printed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.cli.streams import paint, put, screen
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipeline.report.words import Screen


@dataclass(frozen=True, slots=True)
class Answer:
    """A command's result: its JSON document, its text on a screen, its exit code."""

    document: Callable[[], dict[str, Any]]
    lines: Callable[[Screen], Iterable[str]]
    code: ExitCode = ExitCode.GOOD

    def tell(self, *, as_json: bool) -> int:
        """Print the one or the other; the exit code comes back."""
        if as_json:
            # ASCII only: a hostile name cannot steer a terminal or break an encoding.
            put([json.dumps(self.document(), indent=1)])
        else:
            paint(self.lines(screen()))
        return int(self.code)
