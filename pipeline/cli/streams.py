"""Standard output and standard error: lines of text, whatever terminal, pipe or full disk is behind them."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, TextIO

from pipeline.errors import OutputError
from pipeline.report.words import Screen, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

PIPE_WIDTH = 100
LEAST_WIDTH, MOST_WIDTH = 40, 500


def put(lines: Iterable[str]) -> None:
    """Print lines on standard output. A reader who has left is no error: the work's exit code stands.

    Raises:
        OutputError: it cannot be written, because its disk is full for example.
    """
    stream = sys.stdout
    if stream is None:  # the caller closed it
        return
    try:
        _write(stream, lines)
    except BrokenPipeError:
        _to_nowhere(stream)
    except OSError as error:
        _to_nowhere(stream)
        raise OutputError(
            f"standard output cannot be written ({error.strerror}): send it somewhere else."
        ) from error


def paint(lines: Iterable[str]) -> None:
    """Print lines on a terminal with what matters in colour; as `put` anywhere else."""
    if not is_terminal(sys.stdout):
        put(lines)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    for line in lines:
        text = Text(_encodable(line, sys.stdout))
        text.highlight_regex(r"\N{MULTIPLICATION SIGN}+|^ *loss\b|^BAD\b|\brefused\b|\blost\b", "bold red")
        text.highlight_regex(r"█+|^ok\b|\bverified\b", "green")
        text.highlight_regex(r"░+", "dim")
        console.print(text)


def complain(lines: Iterable[str]) -> None:
    """Print lines on standard error, what a terminal would obey made visible; never fails."""
    stream = sys.stderr
    if stream is None:  # the caller closed it
        return
    try:
        _write(stream, map(visible, lines))
    except OSError:
        _to_nowhere(stream)


def screen() -> Screen:
    """What stands behind standard output: COLUMNS, else the terminal's width, else `PIPE_WIDTH`."""
    width = shutil.get_terminal_size((PIPE_WIDTH, 24)).columns
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    return Screen(min(MOST_WIDTH, max(LEAST_WIDTH, width)), unicode=encoding.startswith("utf"))


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person reads the stream."""
    return stream is not None and stream.isatty()


def _write(stream: TextIO, lines: Iterable[str]) -> None:
    """Write every byte: over an unbuffered file (python -u) a text stream forgets what a disk refuses."""
    stream.flush()
    for line in lines:
        rest = memoryview(line.encode(stream.encoding or "utf-8", "backslashreplace") + b"\n")
        while rest:
            rest = rest[stream.buffer.write(rest) :]
    stream.buffer.flush()


def _encodable(line: str, stream: TextIO) -> str:
    encoding = stream.encoding or "utf-8"
    return line.encode(encoding, "backslashreplace").decode(encoding)


def _to_nowhere(stream: TextIO) -> None:
    """Let the interpreter's last flush of a broken stream succeed."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)
