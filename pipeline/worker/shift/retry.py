"""What becomes of a job after an attempt: it is done, tried again later, or set aside. Pure.

A recording that is poison, which kills whatever process takes it, is set aside after few attempts; what a
busy store refuses is tried for hours. Losses are an end: trying again makes no slice appear.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pipeline.errors import ExitCode
from pipeline.worker.queue.jobs import Again, Ended, State

MOST_ATTEMPTS = 12
"""With the pauses between them about six hours."""
MOST_DEATHS = 3
"""Attempts of a job whose process, or whose worker, dies of it."""
FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 30_000, 3_600_000
_GOOD = frozenset({ExitCode.GOOD, ExitCode.LOSSES})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended.

    Attributes:
        code: exit code, as of ``recpipe run``.
        sentence: why, where it is none of the good ones; else what was lost.
        retryable: the same may succeed later.
        died: its process did not end by itself.
        summary: JSON of what came out; empty for nothing.
    """

    code: int
    sentence: str = ""
    retryable: bool = False
    died: bool = False
    summary: str = ""


def decide(outcome: Outcome, job_id: int, attempts: int, now_ms: int) -> Ended | Again:
    """What becomes of a job.

    Args:
        outcome: of the attempt.
        job_id: spreads the pauses of jobs that failed together.
        attempts: that were begun, with this one.
        now_ms: UTC.
    """
    if outcome.code in _GOOD:
        return Ended(State.DONE, outcome.code, outcome.sentence, outcome.summary)
    most = MOST_DEATHS if outcome.died else MOST_ATTEMPTS
    if outcome.retryable and attempts < most:
        return Again(now_ms + pause_ms(job_id, attempts), outcome.sentence)
    tried = f" It was tried {attempts} times." if outcome.retryable else ""
    return Ended(State.DEAD, outcome.code, outcome.sentence + tried, outcome.summary)


def is_last(attempts: int) -> bool:
    """Whether no other attempt comes after so many, whatever becomes of the last of them."""
    return attempts >= MOST_ATTEMPTS


def worn_out(attempts: int) -> Ended | None:
    """The end of a job that was begun so often that it must kill its workers; None for any other.

    Args:
        attempts: that were begun, with the one that would begin now.
    """
    if attempts <= MOST_ATTEMPTS:
        return None
    sentence = f"it was begun {attempts - 1} times and never ended: its workers were killed, or stopped."
    return Ended(State.DEAD, int(ExitCode.TERMINATED), sentence)


def pause_ms(job_id: int, attempts: int) -> int:
    """The pause after so many attempts: doubled each time, and up to half of it more, by the job's id."""
    most = LONGEST_PAUSE_MS * 2 // 3
    doubled = min(FIRST_PAUSE_MS << min(attempts - 1, 20), most)
    digest = hashlib.sha256(f"{job_id}.{attempts}".encode()).digest()
    return doubled + doubled * digest[0] // 512
