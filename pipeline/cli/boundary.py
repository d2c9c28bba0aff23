"""The one error boundary: what ends a command becomes a sentence, a document with --json, an exit code.

Signals arrive here too. Inside the work they are an ordinary exception: the codec library carries those
through its callbacks, and forgets any that are not (KeyboardInterrupt among them).
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import NoArgsIsHelpError

from pipeline.cli.streams import complain, put
from pipeline.errors import CommandError, ExitCode, RecpipeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

DEBUG = "RECPIPE_DEBUG"
SYSTEMS = ("linux", "darwin")
_CODES = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}
_WORDS = {ExitCode.INTERRUPTED: "interrupted", ExitCode.TERMINATED: "terminated"}


class Stopped(Exception):  # noqa: N818 - no error: somebody asked us to stop
    """SIGINT or SIGTERM arrived; ``code`` is what the command returns for it."""

    def __init__(self, code: ExitCode) -> None:
        super().__init__(_WORDS[code])
        self.code = code


class _Request:
    """The first signal that arrived, should its exception have been lost on the way."""

    code: ExitCode | None = None


def check() -> None:
    """Raise `Stopped` again if a signal has arrived: for places that are called now and then."""
    if _Request.code is not None:
        raise Stopped(_Request.code)


@contextmanager
def signals() -> Iterator[None]:
    """SIGINT and SIGTERM raise `Stopped` in this process, once; its children leave both to it."""
    parent = os.getpid()

    def stop(number: int, _frame: FrameType | None) -> None:
        if os.getpid() != parent or _Request.code is not None:
            return
        _Request.code = _CODES[signal.Signals(number)]
        raise Stopped(_Request.code)

    heeded = [number for number in _CODES if signal.getsignal(number) is not signal.SIG_IGN]  # nohup, "&"
    before = {number: signal.signal(number, stop) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _Request.code = None


def guarded(work: Callable[[], int], arguments: Sequence[str], system: str = sys.platform) -> int:
    """What ``work`` returns, or the exit code of what ended it, told on stderr (and stdout with --json).

    Args:
        work: a command; returns its exit code.
        arguments: as they were typed, to know whether a document is wanted even if they are wrong.
        system: where we run.
    """
    try:
        if system not in SYSTEMS:
            _unsupported(system)
        with _notices():
            return work()
    except NoArgsIsHelpError as error:
        complain(error.format_message().splitlines())
        return ExitCode.USAGE
    except KeyboardInterrupt:
        ended = _stopped(ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the boundary: whatever is left is a bug of ours
        # A signal may come out of a library as another error, or in the middle of that error's making.
        ended = _stopped(_Request.code) if _Request.code is not None else _ended(error)
    return _told(*ended, as_json=_wants_json(arguments))


class _Complaining(logging.Handler):
    """What the work tells on its way, such as what it tries again, as lines on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        complain([f"recpipe: {record.getMessage()}"])


@contextmanager
def _notices() -> Iterator[None]:
    logger, handler = logging.getLogger("recpipe"), _Complaining(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _ended(error: Exception) -> tuple[str, ExitCode, str]:
    """The sentence of an error, its exit code and its kind."""
    if isinstance(error, click.ClickException):
        return _usage(error), ExitCode.USAGE, CommandError.__name__
    if isinstance(error, RecpipeError):
        return str(error), error.exit_code, type(error).__name__
    if isinstance(error, Stopped | click.Abort):
        return _stopped(error.code if isinstance(error, Stopped) else ExitCode.INTERRUPTED)
    return _bug(error), ExitCode.BUG, type(error).__name__


def _stopped(code: ExitCode) -> tuple[str, ExitCode, str]:
    return f"{_WORDS[code]}; nothing unfinished was left.", code, Stopped.__name__


def _unsupported(system: str) -> None:
    raise CommandError(
        f"recpipe runs on Linux and macOS, not on {system}: use WSL, a container or another machine."
    )


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    help_of = f" (see {context.command_path} --help)" if isinstance(context, click.Context) else ""
    return f"{error.format_message().rstrip('.')}{help_of}."


def _bug(error: Exception) -> str:
    if os.environ.get(DEBUG):
        traceback.print_exc()
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"this is a bug in recpipe: {what}; run again with {DEBUG}=1 for the traceback."


def _wants_json(arguments: Sequence[str]) -> bool:
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in own


def _told(sentence: str, code: ExitCode, kind: str, *, as_json: bool) -> int:
    complain([f"recpipe: {sentence}"])
    if as_json:
        document: dict[str, Any] = {
            "error": {"sentence": sentence, "exit_code": int(code), "kind": kind},
        }
        try:
            put([json.dumps(document, indent=1)])
        except RecpipeError:
            return code  # stdout is what failed
    return code
