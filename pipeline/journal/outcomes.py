"""What batches have finished: a file of JSON lines, one for each source that ended, the last one counts.

A line is written at once and brought to the disk before the batch goes on. Whoever kills the batch, what is
left of a line is no JSON and is passed over; the next line begins anew.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from pipeline.errors import ExitCode, NoSpaceError, OutputError
from pipeline.model.batch import Outcome, Row, State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = 1


class Outcomes:
    """The file, open for what comes.

    Args:
        path: of it; made, with its folder, where it is not there.

    Raises:
        OutputError: it cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
            size = os.fstat(self._file).st_size
            self._torn = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
        except OSError as error:
            raise self._blame(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def known(self) -> dict[tuple[str, str], Outcome]:
        """The last outcome of each identity and place."""
        try:
            with self._path.open("rb") as file:
                found = [outcome for line in file if (outcome := outcome_of(line)) is not None]
        except OSError as error:
            raise self._blame(error) from error
        return {(outcome.identity, outcome.place): outcome for outcome in found}

    def add(self, outcome: Outcome) -> None:
        """Write one, and see it on the disk.

        Raises:
            OutputError: it cannot be written; NoSpaceError where the disk is full.
        """
        line = (b"\n" if self._torn else b"") + text_of(outcome)
        try:
            # One write behind the end: two batches with one file never mix their lines.
            self._torn = os.write(self._file, line) != len(line)
            os.fsync(self._file)
        except OSError as error:
            raise self._blame(error) from error
        if self._torn:
            raise NoSpaceError(f"{self._path} cannot grow: free some space on its disk.")

    def _blame(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self._path}, which remembers what is finished, cannot be used ({error.strerror}): choose "
            "another file with --state."
        )


def text_of(outcome: Outcome) -> bytes:
    """The line of an outcome; ASCII alone, whatever the names hold."""
    return json.dumps({"version": VERSION, **asdict(outcome)}, sort_keys=True).encode("ascii") + b"\n"


def outcome_of(line: bytes) -> Outcome | None:
    """The outcome of a line; None for what is none, or of a version that we do not know."""
    try:
        found = json.loads(line)
        if found.pop("version") != VERSION:
            return None
        outcome = Outcome(**{**found, "rows": tuple(_rows(found["rows"]))})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    texts = (outcome.identity, outcome.place, outcome.work)
    return outcome if all(isinstance(text, str) for text in texts) else None


def _rows(found: list[dict[str, Any]]) -> Iterator[Row]:
    for row in found:
        yield Row(**{**row, "state": State(row["state"]), "code": ExitCode(row["code"])})
