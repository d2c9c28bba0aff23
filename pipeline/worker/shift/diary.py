"""What a worker says: as a value for its log, and on its way into the queue, where it stays beside the job.

It is written now and then, and at the end of an attempt: a job that says much costs few writes, and whoever
kills the worker loses a second of words and nothing else.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.report.words import moment
from pipeline.worker.queue.asked import asked_of
from pipeline.worker.queue.engine import AWAY
from pipeline.worker.queue.jobs import MOST_KEPT

if TYPE_CHECKING:
    from pipeline.worker.queue.engine import Engine
    from pipeline.worker.queue.jobs import Job

EACH_S = 1.0
"""Between two writes."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of a worker.

    Attributes:
        at_ms: UTC.
        worker: its name.
        job: that it is about; None where it is about none.
    """

    at_ms: int
    sentence: str
    worker: str
    job: Job | None = None

    def __str__(self) -> str:
        return f"job {self.job.id}: {self.sentence}" if self.job else self.sentence

    def document(self) -> dict[str, Any]:
        """For a log of JSON lines."""
        told: dict[str, Any] = {"at": moment(self.at_ms), "worker": self.worker}
        if self.job is not None:
            told |= {
                "job": self.job.id,
                "key": self.job.order.key,
                "recording": asked_of(self.job.order.document).source,
                "attempt": self.job.attempts,
            }
        return told | {"sentence": self.sentence}


class Diary:
    """What was said of jobs and is not in the queue yet.

    Args:
        engine: the queue.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._open: dict[int, list[str]] = {}
        self._next = 0.0

    def add(self, number: int, sentence: str) -> None:
        """A sentence about a job; of those that cannot be written for long the last are kept."""
        told = self._open.setdefault(number, [])
        told.append(sentence)
        del told[:-MOST_KEPT]

    def write(self, *, at_once: bool = False) -> None:
        """What is open, if it is time; what the queue does not take now is tried again."""
        if not self._open or (not at_once and time.monotonic() < self._next):
            return
        self._next = time.monotonic() + EACH_S
        for number, sentences in list(self._open.items()):
            try:
                self._engine.say(number, sentences)
            except AWAY:
                return
            del self._open[number]
