"""What jobs did, as lines and as a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.report.merged import Merged, merged_lines, recording_document
from pipeline.report.words import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.errors import ExitCode, RecpipeError

VERSION = 1


@dataclass(frozen=True, slots=True)
class Failed:
    """A recording that a job could not end: its place, and why."""

    place: str
    error: RecpipeError

    @property
    def code(self) -> ExitCode:
        """What it means for the command."""
        return self.error.exit_code


def ran_document(recordings: Sequence[Merged | Failed], code: ExitCode) -> dict[str, Any]:
    """What ``run --json`` prints: every manifest and where it lies, or why there is none."""
    return {
        "version": VERSION,
        "recordings": [_document(each) for each in recordings],
        "exit_code": int(code),
    }


def _document(each: Merged | Failed) -> dict[str, Any]:
    if isinstance(each, Merged):
        return {**recording_document(each), "error": None}
    error = {
        "sentence": str(each.error),
        "exit_code": int(each.code),
        "kind": type(each.error).__name__,
    }
    return {
        "place": each.place,
        "already": False,
        "exit_code": int(each.code),
        "manifest": None,
        "error": error,
    }


def ran_lines(recordings: Sequence[Merged | Failed]) -> Iterator[str]:
    """What ``run`` prints: as ``merge``, and a line for each recording that failed."""
    for each in recordings:
        if isinstance(each, Merged):
            yield from merged_lines([each])
            for output in each.manifest.outputs:
                for medium in output.published:
                    yield f"  {visible(output.file)} is {visible(medium.id)} in {visible(medium.service)}"
        else:
            yield f"FAILED {visible(each.place)}: {visible(str(each.error))}"
