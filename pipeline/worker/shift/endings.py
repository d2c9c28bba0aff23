"""Ends of attempts on their way into the queue: said until it has taken them, or needs them no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipeline.errors import LostError
from pipeline.worker.queue.engine import AWAY
from pipeline.worker.queue.jobs import Ended, Parted

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.errors import RecpipeError
    from pipeline.worker.queue.engine import Engine
    from pipeline.worker.queue.jobs import Again, Claim

AGAIN_MS = 1_000
"""Until something is said again that the queue could not take."""


class _Open(NamedTuple):
    """An end that the queue has not taken yet; until its lease ends nobody else can take the job."""

    claim: Claim
    how: Ended | Again | Parted
    next_ms: int
    until_ms: int


class Endings:
    """Those that the queue has not taken yet.

    Args:
        engine: the queue.
        about: is told a sentence about a claim.
        away: is told that the queue could not be reached.
    """

    def __init__(
        self, engine: Engine, about: Callable[[Claim, str], None], away: Callable[[RecpipeError], None]
    ) -> None:
        self._engine = engine
        self._about = about
        self._away = away
        self._open: list[_Open] = []

    def __len__(self) -> int:
        return len(self._open)

    def add(self, claim: Claim, how: Ended | Again | Parted, *, now_ms: int, until_ms: int) -> None:
        """Say an end.

        Args:
            claim: on the job.
            how: its attempt ended.
            now_ms: of CLOCK_BOOTTIME.
            until_ms: as now_ms; then the lease is over.
        """
        self._about(claim, f"{_words(how)}{': ' if how.sentence else '.'}{how.sentence}")
        if not self._said(claim, how):
            self._open.append(_Open(claim, how, now_ms + AGAIN_MS, until_ms))

    def again(self, now_ms: int, *, stopping: bool) -> None:
        """Say once more what is due; who stops leaves to others what they can take by now."""
        due = [each for each in self._open if now_ms >= each.next_ms]
        for each in due:
            self._open.remove(each)
            if not self._said(each.claim, each.how) and not (stopping and now_ms > each.until_ms):
                self._open.append(each._replace(next_ms=now_ms + AGAIN_MS))

    def _said(self, claim: Claim, how: Ended | Again | Parted) -> bool:
        """Whether the queue knows it, or need not know it from us any more."""
        try:
            self._engine.end(claim, how)
        except LostError:
            self._about(claim, "it is another worker's by now, which ends it.")
        except AWAY as error:
            self._away(error)
            return False
        return True


def _words(how: Ended | Again | Parted) -> str:
    if isinstance(how, Ended):
        return f"{how.state} (exit code {how.code})"
    return "waits for others" if isinstance(how, Parted) else "comes again"
