"""A verification as lines and as a document."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.report.merged import problems, verdict
from pipeline.report.words import count, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.model.verification import Verification

VERSION = 1


def verification_document(verification: Verification) -> dict[str, Any]:
    """What ``verify --json`` prints."""
    return {
        "version": VERSION,
        "files": [{**asdict(file), "good": file.verdict.good} for file in verification.files],
        "exit_code": int(verification.exit_code),
    }


def verification_lines(verification: Verification) -> Iterator[str]:
    """What ``verify`` prints: a line for each file, then how many are good."""
    for file in verification.files:
        if file.verdict.good:
            yield f"ok   {visible(file.path)}: {verdict(file.verdict)}"
        yield from problems(file.path, file.verdict)
    good = sum(file.verdict.good for file in verification.files)
    yield f"{good} of {count(len(verification.files), 'file')} good"
