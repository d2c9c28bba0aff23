"""Verify: reopen a finished file and compare it with what the manifest says of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pipeline.media.reopen import decode_joins, read_facts
from pipeline.model.checks import FileFacts, compare
from pipeline.model.manifest import Output, Verdict
from pipeline.model.options import Verify

if TYPE_CHECKING:
    from pathlib import Path


def verify(path: Path, output: Output, level: Verify) -> tuple[Verdict, FileFacts | None]:
    """The verdict on one file, and its facts where it could be read.

    Args:
        path: where the file lies, whatever its name.
        output: what the manifest says; a size of 0 means that size and hash are not known yet.
        level: how much to check.
    """
    if level is Verify.OFF:
        return Verdict(level, 0, 0), None
    with ThreadPoolExecutor(1) as beside:
        joins = beside.submit(decode_joins, path, output) if level is Verify.FULL else None
        try:
            facts = read_facts(path, output)
        except (ValueError, OSError) as error:
            return Verdict(level, 1, 0, (f"it cannot be read back: {error}",)), None
        checks = list(compare(output, facts))
        problems = [check.problem for check in checks if not check.good]
        decoded = 0
        if joins is not None and not problems:
            decoded, failed = joins.result()
            problems += failed
    return Verdict(level, len(checks), decoded, tuple(problems)), facts
