"""The whole error tree, sorted by who must act.

Every error is one sentence that names the object, what was expected and what to do. ``exit_code`` is what
the command returns for it and ``retryable`` what a job runner decides by; nothing else decides either.

    RecpipeError
    ├── CommandError          the caller: another option, another command      2
    │   └── ForbiddenError    whoever posted the job, or lists what one may name 2
    ├── NoRecordingError      the caller: point at the right place             3
    ├── InputError            whoever made or downloaded the recording         4
    │   ├── PlaylistError     a playlist that cannot be read                   4
    │   ├── UnsafeUriError    a playlist line that leaves its own folder       4
    │   └── MissingSliceError a listed slice is not there (--missing fail)     4
    ├── OutputError           whoever owns the output place                    6
    ├── StorageError          whoever owns the store                           6
    │   ├── DeniedError       its credentials or their rights                  6
    │   ├── NoBucketError     its name, region or endpoint                     6
    │   ├── ObjectMissingError an object that was there is gone                6
    │   ├── ConditionError    somebody else wrote the object first             6
    │   ├── BusyError         nobody: it was busy or cut off (again later)     6
    │   ├── CorruptError      nobody: other bytes arrived (again later)        6
    │   └── OwnedError        nobody: another run works on the job (again later) 6
    ├── NotifyError           whoever owns the receiver of events              6
    │   └── ReceiverBusyError nobody: it was busy or cut off (again later)     6
    ├── EngineBusyError       nobody: the queue was locked or away (again later) 6
    ├── LostError             nobody: the job is another worker's by now       6
    ├── NoSpaceError          whoever owns the disk                            7
    └── WorkerKilledError     whoever owns the machine                       143
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the command returns; the order is the severity that ``batch`` reports."""

    GOOD = 0
    LOSSES = 1
    USAGE = 2
    NO_RECORDING = 3
    INPUT = 4
    VERIFICATION = 5
    OUTPUT = 6
    NO_SPACE = 7
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: dict[ExitCode, str] = {
    ExitCode.GOOD: "done, nothing lost",
    ExitCode.LOSSES: "done, with losses that the ledger names (0 with --accept-loss)",
    ExitCode.USAGE: "wrong usage, or refused with the reason",
    ExitCode.NO_RECORDING: "no recording found",
    ExitCode.INPUT: "the input cannot be used",
    ExitCode.VERIFICATION: "an output failed its verification",
    ExitCode.OUTPUT: "the output place, a store or the queue failed, or a webhook refused",
    ExitCode.NO_SPACE: "no space left on the output place",
    ExitCode.BUG: "a bug in recpipe",
    ExitCode.INTERRUPTED: "interrupted (SIGINT); temporaries were removed",
    ExitCode.TERMINATED: "terminated (SIGTERM); temporaries were removed",
}


class RecpipeError(Exception):
    """Anything that ends the work with a sentence for a person."""

    exit_code: ClassVar[ExitCode] = ExitCode.BUG
    retryable: ClassVar[bool] = False


class CommandError(RecpipeError):
    """The command was called with something it does not take."""

    exit_code = ExitCode.USAGE


class ForbiddenError(CommandError):
    """A job that was posted names what posted jobs may not."""


class NoRecordingError(RecpipeError):
    """The place holds no recording of a vendor we know."""

    exit_code = ExitCode.NO_RECORDING


class InputError(RecpipeError):
    """The recording itself cannot be used."""

    exit_code = ExitCode.INPUT


class PlaylistError(InputError):
    """A playlist that is none, or is over the bounds."""


class UnsafeUriError(InputError):
    """A playlist line that is not a bare name inside the recording's own folder."""


class MissingSliceError(InputError):
    """A slice that a playlist lists is missing or empty, and --missing fail was asked for."""


class OutputError(RecpipeError):
    """The output place refuses what we write."""

    exit_code = ExitCode.OUTPUT


class StorageError(RecpipeError):
    """A store does not do what was asked of it."""

    exit_code = ExitCode.OUTPUT


class DeniedError(StorageError):
    """The store does not take the credentials, or they may not do this."""


class NoBucketError(StorageError):
    """There is no such bucket at this endpoint."""


class ObjectMissingError(StorageError):
    """There is no such object."""


class ConditionError(StorageError):
    """An object was written by somebody else meanwhile, or exists and must not be replaced."""


class BusyError(StorageError):
    """The store was busy, or the connection broke; trying again can help.

    Args:
        message: one sentence.
        after: seconds that the store asks to wait, None where it asks nothing.
    """

    retryable = True

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class CorruptError(StorageError):
    """Other bytes arrived than were sent; trying again can help."""

    retryable = True


class OwnedError(StorageError):
    """Another run works on this job, or has taken it over; when that has ended, trying again can help."""

    retryable = True


class NotifyError(RecpipeError):
    """The receiver of events does not take one."""

    exit_code = ExitCode.OUTPUT


class ReceiverBusyError(NotifyError):
    """The receiver of events was busy, or the connection broke; trying again can help.

    Args:
        message: one sentence.
        after: seconds that it asks to wait, None where it asks nothing.
    """

    retryable = True

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class EngineBusyError(RecpipeError):
    """The queue of jobs is locked or cannot be reached; trying again can help."""

    exit_code = ExitCode.OUTPUT
    retryable = True


class LostError(RecpipeError):
    """A job that a worker had is another's by now; nothing more may be done for it."""

    exit_code = ExitCode.OUTPUT


class WorkerKilledError(RecpipeError):
    """A process that copied a track was killed from outside, most often because memory ran out."""

    exit_code = ExitCode.TERMINATED
    retryable = True


class NoSpaceError(RecpipeError):
    """The disk of the output place is full, or will be."""

    exit_code = ExitCode.NO_SPACE
    retryable = True
