"""What checking finished files again has found; a value for people and for `--json`."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import ExitCode
from pipeline.model.manifest import Verdict  # noqa: TC001 - read by whoever makes a schema of it


@dataclass(frozen=True, slots=True)
class Checked:
    """One file: where it lies or should lie, whose it is (empty if unknown), and the verdict."""

    path: str
    uid: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Verification:
    """Every file that was asked for, in the order of its manifest."""

    files: tuple[Checked, ...]

    @property
    def good(self) -> bool:
        """No file has a problem."""
        return all(file.verdict.good for file in self.files)

    @property
    def exit_code(self) -> ExitCode:
        """What it means for the command."""
        return ExitCode.GOOD if self.good else ExitCode.VERIFICATION
