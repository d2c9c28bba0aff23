"""What the end of a job's process means for the job. Pure."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from pipeline.errors import ExitCode
from pipeline.worker.queue.jobs import Again, Ended, State
from pipeline.worker.shift.chunks.shares import parted
from pipeline.worker.shift.retry import Outcome, decide
from pipeline.worker.shift.rules import Why

if TYPE_CHECKING:
    from pipeline.worker.queue.jobs import Job, Parted
    from pipeline.worker.shift.words import Over

_KILLED = int(ExitCode.TERMINATED)


def end_of(
    over: Over | None, why: Why | None, code: int, standing: str, *, job: Job, now_ms: int
) -> Ended | Again | Parted:
    """What becomes of a job whose process has ended.

    Args:
        over: its last word, if it had one.
        why: the worker ended it; None where it ended by itself.
        code: exit code of the process, or the number of the signal below zero.
        standing: where it was, for sentences.
        job: with the attempt in its count.
        now_ms: UTC.
    """
    if over is not None and over.outcome is not None:
        return decide(over.outcome, job.id, job.attempts, now_ms)  # it came to its end before it was ended
    if over is not None and over.apart is not None:
        return parted(job, over.apart)
    if why is Why.CANCELLED:
        return Ended(State.CANCELLED, _KILLED, f"it was cancelled while it was {standing}.")
    if why is Why.STOPPED:
        return Again(now_ms, f"its worker was stopped while it was {standing}.", counts=False)
    if why is None and over is not None and over.wait_ms:
        return Again(now_ms + over.wait_ms, over.sentence, counts=False)
    return decide(_outcome(over, why, code, standing), job.id, job.attempts, now_ms)


def _outcome(over: Over | None, why: Why | None, code: int, standing: str) -> Outcome:
    if why is Why.HUNG:
        return _death(f"nothing moved for too long while it was {standing}: its process was ended.")
    if over is not None:
        return _death(f"its process was terminated from outside while it was {standing}.")
    if code == -signal.SIGXCPU:
        sentence = f"it had used all the processor time that a job may have, and was {standing}."
        return Outcome(_KILLED, sentence, died=True)
    if code < 0:
        return _death(
            f"its process was killed (signal {-code}) while it was {standing}, most often because memory ran "
            "out."
        )
    if code == ExitCode.OUTPUT:
        return _death(f"its process heard no more of its worker while it was {standing}, and ended.")
    return _death(f"its process ended without a word (exit code {code}): the worker's stderr may tell why.")


def _death(sentence: str) -> Outcome:
    return Outcome(_KILLED, sentence, retryable=True, died=True)
